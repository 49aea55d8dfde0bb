// SPDX-License-Identifier: Apache-2.0
//
// What stands above the leaf, and parts that do not belong together.
#include <utility>

#include "tests/corpus/report_case.h"

namespace corpus {
namespace {

using psp::SignatureForm;

namespace layout = sev::report_layout;
using On = ReportCase::On;
using Change = std::function<void(CertificateSpec&)>;

// The intermediate anew, with one thing changed.
std::function<void(Draft&)> Intermediate(Change change) {
  return [change](Draft& draft) {
    CertificateSpec spec = draft.line.IntermediateSpecOf(SignerKind::kVcek);
    change(spec);
    draft.intermediate = Make(spec);
  };
}

std::function<void(Draft&)> List(std::function<void(CrlSpec&)> change) {
  return [change](Draft& draft) {
    CrlSpec spec = draft.line.CrlSpecOf();
    change(spec);
    draft.crl = Make(spec);
  };
}

void RevokeIntermediate(Draft& draft) {
  CrlSpec spec = draft.line.CrlSpecOf();
  spec.revoked_serial = draft.line
                            .IntermediateSpecOf(draft.leaf.subject == "SEV-VLEK"
                                                    ? SignerKind::kVlek
                                                    : SignerKind::kVcek)
                            .serial;
  draft.crl = Make(spec);
}

// All of it self-made, and without a flaw.
void Impostor(Draft& draft) {
  const Line& impostor = draft.world.impostor;
  draft.leaf.signer = impostor.ask_key.get();
  draft.intermediate = impostor.ask;
  draft.root = impostor.ark;
  draft.crl = impostor.crl;
}

std::function<void(Draft&)> IntermediateNamed(const char* name) {
  return [name](Draft& draft) {
    CertificateSpec spec = draft.line.IntermediateSpecOf(SignerKind::kVcek);
    spec.subject = draft.leaf.issuer = name;
    draft.intermediate = Make(spec);
  };
}

void OtherLine(Draft& draft) {
  const Line& other = draft.world.OtherThan(draft.line);
  draft.intermediate = other.ask;
  draft.root = other.ark;
  draft.crl = other.crl;
}

void OtherLeaf(Draft& draft, SignerKind kind) {
  draft.leaf = draft.line.LeafSpecOf(kind, draft.model);
  draft.intermediate =
      kind == SignerKind::kVcek ? draft.line.ask : draft.line.asvk;
}

void SignedByOtherLeaf(Draft& draft, SignerKind kind) {
  OtherLeaf(draft, kind);
  draft.report_key = draft.line.LeafKey(kind);
}

// Another key and another boot loader: the chip's VCEK of another TCB.
void OtherTcb(Draft& draft, int step) {
  draft.leaf.key = draft.world.other_chip_key.get();
  uint8_t& boot_loader = draft.leaf.Find("3.1")->value.back();
  boot_loader = static_cast<uint8_t>(boot_loader + step);
}

}  // namespace

std::vector<ReportCase> ChainCases() {
  return {
      {.name = "no-crl",
       .reason = "a CRL does not come with every report",
       .before = [](Draft& draft) { draft.crl.clear(); }},
      {.name = "crl-revokes-another",
       .reason = "the CRL revokes a certificate that is not in use",
       .before = List([](CrlSpec& spec) { spec.revoked_serial = 0x42; })},
      {.name = "crl-many-entries",
       .reason = "a list of 1500 others than the ASK",
       .before = List([](CrlSpec& spec) { spec.other_entries = 1500; }),
       .on = On::kMilan},
      {.name = "crl-too-large",
       .reason = "a list of more than the 64 KiB that are read",
       .failing = "certs_parse",
       .before = List([](CrlSpec& spec) { spec.other_entries = 3000; }),
       .profile = true,
       .on = On::kMilan},
      {.name = "crl-revokes-ask",
       .reason = "the CRL revokes the ASK",
       .failing = "intermediate_not_revoked",
       .before = RevokeIntermediate},
      {.name = "crl-revokes-asvk",
       .reason = "the CRL revokes the ASVK",
       .failing = "intermediate_not_revoked",
       .before = RevokeIntermediate,
       .signer = SignerKind::kVlek},
      {.name = "crl-stale",
       .reason = "the CRL is past its nextUpdate",
       .failing = "crl_current",
       .before = List([](CrlSpec& spec) { spec.validity = kPast; }),
       .profile = true},
      {.name = "crl-of-the-future",
       .reason = "the CRL is of a day to come",
       .failing = "crl_current",
       .before = List([](CrlSpec& spec) { spec.validity = kFuture; }),
       .profile = true},
      {.name = "crl-other-root",
       .reason = "the CRL is signed by another ARK of that name",
       .failing = "crl_signed_by_root",
       .before =
           [](Draft& draft) {
             CrlSpec spec = draft.line.CrlSpecOf();
             spec.signer = draft.world.impostor.ark_key.get();
             draft.crl = Make(spec);
           },
       .lists_passing = false},
      {.name = "crl-other-product",
       .reason = "the CRL is that of another product",
       .failing = "crl_signed_by_root",
       .before =
           [](Draft& draft) {
             draft.crl = draft.world.OtherThan(draft.line).crl;
           },
       .lists_passing = false},
      {.name = "crl-tampered",
       .reason = "one bit of the CRL's signature changed",
       .failing = "crl_signed_by_root",
       .after = [](Evidence& evidence) { evidence.crl.back() ^= 1; },
       .lists_passing = false},
      {.name = "ask-expired",
       .reason = "the ASK has expired",
       .failing = "intermediate_in_validity",
       .before =
           Intermediate([](CertificateSpec& spec) { spec.validity = kPast; })},
      {.name = "ask-not-yet-valid",
       .reason = "the ASK is not yet valid",
       .failing = "intermediate_in_validity",
       .before = Intermediate(
           [](CertificateSpec& spec) { spec.validity = kFuture; })},
      {.name = "ask-sha1",
       .reason = "the ASK is signed with PKCS#1 v1.5 and SHA-1",
       .failing = "intermediate_signed_by_root",
       .before = Intermediate([](CertificateSpec& spec) {
         spec.form = SignatureForm::kPkcs1Sha1;
       })},
      {.name = "ask-pkcs1",
       .reason = "the ASK is signed with PKCS#1 v1.5",
       .failing = "intermediate_signed_by_root",
       .before = Intermediate([](CertificateSpec& spec) {
         spec.form = SignatureForm::kPkcs1Sha384;
       }),
       .profile = true},
      {.name = "ask-unknown-name",
       .reason = "an intermediate that AMD does not have",
       .failing = "intermediate_known",
       .before = IntermediateNamed("SEV-ROME"),
       .lists_passing = false},
      {.name = "ask-unknown-product",
       .reason = "an intermediate named as AMD would, of a product to come",
       .failing = "intermediate_known",
       .before = IntermediateNamed("SEV-Venice"),
       .lists_passing = false},
      {.name = "ark-expired",
       .reason = "the ARK has expired",
       .failing = "root_in_validity",
       .before = [](Draft& draft) { draft.root = draft.world.expired_ark; },
       .on = On::kMilan},
      {.name = "ark-not-self-signed",
       .reason = "an accepted ARK that some other key signed",
       .failing = "root_self_signed",
       .before = [](Draft& draft) { draft.root = draft.world.unsigned_ark; },
       .on = On::kMilan},
      {.name = "impostor-root",
       .reason = "a chain without a flaw, self-made up to its root",
       .failing = "root_pinned",
       .before = Impostor,
       .on = On::kMilan},
      {.name = "amds-roots-only",
       .reason = "a good chain, judged by AMD's roots",
       .failing = "root_pinned",
       .before = [](Draft& draft) { draft.test_roots = false; }},
      {.name = "no-certificates",
       .reason = "authentic or not: nobody can tell",
       .after =
           [](Evidence& evidence) { evidence = {.report = evidence.report}; },
       .lists_passing = false,
       .verdict = "unverifiable"},
      {.name = "no-intermediate",
       .reason = "what signed the leaf is not there",
       .after = [](Evidence& evidence) { evidence.intermediate.clear(); },
       .lists_passing = false,
       .verdict = "unverifiable"},
      {.name = "no-root",
       .reason = "what signed the ASK is not there",
       .after = [](Evidence& evidence) { evidence.root.clear(); },
       .lists_passing = false,
       .verdict = "unverifiable"},
      {.name = "no-leaf",
       .reason = "a chain, and no leaf under it",
       .after = [](Evidence& evidence) { evidence.leaf.clear(); },
       .lists_passing = false,
       .verdict = "unverifiable"},
      {.name = "no-leaf-bad-body",
       .reason = "no leaf, but the report is wrong by itself",
       .failing = "reserved_mbz",
       .before = [](Draft& draft) { draft.report[0x208] = 1; },
       .after = [](Evidence& evidence) { evidence.leaf.clear(); },
       .profile = true,
       .lists_passing = false},
      {.name = "order-swapped",
       .reason = "ARK and ASK in each other's place",
       .failing = "root_pinned root_self_signed intermediate_signed_by_root "
                  "leaf_signed_by_intermediate intermediate_known",
       .after =
           [](Evidence& evidence) {
             std::swap(evidence.intermediate, evidence.root);
           },
       .lists_passing = false},
      {.name = "order-leaf-first",
       .reason = "ASK and leaf in each other's place",
       .failing = "leaf_signed_by_intermediate intermediate_signed_by_root "
                  "leaf_key_p384 report_signature",
       .after =
           [](Evidence& evidence) {
             std::swap(evidence.leaf, evidence.intermediate);
           },
       .lists_passing = false},
      {.name = "ark-twice",
       .reason = "the ARK in the ASK's place too",
       .failing = "leaf_signed_by_intermediate intermediate_known",
       .after =
           [](Evidence& evidence) { evidence.intermediate = evidence.root; },
       .lists_passing = false},
      {.name = "ask-twice",
       .reason = "the ASK in the ARK's place too",
       .failing = "root_pinned root_self_signed intermediate_signed_by_root",
       .after =
           [](Evidence& evidence) { evidence.root = evidence.intermediate; },
       .lists_passing = false},
  };
}

std::vector<ReportCase> CombinationCases() {
  std::vector<ReportCase> cases = {
      {.name = "claims-vcek",
       .reason = "SIGNING_KEY says VCEK, a VLEK signed: bound to no chip",
       .failing = "leaf_type_matches_signing_key hwid_present",
       .before =
           [](Draft& draft) { SignedByOtherLeaf(draft, SignerKind::kVlek); }},
      {.name = "claims-vlek",
       .reason = "SIGNING_KEY says VLEK, a VCEK signed",
       .failing = "leaf_type_matches_signing_key vlek_no_hwid "
                  "vlek_csp_id_present",
       .before =
           [](Draft& draft) { SignedByOtherLeaf(draft, SignerKind::kVcek); },
       .signer = SignerKind::kVlek},
      {.name = "vcek-report-vlek-leaf",
       .reason = "a VCEK's report with the VLEK of the same TCB",
       .failing = "report_signature leaf_type_matches_signing_key "
                  "hwid_present",
       .before = [](Draft& draft) { OtherLeaf(draft, SignerKind::kVlek); }},
      {.name = "vlek-report-vcek-leaf",
       .reason = "a VLEK's report with the VCEK of the same TCB",
       .failing = "report_signature leaf_type_matches_signing_key "
                  "vlek_no_hwid vlek_csp_id_present",
       .before = [](Draft& draft) { OtherLeaf(draft, SignerKind::kVcek); },
       .signer = SignerKind::kVlek},
      {.name = "vcek-under-asvk",
       .reason = "a VCEK offered with the ASVK",
       .failing = "leaf_signed_by_intermediate",
       .before = [](Draft& draft) { draft.intermediate = draft.line.asvk; }},
      {.name = "vlek-under-ask",
       .reason = "a VLEK offered with the ASK",
       .failing = "leaf_signed_by_intermediate",
       .before = [](Draft& draft) { draft.intermediate = draft.line.ask; },
       .signer = SignerKind::kVlek},
      {.name = "vcek-of-the-asvk",
       .reason = "a VCEK that the ASVK signed",
       .failing = "leaf_type_matches_signing_key leaf_signed_by_intermediate",
       .before =
           [](Draft& draft) {
             draft.leaf.signer = draft.line.asvk_key.get();
             draft.leaf.issuer =
                 draft.line.IntermediateSpecOf(SignerKind::kVlek).subject;
             draft.intermediate = draft.line.asvk;
           },
       .lists_passing = false},
      {.name = "other-chip",
       .reason = "the VCEK of another chip with the same TCB",
       .failing = "report_signature hwid_equals_chip_id",
       .before =
           [](Draft& draft) {
             draft.leaf.key = draft.world.other_chip_key.get();
             draft.leaf.Find("4")->value.front() ^= 1;
           }},
      {.name = "newer-tcb",
       .reason = "the chip's VCEK of a newer TCB",
       .failing = "report_signature tcb_bl_spl",
       .before = [](Draft& draft) { OtherTcb(draft, 1); }},
      {.name = "older-tcb",
       .reason = "the chip's VCEK of an older TCB",
       .failing = "report_signature tcb_bl_spl",
       .before = [](Draft& draft) { OtherTcb(draft, -1); }},
      {.name = "other-line",
       .reason = "a good leaf with the chain of another product",
       .failing = "leaf_signed_by_intermediate product_line_matches_chain "
                  "product_name",
       .before = OtherLine,
       .lists_passing = false},
      {.name = "other-ark",
       .reason = "the right ASK with the root of another product",
       .failing = "intermediate_signed_by_root root_pinned",
       .before =
           [](Draft& draft) {
             draft.root = draft.world.OtherThan(draft.line).ark;
           },
       .lists_passing = false},
      {.name = "too-early",
       .reason = "judged before there was such a leaf",
       .failing = "leaf_in_validity",
       .before = [](Draft& draft) { draft.eval_time -= kYearSeconds; },
       .lists_passing = false},
  };
  for (ReportCase& each : cases) each.kind = "report-wrong-combination";
  return cases;
}

}  // namespace corpus
