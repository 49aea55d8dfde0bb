// SPDX-License-Identifier: Apache-2.0
#include "launch/id_block.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "gtest/gtest.h"
#include "openssl/bn.h"
#include "openssl/core_names.h"
#include "openssl/ec.h"
#include "openssl/evp.h"
#include "sev/id_block.h"
#include "sev/vectors_for_tests.h"

namespace launch {
namespace {

using Blob = std::vector<uint8_t>;

template <typename F>
base::MutableBytes At(Blob& blob) {
  return std::span(blob).subspan(F::kOffset, F::kSize);
}

// A throw-away P-384 key that writes AMD's structures.
class Signer {
 public:
  Signer() : key_(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-384")) {}
  ~Signer() { EVP_PKEY_free(key_); }
  Signer(const Signer&) = delete;
  Signer& operator=(const Signer&) = delete;

  Blob PublicKey() const {
    Blob out(sev::kEcdsaKeySize);
    out[0] = sev::kCurveP384;
    Number(OSSL_PKEY_PARAM_EC_PUB_X, At<sev::ecdsa_key_layout::Qx>(out));
    Number(OSSL_PKEY_PARAM_EC_PUB_Y, At<sev::ecdsa_key_layout::Qy>(out));
    return out;
  }

  Blob Sign(base::Bytes message) const {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    Blob der(256);
    size_t size = der.size();
    EXPECT_EQ(EVP_DigestSignInit(context, nullptr, EVP_sha384(), nullptr, key_),
              1);
    EXPECT_EQ(EVP_DigestSign(context, der.data(), &size, message.data(),
                             message.size()),
              1);
    EVP_MD_CTX_free(context);
    const uint8_t* at = der.data();
    ECDSA_SIG* signature = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size));
    Blob out(sev::kEcdsaSignatureSize);
    BN_bn2lebinpad(ECDSA_SIG_get0_r(signature), out.data(), 72);
    BN_bn2lebinpad(ECDSA_SIG_get0_s(signature), out.data() + 72, 72);
    ECDSA_SIG_free(signature);
    return out;
  }

 private:
  void Number(const char* name, base::MutableBytes out) const {
    BIGNUM* number = nullptr;
    EXPECT_EQ(EVP_PKEY_get_bn_param(key_, name, &number), 1);
    BN_bn2lebinpad(number, out.data(), static_cast<int>(out.size()));
    BN_free(number);
  }

