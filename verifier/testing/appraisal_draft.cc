// SPDX-License-Identifier: Apache-2.0
#include "verifier/testing/appraisal_draft.h"

#include <openssl/pem.h>

#include <algorithm>
#include <cstdlib>
#include <span>
#include <utility>

#include "psp/hierarchy.h"
#include "psp/report_maker.h"
#include "psp/testing.h"
#include "verifier/ossl/ossl.h"

namespace verifier::testing {
namespace {

constexpr psp::Validity kValidity = {.not_before = kAppraisalTime - 30 * kDay,
                                     .not_after = kAppraisalTime + 300 * kDay};

const psp::Hierarchy& Keys() {
  return psp::TestHierarchy(psp::kMilan, /*vlek=*/true);
}

psp::ChipId ChipIdOf(const psp::ChipModel& model) {
  psp::ChipId id{};
  for (size_t i = 0; i < model.hardware_id_size; ++i) {
    id[i] = static_cast<uint8_t>(0xC0 + i);
  }
  return id;
}

}  // namespace

EVP_PKEY* ArkKey() { return Keys().ark_key(); }
EVP_PKEY* AskKey() { return Keys().ask_key(); }
EVP_PKEY* AsvkKey() { return Keys().asvk_key(); }
EVP_PKEY* LeafKey() { return Keys().vcek_key(); }
EVP_PKEY* OtherLeafKey() { return Keys().vlek_key(); }

EVP_PKEY* P256Key() {
  static EVP_PKEY* const key =
      EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", SN_X9_62_prime256v1);
  return key;
}

EVP_PKEY* Rsa2048Key() {
  static EVP_PKEY* const key =
      EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", size_t{2048});
  return key;
}

std::vector<uint8_t> Make(const psp::CertificateSpec& spec) {
  auto der = psp::MakeCertificate(spec);
  if (!der.ok()) abort();
  return *std::move(der);
}

std::vector<uint8_t> Make(const psp::CrlSpec& spec) {
  auto der = psp::MakeCrl(spec);
  if (!der.ok()) abort();
  return *std::move(der);
}

std::vector<uint8_t> PemOf(base::Bytes der, const char* label) {
  const ossl::BioPtr bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio(bio.get(), label, "", der.data(),
                    static_cast<long>(der.size())) <= 0) {
    abort();
  }
  std::vector<uint8_t> text(static_cast<size_t>(BIO_pending(bio.get())));
  BIO_read(bio.get(), text.data(), static_cast<int>(text.size()));
  return text;
}

CertificateSet Exhibit::Set() const {
  return {.leaf = leaf, .intermediate = intermediate, .root = root, .crl = crl};
}

std::shared_ptr<const Endorsements> Exhibit::Placed(
    std::shared_ptr<const Endorsements> base) const {
  auto endorsements = std::make_shared<Endorsements>(std::move(base));
  endorsements->AddPlaced(Set(), "evidence");
  return endorsements;
}

AppraisalInput Exhibit::Input() const {
  return {
      .report = report, .endorsements = Placed(), .roots = roots, .now = now};
}

void Draft::PutReport(size_t at, base::Bytes bytes) {
  std::ranges::copy(bytes, std::span(report).subspan(at).begin());
}

void Draft::PutReport32(size_t at, uint32_t value) {
  base::StoreLe<uint32_t>(value, std::span(report).subspan(at).first<4>());
}

void Draft::PutReport64(size_t at, uint64_t value) {
  base::StoreLe<uint64_t>(value, std::span(report).subspan(at).first<8>());
}

Exhibit Draft::Sign() const {
  Exhibit exhibit;
  auto signed_report = report;
  if (!psp::SignReport(report_signer, signed_report)) abort();
  exhibit.report.assign(signed_report.begin(), signed_report.end());
  exhibit.leaf = Make(leaf);
  exhibit.intermediate = Make(intermediate);
  exhibit.root = Make(root);
  if (crl) exhibit.crl = Make(*crl);
  exhibit.roots = {{.sha256 = ossl::Sha256::Of(exhibit.root),
                    .trust_class = TrustClass::kEmulated,
                    .name = "test"}};
  return exhibit;
}

Draft GoodDraft(const psp::ChipModel& model, SignerKind kind,
                uint32_t report_version) {
  const bool vlek = kind == SignerKind::kVlek;
  const auto signs = vlek ? psp::SignerKind::kVlek : psp::SignerKind::kVcek;
  EVP_PKEY* const issuer = vlek ? AsvkKey() : AskKey();
  const psp::ChipId chip_id = ChipIdOf(model);
  Draft draft;
  draft.root = psp::ArkSpec(model, ArkKey());
  draft.intermediate = psp::IntermediateSpec(model, signs, issuer, ArkKey());
  draft.leaf = vlek ? psp::VlekSpec(model, psp::kTestCspId, LeafKey(), issuer)
                    : psp::VcekSpec(model, chip_id, LeafKey(), issuer);
  draft.crl = psp::GoodCrlSpec(model, ArkKey());
  for (psp::CertificateSpec* spec :
       {&draft.root, &draft.intermediate, &draft.leaf}) {
    spec->validity = kValidity;
  }
  draft.crl->validity = kValidity;
  draft.report_signer = LeafKey();
  draft.report = psp::MakeUnsignedReport(
      model, chip_id, {}, {.report_version = report_version}, {},
      vlek ? sev::SigningKey::kVlek : sev::SigningKey::kVcek);
  return draft;
}

const Exhibit& GoodExhibit() {
  static const Exhibit& good = *new Exhibit(GoodDraft().Sign());
  return good;
}

}  // namespace verifier::testing
