// SPDX-License-Identifier: Apache-2.0
//
// A report with its certificates, of any emulated chip, VCEK or VLEK. A Draft
// is not signed yet: change one thing of it, then Sign(). All of a process
// share one hierarchy's keys, since RSA-4096 keys are slow to make.
#pragma once

#include <array>
#include <cstdint>
#include <ctime>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "psp/certificates.h"
#include "psp/chip_model.h"
#include "sev/report.h"
#include "verifier/endorsements/accepted_root.h"
#include "verifier/endorsements/endorsements.h"
#include "verifier/endorsements/leaf_facts.h"
#include "verifier/evidence/appraisal.h"

namespace verifier::testing {

// When everything of a draft is valid.
inline constexpr time_t kAppraisalTime = 1800000000;  // January 2027.
inline constexpr time_t kDay = 24 * 60 * 60;

// Signed. What is empty does not come with the report.
struct Exhibit {
  std::vector<uint8_t> report, leaf, intermediate, root, crl;
  std::vector<AcceptedRoot> roots;
  time_t now = kAppraisalTime;

  CertificateSet Set() const;
  // In their places, as evidence brings them.
  std::shared_ptr<const Endorsements> Placed(
      std::shared_ptr<const Endorsements> base = nullptr) const;
  // Borrows from *this.
  AppraisalInput Input() const;
  Appraisal Appraise() const { return verifier::Appraise(Input()); }
};

struct Draft {
  std::array<uint8_t, sev::kReportSize> report{};
  psp::CertificateSpec leaf, intermediate, root;
  std::optional<psp::CrlSpec> crl;
  EVP_PKEY* report_signer = nullptr;

  // Accepts the root as it is then.
  Exhibit Sign() const;
  void PutReport(size_t at, base::Bytes bytes);
  void PutReport32(size_t at, uint32_t value);
  void PutReport64(size_t at, uint64_t value);
};

// Good in everything, with a CRL.
Draft GoodDraft(const psp::ChipModel& model = psp::kMilan,
                SignerKind kind = SignerKind::kVcek,
                uint32_t report_version = 3);

// Signed once for all; a copy is cheap.
const Exhibit& GoodExhibit();

// The keys. Another kind's intermediate key is good for keys of strangers.
EVP_PKEY* ArkKey();
EVP_PKEY* AskKey();
EVP_PKEY* AsvkKey();
EVP_PKEY* LeafKey();
EVP_PKEY* OtherLeafKey();
// Of another curve, and of too few bits.
EVP_PKEY* P256Key();
EVP_PKEY* Rsa2048Key();

// Made or the test ends.
std::vector<uint8_t> Make(const psp::CertificateSpec& spec);
std::vector<uint8_t> Make(const psp::CrlSpec& spec);

// Base64 between dashes; label "CERTIFICATE" or "X509 CRL".
std::vector<uint8_t> PemOf(base::Bytes der, const char* label);

}  // namespace verifier::testing
