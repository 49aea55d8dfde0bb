// SPDX-License-Identifier: Apache-2.0
#include "verifier/evidence/evidence.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sev/cert_table.h"
#include "sev/guest_policy.h"
#include "sev/tcb.h"
#include "verifier/policy/policy.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

using SignaturePtr = std::unique_ptr<ECDSA_SIG, ossl::Deleter<ECDSA_SIG_free>>;

// Milan is family 19h, models 00h to 0Fh (AMD 57230, product names).
std::optional<sev::Product> ProductOf(const sev::CpuidFms& cpuid) {
  const unsigned model = cpuid.model;
  if (cpuid.family == 0x19 && model <= 0x0F) return sev::Product::kMilan;
  if (cpuid.family == 0x19 && (model >> 4 == 0x1 || model >> 4 == 0xA)) {
    return sev::Product::kGenoa;
  }
  if (cpuid.family == 0x1A && model <= 0x1F) return sev::Product::kTurin;
  return std::nullopt;
}

std::optional<sev::Product> ProductOfRoot(const ossl::Digest256& root) {
  static constexpr sev::Product kProducts[] = {
      sev::Product::kMilan, sev::Product::kGenoa, sev::Product::kTurin};
  const auto& roots = AmdRoots();
  for (size_t i = 0; i < roots.size(); ++i) {
    if (roots[i].sha256 == root) return kProducts[i];
  }
  return std::nullopt;
}

std::string HexWord(uint64_t value) { return absl::StrFormat("%#x", value); }

void CheckGuestPolicy(const sev::UnverifiedReport& report, uint64_t allowed,
                      Findings& findings) {
  const uint64_t policy = report.policy();
  if ((policy & sev::kPolicyReservedMustBeOne) == 0) {
    findings.push_back({kReportPolicyReserved, HexWord(policy)});
  }
  if ((policy & sev::kPolicyDebug) != 0) {
    findings.push_back({kReportDebug, HexWord(policy)});
  }
  if ((policy & sev::kPolicyMigrationAgent) != 0) {
    findings.push_back({kReportMigrationAgent, HexWord(policy)});
  }
  const uint64_t unknown = policy & ~sev::kPolicyKnownBits & ~allowed;
  if (unknown != 0) {
    findings.push_back(
        {kReportPolicyBit, absl::StrCat("bits ", HexWord(unknown))});
  }
}

// Report fields that need no certificate.
void CheckReport(const sev::UnverifiedReport& report,
                 const EvidenceInput& input, Findings& findings) {
  if (!base::Equal(report.report_data(), input.report_data)) {
    findings.push_back({kReportDataMismatch, ""});
  }
  if (report.vmpl() != 0) {
    findings.push_back({kReportVmpl, absl::StrCat("VMPL ", report.vmpl())});
  }
  if (report.signing_key() != sev::SigningKey::kVcek) {
    findings.push_back(
        {kReportSigningKey,
         absl::StrCat("SIGNING_KEY is ", static_cast<int>(report.signing_key()),
                      ", the certificate is a VCEK")});
  }
  if (report.chip_key_masked()) findings.push_back({kReportMasksChipKey, ""});
  if (base::AllZero(report.chip_id())) {
    findings.push_back({kReportChipIdMasked, ""});
  }
  CheckGuestPolicy(report, input.allowed_policy_bits, findings);
}

void CheckProduct(const sev::UnverifiedReport& report, const Chain& chain,
                  Findings& findings) {
  if (chain.facts.product != sev::Product::kMilan) {
    findings.push_back({kReportProduct, chain.facts.product_name});
  }
  const auto cpuid = report.cpuid();
  const bool cpuid_differs = cpuid && ProductOf(*cpuid) != chain.facts.product;
  const auto root = ProductOfRoot(chain.root);
  if (cpuid_differs || (root && root != chain.facts.product)) {
    findings.push_back(
        {kReportProductMismatch,
         cpuid ? absl::StrFormat("VCEK %s, report family %02xh model %02xh",
                                 chain.facts.product_name, cpuid->family,
                                 cpuid->model)
               : absl::StrCat("VCEK ", chain.facts.product_name)});
  }
}

