// SPDX-License-Identifier: Apache-2.0
#include "verifier/evidence/bundle.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "verifier/evidence/certificate.h"
#include "verifier/evidence/crl.h"
#include "verifier/evidence/split.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

absl::Status Refuse(base::Reason reason, std::string_view detail) {
  return Error(reason, absl::StatusCode::kInvalidArgument, detail);
}

// The candidate that signed `subject`; else one of its issuer's name.
base::Bytes IssuerOf(base::Bytes subject,
                     const std::vector<std::vector<uint8_t>>& candidates) {
  const auto certificate = Certificate::Parse(subject);
  base::Bytes named;
  if (!certificate) return named;
  for (const auto& der : candidates) {
    const auto issuer = Certificate::Parse(der);
    if (!issuer || issuer->SubjectName() != certificate->IssuerName()) continue;
    Findings findings;
    CheckSignedBy(*certificate, *issuer, "", findings);
    if (findings.empty()) return der;
    if (named.empty()) named = der;
  }
  return named;
}

void AddOnce(std::vector<std::vector<uint8_t>>& list, base::Bytes der) {
  const bool known = std::ranges::any_of(
      list, [&](const auto& other) { return base::Equal(other, der); });
  if (!known) list.emplace_back(der.begin(), der.end());
}

}  // namespace

absl::Status CertificateBundle::Add(base::Bytes bytes,
                                    const std::string& name) {
  const auto parts = SplitCertificates(bytes);
  if (!parts.ok()) {
    return Refuse(kCertificateMalformed,
                  absl::StrCat(name, ": ", parts.status().message()));
  }
  for (const auto& der : parts->certificates) {
    const absl::Status added = AddCertificate(der, name);
    if (!added.ok()) return added;
  }
  for (const auto& der : parts->crls) AddOnce(crls_, der);
  return absl::OkStatus();
}

absl::Status CertificateBundle::AddCertificate(base::Bytes der,
                                               const std::string& name) {
  const auto certificate = Certificate::Parse(der);
  if (!certificate) return Refuse(kCertificateMalformed, name);
  const std::string subject = certificate->SubjectName();
  if (subject == "SEV-VCEK" || subject == "SEV-VLEK") {
    if (!leaf_.empty() && !base::Equal(leaf_, der)) {
      return Refuse(kCertificateDuplicate,
                    absl::StrCat(name, ": a second VCEK or VLEK"));
    }
    leaf_.assign(der.begin(), der.end());
  } else if (subject.starts_with("SEV-")) {
    AddOnce(intermediates_, der);
  } else if (subject.starts_with("ARK-")) {
    AddOnce(roots_, der);
  } else {
    return Refuse(kIntermediateUnknown,
                  absl::StrCat(name, ": subject \"", subject, "\""));
  }
  return absl::OkStatus();
}

CertificateSet CertificateBundle::Set() const {
  CertificateSet set;
  set.leaf = leaf_;
  set.intermediate = IssuerOf(leaf_, intermediates_);
  set.root = IssuerOf(set.intermediate, roots_);
  const auto root = Certificate::Parse(set.root);
  uint64_t number = 0;
  for (const auto& der : crls_) {
    const auto crl = Crl::Parse(der);
    Findings findings;
    if (!crl || !root) continue;
    CheckCrlSignedBy(*crl, *root, findings);
    if (findings.empty() && (set.crl.empty() || crl->number() > number)) {
      set.crl = der;
      number = crl->number();
    }
  }
  return set;
}

}  // namespace verifier
