// SPDX-License-Identifier: Apache-2.0
//
// Certificate: what parses as one, and that every bit of one counts.
#include "verifier/endorsements/certificate.h"

#include <string>

#include "gtest/gtest.h"
#include "verifier/evidence/chain.h"
#include "verifier/testing/appraisal_draft.h"

namespace verifier {
namespace {

using testing::Exhibit;
using testing::GoodExhibit;
using testing::PemOf;

Certificate Parsed(base::Bytes der) { return *Certificate::Parse(der); }

bool SignedBy(base::Bytes der, const Certificate& issuer) {
  const auto certificate = Certificate::Parse(der);
  if (!certificate) return false;
  Findings findings;
  CheckSignedBy(*certificate, issuer, "", findings);
  return findings.empty();
}

// Each bit by the one signature over it; all that would pass go through the
// whole chain.
void ExpectNoFlipVerifies(std::vector<uint8_t> der, const Certificate& issuer) {
  ASSERT_TRUE(SignedBy(der, issuer));
  for (size_t at = 0; at < der.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      der[at] ^= static_cast<uint8_t>(1u << bit);
      EXPECT_FALSE(SignedBy(der, issuer)) << at << " bit " << bit;
      der[at] ^= static_cast<uint8_t>(1u << bit);
    }
  }
}

TEST(Certificate, NoFlippedBitOfALeafVerifies) {
  ExpectNoFlipVerifies(GoodExhibit().leaf, Parsed(GoodExhibit().intermediate));
}

TEST(Certificate, NoFlippedBitOfAnIntermediateVerifies) {
  ExpectNoFlipVerifies(GoodExhibit().intermediate, Parsed(GoodExhibit().root));
}

TEST(Certificate, NoTruncationParses) {
  for (const auto& der :
       {GoodExhibit().leaf, GoodExhibit().intermediate, GoodExhibit().root}) {
    const auto pem = PemOf(der, "CERTIFICATE");
    for (size_t size = 0; size < der.size(); ++size) {
      EXPECT_FALSE(Certificate::Parse(base::Bytes(der).first(size))) << size;
    }
    for (size_t size = 0; size + 1 < pem.size(); ++size) {
      EXPECT_FALSE(Certificate::Parse(base::Bytes(pem).first(size))) << size;
    }
  }
}

TEST(Certificate, OneAndNothingElse) {
  const auto& der = GoodExhibit().root;
  auto pem = PemOf(der, "CERTIFICATE");
  EXPECT_EQ(Parsed(pem).sha256(), ossl::Sha256::Of(der));
  pem.insert(pem.end(), {' ', '\n', '\r', '\n'});
  EXPECT_TRUE(Certificate::Parse(pem));
  pem.push_back('x');
  EXPECT_FALSE(Certificate::Parse(pem));
  auto tail = der;
  tail.push_back(0);
  EXPECT_FALSE(Certificate::Parse(tail));
  EXPECT_FALSE(Certificate::Parse({}));
  EXPECT_FALSE(Certificate::Parse(PemOf(der, "TRUSTED CERTIFICATE")));
  EXPECT_FALSE(Certificate::Parse(GoodExhibit().crl));
}

// The outer length is not signed: 82 LL LL and 83 00 LL LL say the same.
TEST(Certificate, OnlyDer) {
  auto ber = GoodExhibit().leaf;
  ASSERT_EQ(ber[1], 0x82);
  ber[1] = 0x83;
  ber.insert(ber.begin() + 2, 0);
  EXPECT_FALSE(Certificate::Parse(ber));
  auto indefinite = GoodExhibit().leaf;
  indefinite[1] = 0x80;
  indefinite.erase(indefinite.begin() + 2, indefinite.begin() + 4);
  indefinite.insert(indefinite.end(), {0, 0});
  EXPECT_FALSE(Certificate::Parse(indefinite));
}

TEST(Certificate, CopyIsTheSame) {
  const Certificate certificate = Parsed(GoodExhibit().leaf);
  const Certificate copy = certificate;
  EXPECT_EQ(copy.sha256(), certificate.sha256());
  EXPECT_EQ(copy.SubjectName(), "SEV-VCEK");
  EXPECT_EQ(copy.IssuerName(), "SEV-Milan");
}

// AMD certifies one key for each TCB, and again at will.
TEST(Certificate, SeveralForOneKey) {
  testing::Draft draft = testing::GoodDraft();
  draft.leaf.serial = 5;
  Exhibit exhibit = GoodExhibit();
  exhibit.leaf = testing::Make(draft.leaf);
  EXPECT_NE(exhibit.leaf, GoodExhibit().leaf);
  EXPECT_EQ(exhibit.Appraise().verdict, Verdict::kValid);
}

}  // namespace
}  // namespace verifier
