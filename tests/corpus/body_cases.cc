// SPDX-License-Identifier: Apache-2.0
//
// Fields of the report, wrong and signed all the same.
#include <stdio.h>

#include <algorithm>

#include "sev/guest_policy.h"
#include "tests/corpus/report_case.h"

namespace corpus {
namespace {

namespace layout = sev::report_layout;
using On = ReportCase::On;

constexpr uint64_t kGoodPolicy =
    sev::kPolicySmt | sev::kPolicyReservedMustBeOne;

uint32_t KeyInfoOf(uint32_t signing_key) {
  return signing_key << sev::kKeyInfoSigningKeyShift;
}

std::function<void(Draft&)> SetPolicy(uint64_t policy) {
  return [policy](Draft& draft) { draft.Put<layout::Policy>(policy); };
}
std::function<void(Draft&)> SetVersion(uint32_t version) {
  return [version](Draft& draft) { draft.Put<layout::Version>(version); };
}
std::function<void(Draft&)> SetKeyInfo(uint32_t value) {
  return [value](Draft& draft) { draft.Put<layout::KeyInfo>(value); };
}
std::function<void(Draft&)> SetVmpl(uint32_t vmpl) {
  return [vmpl](Draft& draft) { draft.Put<layout::Vmpl>(vmpl); };
}
std::function<void(Draft&)> SetAlgorithm(uint32_t algorithm) {
  return [algorithm](Draft& draft) {
    draft.Put<layout::SignatureAlgorithm>(algorithm);
  };
}
std::function<void(Draft&)> SetByte(size_t offset) {
  return [offset](Draft& draft) { draft.report[offset] = 1; };
}

void OtherCpuid(Draft& draft) {
  const sev::CpuidFms& fms = draft.world.OtherThan(draft.line).model->cpuid;
  draft.report[layout::Cpuid::kOffset] = fms.family;
  draft.report[layout::Cpuid::kOffset + 1] = fms.model;
}

void MaskChipId(Draft& draft) {
  std::fill_n(draft.report.begin() + layout::ChipId::kOffset,
              size_t{layout::ChipId::kSize}, uint8_t{0});
}

}  // namespace

std::vector<ReportCase> BodyCases() {
  constexpr uint32_t kMasked = sev::kKeyInfoMaskChipKey;
  std::vector<ReportCase> cases = {
      {"debug-policy", "authentic; DEBUG allowed in POLICY", "",
       SetPolicy(kGoodPolicy | sev::kPolicyDebug)},
      {"author-key", "AUTHOR_KEY_EN with both digests set", "",
       [](Draft& draft) {
         draft.Put<layout::KeyInfo>(sev::kKeyInfoAuthorKeyEnabled);
         draft.report[layout::IdKeyDigest::kOffset] = 1;
         draft.report[layout::AuthorKeyDigest::kOffset] = 2;
       }},
      {"committed-below-current", "authentic; the host can go back", "",
       [](Draft& draft) { draft.Put<layout::CommittedTcb>(uint64_t{0}); }},
      {"reported-above-current", "REPORTED_TCB above CURRENT_TCB: microcode",
       "tcb_not_above_current",
       [](Draft& draft) { --draft.report[layout::CurrentTcb::kEnd - 1]; }},
      {"committed-above-current", "COMMITTED_TCB above CURRENT_TCB: microcode",
       "tcb_not_above_current",
       [](Draft& draft) { ++draft.report[layout::CommittedTcb::kEnd - 1]; }},
      {.name = "reported-above-current-fmc",
       .reason = "REPORTED_TCB above CURRENT_TCB: FMC",
       .failing = "tcb_not_above_current",
       .before =
           [](Draft& draft) { --draft.report[layout::CurrentTcb::kOffset]; },
       .on = On::kTurin},
      {"vmpl-3", "authentic; asked for by VMPL 3", "", SetVmpl(3)},
      {.name = "version-0",
       .reason = "version 0",
       .failing = "version_supported reserved_mbz",
       .before = SetVersion(0)},
      {.name = "version-1",
       .reason = "version 1",
       .failing = "version_supported reserved_mbz",
       .before = SetVersion(1)},
      {.name = "version-6",
       .reason = "version 6: unknown, so its layout is not guessed",
       .failing = "version_supported",
       .before = SetVersion(6),
       .profile = true,
       .version = 5},
      {.name = "v2-with-cpuid",
       .reason = "version 2 with bytes where version 3 keeps CPUID",
       .failing = "reserved_mbz",
       .before = SetVersion(2),
       .profile = true},
      {.name = "v3-with-mitigations",
       .reason = "version 3 with bytes where version 5 keeps mitigations",
       .failing = "reserved_mbz",
       .before = SetVersion(3),
       .profile = true,
       .version = 5},
      {.name = "policy-bit17-clear",
       .reason = "POLICY bit 17 (must be one) clear",
       .failing = "policy_bit17_set",
       .before = SetPolicy(sev::kPolicySmt),
       .profile = true},
      {"signature-algo-0", "SIGNATURE_ALGO 0", "signature_algo_is_1",
       SetAlgorithm(0)},
      {"signature-algo-2", "SIGNATURE_ALGO 2", "signature_algo_is_1",
       SetAlgorithm(2)},
      {.name = "key-info-bit5",
       .reason = "reserved bit 5 of the key-info word",
       .failing = "key_info_reserved_zero",
       .before = SetKeyInfo(1 << 5),
       .profile = true},
      {.name = "key-info-bit31",
       .reason = "reserved bit 31 of the key-info word",
       .failing = "key_info_reserved_zero",
       .before = SetKeyInfo(1u << 31),
       .profile = true},
      {.name = "reserved-4c",
       .reason = "reserved word 4Ch is not zero",
       .failing = "reserved_0x4c_zero",
       .before = SetByte(0x4C),
       .profile = true},
      {"vmpl-4", "VMPL 4", "vmpl_0_3", SetVmpl(4)},
      {.name = "vmpl-host",
       .reason = "VMPL FFFFFFFFh: the host asked, and chose REPORT_DATA",
       .failing = "vmpl_0_3",
       .before = SetVmpl(0xFFFFFFFF),
       .profile = true},
      {.name = "cpuid-other-product",
       .reason = "CPUID of another product, signed",
       .failing = "product_line_matches_chain",
       .before = OtherCpuid},
      {.name = "chip-id-masked",
       .reason = "CHIP_ID masked to zero under a VCEK: bound to no chip",
       .failing = "hwid_equals_chip_id",
       .before = MaskChipId,
       .profile = true},
      {.name = "chip-id-masked",
       .reason = "VLEK report, CHIP_ID masked to zero",
       .before = MaskChipId,
       .signer = SignerKind::kVlek},
      {.name = "chip-key-masked",
       .reason = "VLEK report, MASK_CHIP_KEY set: that masks the VCEK",
       .before = SetKeyInfo(kMasked | KeyInfoOf(1)),
       .signer = SignerKind::kVlek},
      {.name = "chip-key-masked",
       .reason = "MASK_CHIP_KEY as firmware has it: not signed at all",
       .failing = "r_s_in_range mask_chip_key_clear signing_key_vcek_or_vlek "
                  "report_signature leaf_type_matches_signing_key",
       .before =
           [](Draft& draft) {
             draft.Put<layout::KeyInfo>(kMasked | KeyInfoOf(7));
             draft.report_key = nullptr;
           }},
      {.name = "chip-key-masked-vcek",
       .reason = "MASK_CHIP_KEY and zero signature, SIGNING_KEY still VCEK",
       .failing = "r_s_in_range mask_chip_key_clear report_signature",
       .before =
           [](Draft& draft) {
             draft.Put<layout::KeyInfo>(kMasked);
             draft.report_key = nullptr;
           }},
      {.name = "chip-key-masked-signed",
       .reason = "MASK_CHIP_KEY yet signed by a VCEK, which no firmware does",
       .failing = "mask_chip_key_clear",
       .before = SetKeyInfo(kMasked),
       .profile = true},
  };
  for (const unsigned bit : {26u, 40u, 63u}) {
    cases.push_back({.name = "policy-bit" + std::to_string(bit),
                     .reason = "reserved POLICY bit set",
                     .failing = "policy_reserved_zero",
                     .before = SetPolicy(kGoodPolicy | uint64_t{1} << bit),
                     .profile = true});
  }
  for (const uint32_t key : {2u, 3u, 4u, 5u, 6u, 7u}) {
    cases.push_back({.name = "signing-key-" + std::to_string(key),
                     .reason = "SIGNING_KEY of neither VCEK nor VLEK, signed",
                     .failing = "signing_key_vcek_or_vlek "
                                "leaf_type_matches_signing_key",
                     .before = SetKeyInfo(KeyInfoOf(key))});
  }
  for (const size_t offset : {0x18B, 0x19F, 0x1EB, 0x1EF, 0x208, 0x29F}) {
    char name[16];
    snprintf(name, sizeof name, "reserved-%zx", offset);
    cases.push_back({.name = name,
                     .reason = "reserved byte is not zero, signed",
                     .failing = "reserved_mbz",
                     .before = SetByte(offset),
                     .profile = true,
                     .version = 5});
  }
  return cases;
}

}  // namespace corpus