  EVP_PKEY* key_;
};

struct Signed {
  Blob block, auth;
};

Signed MakeSigned(bool with_author) {
  const Signer id, author;
  sev::IdBlock block;
  block.launch_digest.fill(0x11);
  block.image_id.fill(0x22);
  block.guest_svn = 7;
  block.policy = 0x30000;
  const auto bytes = sev::EncodeIdBlock(block);
  Signed out{Blob(bytes.begin(), bytes.end()), Blob(sev::kIdAuthSize)};
  namespace layout = sev::id_auth_layout;
  out.auth[layout::IdKeyAlgorithm::kOffset] = 1;
  const Blob key = id.PublicKey();
  std::ranges::copy(key, At<layout::IdKey>(out.auth).begin());
  std::ranges::copy(id.Sign(out.block),
                    At<layout::IdBlockSignature>(out.auth).begin());
  if (with_author) {
    out.auth[layout::AuthorKeyAlgorithm::kOffset] = 1;
    std::ranges::copy(author.PublicKey(),
                      At<layout::AuthorKey>(out.auth).begin());
    std::ranges::copy(author.Sign(key),
                      At<layout::IdKeySignature>(out.auth).begin());
  }
  return out;
}

bool Verifies(const Signed& made) {
  const auto block = sev::ParseIdBlock(made.block);
  const auto auth = sev::ParseIdAuth(made.auth);
  return block.ok() && auth.ok() && VerifyIdAuth(made.block, *auth).ok();
}

TEST(IdBlock, EncodedOnesParse) {
  const Signed made = MakeSigned(false);
  const auto block = sev::ParseIdBlock(made.block);
  ASSERT_TRUE(block.ok());
  EXPECT_EQ(block->guest_svn, 7u);
  EXPECT_EQ(block->policy, 0x30000u);
  EXPECT_EQ(block->image_id[15], 0x22);
  EXPECT_EQ(block->family_id[0], 0);
  const auto again = sev::EncodeIdBlock(*block);
  EXPECT_TRUE(base::Equal(again, made.block));
}

TEST(IdAuth, SignaturesVerifyWithAndWithoutAuthor) {
  const Signed plain = MakeSigned(false);
  const auto plain_auth = sev::ParseIdAuth(plain.auth);
  ASSERT_TRUE(plain_auth.ok());
  EXPECT_FALSE(plain_auth->has_author_key);
  EXPECT_TRUE(VerifyIdAuth(plain.block, *plain_auth).ok());
  EXPECT_FALSE(VerifyIdAuth(plain.block, *plain_auth).id_key_signature);

  const Signed both = MakeSigned(true);
  const auto auth = sev::ParseIdAuth(both.auth);
  ASSERT_TRUE(auth.ok());
  EXPECT_TRUE(auth->has_author_key);
  EXPECT_EQ(VerifyIdAuth(both.block, *auth).id_key_signature, true);
  EXPECT_TRUE(Verifies(both));
}

TEST(IdAuth, EveryTruncationFails) {
  const Signed made = MakeSigned(true);
  for (size_t size = 0; size < made.block.size(); ++size) {
    EXPECT_FALSE(sev::ParseIdBlock(base::Bytes(made.block).first(size)).ok());
  }
  for (size_t size = 0; size < made.auth.size(); ++size) {
    EXPECT_FALSE(sev::ParseIdAuth(base::Bytes(made.auth).first(size)).ok());
  }
  for (size_t size = 0; size < sev::kEcdsaKeySize; ++size) {
    EXPECT_FALSE(sev::ParseEcdsaKey(base::Bytes(made.auth).first(size)).ok());
  }
  for (size_t size = 0; size < sev::kEcdsaSignatureSize; ++size) {
    EXPECT_FALSE(
        sev::ParseEcdsaSignature(base::Bytes(made.auth).first(size)).ok());
  }
}

Blob Flipped(Blob bytes, size_t bit) {
  bytes[bit / 8] ^= static_cast<uint8_t>(1 << (bit % 8));
  return bytes;
}

TEST(IdAuth, NoFlippedBitVerifies) {
  const Signer signer;
  const Blob message(sev::kIdBlockSize, 0x5A);
  const Blob key = signer.PublicKey();
  const Blob signature = signer.Sign(message);
  const auto verifies = [](const Blob& with_key, const Blob& with_signature,
                           const Blob& of) {
    return IdSignatureVerifies(
        base::Bytes(with_key).first<sev::kEcdsaKeySize>(),
        base::Bytes(with_signature).first<sev::kEcdsaSignatureSize>(), of);
  };
  ASSERT_TRUE(verifies(key, signature, message));
  for (size_t bit = 0; bit < message.size() * 8; ++bit) {
    EXPECT_FALSE(verifies(key, signature, Flipped(message, bit))) << bit;
  }
  for (size_t bit = 0; bit < key.size() * 8; ++bit) {
    EXPECT_FALSE(verifies(Flipped(key, bit), signature, message)) << bit;
  }
  for (size_t bit = 0; bit < signature.size() * 8; ++bit) {
    EXPECT_FALSE(verifies(key, Flipped(signature, bit), message)) << bit;
  }
}

TEST(IdAuth, NoFlippedByteVerifies) {
  const Signed good = MakeSigned(true);
  ASSERT_TRUE(Verifies(good));
  for (size_t byte = 0; byte < good.auth.size(); ++byte) {
    const Blob auth = Flipped(good.auth, byte * 8 + byte % 8);
    // Reserved bytes are refused before anything is verified.
    if (!sev::ParseIdAuth(auth).ok()) continue;
    EXPECT_FALSE(Verifies({good.block, auth})) << "byte " << byte;
  }
}

TEST(IdAuth, RefusesNumbersOutOfRange) {
  const Signed good = MakeSigned(false);
  namespace layout = sev::id_auth_layout;
  for (const size_t number : {size_t{0}, size_t{72}}) {
    for (const uint8_t value : {0x00, 0xFF}) {  // zero; above the order
      Signed made = good;
      auto field = At<layout::IdBlockSignature>(made.auth);
      std::ranges::fill(field.subspan(number, sev::kP384Bytes), value);
      EXPECT_FALSE(Verifies(made));
    }
  }
  Signed off_curve = good;
  std::ranges::fill(
      At<layout::IdKey>(off_curve.auth).subspan(4, sev::kP384Bytes),
      uint8_t{1});
  EXPECT_FALSE(Verifies(off_curve));
}

TEST(IdAuth, AlgorithmsMustBeKnown) {
  for (const size_t at : {0, 4}) {
    Signed made = MakeSigned(true);
    made.auth[at] = 2;
    const auto auth = sev::ParseIdAuth(made.auth);
    ASSERT_TRUE(auth.ok());
    EXPECT_FALSE(VerifyIdAuth(made.block, *auth).algorithms);
    EXPECT_FALSE(Verifies(made));
  }
}

TEST(IdAuth, UpstreamOne) {
  const std::string folder = sev::VectorsFolder();
  if (folder.empty()) GTEST_SKIP() << "FORELOCK_VECTORS is not set";
  const std::string base = folder + "/open/idblock/idblock-virtee";
  Signed made{sev::ReadVector(base + ".id-block.bin"),
              sev::ReadVector(base + ".id-auth.bin")};
  EXPECT_TRUE(Verifies(made));
  made.block = sev::ReadVector(base + "-svn-edited.id-block.bin");
  EXPECT_FALSE(Verifies(made));
}

}  // namespace
}  // namespace launch
