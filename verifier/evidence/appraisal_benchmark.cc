// SPDX-License-Identifier: Apache-2.0
//
// How much of an appraisal is the cryptography that nobody can leave out. Each
// appraisal stands beside that cryptography alone, by the same OpenSSL in the
// same run: EVP_DigestVerify over the signed bytes, with the key at hand.
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "benchmark/benchmark.h"
#include "psp/hierarchy.h"
#include "psp/testing.h"
#include "sev/report.h"
#include "verifier/endorsements/certificate.h"
#include "verifier/evidence/appraisal.h"
#include "verifier/evidence/chain_cache.h"
#include "verifier/ossl/ossl.h"
#include "verifier/testing/evidence_maker.h"

namespace verifier {
namespace {

constexpr time_t kNow = 1800000000;

struct Material {
  testing::ReportBytes report =
      testing::MakeReport(std::vector<uint8_t>(64, 0x42));
  testing::Certificates certificates = testing::GoodCertificates();
  AcceptedRoot root = testing::TestRoot();

  AppraisalInput Input(ChainCache* cache = nullptr) const {
    return {.report = report,
            .endorsements = Placed(cache),
            .roots = {&root, 1},
            .now = kNow,
            .cache = cache};
  }
  // As a session does with what its evidence brings.
  std::shared_ptr<const Endorsements> Placed(ChainCache* cache) const {
    auto placed = std::make_shared<Endorsements>(
        nullptr, cache == nullptr ? nullptr : &cache->known());
    placed->AddPlaced({.leaf = certificates.vcek,
                       .intermediate = certificates.ask,
                       .root = certificates.ark},
                      "evidence");
    return placed;
  }
};

const Material& Good() {
  static const auto& good = *new Material;
  return good;
}

// One signature over a message, with its key at hand.
class Bare {
 public:
  Bare(EVP_PKEY* key, std::vector<uint8_t> signature, base::Bytes message,
       bool pss)
      : key_(key),
        signature_(std::move(signature)),
        message_(message.begin(), message.end()),
        pss_(pss) {
    EVP_PKEY_up_ref(key);
  }
  void Verify() const {
    const ossl::MdCtxPtr context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* of_key = nullptr;
    if (EVP_DigestVerifyInit(context.get(), &of_key, EVP_sha384(), nullptr,
                             key_.get()) != 1 ||
        (pss_ &&
         (EVP_PKEY_CTX_set_rsa_padding(of_key, RSA_PKCS1_PSS_PADDING) != 1 ||
          EVP_PKEY_CTX_set_rsa_pss_saltlen(of_key, 48) != 1)) ||
        EVP_DigestVerify(context.get(), signature_.data(), signature_.size(),
                         message_.data(), message_.size()) != 1) {
      abort();
    }
  }

 private:
  ossl::PkeyPtr key_;
  std::vector<uint8_t> signature_;
  std::vector<uint8_t> message_;
  bool pss_;
};

Bare OfReport() {
  const auto report = sev::UnverifiedReport::FromBytes(Good().report);
  const auto leaf = Certificate::Parse(Good().certificates.vcek);
  const auto r = report->signature_r();
  const auto s = report->signature_s();
  ECDSA_SIG* signature = ECDSA_SIG_new();
  ECDSA_SIG_set0(signature,
                 BN_lebin2bn(r.data(), static_cast<int>(r.size()), nullptr),
                 BN_lebin2bn(s.data(), static_cast<int>(s.size()), nullptr));
  std::vector<uint8_t> der(
      static_cast<size_t>(i2d_ECDSA_SIG(signature, nullptr)));
  uint8_t* at = der.data();
  i2d_ECDSA_SIG(signature, &at);
  ECDSA_SIG_free(signature);
  return Bare(leaf->key(), der, report->signed_bytes(),
              /*pss=*/false);
}

Bare OfCertificate(base::Bytes subject, base::Bytes issuer) {
  const uint8_t* from = subject.data();
  const ossl::X509Ptr certificate(
      d2i_X509(nullptr, &from, static_cast<long>(subject.size())));
  const auto signer = Certificate::Parse(issuer);
  const ASN1_BIT_STRING* signature = nullptr;
  X509_get0_signature(&signature, nullptr, certificate.get());
  const uint8_t* bits = ASN1_STRING_get0_data(signature);
  uint8_t* tbs = nullptr;
  const int size = i2d_re_X509_tbs(certificate.get(), &tbs);
  Bare bare(signer->key(), {bits, bits + ASN1_STRING_length(signature)},
            {tbs, static_cast<size_t>(size)}, /*pss=*/true);
  OPENSSL_free(tbs);
  return bare;
}

void BareReport(benchmark::State& state) {
  const Bare report = OfReport();
  for (auto _ : state) report.Verify();
}
BENCHMARK(BareReport);

void AppraiseWarm(benchmark::State& state) {
  ChainCache cache(16);
  for (auto _ : state) {
    const AppraisalInput input = Good().Input(&cache);
    if (Appraise(input).verdict != Verdict::kValid) abort();
  }
}
BENCHMARK(AppraiseWarm);

void BareChain(benchmark::State& state) {
  const testing::Certificates& of = Good().certificates;
  const Bare report = OfReport();
  const Bare leaf = OfCertificate(of.vcek, of.ask);
  const Bare intermediate = OfCertificate(of.ask, of.ark);
  for (auto _ : state) {
    intermediate.Verify();
    leaf.Verify();
    report.Verify();
  }
}
BENCHMARK(BareChain);

// As a server sees a chip for the first time: the chain is new to the cache,
// the ASK and ARK above it are not.
void AppraiseCold(benchmark::State& state) {
  ChainCache cache(0);
  for (auto _ : state) {
    const AppraisalInput input = Good().Input(&cache);
    if (Appraise(input).verdict != Verdict::kValid) abort();
  }
}
BENCHMARK(AppraiseCold);

// As a command line sees it: nothing is known but the root's SHA-256.
void AppraiseFirst(benchmark::State& state) {
  for (auto _ : state) {
    const AppraisalInput input = Good().Input();
    if (Appraise(input).verdict != Verdict::kValid) abort();
  }
}
BENCHMARK(AppraiseFirst);

}  // namespace
}  // namespace verifier

BENCHMARK_MAIN();
