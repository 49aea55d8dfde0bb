// SPDX-License-Identifier: Apache-2.0
//
// The hypervisor's view of a GHCB page.
//
// Spec: AMD 56421 rev. 2.03, section 3; KVM reads and answers the same way
// (arch/x86/kvm/svm/sev.c, sev_es_sync_from_ghcb, sev_es_sync_to_ghcb).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <span>

#include "sev/ghcb.h"
#include "sev/wire_field.h"

namespace machine {

class GhcbPage {
 public:
  explicit GhcbPage(std::span<uint8_t, sev::kGhcbSize> page) : page_(page) {}

  template <typename F>
  bool Valid() const {
    constexpr size_t kBit = sev::kValidBit<F>;
    return (Bitmap()[kBit / 8] >> (kBit % 8) & 1) != 0;
  }
  // 0 if the bitmap does not name it.
  template <typename F>
  uint64_t GetIfValid() const {
    return Valid<F>() ? Get<F>() : 0;
  }
  template <typename F>
  uint64_t Get() const {
    return sev::GetLe<uint64_t, F>(
        std::span<const uint8_t, sev::kGhcbSize>(page_));
  }
  template <typename F>
  void Set(uint64_t value) {
    constexpr size_t kBit = sev::kValidBit<F>;
    sev::PutLe<uint64_t, F>(value, page_);
    Bitmap()[kBit / 8] |= static_cast<uint8_t>(1u << (kBit % 8));
  }
  // The answer to a request that cannot be served.
  void Refuse(uint64_t why) {
    Set<sev::ghcb_layout::SwExitInfo1>(sev::kExitResultMalformed);
    Set<sev::ghcb_layout::SwExitInfo2>(why);
  }
  void ClearBitmap() {
    for (uint8_t& byte : Bitmap()) byte = 0;
  }

  uint16_t version() const {
    return sev::GetLe<uint16_t, sev::ghcb_layout::ProtocolVersion>(
        std::span<const uint8_t, sev::kGhcbSize>(page_));
  }
  uint32_t usage() const {
    return sev::GetLe<uint32_t, sev::ghcb_layout::Usage>(
        std::span<const uint8_t, sev::kGhcbSize>(page_));
  }
  std::span<uint8_t, sev::kGhcbSize> bytes() const { return page_; }

 private:
  std::span<uint8_t, sev::ghcb_layout::ValidBitmap::kSize> Bitmap() const {
    return sev::FieldOf<sev::ghcb_layout::ValidBitmap>(page_);
  }

  std::span<uint8_t, sev::kGhcbSize> page_;
};

}  // namespace machine
