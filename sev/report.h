// SPDX-License-Identifier: Apache-2.0
//
// The SEV-SNP ATTESTATION_REPORT, as bytes and as typed fields.
//
// Spec: AMD 56860 (SEV-SNP Firmware ABI) rev. 1.58, MSG_REPORT_REQ, table
// "ATTESTATION_REPORT Structure"; versions 2 to 5.
// Parsing proves the shape only. Nothing here is authentic until a verifier has
// checked the signature over signed_bytes(): hence "Unverified" in the name.
// The bytes are kept as received, so that what is verified is never re-encoded.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <array>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "sev/product.h"
#include "sev/wire_field.h"

namespace sev {

// All integers are little-endian.
namespace report_layout {
using Version = WireField<0x000, 4>;
using GuestSvn = WireField<0x004, 4>;
using Policy = WireField<0x008, 8>;  // sev/guest_policy.h
using FamilyId = WireField<0x010, 16>;
using ImageId = WireField<0x020, 16>;
using Vmpl = WireField<0x030, 4>;
using SignatureAlgorithm = WireField<0x034, 4>;
using CurrentTcb = WireField<0x038, 8>;  // sev/tcb.h, as the other TCBs
using PlatformInfo = WireField<0x040, 8>;
using KeyInfo = WireField<0x048, 4>;
using Reserved04C = WireField<0x04C, 4>;
using ReportData = WireField<0x050, 64>;
using Measurement = WireField<0x090, 48>;
using HostData = WireField<0x0C0, 32>;
using IdKeyDigest = WireField<0x0E0, 48>;
using AuthorKeyDigest = WireField<0x110, 48>;
using ReportId = WireField<0x140, 32>;
using ReportIdMa = WireField<0x160, 32>;
using ReportedTcb = WireField<0x180, 8>;
using Cpuid = WireField<0x188, 3>;  // Version 3 on; reserved in version 2.
using Reserved18B = WireField<0x18B, 21>;
using ChipId = WireField<0x1A0, 64>;
using CommittedTcb = WireField<0x1E0, 8>;
using CurrentVersion = WireField<0x1E8, 3>;  // Build, minor, major.
using Reserved1EB = WireField<0x1EB, 1>;
using CommittedVersion = WireField<0x1EC, 3>;  // Build, minor, major.
using Reserved1EF = WireField<0x1EF, 1>;
using LaunchTcb = WireField<0x1F0, 8>;
using LaunchMitigations = WireField<0x1F8, 8>;   // Version 5 on.
using CurrentMitigations = WireField<0x200, 8>;  // Version 5 on.
using Reserved208 = WireField<0x208, 152>;
using SignatureR = WireField<0x2A0, 72>;  // Little-endian, zero-extended.
using SignatureS = WireField<0x2E8, 72>;
using SignatureReserved = WireField<0x330, 368>;

static_assert(
    Tile<Version, GuestSvn, Policy, FamilyId, ImageId, Vmpl, SignatureAlgorithm,
         CurrentTcb, PlatformInfo, KeyInfo, Reserved04C, ReportData,
         Measurement, HostData, IdKeyDigest, AuthorKeyDigest, ReportId,
         ReportIdMa, ReportedTcb, Cpuid, Reserved18B, ChipId, CommittedTcb,
         CurrentVersion, Reserved1EB, CommittedVersion, Reserved1EF, LaunchTcb,
         LaunchMitigations, CurrentMitigations, Reserved208, SignatureR,
         SignatureS, SignatureReserved>(0x4A0));
}  // namespace report_layout

inline constexpr size_t kReportSize = report_layout::SignatureReserved::kEnd;
// The signature covers [0, kReportSignedSize).
inline constexpr size_t kReportSignedSize = report_layout::SignatureR::kOffset;

// "Digital Signature Encodings": 1 is ECDSA P-384 with SHA-384.
inline constexpr uint32_t kSignatureEcdsaP384Sha384 = 1;

// KEY_INFO, bits 4:2.
enum class SigningKey : uint8_t { kVcek = 0, kVlek = 1, kNone = 7 };
inline constexpr uint32_t kKeyInfoAuthorKeyEnabled = uint32_t{1} << 0;
inline constexpr uint32_t kKeyInfoMaskChipKey = uint32_t{1} << 1;
inline constexpr unsigned kKeyInfoSigningKeyShift = 2;

// The versions whose every byte this code knows.
inline constexpr uint32_t kReportMinVersion = 2;
inline constexpr uint32_t kReportMaxVersion = 5;

// Build, minor, major of the firmware.
struct FirmwareVersion {
  uint8_t build, minor, major;
  friend bool operator==(const FirmwareVersion&,
                         const FirmwareVersion&) = default;
};

// Departures from the form of MSG_REPORT_REQ's answer, each a bit. A report
// may have several; a newer version is read by the newest layout known.
enum class ReportFault : uint32_t {
  kVersion = 1u << 0,             // Not 2 to 5.
  kSignatureAlgorithm = 1u << 1,  // Not 1.
  kPolicyBit17 = 1u << 2,         // POLICY's must-be-one bit is zero.
  kPolicyReserved = 1u << 3,      // POLICY bits 26 to 63.
  kKeyInfoReserved = 1u << 4,     // KEY_INFO bits 5 to 31.
  kReserved04C = 1u << 5,
  kReserved = 1u << 6,          // Another byte that the version reserves.
  kSignaturePadding = 1u << 7,  // Bytes beyond R and S, or beyond 48 of each.
  kVmpl = 1u << 8,              // Not 0 to 3: not a guest's request.
  kChipKeyMasked = 1u << 9,  // MASK_CHIP_KEY, and no VLEK: nothing is signed.
  kSigningKey = 1u << 10,    // Neither VCEK nor VLEK.
};

class ReportFaults {
 public:
  constexpr bool empty() const { return bits_ == 0; }
  constexpr bool Has(ReportFault fault) const {
    return (bits_ & static_cast<uint32_t>(fault)) != 0;
  }
  constexpr void Add(ReportFault fault, bool is = true) {
    if (is) bits_ |= static_cast<uint32_t>(fault);
  }

