// SPDX-License-Identifier: Apache-2.0
//
// The checks of an appraisal, by the names that tools and test vectors use.
// docs/verify.md says for each what it is, where it is specified, and which
// test shows it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

// In the order in which they are shown.
#define FORELOCK_EVIDENCE_CHECKS(X)                      \
  X(kLength, "length_1184")                              \
  X(kVersion, "version_supported")                       \
  X(kSignatureAlgorithm, "signature_algo_is_1")          \
  X(kPolicyBit17, "policy_bit17_set")                    \
  X(kPolicyReserved, "policy_reserved_zero")             \
  X(kKeyInfoReserved, "key_info_reserved_zero")          \
  X(kReserved04C, "reserved_0x4c_zero")                  \
  X(kReserved, "reserved_mbz")                           \
  X(kSignaturePadding, "signature_padding_zero")         \
  X(kSignatureRange, "r_s_in_range")                     \
  X(kVmpl, "vmpl_0_3")                                   \
  X(kChipKeyNotMasked, "mask_chip_key_clear")            \
  X(kSigningKey, "signing_key_vcek_or_vlek")             \
  X(kCertificatesParse, "certs_parse")                   \
  X(kIntermediateKnown, "intermediate_known")            \
  X(kRootPinned, "root_pinned")                          \
  X(kRootSelfSigned, "root_self_signed")                 \
  X(kIntermediateSigned, "intermediate_signed_by_root")  \
  X(kLeafSigned, "leaf_signed_by_intermediate")          \
  X(kLeafKey, "leaf_key_p384")                           \
  X(kReportSignature, "report_signature")                \
  X(kLeafType, "leaf_type_matches_signing_key")          \
  X(kProductLine, "product_line_matches_chain")          \
  X(kStructVersion, "struct_version")                    \
  X(kProductName, "product_name")                        \
  X(kTcbFmc, "tcb_fmc_spl")                              \
  X(kTcbBootLoader, "tcb_bl_spl")                        \
  X(kTcbTee, "tcb_tee_spl")                              \
  X(kTcbSnp, "tcb_snp_spl")                              \
  X(kTcbMicrocode, "tcb_ucode_spl")                      \
  X(kHardwareIdPresent, "hwid_present")                  \
  X(kHardwareIdLength, "hwid_length")                    \
  X(kHardwareIdEqualsChipId, "hwid_equals_chip_id")      \
  X(kVlekNoHardwareId, "vlek_no_hwid")                   \
  X(kVlekCspId, "vlek_csp_id_present")                   \
  X(kLeafInValidity, "leaf_in_validity")                 \
  X(kIntermediateInValidity, "intermediate_in_validity") \
  X(kRootInValidity, "root_in_validity")                 \
  X(kCrlSigned, "crl_signed_by_root")                    \
  X(kCrlCurrent, "crl_current")                          \
  X(kIntermediateNotRevoked, "intermediate_not_revoked") \
  X(kTcbNotAboveCurrent, "tcb_not_above_current")

namespace verifier {

enum class Check : uint8_t {
#define FORELOCK_CHECK_ENUM(id, name) id,
  FORELOCK_EVIDENCE_CHECKS(FORELOCK_CHECK_ENUM)
#undef FORELOCK_CHECK_ENUM
};

inline constexpr std::string_view kCheckNames[] = {
#define FORELOCK_CHECK_NAME(id, name) name,
    FORELOCK_EVIDENCE_CHECKS(FORELOCK_CHECK_NAME)
#undef FORELOCK_CHECK_NAME
};
inline constexpr size_t kCheckCount = std::size(kCheckNames);

constexpr std::string_view NameOf(Check check) {
  return kCheckNames[static_cast<size_t>(check)];
}

// kNotEvaluated: what it needs was not there, or does not apply (a VLEK has no
// hardware id to compare).
enum class Outcome : uint8_t { kNotEvaluated, kPass, kFail };
using Outcomes = std::array<Outcome, kCheckCount>;

}  // namespace verifier