// Report and certificate belong to the same chip and firmware.
void CheckAgainstVcek(const sev::UnverifiedReport& report, const Chain& chain,
                      Findings& findings) {
  CheckProduct(report, chain, findings);
  const uint64_t certified = base::LoadLe<uint64_t>(chain.facts.spl);
  if (report.reported_tcb() != certified) {
    findings.push_back(
        {kVcekTcbMismatch, absl::StrFormat("report %016x, VCEK %016x",
                                           report.reported_tcb(), certified)});
  }
  if (!base::Equal(report.chip_id(), chain.facts.hardware_id)) {
    findings.push_back({kVcekChipIdMismatch, ""});
  }
}

}  // namespace

// The one place where a VerifiedReport begins.
struct EvidenceVerifier {
  static EvidenceResult Run(const EvidenceInput& input);
};

EvidenceResult EvidenceVerifier::Run(const EvidenceInput& input) {
  EvidenceResult result;
  const auto report = sev::UnverifiedReport::Parse(input.report);
  if (report.ok()) {
    result.report = *report;
    CheckReport(*report, input, result.findings);
  } else {
    result.findings.push_back({report.status().reason(), ""});
  }
  const auto table = sev::ParseCertTable(input.certificates);
  if (!table.ok()) {
    result.findings.push_back({table.status().reason(), ""});
    return result;
  }
  Findings of_chain;
  const auto chain = VerifyChain(*table, input.roots, input.now, of_chain);
  const bool chain_is_good = chain && of_chain.empty();
  for (Finding& finding : of_chain) {
    result.findings.push_back(std::move(finding));
  }
  if (!chain) return result;
  result.root = chain->root;
  result.trust_class = chain->trust_class;
  if (!result.report) return result;
  const bool is_signed = ReportSignatureVerifies(*result.report, chain->vcek);
  if (!is_signed) result.findings.push_back({kReportSignature, ""});
  result.genuine = chain_is_good && is_signed &&
                   base::Equal(result.report->report_data(), input.report_data);
  CheckAgainstVcek(*result.report, *chain, result.findings);
  if (result.findings.empty()) {
    VerifiedReport verified(*result.report);
    verified.root_ = chain->root;
    verified.trust_class_ = chain->trust_class;
    result.verified = verified;
  }
  return result;
}

EvidenceResult VerifyEvidence(const EvidenceInput& input) {
  EvidenceResult result = EvidenceVerifier::Run(input);
  // A path that returns early without a reason would be a grant of nothing;
  // say so rather than leave the log empty.
  if (!result.verified && result.findings.empty()) {
    result.findings.push_back({kEvidenceNoVcek, ""});
  }
  return result;
}

bool ReportSignatureVerifies(const sev::UnverifiedReport& report,
                             const Certificate& vcek) {
  // R and S are little-endian in 72 bytes; P-384 uses 48 of them, and a number
  // that does not fit is out of range for OpenSSL.
  const auto r = report.signature_r();
  const auto s = report.signature_s();
  const SignaturePtr signature(ECDSA_SIG_new());
  BIGNUM* r_number = BN_lebin2bn(r.data(), static_cast<int>(r.size()), nullptr);
  BIGNUM* s_number = BN_lebin2bn(s.data(), static_cast<int>(s.size()), nullptr);
  if (!signature || ECDSA_SIG_set0(signature.get(), r_number, s_number) != 1) {
    BN_free(r_number);
    BN_free(s_number);
    return false;
  }
  uint8_t* der = nullptr;
  const int der_size = i2d_ECDSA_SIG(signature.get(), &der);
  if (der_size <= 0) return false;
  const ossl::MdCtxPtr context(EVP_MD_CTX_new());
  EVP_PKEY* key = X509_get0_pubkey(vcek.x509());
  const auto signed_bytes = report.signed_bytes();
  const bool ok =
      context && key != nullptr && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
      EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha384(), nullptr,
                           key) == 1 &&
      EVP_DigestVerify(context.get(), der, static_cast<size_t>(der_size),
                       signed_bytes.data(), signed_bytes.size()) == 1;
  OPENSSL_free(der);
  ERR_clear_error();
  return ok;
}

}  // namespace verifier
