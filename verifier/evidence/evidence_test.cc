// SPDX-License-Identifier: Apache-2.0
//
// The fixed core against the emulated firmware's hierarchy.
#include "verifier/evidence/evidence.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <functional>
#include <string>
#include <vector>

#include "emulator/certificates.h"
#include "emulator/hierarchy.h"
#include "emulator/testing.h"
#include "gtest/gtest.h"
#include "verifier/evidence/amd_roots.h"
#include "verifier/evidence/chain.h"
#include "verifier/reasons.h"
#include "verifier/testing/evidence_maker.h"

namespace verifier {
namespace {

using testing::Certificates;
using testing::GoodCertificates;
using testing::MakeReport;
using testing::PackTable;
using testing::ReportBytes;

constexpr time_t kNow = 1800000000;  // January 2027.
const std::vector<uint8_t> kReportData(64, 0x42);

struct Case {
  std::vector<uint8_t> report;
  std::vector<uint8_t> table = PackTable(GoodCertificates());
  std::vector<AcceptedRoot> roots = {testing::TestRoot()};
  time_t now = kNow;

  Case() {
    const ReportBytes good = MakeReport(kReportData);
    report.assign(good.begin(), good.end());
  }
  EvidenceResult Verify() const {
    EvidenceInput input{
        .report = report, .certificates = table, .roots = roots, .now = now};
    input.report_data.fill(0x42);
    return VerifyEvidence(input);
  }
};

bool Has(const Findings& findings, base::Reason reason) {
  for (const Finding& finding : findings) {
    if (finding.reason == reason) return true;
  }
  return false;
}

std::string Codes(const Findings& findings) {
  std::string codes;
  for (const Finding& finding : findings) {
    codes += ReasonCode(finding.reason) + " ";
  }
  return codes;
}

TEST(Evidence, GoodIsVerified) {
  const EvidenceResult result = Case().Verify();
  EXPECT_TRUE(result.findings.empty()) << Codes(result.findings);
  ASSERT_TRUE(result.verified);
  EXPECT_EQ(result.verified->trust_class(), TrustClass::kEmulated);
  EXPECT_EQ(result.verified->root(), testing::TestRoot().sha256);
}

TEST(Evidence, NoTruncationVerifies) {
  const Case good;
  for (size_t size = 0; size < good.report.size(); size += 7) {
    Case c = good;
    c.report.resize(size);
    EXPECT_FALSE(c.Verify().verified) << size;
  }
  for (size_t size = 0; size < good.table.size(); size += 61) {
    Case c = good;
    c.table.resize(size);
    EXPECT_FALSE(c.Verify().verified) << size;
  }
}

// Every byte of what is signed, one bit of it; and every bit of a few.
TEST(Evidence, NoFlippedBitOfTheReportVerifies) {
  Case c;
  for (size_t at = 0; at < c.report.size(); ++at) {
    const auto bit = static_cast<uint8_t>(1u << at % 8);
    c.report[at] ^= bit;
    EXPECT_FALSE(c.Verify().verified) << at;
    c.report[at] ^= bit;
  }
  EXPECT_TRUE(c.Verify().verified);
}

TEST(Evidence, HighSVerifies) {
  // S and n - S are both signatures of one report.
  Case c;
  BIGNUM* order = BN_new();
  EC_GROUP* group = EC_GROUP_new_by_curve_name(NID_secp384r1);
  ASSERT_EQ(EC_GROUP_get_order(group, order, nullptr), 1);
  uint8_t* s = c.report.data() + sev::report_layout::SignatureS::kOffset;
  BIGNUM* number = BN_lebin2bn(s, 72, nullptr);
  ASSERT_EQ(BN_sub(number, order, number), 1);
  ASSERT_EQ(BN_bn2lebinpad(number, s, 72), 72);
  EXPECT_TRUE(c.Verify().verified);
  // Out of range by the order: the same number modulo n, but no signature.
  ASSERT_EQ(BN_add(number, number, order), 1);
  ASSERT_EQ(BN_bn2lebinpad(number, s, 72), 72);
  EXPECT_TRUE(Has(Case(c).Verify().findings, kReportSignatureRange));
  BN_free(number);
  EC_GROUP_free(group);
  BN_free(order);
}

TEST(Evidence, RootMustBeAccepted) {
  Case c;
  c.roots = {{.sha256 = AmdRoots()[0].sha256, .name = "AMD Milan"}};
  EXPECT_TRUE(Has(c.Verify().findings, kRootNotAccepted));
  c.roots.clear();
  EXPECT_TRUE(Has(c.Verify().findings, kRootNotAccepted));
}

TEST(Evidence, Dates) {
  Case c;
  c.now = 0;
  EXPECT_TRUE(Has(c.Verify().findings, kCertificateNotYetValid));
  c.now = 95'000'000'000;
  EXPECT_TRUE(Has(c.Verify().findings, kCertificateExpired));
}

// Re-signs the ASK after a change, by a root of our own.
class OwnChain {
 public:
  OwnChain() : ark_key_(NewRsa(4096)), ask_key_(NewRsa(4096)) {
    ark_ = *emulator::MakeArkCertificate(ark_key_.get());
    ask_ = *emulator::MakeAskCertificate(ask_key_.get(), ark_key_.get());
  }
  static ossl::PkeyPtr NewRsa(size_t bits) {
    char type[] = "RSA";
    return ossl::PkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, type, bits));
  }

