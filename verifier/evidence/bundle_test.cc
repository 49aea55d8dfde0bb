// SPDX-License-Identifier: Apache-2.0
//
// Files with certificates: SplitCertificates and CertificateBundle.
#include "verifier/evidence/bundle.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "verifier/evidence/split.h"
#include "verifier/reasons.h"
#include "verifier/testing/appraisal_draft.h"

namespace verifier {
namespace {

using File = std::vector<uint8_t>;
using testing::Exhibit;
using testing::GoodDraft;
using testing::GoodExhibit;
using testing::PemOf;

File Join(std::initializer_list<File> parts) {
  File whole;
  for (const File& part : parts) {
    whole.insert(whole.end(), part.begin(), part.end());
  }
  return whole;
}

File Text(std::string_view text) { return {text.begin(), text.end()}; }
File Pem(const File& der) { return PemOf(der, "CERTIFICATE"); }

// What a Set of `files` verifies as.
Verdict VerdictOf(std::initializer_list<File> files) {
  CertificateBundle bundle;
  for (const File& file : files) {
    const absl::Status added = bundle.Add(file, "file");
    EXPECT_TRUE(added.ok()) << added;
  }
  AppraisalInput input = GoodExhibit().Input();
  input.certificates = bundle.Set();
  input.crl_rule = CrlRule::kRequired;
  return Appraise(input).verdict;
}

std::string Refused(const File& file) {
  CertificateBundle bundle;
  return std::string(bundle.Add(file, "the-file").message());
}

TEST(Split, EachPartByItself) {
  const Exhibit& e = GoodExhibit();
  for (const File& file :
       {Join({e.intermediate, e.root, e.crl}),
        Join({Pem(e.intermediate), Pem(e.root), PemOf(e.crl, "X509 CRL")}),
        Join({Text("Subject: some text\n"), Pem(e.intermediate),
              Text("\n# more\n"), Pem(e.root), PemOf(e.crl, "X509 CRL"),
              Text("\n\n")})}) {
    const auto parts = SplitCertificates(file);
    ASSERT_TRUE(parts.ok()) << parts.status();
    EXPECT_EQ(parts->certificates, (std::vector<File>{e.intermediate, e.root}));
    EXPECT_EQ(parts->crls, std::vector<File>{e.crl});
  }
}

TEST(Split, WhatIsNeither) {
  const Exhibit& e = GoodExhibit();
  const File damaged = [&] {
    File pem = Pem(e.root);
    pem[100] = '!';
    return pem;
  }();
  for (const File& file :
       {File{}, Text("text"), File(3, 0), Join({e.root, {0}}),
        Join({e.root, Text("\n")}), Join({e.root, Pem(e.intermediate)}),
        PemOf(e.root, "PRIVATE STUFF"),
        Join({Pem(e.root), PemOf(e.root, "PUBLIC KEY")}), damaged,
        Text("-----BEGIN CERTIFICATE-----\n")}) {
    EXPECT_FALSE(SplitCertificates(file).ok());
  }
}

TEST(Split, AtMost64) {
  File der, pem;
  for (int i = 0; i < 64; ++i) {
    der = Join({std::move(der), GoodExhibit().crl});
    pem = Join({std::move(pem), PemOf(GoodExhibit().crl, "X509 CRL")});
  }
  EXPECT_EQ(SplitCertificates(der)->crls.size(), 64u);
  EXPECT_EQ(SplitCertificates(pem)->crls.size(), 64u);
  EXPECT_FALSE(SplitCertificates(Join({der, GoodExhibit().crl})).ok());
  EXPECT_FALSE(
      SplitCertificates(Join({pem, PemOf(GoodExhibit().crl, "X509 CRL")}))
          .ok());
}

TEST(Split, NoCutDerIsTakenForWhole) {
  const File der = Join({GoodExhibit().intermediate, GoodExhibit().crl});
  const size_t boundary = GoodExhibit().intermediate.size();
  for (size_t size = 0; size < der.size(); ++size) {
    EXPECT_EQ(SplitCertificates(base::Bytes(der).first(size)).ok(),
              size == boundary)
        << size;
  }
}

TEST(Split, EveryBitCounts) {
  const SplitFile good{.certificates = {GoodExhibit().leaf},
                       .crls = {GoodExhibit().crl}};
  File der = Join({GoodExhibit().leaf, GoodExhibit().crl});
  for (size_t at = 0; at < der.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      der[at] ^= static_cast<uint8_t>(1u << bit);
      const auto parts = SplitCertificates(der);
      EXPECT_FALSE(parts.ok() && parts->certificates == good.certificates &&
                   parts->crls == good.crls)
          << at << " bit " << bit;
      der[at] ^= static_cast<uint8_t>(1u << bit);
    }
  }
}

TEST(Bundle, AnyOrderAndForm) {
  const Exhibit& e = GoodExhibit();
  EXPECT_EQ(VerdictOf({e.leaf, e.intermediate, e.root, e.crl}),
            Verdict::kValid);
  EXPECT_EQ(VerdictOf({e.crl, Pem(e.root), e.leaf, Pem(e.intermediate)}),
            Verdict::kValid);
  EXPECT_EQ(VerdictOf({Pem(e.leaf), Join({Pem(e.intermediate), Pem(e.root)}),
                       PemOf(e.crl, "X509 CRL")}),
            Verdict::kValid);
  EXPECT_EQ(VerdictOf({Join({e.root, e.crl, e.leaf, e.intermediate})}),
            Verdict::kValid);
  // The same again is no second one.
  EXPECT_EQ(VerdictOf({e.leaf, e.intermediate, e.root, e.crl, Pem(e.leaf),
                       e.intermediate, e.root, e.crl}),
            Verdict::kValid);
}

TEST(Bundle, TwoLeavesAreOneTooMany) {
  testing::Draft other = GoodDraft();
  other.leaf.serial = 7;
  CertificateBundle bundle;
  ASSERT_TRUE(bundle.Add(GoodExhibit().leaf, "first").ok());
  const absl::Status second = bundle.Add(testing::Make(other.leaf), "second");
  EXPECT_TRUE(second.message().starts_with(ReasonCode(kCertificateDuplicate)))
      << second;
  EXPECT_NE(second.message().find("second"), std::string::npos);
  const auto vlek = GoodDraft(psp::kMilan, SignerKind::kVlek).leaf;
  EXPECT_FALSE(bundle.Add(testing::Make(vlek), "vlek").ok());
  EXPECT_TRUE(base::Equal(bundle.Set().leaf, GoodExhibit().leaf));
}

TEST(Bundle, WhatIsNoneOfAmds) {
  psp::CertificateSpec spec = GoodDraft().leaf;
  spec.subject = "www.example.com";
  const std::string refused = Refused(testing::Make(spec));
  EXPECT_TRUE(refused.starts_with(ReasonCode(kIntermediateUnknown))) << refused;
  EXPECT_NE(refused.find("the-file"), std::string::npos);
  EXPECT_NE(refused.find("www.example.com"), std::string::npos);
  // A PEM block that says CERTIFICATE and holds something else.
  EXPECT_NE(Refused(PemOf(GoodExhibit().crl, "CERTIFICATE")), "");
  EXPECT_NE(Refused(Text("nothing")), "");
}

TEST(Bundle, PicksWhoSigned) {
  // ASKs and ARKs of the same names, CRLs of others and an older one.
  testing::Draft other = GoodDraft();
  other.intermediate.key = testing::AsvkKey();
  other.root.key = other.root.signer = testing::AsvkKey();
  psp::CrlSpec forged = *other.crl;
  forged.number = 99;
  forged.signer = testing::AsvkKey();
  const Exhibit& e = GoodExhibit();
  CertificateBundle bundle;
  for (const File& file :
       {testing::Make(other.intermediate), testing::Make(other.root),
        testing::Make(forged), e.leaf, e.intermediate, e.root, e.crl}) {
    ASSERT_TRUE(bundle.Add(file, "file").ok());
  }
  const CertificateSet set = bundle.Set();
  EXPECT_TRUE(base::Equal(set.intermediate, e.intermediate));
  EXPECT_TRUE(base::Equal(set.root, e.root));
  EXPECT_TRUE(base::Equal(set.crl, e.crl));
}

TEST(Bundle, NewestList) {
  psp::CrlSpec newer = *GoodDraft().crl;
  newer.number = 2;
  const File crl = testing::Make(newer);
  const Exhibit& e = GoodExhibit();
  for (const auto& order : {std::pair(crl, e.crl), std::pair(e.crl, crl)}) {
    CertificateBundle bundle;
    for (const File& file :
         {e.leaf, e.intermediate, e.root, order.first, order.second}) {
      ASSERT_TRUE(bundle.Add(file, "file").ok());
    }
    EXPECT_TRUE(base::Equal(bundle.Set().crl, crl));
  }
}

TEST(Bundle, NamedButNotSignedIsStillGiven) {
  // So that the appraisal says what is wrong with it.
  testing::Draft other = GoodDraft();
  other.intermediate.key = testing::AsvkKey();
  const File intermediate = testing::Make(other.intermediate);
  CertificateBundle bundle;
  ASSERT_TRUE(bundle.Add(GoodExhibit().leaf, "leaf").ok());
  ASSERT_TRUE(bundle.Add(intermediate, "ask").ok());
  EXPECT_TRUE(base::Equal(bundle.Set().intermediate, intermediate));
}

}  // namespace
}  // namespace verifier
