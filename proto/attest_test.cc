// SPDX-License-Identifier: Apache-2.0
#include "proto/attest.h"

#include <memory>
#include <string>
#include <vector>

#include "base/testing/hex.h"
#include "gtest/gtest.h"
#include "proto/reasons.h"

namespace proto {
namespace {

using base::Code;
using base::Result;
using base::Status;
using base::testing::FromHex;
using base::testing::FromText;

template <typename Message>
std::vector<uint8_t> Encoded(const Message& message) {
  std::vector<uint8_t> out(kMaxAttestMessage);
  const Result<size_t> size = Encode(message, out);
  EXPECT_TRUE(size.ok());
  out.resize(size.ok() ? *size : 0);
  return out;
}

class AttestMessageTest : public ::testing::Test {
 protected:
  std::unique_ptr<AttestArena> arena_ = std::make_unique<AttestArena>();
  const std::vector<uint8_t> vm_ = FromText("demo/vm1");
  const std::vector<uint8_t> id_ = std::vector<uint8_t>(16, 0xD1);
};

// Decodes every truncation and every bit flip of `good`. None may crash; what
// still decodes and encodes must then decode to the same bytes.
template <typename Message>
void Abuse(const std::vector<uint8_t>& good,
           Result<Message> (*decode)(base::Bytes, ArenaBase&)) {
  const auto arena = std::make_unique<AttestArena>();
  std::vector<uint8_t> out(kMaxAttestMessage), again(kMaxAttestMessage);
  const auto survive = [&](base::Bytes bytes) {
    arena->Reset();
    const Result<Message> decoded = decode(bytes, *arena);
    if (!decoded.ok()) {
      EXPECT_EQ(decoded.status().code(), Code::kDataLoss);
      return false;
    }
    const Result<size_t> size = Encode(*decoded, out);
    EXPECT_TRUE(size.ok());
    if (!size.ok()) return true;
    const base::Bytes first = base::Bytes(out).first(*size);
    arena->Reset();
    const Result<Message> same = decode(first, *arena);
    EXPECT_TRUE(same.ok());
    if (!same.ok()) return true;
    const Result<size_t> same_size = Encode(*same, again);
    EXPECT_TRUE(same_size.ok() &&
                base::Equal(first, base::Bytes(again).first(*same_size)));
    return true;
  };
  EXPECT_TRUE(survive(good));
  for (size_t size = 0; size < good.size(); ++size) {
    survive(base::Bytes(good).first(size));
  }
  std::vector<uint8_t> bad = good;
  for (size_t bit = 0; bit < 8 * good.size(); ++bit) {
    bad[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    survive(bad);
    bad[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
  }
}

TEST_F(AttestMessageTest, SurvivesTruncationsAndBitFlipsOfEveryMessage) {
  const std::vector<uint8_t> bytes(kAttestReportSize, 7);
  const base::Bytes whole(bytes);
  AttestRequest request;
  request.vm = vm_;
  ASSERT_TRUE(request.resources.Add(vm_).ok());
  BootManifest manifest;
  manifest.kernel = manifest.initrd =
      manifest.command_line = {{}, 1000, whole.first(kSha384Size)};
  ASSERT_TRUE(manifest.acpi.Add({vm_, 20, whole.first(kSha384Size)}).ok());
  AttestVerdict verdict;
  verdict.outcome = Outcome::kGranted;
  verdict.decision_id = id_;
  verdict.boot_counter = 3;
  verdict.previous_report_id = whole.first(kReportIdSize);
  const base::Bytes sha256 = whole.first(kHeaderSha256Size);
  ASSERT_TRUE(verdict.secrets.Add({vm_, true, id_, 4096, sha256}).ok());
  ASSERT_TRUE(verdict.secrets.Add({vm_, false, id_, 0, {}}).ok());

  Abuse(Encoded(request), &Decode<AttestRequest>);
  Abuse(Encoded(AttestChallenge{whole.first(kAttestNonceSize), true}),
        &Decode<AttestChallenge>);
  Abuse(Encoded(manifest), &Decode<BootManifest>);
  Abuse(Encoded(AttestEvidence{whole, vm_, id_}), &Decode<AttestEvidence>);
  Abuse(Encoded(verdict), &Decode<AttestVerdict>);
  Abuse(Encoded(AttestReceipt{false, 0x415407}), &Decode<AttestReceipt>);
}

TEST_F(AttestMessageTest, RequestRoundTrip) {
  AttestRequest request;
  request.vm = vm_;
  ASSERT_TRUE(request.resources.Add(vm_).ok());
  const std::vector<uint8_t> bytes = Encoded(request);
  // protocol_version 1, TEE_SEV_SNP, vm, one resource.
  EXPECT_EQ(bytes, FromHex("080110011a0864656d6f2f766d31220864656d6f2f766d31"));
  const Result<AttestRequest> parsed = Decode<AttestRequest>(bytes, *arena_);
  ASSERT_TRUE(parsed.ok());
  EXPECT_TRUE(base::Equal(parsed->vm, vm_));
  EXPECT_EQ(parsed->resources.size(), 1u);
}

TEST_F(AttestMessageTest, RequestLimits) {
  struct Row {
    const char* what;
    const char* hex;
    base::Reason reason;
  };
  const Row rows[] = {
      {"empty", "", kAttestFieldInvalid},
      {"no version", "10011a0161", kAttestFieldInvalid},
      {"version 2", "080210011a0161", kAttestFieldInvalid},
      {"no TEE", "08011a0161", kAttestFieldInvalid},
      {"TEE 9", "080110091a0161", kAttestFieldInvalid},
      {"no vm", "08011001", kAttestFieldInvalid},
      {"vm with a capital", "080110011a0141", kAttestFieldInvalid},
      {"empty resource", "080110011a01612200", kAttestFieldInvalid},
      {"9 resources",
       "080110011a0161"
       "220161220161220161220161220161220161220161220161220161",
       kAttestTooMany},
      {"unknown field", "080110011a0161280a", kAttestMalformed},
      {"not protobuf", "ffffff", kAttestMalformed},
  };
  for (const Row& row : rows) {
    arena_->Reset();
    EXPECT_EQ(Decode<AttestRequest>(FromHex(row.hex), *arena_).status(),
              Status(Code::kDataLoss, row.reason))
        << row.what;
  }
  EXPECT_EQ(Decode<AttestRequest>(std::vector<uint8_t>(kMaxAttestRequest + 1),
                                  *arena_)
                .status()
                .reason(),
            kAttestMessageTooLong);
  AttestRequest request;
  std::vector<uint8_t> out(100);
  EXPECT_EQ(Encode(request, out).status().code(), Code::kInvalidArgument);
  request.vm = vm_;
  EXPECT_EQ(Encode(request, base::MutableBytes(out).first(5)).status().code(),
            Code::kResourceExhausted);
}

TEST_F(AttestMessageTest, LargestRequestFits) {
  const std::vector<uint8_t> name = FromText(std::string(128, 'x'));
  AttestRequest request;
  request.vm = name;
  for (size_t i = 0; i < kMaxAttestResources; ++i) {
    ASSERT_TRUE(request.resources.Add(name).ok());
  }
  EXPECT_TRUE(Decode<AttestRequest>(Encoded(request), *arena_).ok());
}

TEST_F(AttestMessageTest, Challenge) {
  const std::vector<uint8_t> nonce(32, 7);
  const std::vector<uint8_t> bytes = Encoded(AttestChallenge{nonce, true});
  const Result<AttestChallenge> parsed =
      Decode<AttestChallenge>(bytes, *arena_);
  ASSERT_TRUE(parsed.ok());
  EXPECT_TRUE(base::Equal(parsed->nonce, nonce));
  EXPECT_TRUE(parsed->certificates_wanted);
  for (const char* bad : {"", "0a0101", "0801", "ff"}) {
    arena_->Reset();
    EXPECT_EQ(Decode<AttestChallenge>(FromHex(bad), *arena_).status().code(),
              Code::kDataLoss);
  }
  for (size_t size = 0; size + 2 < bytes.size(); ++size) {
    arena_->Reset();
    EXPECT_FALSE(
        Decode<AttestChallenge>(base::Bytes(bytes).first(size), *arena_).ok());
  }
}

TEST_F(AttestMessageTest, LargestEvidenceFits) {
  const std::vector<uint8_t> report(kAttestReportSize, 1);
  const std::vector<uint8_t> certificates(kMaxCertificates, 2);
  const std::vector<uint8_t> manifest(kMaxBootManifest, 3);
  const std::vector<uint8_t> bytes =
      Encoded(AttestEvidence{report, certificates, manifest});
  const Result<AttestEvidence> parsed = Decode<AttestEvidence>(bytes, *arena_);
  ASSERT_TRUE(parsed.ok());
  EXPECT_TRUE(base::Equal(parsed->report, report));
  EXPECT_TRUE(base::Equal(parsed->certificates, certificates));
  EXPECT_TRUE(base::Equal(parsed->boot_manifest, manifest));

  std::vector<uint8_t> out(kMaxAttestMessage);
  const base::Bytes whole(report);
  EXPECT_FALSE(
      Encode(AttestEvidence{whole.first(1183), {}, manifest}, out).ok());
  EXPECT_FALSE(Encode(AttestEvidence{report, {}, {}}, out).ok());
  const std::vector<uint8_t> large(kMaxCertificates + 1);
  EXPECT_FALSE(Encode(AttestEvidence{report, large, manifest}, out).ok());
}

// Whatever is in it, a verdict is a multiple of 4 KiB and reads back.
TEST_F(AttestMessageTest, VerdictsArePadded) {
  std::vector<uint8_t> data;
  for (size_t size = 1; size <= kMaxSecretSize; size += size < 200 ? 1 : 13) {
    data.assign(size, 0x5E);
    AttestVerdict verdict;
    verdict.outcome = Outcome::kGranted;
    verdict.decision_id = id_;
    verdict.boot_counter = 1;
    ASSERT_TRUE(verdict.secrets.Add({vm_, false, data, 0, {}}).ok());
    const std::vector<uint8_t> bytes = Encoded(verdict);
    ASSERT_EQ(bytes.size() % kVerdictUnit, 0u);
    ASSERT_LE(bytes.size(), 2 * kVerdictUnit);
    arena_->Reset();
    const Result<AttestVerdict> parsed = Decode<AttestVerdict>(bytes, *arena_);
    ASSERT_TRUE(parsed.ok()) << size;
    ASSERT_TRUE(base::Equal(parsed->secrets[0].value, data));
  }
}

TEST_F(AttestMessageTest, LargestVerdictFits) {
  const std::vector<uint8_t> name = FromText(std::string(128, 'x'));
  const std::vector<uint8_t> key(kMaxSecretSize, 1);
  const std::vector<uint8_t> digest(32, 2);
  AttestVerdict verdict;
  verdict.outcome = Outcome::kGranted;
  verdict.decision_id = id_;
  verdict.boot_counter = UINT64_MAX;
  verdict.previous_report_id = digest;
  for (size_t i = 0; i < kMaxAttestResources; ++i) {
    ASSERT_TRUE(
        verdict.secrets.Add({name, true, key, UINT64_MAX, digest}).ok());
  }
  const std::vector<uint8_t> bytes = Encoded(verdict);
  EXPECT_EQ(bytes.size(), 36u * 1024);
  EXPECT_TRUE(Decode<AttestVerdict>(bytes, *arena_).ok());
  std::vector<uint8_t> small(4096);
  EXPECT_EQ(Encode(verdict, small).status().code(), Code::kResourceExhausted);
}

TEST_F(AttestMessageTest, RefusalsCarryNothingElse) {
  for (const Outcome outcome :
       {Outcome::kEvidenceInvalid, Outcome::kNotAuthorised, Outcome::kTryLater,
        Outcome::kProtocolError}) {
    AttestVerdict verdict;
    verdict.outcome = outcome;
    verdict.decision_id = id_;
    const std::vector<uint8_t> bytes = Encoded(verdict);
    EXPECT_EQ(bytes.size(), kVerdictUnit);
    arena_->Reset();
    const Result<AttestVerdict> parsed = Decode<AttestVerdict>(bytes, *arena_);
    ASSERT_TRUE(parsed.ok());
    EXPECT_EQ(parsed->outcome, outcome);
    verdict.boot_counter = 1;
    std::vector<uint8_t> out(kVerdictUnit);
    EXPECT_EQ(Encode(verdict, out).status().code(), Code::kInvalidArgument);
  }
}

TEST_F(AttestMessageTest, VerdictMustBePaddedWithZeros) {
  AttestVerdict verdict;
  verdict.outcome = Outcome::kTryLater;
  verdict.decision_id = id_;
  std::vector<uint8_t> bytes = Encoded(verdict);
  for (const size_t size : {size_t{0}, size_t{1}, kVerdictUnit - 1}) {
    EXPECT_EQ(
        Decode<AttestVerdict>(base::Bytes(bytes).first(size), *arena_).status(),
        Status(Code::kDataLoss, kVerdictNotPadded));
  }
  bytes.back() = 1;
  EXPECT_EQ(Decode<AttestVerdict>(bytes, *arena_).status(),
            Status(Code::kDataLoss, kVerdictNotPadded));
}

// Fills `head` up with padding, as Encode() does.
std::vector<uint8_t> Padded(const std::string& head) {
  std::vector<uint8_t> bytes = FromHex(head);
  const size_t zeros = kVerdictUnit - bytes.size() - 3;
  bytes.push_back(0x7A);
  bytes.push_back(static_cast<uint8_t>(0x80 | (zeros & 0x7F)));
  bytes.push_back(static_cast<uint8_t>(zeros >> 7));
  bytes.resize(kVerdictUnit);
  return bytes;
}

TEST_F(AttestMessageTest, VerdictLimits) {
  const std::string id = "1210" + std::string(32, 'd');
  EXPECT_TRUE(Decode<AttestVerdict>(Padded("0802" + id), *arena_).ok());
  EXPECT_TRUE(
      Decode<AttestVerdict>(Padded("0801" + id + "1a00"), *arena_).ok());
  struct Row {
    const char* what;
    std::string head;
    base::Reason reason;
  };
  const Row rows[] = {
      {"no outcome", id, kAttestFieldInvalid},
      {"outcome 6", "0806" + id, kAttestFieldInvalid},
      {"no decision id", "0802", kAttestFieldInvalid},
      {"short decision id", "08021203dddddd", kAttestFieldInvalid},
      {"granted without Granted", "0801" + id, kAttestFieldInvalid},
      {"refused with Granted", "0802" + id + "1a00", kAttestFieldInvalid},
      {"short report id", "0801" + id + "1a031a0101", kAttestFieldInvalid},
      {"both kinds", "0801" + id + "1a0c0a0a0a0161120012030a01" + "1a01",
       kAttestMalformed},
      {"unknown field", "0802" + id + "2001", kAttestMalformed},
      {"unknown field in Granted", "0801" + id + "1a022001", kAttestMalformed},
      {"wrong type", "0a02" + id, kAttestMalformed},
  };
  for (const Row& row : rows) {
    arena_->Reset();
    EXPECT_EQ(Decode<AttestVerdict>(Padded(row.head), *arena_).status(),
              Status(Code::kDataLoss, row.reason))
        << row.what;
  }
  // A secret that is both a disk's and a file's.
  arena_->Reset();
  EXPECT_EQ(Decode<AttestVerdict>(
                Padded("0801" + id + "1a080a061200" + "1a020102"), *arena_)
                .status(),
            Status(Code::kDataLoss, kAttestFieldInvalid));
  // 17 empty secrets.
  std::string many;
  for (int i = 0; i < 17; ++i) many += "0a00";
  arena_->Reset();
  EXPECT_EQ(Decode<AttestVerdict>(Padded("0801" + id + "1a22" + many), *arena_)
                .status(),
            Status(Code::kDataLoss, kAttestTooMany));
}

// protobuf-c keeps a note for each field of the input; the arena bounds them.
TEST_F(AttestMessageTest, ManyTinyFieldsRunOutOfArena) {
  std::vector<uint8_t> bytes;
  while (bytes.size() < kMaxAttestMessage) {
    bytes.push_back(0x08);
    bytes.push_back(0x02);
  }
  EXPECT_EQ(Decode<AttestVerdict>(bytes, *arena_).status(),
            Status(Code::kDataLoss, kAttestMalformed));
}

TEST_F(AttestMessageTest, Receipt) {
  const std::vector<uint8_t> bytes = Encoded(AttestReceipt{false, 0x415407});
  const Result<AttestReceipt> parsed = Decode<AttestReceipt>(bytes, *arena_);
  ASSERT_TRUE(parsed.ok());
  EXPECT_FALSE(parsed->accepted);
  EXPECT_EQ(parsed->reason, 0x415407u);
  EXPECT_EQ(Encoded(AttestReceipt{true, 0}), FromHex("0801"));
}

}  // namespace
}  // namespace proto