  // The ASK, changed and signed as `sign` does it.
  std::vector<uint8_t> Ask(const std::function<void(X509*)>& change,
                           const EVP_MD* md, int padding, int salt) {
    const uint8_t* at = ask_.data();
    const ossl::X509Ptr x509(
        d2i_X509(nullptr, &at, static_cast<long>(ask_.size())));
    change(x509.get());
    const ossl::MdCtxPtr context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* key = nullptr;
    EXPECT_EQ(
        EVP_DigestSignInit(context.get(), &key, md, nullptr, ark_key_.get()),
        1);
    if (padding == RSA_PKCS1_PSS_PADDING) {
      EVP_PKEY_CTX_set_rsa_padding(key, padding);
      EVP_PKEY_CTX_set_rsa_pss_saltlen(key, salt);
    }
    EXPECT_GT(X509_sign_ctx(x509.get(), context.get()), 0);
    uint8_t* der = nullptr;
    const int size = i2d_X509(x509.get(), &der);
    std::vector<uint8_t> out(der, der + size);
    OPENSSL_free(der);
    return out;
  }

  // What the chain check finds with that ASK; the VCEK does not fit either way.
  Findings Check(const std::vector<uint8_t>& ask) {
    const Certificates good = GoodCertificates();
    const AcceptedRoot root{.sha256 = ossl::Sha256::Of(ark_),
                            .trust_class = TrustClass::kEmulated,
                            .name = "own"};
    const Chain chain = VerifyChain(
        {.certificates = {.leaf = good.vcek, .intermediate = ask, .root = ark_},
         .roots = {&root, 1},
         .now = kNow});
    Findings of_ask;
    for (const Finding& finding : chain.findings) {
      if (finding.detail == "ASK or ASVK") of_ask.push_back(finding);
    }
    return of_ask;
  }

 private:
  ossl::PkeyPtr ark_key_, ask_key_;
  emulator::Der ark_, ask_;
};

TEST(Evidence, OnlyAmdsSignatureAlgorithm) {
  OwnChain chain;
  const auto keep = [](X509*) {};
  const auto pss = RSA_PKCS1_PSS_PADDING;
  EXPECT_TRUE(chain.Check(chain.Ask(keep, EVP_sha384(), pss, 48)).empty());
  const struct {
    const EVP_MD* md;
    int padding, salt;
    base::Reason reason;
  } wrong[] = {{EVP_sha384(), RSA_PKCS1_PADDING, 0, kCertificatePkcs1},
               {EVP_sha1(), RSA_PKCS1_PADDING, 0, kCertificateSha1},
               {EVP_sha1(), pss, 20, kCertificateSha1},
               {EVP_sha256(), pss, 32, kCertificateAlgorithm},
               {EVP_sha512(), pss, 48, kCertificateAlgorithm},
               {EVP_sha384(), pss, 32, kCertificateAlgorithm}};
  for (const auto& w : wrong) {
    const Findings findings =
        chain.Check(chain.Ask(keep, w.md, w.padding, w.salt));
    EXPECT_TRUE(Has(findings, w.reason)) << Codes(findings);
  }
}

