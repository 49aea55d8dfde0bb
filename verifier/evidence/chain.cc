// SPDX-License-Identifier: Apache-2.0
#include "verifier/evidence/chain.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

std::optional<Certificate> ParseOr(base::Bytes der, base::Reason if_absent,
                                   std::string_view name, Findings& findings) {
  if (der.empty()) {
    findings.push_back({if_absent, ""});
    return std::nullopt;
  }
  auto certificate = Certificate::Parse(der);
  if (!certificate) {
    findings.push_back({kCertificateMalformed, std::string(name)});
  }
  return certificate;
}

const AcceptedRoot* FindRoot(std::span<const AcceptedRoot> roots,
                             const ossl::Digest256& sha256) {
  for (const AcceptedRoot& root : roots) {
    if (root.sha256 == sha256) return &root;
  }
  return nullptr;
}

// The ARK sent, or, if none was, the imported one that signed the ASK. Names
// repeat: every emulated hierarchy has the same.
std::optional<Certificate> RootFor(base::Bytes sent,
                                   const std::optional<Certificate>& ask,
                                   std::span<const AcceptedRoot> roots,
                                   Findings& findings) {
  if (!sent.empty() || !ask) {
    return ParseOr(sent, kEvidenceNoArk, "ARK", findings);
  }
  std::optional<Certificate> named;  // For its findings, if none signed.
  for (const AcceptedRoot& root : roots) {
    auto candidate = Certificate::Parse(root.der);
    if (!candidate ||
        X509_NAME_cmp(X509_get_issuer_name(ask->x509()),
                      X509_get_subject_name(candidate->x509())) != 0) {
      continue;
    }
    Findings of_candidate;
    CheckSignedBy(*ask, *candidate, "ASK", of_candidate);
    if (of_candidate.empty()) return candidate;
    if (!named) named = std::move(candidate);
  }
  if (!named) findings.push_back({kEvidenceNoArk, ""});
  return named;
}

void CheckVcekKey(const Certificate& vcek, Findings& findings) {
  EVP_PKEY* key = X509_get0_pubkey(vcek.x509());
  char group[32] = "";
  if (key == nullptr || EVP_PKEY_get_base_id(key) != EVP_PKEY_EC ||
      EVP_PKEY_get_group_name(key, group, sizeof group, nullptr) != 1 ||
      std::string_view(group) != "secp384r1") {
    findings.push_back({kVcekKey, ""});
  }
  if ((X509_get_extension_flags(vcek.x509()) & EXFLAG_CA) != 0) {
    findings.push_back({kVcekIsCa, ""});
  }
  ERR_clear_error();
}

void CheckRoot(const Certificate& ark, time_t now, Findings& findings) {
  Findings self;
  CheckSignedBy(ark, ark, "ARK", self);
  if (!self.empty()) {
    findings.push_back({kRootNotSelfSigned, ReasonCode(self[0].reason)});
  }
  CheckIsCa(ark, "ARK", findings);
  CheckValidity(ark, now, "ARK", findings);
}

}  // namespace

std::optional<Chain> VerifyChain(const sev::CertTable& table,
                                 std::span<const AcceptedRoot> roots,
                                 time_t now, Findings& findings) {
  auto vcek = ParseOr(table.vcek, kEvidenceNoVcek, "VCEK", findings);
  auto ask = ParseOr(table.ask, kEvidenceNoAsk, "ASK", findings);
  auto ark = RootFor(table.ark, ask, roots, findings);
  const AcceptedRoot* root = nullptr;
  if (ark) {
    root = FindRoot(roots, ark->sha256());
    if (root == nullptr) {
      findings.push_back(
          {kRootNotAccepted,
           absl::StrCat("seen sha256:", ossl::Hex(ark->sha256()))});
    }
    CheckRoot(*ark, now, findings);
  }
  if (ask) {
    CheckIsCa(*ask, "ASK", findings);
    CheckValidity(*ask, now, "ASK", findings);
    if (ark) CheckSignedBy(*ask, *ark, "ASK", findings);
  }
  if (!vcek) return std::nullopt;
  CheckVcekKey(*vcek, findings);
  CheckValidity(*vcek, now, "VCEK", findings);
  if (ask) CheckSignedBy(*vcek, *ask, "VCEK", findings);
  auto facts = ReadVcek(*vcek, findings);
  if (!facts || root == nullptr) return std::nullopt;
  Chain chain;
  chain.vcek = *std::move(vcek);
  chain.facts = *std::move(facts);
  chain.root = root->sha256;
  chain.trust_class = root->trust_class;
  return chain;
}

}  // namespace verifier
