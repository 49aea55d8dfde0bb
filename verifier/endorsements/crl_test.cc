// SPDX-License-Identifier: Apache-2.0
#include "verifier/endorsements/crl.h"

#include <openssl/x509v3.h>

#include <string_view>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "verifier/reasons.h"
#include "verifier/testing/appraisal_draft.h"
#include "verifier/testing/resign.h"

namespace verifier {
namespace {

using testing::ArkKey;
using testing::kAppraisalTime;
using testing::kDay;

psp::CrlSpec GoodSpec() { return *testing::GoodDraft().crl; }
Crl Parsed(base::Bytes der) { return *Crl::Parse(der); }
Certificate Root() { return *Certificate::Parse(testing::GoodExhibit().root); }
Certificate Intermediate() {
  return *Certificate::Parse(testing::GoodExhibit().intermediate);
}

std::vector<base::Reason> ReasonsOf(const Findings& findings) {
  std::vector<base::Reason> reasons;
  for (const Finding& finding : findings) reasons.push_back(finding.reason);
  return reasons;
}

std::vector<base::Reason> SignatureFaults(base::Bytes der) {
  Findings findings;
  CheckCrlSignedBy(Parsed(der), Root(), findings);
  return ReasonsOf(findings);
}

std::vector<base::Reason> DateFaults(base::Bytes der, time_t now) {
  Findings findings;
  CheckCrlCurrent(Parsed(der), now, findings);
  return ReasonsOf(findings);
}

using Reasons = std::vector<base::Reason>;

TEST(Crl, DerAndPemAreTheSame) {
  const auto der = testing::Make(GoodSpec());
  const Crl of_der = Parsed(der);
  const Crl of_pem = Parsed(testing::PemOf(der, "X509 CRL"));
  EXPECT_EQ(of_der.sha256(), ossl::Sha256::Of(der));
  EXPECT_EQ(of_pem.sha256(), of_der.sha256());
  EXPECT_EQ(of_der.number(), 1u);
  EXPECT_EQ(of_der.this_update(), GoodSpec().validity.not_before);
  EXPECT_EQ(of_der.next_update(), GoodSpec().validity.not_after);
  EXPECT_EQ(SignatureFaults(der), Reasons{});
}

TEST(Crl, OneListAndNothingElse) {
  const auto der = testing::Make(GoodSpec());
  auto two = der;
  two.insert(two.end(), der.begin(), der.end());
  auto two_pem = testing::PemOf(der, "X509 CRL");
  two_pem.insert(two_pem.end(), two_pem.begin(), two_pem.end());
  const auto certificate = testing::GoodExhibit().root;
  EXPECT_FALSE(Crl::Parse({}));
  EXPECT_FALSE(Crl::Parse(two));
  EXPECT_FALSE(Crl::Parse(two_pem));
  EXPECT_FALSE(Crl::Parse(testing::PemOf(der, "CERTIFICATE")));
  EXPECT_FALSE(Crl::Parse(certificate));
  EXPECT_FALSE(Crl::Parse(testing::PemOf(certificate, "CERTIFICATE")));
}

// Largest list that parses, first that does not; of each, DER and PEM.
TEST(Crl, ATooLargeOneSaysSo) {
  psp::CrlSpec spec = GoodSpec();
  const size_t bare = testing::Make(spec).size();
  spec.other_entries = 1000;
  const size_t entry = (testing::Make(spec).size() - bare) / 1000;
  spec.other_entries =
      static_cast<long>((kMaxCrlSize - bare) / entry) - 1;  // longer lengths
  const auto large = testing::Make(spec);
  ASSERT_LE(large.size(), kMaxCrlSize);
  EXPECT_EQ(SignatureFaults(large), Reasons{});
  spec.other_entries += 3;
  const auto too_large = testing::Make(spec);
  ASSERT_GT(too_large.size(), kMaxCrlSize);
  for (const auto& bytes : {too_large, testing::PemOf(too_large, "X509 CRL")}) {
    EXPECT_FALSE(Crl::Parse(bytes));
    const Finding finding = Crl::WhyNot(bytes);
    EXPECT_EQ(finding.reason, kCrlTooLarge);
    EXPECT_EQ(finding.detail,
              absl::StrCat(too_large.size(), " bytes, at most 65536"));
  }
  // Of another size than it says, or none at all.
  auto cut = too_large;
  cut.pop_back();
  auto tail = too_large;
  tail.push_back(0);
  const std::vector<uint8_t> noise(too_large.size(), 0xA5);
  for (const auto& bytes : {cut, tail, noise, std::vector<uint8_t>{}}) {
    EXPECT_EQ(Crl::WhyNot(bytes).reason, kCertificateMalformed);
  }
}

TEST(Crl, DatesAreAHalfOpenInterval) {
  const auto der = testing::Make(GoodSpec());
  const auto [from, until] = GoodSpec().validity;
  EXPECT_EQ(DateFaults(der, from - 1), Reasons{kCertificateNotYetValid});
  EXPECT_EQ(DateFaults(der, from), Reasons{});
  EXPECT_EQ(DateFaults(der, until - 1), Reasons{});
  EXPECT_EQ(DateFaults(der, until), Reasons{kCrlStale});
}

TEST(Crl, WithoutNextUpdateIsNeverCurrent) {
  const auto der =
      testing::CrlWithoutNextUpdate(testing::Make(GoodSpec()), ArkKey());
  EXPECT_FALSE(Parsed(der).next_update());
  EXPECT_EQ(SignatureFaults(der), Reasons{});
  EXPECT_EQ(DateFaults(der, kAppraisalTime), Reasons{kCrlStale});
}

TEST(Crl, OfAnotherRoot) {
  psp::CrlSpec spec = GoodSpec();
  spec.signer = testing::AskKey();
  EXPECT_EQ(SignatureFaults(testing::Make(spec)),
            Reasons{kCertificateSignature});
  spec = GoodSpec();
  spec.issuer = "ARK-Genoa";
  EXPECT_EQ(SignatureFaults(testing::Make(spec)), Reasons{kCertificateIssuer});
}

// A host may send a root with a key that takes ages; it is never used.
TEST(Crl, OnlyUnderAnAuthoritysKey) {
  testing::Draft draft = testing::GoodDraft();
  draft.root.key = testing::Rsa2048Key();
  const auto root = Certificate::Parse(testing::Make(draft.root));
  Findings findings;
  CheckCrlSignedBy(Parsed(testing::Make(GoodSpec())), *root, findings);
  EXPECT_EQ(ReasonsOf(findings), Reasons{kCertificateIssuerKey});
}

TEST(Crl, OnlyAmdsSignatureAlgorithm) {
  const auto der = testing::Make(GoodSpec());
  const auto faults = [&](const testing::SignAs& as) {
    return SignatureFaults(
        testing::ResignCrl(der, ArkKey(), [](X509_CRL*) {}, as));
  };
  EXPECT_EQ(faults({}), Reasons{});
  EXPECT_EQ(faults({.padding = RSA_PKCS1_PADDING}), Reasons{kCertificatePkcs1});
  EXPECT_EQ(faults({.md = EVP_sha1(), .padding = RSA_PKCS1_PADDING}),
            Reasons{kCertificateSha1});
  EXPECT_EQ(faults({.salt = 32}), Reasons{kCertificateAlgorithm});
  EXPECT_EQ(faults({.mask = EVP_sha1()}), Reasons{kCertificateAlgorithm});
}

// It is not signed itself, but says what the signed part says.
TEST(Crl, TheAlgorithmOutsideTheSignedPartCannotChange) {
  constexpr size_t kSignature = 4 + 1 + 512;  // a BIT STRING, at the end
  constexpr size_t kAlgorithm = 67;
  auto der = testing::Make(GoodSpec());
  ASSERT_GT(der.size(), kSignature + kAlgorithm);
  const size_t end = der.size() - kSignature;
  for (size_t at = end - kAlgorithm; at < end; ++at) {
    const uint8_t good = der[at];
    for (int change = 1; change < 256; ++change) {
      der[at] = static_cast<uint8_t>(good ^ change);
      EXPECT_FALSE(Crl::Parse(der)) << at << ' ' << change;
    }
    der[at] = good;
  }
  EXPECT_TRUE(Crl::Parse(der));
}

// They limit what the list speaks of, so silence in it would prove nothing.
TEST(Crl, CriticalExtensionsAreRefused) {
  for (const int nid :
       {NID_delta_crl, NID_issuing_distribution_point, NID_netscape_comment}) {
    const auto der = testing::ResignCrl(
        testing::Make(GoodSpec()), ArkKey(), [nid](X509_CRL* crl) {
          X509_EXTENSION* extension =
              X509V3_EXT_conf_nid(nullptr, nullptr, nid, "critical,DER:30:00");
          X509_CRL_add_ext(crl, extension, -1);
          X509_EXTENSION_free(extension);
        });
    EXPECT_EQ(SignatureFaults(der), Reasons{kCertificateMalformed}) << nid;
  }
}

TEST(Crl, RevokesBySerial) {
  psp::CrlSpec spec = GoodSpec();
  const auto is_revoked = [](const psp::CrlSpec& of) {
    Findings findings;
    CheckNotRevoked(Intermediate(), Parsed(testing::Make(of)), "ASK", findings);
    return ReasonsOf(findings) == Reasons{kCertificateRevoked};
  };
  EXPECT_FALSE(is_revoked(spec));
  spec.revoked_serial = testing::GoodDraft().intermediate.serial;
  EXPECT_TRUE(is_revoked(spec));
  spec.revoked_serial = *spec.revoked_serial + 1;
  EXPECT_FALSE(is_revoked(spec));
}

TEST(Crl, NumberOrNone) {
  psp::CrlSpec spec = GoodSpec();
  spec.number = 77;
  const auto der = testing::Make(spec);
  EXPECT_EQ(Parsed(der).number(), 77u);
  const auto changed = [&](const char* number) {
    return Parsed(testing::ResignCrl(der, ArkKey(), [&](X509_CRL* crl) {
      X509_EXTENSION_free(X509_CRL_delete_ext(
          crl, X509_CRL_get_ext_by_NID(crl, NID_crl_number, -1)));
      if (number == nullptr) return;
      X509_EXTENSION* extension =
          X509V3_EXT_conf_nid(nullptr, nullptr, NID_crl_number, number);
      X509_CRL_add_ext(crl, extension, -1);
      X509_EXTENSION_free(extension);
    }));
  };
  EXPECT_EQ(changed(nullptr).number(), 0u);
  EXPECT_EQ(changed("DER:02:01:FF").number(), 0u);  // -1.
  EXPECT_EQ(changed("DER:02:02:01").number(), 0u);  // Cut.
  EXPECT_EQ(changed("DER:02:09:01:00:00:00:00:00:00:00:00").number(), 0u);
  EXPECT_EQ(changed("DER:02:02:01:00").number(), 256u);
}

TEST(Crl, NoTruncationParses) {
  const auto der = testing::Make(GoodSpec());
  const auto pem = testing::PemOf(der, "X509 CRL");
  for (size_t size = 0; size < der.size(); ++size) {
    EXPECT_FALSE(Crl::Parse(base::Bytes(der).first(size))) << size;
  }
  // Of PEM the last line break may be missing.
  for (size_t size = 0; size + 1 < pem.size(); ++size) {
    EXPECT_FALSE(Crl::Parse(base::Bytes(pem).first(size))) << size;
  }
}

TEST(Crl, NoFlippedBitVerifies) {
  auto der = testing::Make(GoodSpec());
  const Certificate root = Root();
  for (size_t at = 0; at < der.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      der[at] ^= static_cast<uint8_t>(1u << bit);
      Findings findings;
      const auto crl = Crl::Parse(der);
      if (crl) CheckCrlSignedBy(*crl, root, findings);
      EXPECT_TRUE(!crl || !findings.empty()) << at << " bit " << bit;
      der[at] ^= static_cast<uint8_t>(1u << bit);
    }
  }
  EXPECT_EQ(SignatureFaults(der), Reasons{});
}

}  // namespace
}  // namespace verifier