TEST(Evidence, IssuersMustBeIssuers) {
  OwnChain chain;
  const auto check = [&](const std::function<void(X509*)>& change) {
    return chain.Check(
        chain.Ask(change, EVP_sha384(), RSA_PKCS1_PSS_PADDING, 48));
  };
  const auto drop = [](int nid) {
    return [nid](X509* x509) {
      const int at = X509_get_ext_by_NID(x509, nid, -1);
      if (at >= 0) X509_EXTENSION_free(X509_delete_ext(x509, at));
    };
  };
  EXPECT_TRUE(Has(check(drop(NID_basic_constraints)), kCertificateNotCa));
  EXPECT_TRUE(Has(check(drop(NID_key_usage)), kCertificateNotCa));
  const auto rename = [](X509* x509) {
    X509_NAME* name = X509_NAME_new();
    // EDGE: OpenSSL takes ASCII as unsigned char.
    X509_NAME_add_entry_by_txt(
        name, "CN", MBSTRING_ASC,
        reinterpret_cast<const unsigned char*>("ARK-Else"), -1, -1, 0);
    X509_set_issuer_name(x509, name);
    X509_NAME_free(name);
  };
  EXPECT_TRUE(Has(check(rename), kCertificateIssuer));
}

TEST(Evidence, ArkOfTheStoreIsTheOneThatSigned) {
  // The same name, another key.
  const auto other =
      *emulator::MakeArkCertificate(OwnChain::NewRsa(4096).get());
  const AcceptedRoot namesake{.sha256 = ossl::Sha256::Of(other),
                              .trust_class = TrustClass::kEmulated,
                              .name = "namesake",
                              .der = {other.begin(), other.end()}};
  Certificates without_ark = GoodCertificates();
  without_ark.ark.clear();
  Case c;
  c.table = PackTable(without_ark);
  c.roots = {namesake, testing::TestRoot()};
  const EvidenceResult result = c.Verify();
  EXPECT_TRUE(result.verified) << Codes(result.findings);
  EXPECT_EQ(result.appraisal.root, testing::TestRoot().sha256);
  c.roots = {namesake};
  EXPECT_TRUE(Has(c.Verify().findings, kCertificateSignature));
  EXPECT_FALSE(c.Verify().genuine);
  c.roots.clear();
  EXPECT_TRUE(Has(c.Verify().findings, kEvidenceNoArk));
}

TEST(Evidence, GenuineIsLessThanVerified) {
  EXPECT_TRUE(Case().Verify().genuine);
  const auto with = [](size_t at, uint8_t flip) {
    Case c;
    const ReportBytes report =
        MakeReport(kReportData, [&](ReportBytes& bytes) { bytes[at] ^= flip; });
    c.report.assign(report.begin(), report.end());
    return c.Verify();
  };
  const EvidenceResult debug = with(sev::report_layout::Policy::kOffset + 2, 8);
  EXPECT_TRUE(debug.genuine);
  EXPECT_FALSE(debug.verified);
  // Of another session.
  EXPECT_FALSE(with(sev::report_layout::ReportData::kOffset, 1).genuine);
  Case unsigned_change;
  unsigned_change.report[sev::report_layout::HostData::kOffset] ^= 1;
  EXPECT_FALSE(unsigned_change.Verify().genuine);
  Case other_root;
  other_root.roots.clear();
  EXPECT_FALSE(other_root.Verify().genuine);
}

}  // namespace
}  // namespace verifier
