// SPDX-License-Identifier: Apache-2.0
#include "attest/secret_set.h"

#include <functional>
#include <vector>

#include "attest/reasons.h"
#include "base/testing/hex.h"
#include "gtest/gtest.h"

namespace attest {
namespace {

using base::Code;
using base::Status;
using base::testing::FromText;

class SecretSetTest : public ::testing::Test {
 protected:
  SecretSetTest() {
    wanted_ = {{disk_, SecretKind::kLuks2, 64},
               {file_, SecretKind::kFile, proto::kMaxSecretSize}};
    // In the other order: names decide, not places.
    EXPECT_TRUE(verdict_.secrets.Add({file_, false, data_, 0, {}}).ok());
    EXPECT_TRUE(
        verdict_.secrets.Add({disk_, true, key_, 294912, digest_}).ok());
  }

  const std::vector<uint8_t> disk_ = FromText("demo/vm1/root");
  const std::vector<uint8_t> file_ = FromText("demo/vm1/token");
  const std::vector<uint8_t> key_ = std::vector<uint8_t>(32, 0x11);
  const std::vector<uint8_t> data_ = std::vector<uint8_t>(4096, 0x22);
  const std::vector<uint8_t> digest_ = std::vector<uint8_t>(32, 0x33);
  std::vector<WantedSecret> wanted_;
  proto::AttestVerdict verdict_;
  SecretSet set_;
};

TEST_F(SecretSetTest, ExactlyWhatWasAskedFor) {
  ASSERT_TRUE(set_.Accept(wanted_, verdict_).ok());
  ASSERT_EQ(set_.size(), 2u);
  EXPECT_EQ(set_.at(0).kind, SecretKind::kLuks2);
  EXPECT_TRUE(set_.at(0).value.EqualsConstantTime(key_));
  EXPECT_EQ(set_.at(0).header_length, 294912u);
  EXPECT_TRUE(base::Equal(set_.at(0).header_sha256, digest_));
  EXPECT_EQ(set_.at(1).kind, SecretKind::kFile);
  EXPECT_TRUE(set_.at(1).value.EqualsConstantTime(data_));
  set_.Wipe();
  EXPECT_EQ(set_.size(), 0u);
}

TEST_F(SecretSetTest, NothingWantedNothingCame) {
  EXPECT_TRUE(set_.Accept({}, proto::AttestVerdict()).ok());
  EXPECT_EQ(set_.size(), 0u);
}

TEST_F(SecretSetTest, EverythingElseIsRefusedWithItsReason) {
  const std::vector<uint8_t> other = FromText("demo/vm2/root");
  const std::vector<uint8_t> empty;
  const std::vector<uint8_t> short_digest(31, 0x33);
  const std::vector<uint8_t> key65(65, 0x11);
  using Secrets = decltype(verdict_.secrets);
  struct Row {
    base::Reason reason;
    std::function<void(Secrets&)> change;
  };
  const Row rows[] = {
      {kSecretNotAskedFor, [&](Secrets& s) { s[0].name = other; }},
      {kSecretNotAskedFor,
       [&](Secrets& s) { (void)s.Add({other, false, data_, 0, {}}); }},
      {kSecretNotAskedFor, [&](Secrets& s) { s[0].name = empty; }},
      {kSecretMissing,
       [&](Secrets& s) {
         const proto::VerdictSecret only = s[0];
         s.Clear();
         (void)s.Add(only);
       }},
      {kSecretMissing, [&](Secrets& s) { s.Clear(); }},
      {kSecretTwice, [&](Secrets& s) { (void)s.Add(s[0]); }},
      {kSecretTwice, [&](Secrets& s) { (void)s.Add(s[1]); }},
      {kSecretOverLimit, [&](Secrets& s) { s[1].value = key65; }},
      {kSecretWrongKind, [&](Secrets& s) { s[1].is_luks2 = false; }},
      {kSecretWrongKind, [&](Secrets& s) { s[0].is_luks2 = true; }},
      {kSecretEmpty, [&](Secrets& s) { s[0].value = empty; }},
      {kSecretEmpty, [&](Secrets& s) { s[1].value = empty; }},
      {kSecretHeaderDigest, [&](Secrets& s) { s[1].header_sha256 = empty; }},
      {kSecretHeaderDigest,
       [&](Secrets& s) { s[1].header_sha256 = short_digest; }},
      {kSecretHeaderLength, [&](Secrets& s) { s[1].header_length = 0; }},
      {kSecretHeaderLength, [&](Secrets& s) { s[1].header_length = 1000; }},
      {kSecretHeaderLength,
       [&](Secrets& s) { s[1].header_length = kMaxLuks2Header + 512; }},
      {kSecretHeaderLength,
       [&](Secrets& s) { s[1].header_length = UINT64_MAX; }},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(base::NameOf(row.reason).text);
    proto::AttestVerdict verdict = verdict_;
    row.change(verdict.secrets);
    EXPECT_EQ(set_.Accept(wanted_, verdict),
              Status(Code::kDataLoss, row.reason));
    EXPECT_EQ(set_.size(), 0u);
  }
}

TEST_F(SecretSetTest, ARefusalLeavesNothingOfThoseBefore) {
  ASSERT_TRUE(set_.Accept(wanted_, verdict_).ok());
  verdict_.secrets[1].header_length = 0;
  EXPECT_FALSE(set_.Accept(wanted_, verdict_).ok());
  const auto* bytes = reinterpret_cast<const uint8_t*>(&set_);
  for (size_t i = 0; i + 8 <= sizeof(set_); ++i) {
    ASSERT_FALSE(bytes[i] == 0x22 && bytes[i + 1] == 0x22 &&
                 bytes[i + 7] == 0x22);
  }
}

}  // namespace
}  // namespace attest
