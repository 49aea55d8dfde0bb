// SPDX-License-Identifier: Apache-2.0
//
// The guest policy: what the guest's owner let the host do with this VM, fixed
// at launch and repeated in every report.
//
// Spec: AMD 56860 rev. 1.58, "Guest Policy", table "Guest Policy Structure".
#pragma once

#include <stdint.h>

#include <string_view>

namespace sev {

inline constexpr uint64_t kPolicyAbiMinorMask = 0xFF;
inline constexpr unsigned kPolicyAbiMajorShift = 8;
inline constexpr uint64_t kPolicySmt = uint64_t{1} << 16;
inline constexpr uint64_t kPolicyReservedMustBeOne = uint64_t{1} << 17;
inline constexpr uint64_t kPolicyMigrationAgent = uint64_t{1} << 18;
inline constexpr uint64_t kPolicyDebug = uint64_t{1} << 19;
inline constexpr uint64_t kPolicySingleSocket = uint64_t{1} << 20;
inline constexpr uint64_t kPolicyCxlAllow = uint64_t{1} << 21;
inline constexpr uint64_t kPolicyMemAes256Xts = uint64_t{1} << 22;
inline constexpr uint64_t kPolicyRaplDisabled = uint64_t{1} << 23;
inline constexpr uint64_t kPolicyCiphertextHidingDram = uint64_t{1} << 24;
inline constexpr uint64_t kPolicyPageSwapDisabled = uint64_t{1} << 25;
// The bits this code knows; a report with another one comes from newer firmware
// and means something that nobody here has thought about.
inline constexpr uint64_t kPolicyKnownBits = (uint64_t{1} << 26) - 1;

// Minimum firmware ABI that the guest demands.
constexpr uint8_t PolicyAbiMajor(uint64_t policy) {
  return static_cast<uint8_t>(policy >> kPolicyAbiMajorShift);
}
constexpr uint8_t PolicyAbiMinor(uint64_t policy) {
  return static_cast<uint8_t>(policy & kPolicyAbiMinorMask);
}

// Names as policies and tables of a report write them. Bit 17 has none: it is
// always one.
struct NamedBit {
  std::string_view name;
  uint64_t bit;
};
inline constexpr NamedBit kPolicyBits[] = {
    {"smt", kPolicySmt},
    {"migration_agent", kPolicyMigrationAgent},
    {"debug", kPolicyDebug},
    {"single_socket", kPolicySingleSocket},
    {"cxl_allow", kPolicyCxlAllow},
    {"mem_aes_256_xts", kPolicyMemAes256Xts},
    {"rapl_disabled", kPolicyRaplDisabled},
    {"ciphertext_hiding_dram", kPolicyCiphertextHidingDram},
    {"page_swap_disabled", kPolicyPageSwapDisabled},
};

}  // namespace sev