 private:
  uint32_t bits_ = 0;
};

class UnverifiedReport {
 public:
  static constexpr size_t kSize = kReportSize;
  static constexpr size_t kSignedSize = kReportSignedSize;

  // Copies `bytes`, so the caller may hand in memory it is about to reuse. It
  // must not be host-shared memory: copy that to private memory first.
  //   kDataLoss: wrong size, unknown version, a reserved byte that is not zero,
  //              an unknown signature algorithm or signing key.
  static base::Result<UnverifiedReport> Parse(base::Bytes bytes);

  // Only the size is checked: for a verifier, which judges every rule of the
  // form by itself (FindFaults), and for showing what a newer report says.
  //   kDataLoss: wrong size.
  static base::Result<UnverifiedReport> FromBytes(base::Bytes bytes);

  ReportFaults FindFaults() const;

  uint32_t version() const { return Le<uint32_t, report_layout::Version>(); }
  uint32_t guest_svn() const { return Le<uint32_t, report_layout::GuestSvn>(); }
  uint64_t policy() const { return Le<uint64_t, report_layout::Policy>(); }
  // 0 to 3 for a guest's request; 0xFFFFFFFF when the host asked.
  uint32_t vmpl() const { return Le<uint32_t, report_layout::Vmpl>(); }
  uint64_t platform_info() const {
    return Le<uint64_t, report_layout::PlatformInfo>();
  }
  uint32_t signature_algorithm() const {
    return Le<uint32_t, report_layout::SignatureAlgorithm>();
  }
  uint32_t key_info() const { return Le<uint32_t, report_layout::KeyInfo>(); }
  // Any 3-bit value, also one that SigningKey does not name.
  SigningKey signing_key() const;
  bool chip_key_masked() const;

  // Raw TCBs: their parts depend on the CPU model (sev/tcb.h).
  uint64_t current_tcb() const {
    return Le<uint64_t, report_layout::CurrentTcb>();
  }
  uint64_t reported_tcb() const {
    return Le<uint64_t, report_layout::ReportedTcb>();
  }
  uint64_t committed_tcb() const {
    return Le<uint64_t, report_layout::CommittedTcb>();
  }
  uint64_t launch_tcb() const {
    return Le<uint64_t, report_layout::LaunchTcb>();
  }
  std::optional<CpuidFms> cpuid() const;  // Empty before version 3.
  // Mitigation vectors; empty before version 5.
  std::optional<uint64_t> launch_mitigations() const;
  std::optional<uint64_t> current_mitigations() const;
  FirmwareVersion current_version() const;
  FirmwareVersion committed_version() const;

  auto family_id() const { return View<report_layout::FamilyId>(); }
  auto image_id() const { return View<report_layout::ImageId>(); }
  auto report_data() const { return View<report_layout::ReportData>(); }
  auto measurement() const { return View<report_layout::Measurement>(); }
  auto host_data() const { return View<report_layout::HostData>(); }
  auto id_key_digest() const { return View<report_layout::IdKeyDigest>(); }
  auto author_key_digest() const {
    return View<report_layout::AuthorKeyDigest>();
  }
  auto report_id() const { return View<report_layout::ReportId>(); }
  auto report_id_ma() const { return View<report_layout::ReportIdMa>(); }
  auto chip_id() const { return View<report_layout::ChipId>(); }

  // What the signature covers, byte for byte as received: never re-encoded.
  std::span<const uint8_t, kSignedSize> signed_bytes() const {
    return std::span<const uint8_t, kSize>(raw_).first<kSignedSize>();
  }
  auto signature_r() const { return View<report_layout::SignatureR>(); }
  auto signature_s() const { return View<report_layout::SignatureS>(); }
  std::span<const uint8_t, kSize> bytes() const { return raw_; }

 private:
  UnverifiedReport() = default;

  template <typename F>
  std::span<const uint8_t, F::kSize> View() const {
    return FieldOf<F>(std::span<const uint8_t, kSize>(raw_));
  }
  template <typename T, typename F>
  T Le() const {
    return GetLe<T, F>(std::span<const uint8_t, kSize>(raw_));
  }

  std::array<uint8_t, kSize> raw_{};
};

}  // namespace sev
