// SPDX-License-Identifier: Apache-2.0
#include "svsm/fw_cfg/fw_cfg_dma.h"

namespace svsm {
namespace {

using base::Code;
using base::Status;

// EDGE: the device writes this field behind the compiler's back, so each byte
// is read once, volatile. An SNP host may tear it; any value but 0 and the
// error bit means "not done yet".
uint32_t ReadControl(const FwCfgAccess& access) {
  const volatile uint8_t* bytes = access.control;
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = (value << 8) | bytes[i];
  return value;
}

}  // namespace

Status FwCfgDma::Transfer(uint32_t control, base::MutableBytes buffer) {
  // EDGE: only the number is used, as the device's view of the buffer.
  const uint64_t address =
      reinterpret_cast<uintptr_t>(buffer.data()) + config_.address_offset;
  FwCfgAccess& access = *config_.access;
  base::StoreBe(control, std::span(access.control));
  base::StoreBe(static_cast<uint32_t>(buffer.size()), std::span(access.length));
  base::StoreBe(address, std::span(access.address));
  // EDGE: the device sees the stores above, and the caller its stores.
  asm volatile("" ::: "memory");
  const base::Instant deadline = clock_.Now() + config_.patience;
  doorbell_.Ring(config_.access_address);
  for (uint64_t polls = 0;; ++polls) {
    const uint32_t left = ReadControl(access);
    if (left == 0) break;
    if (left == kError) return Status(Code::kUnavailable, kFwCfgError);
    if (clock_.Passed(deadline) || polls >= config_.max_polls) {
      return Status(Code::kDeadlineExceeded, kFwCfgTimeout);
    }
    clock_.Relax();
  }
  asm volatile("" ::: "memory");  // EDGE: reads of the buffer stay behind.
  return {};
}

}  // namespace svsm
