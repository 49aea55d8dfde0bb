// SPDX-License-Identifier: Apache-2.0
//
// The checks that entries of the corpus state, and which evidence has them.
//
// A list of its own, on purpose: evidence and what is said of it are not made
// by the code that is to judge it. check_names_test holds the names against the
// verifier's.
#pragma once

#include <stdint.h>

#include <string_view>

namespace corpus {

enum class CheckApplies : uint8_t {
  kAlways,  // To every report with a chain.
  kOnTurin,
  kWithVcek,
  kWithHardwareId,  // To a VCEK that has the extension at all.
  kWithVlek,
  kWithCrl,
};

struct CorpusCheck {
  std::string_view name;
  CheckApplies applies = CheckApplies::kAlways;
};

// In the manifest's order.
inline constexpr CorpusCheck kChecks[] = {
    {"length_1184"},
    {"version_supported"},
    {"signature_algo_is_1"},
    {"policy_bit17_set"},
    {"policy_reserved_zero"},
    {"key_info_reserved_zero"},
    {"reserved_0x4c_zero"},
    {"reserved_mbz"},
    {"signature_padding_zero"},
    {"r_s_in_range"},
    {"vmpl_0_3"},
    {"mask_chip_key_clear"},
    {"signing_key_vcek_or_vlek"},
    {"certs_parse"},
    {"intermediate_known"},
    {"root_pinned"},
    {"root_self_signed"},
    {"intermediate_signed_by_root"},
    {"leaf_signed_by_intermediate"},
    {"leaf_key_p384"},
    {"report_signature"},
    {"leaf_type_matches_signing_key"},
    {"product_line_matches_chain"},
    {"struct_version"},
    {"product_name"},
    {"tcb_bl_spl"},
    {"tcb_tee_spl"},
    {"tcb_snp_spl"},
    {"tcb_ucode_spl"},
    {"leaf_in_validity"},
    {"intermediate_in_validity"},
    {"root_in_validity"},
    {"tcb_not_above_current"},
    {"tcb_fmc_spl", CheckApplies::kOnTurin},
    {"hwid_present", CheckApplies::kWithVcek},
    {"hwid_length", CheckApplies::kWithHardwareId},
    {"hwid_equals_chip_id", CheckApplies::kWithHardwareId},
    {"vlek_no_hwid", CheckApplies::kWithVlek},
    {"vlek_csp_id_present", CheckApplies::kWithVlek},
    {"crl_signed_by_root", CheckApplies::kWithCrl},
    {"crl_current", CheckApplies::kWithCrl},
    {"intermediate_not_revoked", CheckApplies::kWithCrl},
};

}  // namespace corpus
