// SPDX-License-Identifier: Apache-2.0
//
// What a leaf certificate says, and how it was signed.
#include <string_view>

#include "tests/corpus/report_case.h"

namespace corpus {
namespace {

using psp::AmdExtension;
using psp::DerIa5String;
using psp::DerInteger;
using psp::SignatureForm;

namespace layout = sev::report_layout;
using On = ReportCase::On;

constexpr char kFmc[] = "3.9", kBootLoader[] = "3.1", kTee[] = "3.2",
               kSnp[] = "3.3", kMicrocode[] = "3.8";
constexpr char kStructVersion[] = "1", kProductName[] = "2",
               kHardwareId[] = "4", kCspIdArc[] = "5";

struct Part {
  const char* arc;
  const char* name;
  const char* check;
  On on = On::kAll;
};
constexpr Part kParts[] = {
    {kBootLoader, "boot-loader", "tcb_bl_spl"},
    {kTee, "tee", "tcb_tee_spl"},
    {kSnp, "snp", "tcb_snp_spl"},
    {kMicrocode, "microcode", "tcb_ucode_spl"},
    {kFmc, "fmc", "tcb_fmc_spl", On::kTurin},
};

std::function<void(Draft&)> Without(const char* arc) {
  return [arc](Draft& draft) { draft.leaf.Remove(arc); };
}
std::function<void(Draft&)> With(const char* arc, Der value) {
  return [arc, value](Draft& draft) { draft.leaf.Find(arc)->value = value; };
}
std::function<void(Draft&)> Signed(SignatureForm form) {
  return [form](Draft& draft) { draft.leaf.form = form; };
}
std::function<void(Draft&)> Lives(Validity validity) {
  return [validity](Draft& draft) { draft.leaf.validity = validity; };
}

void PlusOne(AmdExtension& integer) { ++integer.value.back(); }

// An OCTET STRING in the extension's own.
void Wrap(AmdExtension& extension) {
  extension.value = psp::DerOctetString(extension.value);
}

void WrongStructVersion(Draft& draft) {
  draft.leaf.Find(kStructVersion)->value =
      DerInteger(draft.model.struct_version ^ 1);
}

void OtherProductName(Draft& draft) {
  draft.leaf.Find(kProductName)->value = DerIa5String(
      std::string(draft.world.OtherThan(draft.line).model->vcek_product_name));
}

// 200 in certificate and report, as AMD encodes it or not.
std::function<void(Draft&)> Microcode200(Der encoded) {
  return [encoded](Draft& draft) {
    draft.report[layout::ReportedTcb::kOffset + 7] = 200;
    draft.report[layout::CurrentTcb::kOffset + 7] = 255;
    draft.leaf.Find(kMicrocode)->value = encoded;
  };
}

// The raw bytes read as Milan's: FMC as boot loader, and so on.
void MilanLayout(Draft& draft) {
  const sev::Tcb wrong =
      sev::DecodeTcb(draft.model.raw_tcb(), sev::Product::kMilan);
  draft.leaf.Find(kBootLoader)->value = DerInteger(wrong.boot_loader);
  draft.leaf.Find(kTee)->value = DerInteger(wrong.tee);
  draft.leaf.Find(kSnp)->value = DerInteger(wrong.snp);
  draft.leaf.Remove(kFmc);
}

void OwnSignature(Draft& draft) {
  draft.leaf.signer = draft.world.impostor.ask_key.get();
}

void P256(Draft& draft) {
  draft.leaf.key = draft.report_key = draft.world.p256_key.get();
}

void FlipLastByte(Evidence& evidence) { evidence.leaf.back() ^= 1; }

std::vector<ReportCase> TcbCases() {
  std::vector<ReportCase> cases;
  for (const Part& part : kParts) {
    const std::string name = part.name;
    cases.push_back(
        {.name = "tcb-" + name + "-mismatch",
         .reason = "the leaf has this part one above REPORTED_TCB",
         .failing = part.check,
         .before =
             [&part](Draft& draft) { PlusOne(*draft.leaf.Find(part.arc)); },
         .on = part.on});
    cases.push_back({.name = "tcb-" + name + "-missing",
                     .reason = "the leaf has no such extension",
                     .failing = part.check,
                     .before = Without(part.arc),
                     .profile = true,
                     .on = part.on});
    cases.push_back(
        {.name = "tcb-" + name + "-wrapped",
         .reason = "an OCTET STRING around the INTEGER",
         .failing = part.check,
         .before = [&part](Draft& draft) { Wrap(*draft.leaf.Find(part.arc)); },
         .profile = true,
         .on = part.on});
    cases.push_back({.name = "tcb-" + name + "-twice",
                     .reason = "the extension twice, with two values",
                     .failing = part.check,
                     .before =
                         [&part](Draft& draft) {
                           AmdExtension second = *draft.leaf.Find(part.arc);
                           PlusOne(second);
                           draft.leaf.extensions.push_back(second);
                         },
                     .on = part.on});
  }
  return cases;
}

}  // namespace

std::vector<ReportCase> LeafCases() {
  std::vector<ReportCase> cases = TcbCases();
  const std::vector<ReportCase> others = {
      {"microcode-200", "from 80h on an INTEGER has a leading zero", "",
       Microcode200({2, 2, 0, 200})},
      {"microcode-negative", "200 as a negative INTEGER", "tcb_ucode_spl",
       Microcode200({2, 1, 200})},
      {"extra-extension", "an AMD extension that nobody knows", "",
       [](Draft& draft) {
         draft.leaf.extensions.push_back({"99", DerInteger(7)});
       }},
      {.name = "milan-tcb-layout",
       .reason = "parts taken from the bytes as if it were a Milan",
       .failing = "tcb_snp_spl tcb_fmc_spl",
       .before = MilanLayout,
       .on = On::kTurin,
       .lists_passing = false},
      {.name = "struct-version-wrong",
       .reason = "structVersion of the other generation",
       .failing = "struct_version",
       .before = WrongStructVersion,
       .profile = true},
      {.name = "struct-version-missing",
       .reason = "no structVersion",
       .failing = "struct_version",
       .before = Without(kStructVersion),
       .profile = true},
      {.name = "product-name-wrong",
       .reason = "productName of another product under this ASK",
       .failing = "product_name",
       .before = OtherProductName,
       .profile = true},
      {.name = "product-name-missing",
       .reason = "no productName",
       .failing = "product_name",
       .before = Without(kProductName),
       .profile = true},
      {"hwid-mismatch", "the hardware id differs in its last octet",
       "hwid_equals_chip_id",
       [](Draft& draft) { draft.leaf.Find(kHardwareId)->value.back() ^= 1; }},
      {"hwid-missing", "a VCEK without hardware id", "hwid_present",
       Without(kHardwareId)},
      {"hwid-wrapped",
       "the hardware id in an OCTET STRING of its own, as AMD once announced",
       "", [](Draft& draft) { Wrap(*draft.leaf.Find(kHardwareId)); }},
      {.name = "hwid-wrapped-twice",
       .reason = "the hardware id in two OCTET STRINGs of its own",
       .failing = "hwid_length hwid_equals_chip_id",
       .before =
           [](Draft& draft) {
             Wrap(*draft.leaf.Find(kHardwareId));
             Wrap(*draft.leaf.Find(kHardwareId));
           },
       .profile = true},
      {"hwid-wrapped-mismatch",
       "the hardware id in an OCTET STRING differs in its last octet",
       "hwid_equals_chip_id",
       [](Draft& draft) {
         AmdExtension& id = *draft.leaf.Find(kHardwareId);
         Wrap(id);
         id.value.back() ^= 1;
       }},
      {"hwid-prefix", "the hardware id is one octet short",
       "hwid_length hwid_equals_chip_id",
       [](Draft& draft) { draft.leaf.Find(kHardwareId)->value.pop_back(); }},
      {.name = "hwid-empty",
       .reason = "the hardware id has no octets",
       .failing = "hwid_length hwid_equals_chip_id",
       .before = With(kHardwareId, {})},
      {.name = "hwid-of-64",
       .reason = "the hardware id with the zeros of the report's field",
       .failing = "hwid_length",
       .before =
           [](Draft& draft) { draft.leaf.Find(kHardwareId)->value.resize(64); },
       .on = On::kTurin},
      {.name = "hwid-twice",
       .reason = "two hardware ids are as good as none",
       .failing = "hwid_present",
       .before =
           [](Draft& draft) {
             AmdExtension second = *draft.leaf.Find(kHardwareId);
             second.value.back() ^= 1;
             draft.leaf.extensions.push_back(second);
           }},
      {.name = "csp-id-missing",
       .reason = "a VLEK without CSP_ID",
       .failing = "vlek_csp_id_present",
       .before = Without(kCspIdArc),
       .profile = true,
       .signer = SignerKind::kVlek},
      {.name = "csp-id-empty",
       .reason = "a VLEK with an empty CSP_ID",
       .failing = "vlek_csp_id_present",
       .before = With(kCspIdArc, {0x16, 0}),
       .profile = true,
       .signer = SignerKind::kVlek},
      {.name = "vlek-with-hwid",
       .reason = "a VLEK with a hardware id, which AMD never issues",
       .failing = "vlek_no_hwid",
       .before =
           [](Draft& draft) {
             draft.leaf.extensions.push_back(
                 {kHardwareId, Der(draft.model.hardware_id_size, 1)});
           },
       .profile = true,
       .signer = SignerKind::kVlek},
      {"leaf-expired", "the leaf has expired", "leaf_in_validity",
       Lives(kPast)},
      {"leaf-not-yet-valid", "the leaf is not yet valid", "leaf_in_validity",
       Lives(kFuture)},
      {.name = "leaf-expired",
       .reason = "a VLEK lives for a year",
       .failing = "leaf_in_validity",
       .before = [](Draft& draft) { draft.eval_time += kYearSeconds / 2 + 1; },
       .signer = SignerKind::kVlek,
       .lists_passing = false},
      {"leaf-p256", "the leaf's key is on P-256",
       "leaf_key_p384 report_signature", P256},
      {"leaf-own-signature", "the leaf is signed by some other RSA key",
       "leaf_signed_by_intermediate", OwnSignature},
      {.name = "leaf-pkcs1",
       .reason = "the leaf is signed with PKCS#1 v1.5",
       .failing = "leaf_signed_by_intermediate",
       .before = Signed(SignatureForm::kPkcs1Sha384),
       .profile = true},
      {.name = "leaf-sha1",
       .reason = "the leaf is signed with PKCS#1 v1.5 and SHA-1",
       .failing = "leaf_signed_by_intermediate",
       .before = Signed(SignatureForm::kPkcs1Sha1)},
      {.name = "leaf-pss-sha256",
       .reason = "the leaf is signed with PSS and SHA-256",
       .failing = "leaf_signed_by_intermediate",
       .before = Signed(SignatureForm::kPssSha256),
       .profile = true},
      {.name = "leaf-salt20",
       .reason = "the leaf is signed with PSS and a salt of 20 bytes",
       .failing = "leaf_signed_by_intermediate",
       .before = Signed(SignatureForm::kPssSalt20),
       .profile = true},
      {.name = "leaf-signature-edited",
       .reason = "one bit of the signature on the leaf changed",
       .failing = "leaf_signed_by_intermediate",
       .after = FlipLastByte},
      {.name = "leaf-truncated",
       .reason = "the leaf is cut short",
       .failing = "certs_parse",
       .after = [](Evidence& evidence) { evidence.leaf.resize(600); }},
      {.name = "leaf-trailing-byte",
       .reason = "the leaf is followed by one byte",
       .failing = "certs_parse",
       .after = [](Evidence& evidence) { evidence.leaf.push_back(0); },
       .profile = true},
      {.name = "leaf-twice",
       .reason = "the leaf is followed by itself",
       .failing = "certs_parse",
       .after =
           [](Evidence& evidence) {
             const Blob once = evidence.leaf;
             evidence.leaf.insert(evidence.leaf.end(), once.begin(),
                                  once.end());
           },
       .profile = true},
  };
  cases.insert(cases.end(), others.begin(), others.end());
  return cases;
}

}  // namespace corpus
