// SPDX-License-Identifier: Apache-2.0
//
// PAGE_INFO: the structure whose hash extends the launch digest by one page.
//
// Spec: AMD 56860 rev. 1.58, SNP_LAUNCH_UPDATE, table "PAGE_INFO Structure".
// Start with 48 zero bytes; for each page, digest = SHA-384(PAGE_INFO), whose
// first field is the digest so far. Layout only: who measures brings the hash.
// (Some tools put the VMPL permissions in the reverse order. The firmware's own
// structure, snp_mcmd_launch_update_page_info in [asp-fw], has them as here; no
// launch of ours has any, so that no digest depends on it.)
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <array>
#include <span>

#include "base/bytes.h"
#include "sev/wire_field.h"

namespace sev {

inline constexpr size_t kLaunchDigestSize = 48;
inline constexpr size_t kMeasuredPageSize = 4096;

using LaunchDigest = std::array<uint8_t, kLaunchDigestSize>;

// "Page Types".
enum class PageType : uint8_t {
  kNormal = 1,  // contents: SHA-384 of the 4 KiB page
  kVmsa = 2,    // contents: SHA-384 of the 4 KiB page
  kZero = 3,    // contents: zeros, as for all below
  kUnmeasured = 4,
  kSecrets = 5,
  kCpuid = 6,
};

// Whether PAGE_INFO takes the SHA-384 of a page's bytes.
constexpr bool IsHashed(PageType type) {
  return type == PageType::kNormal || type == PageType::kVmsa;
}

namespace page_info_layout {
using DigestCurrent = WireField<0x00, 48>;
using Contents = WireField<0x30, 48>;
using Length = WireField<0x60, 2>;
using Type = WireField<0x62, 1>;
using ImiPage = WireField<0x63, 1>;
using Reserved64 = WireField<0x64, 1>;
using Vmpl1Permissions = WireField<0x65, 1>;
using Vmpl2Permissions = WireField<0x66, 1>;
using Vmpl3Permissions = WireField<0x67, 1>;
using Gpa = WireField<0x68, 8>;
static_assert(
    Tile<DigestCurrent, Contents, Length, Type, ImiPage, Reserved64,
         Vmpl1Permissions, Vmpl2Permissions, Vmpl3Permissions, Gpa>(0x70));
}  // namespace page_info_layout

inline constexpr size_t kPageInfoSize = page_info_layout::Gpa::kEnd;

// The PAGE_INFO of a page with no VMPL permissions and outside the IMI.
// `contents` is the page's SHA-384, or zeros for types that are not hashed.
constexpr std::array<uint8_t, kPageInfoSize> MakePageInfo(
    std::span<const uint8_t, kLaunchDigestSize> digest_so_far, PageType type,
    std::span<const uint8_t, kLaunchDigestSize> contents, uint64_t gpa) {
  namespace layout = page_info_layout;
  std::array<uint8_t, kPageInfoSize> info{};
  const std::span<uint8_t, kPageInfoSize> out(info);
  for (size_t i = 0; i < kLaunchDigestSize; ++i) {
    info[layout::DigestCurrent::kOffset + i] = digest_so_far[i];
    info[layout::Contents::kOffset + i] = contents[i];
  }
  PutLe<uint16_t, layout::Length>(uint16_t{kPageInfoSize}, out);
  PutLe<uint8_t, layout::Type>(static_cast<uint8_t>(type), out);
  PutLe<uint64_t, layout::Gpa>(gpa, out);
  return info;
}

}  // namespace sev
