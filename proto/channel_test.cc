// SPDX-License-Identifier: Apache-2.0
#include "proto/channel.h"

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/reasons.h"
#include "gtest/gtest.h"
#include "proto/name.h"
#include "proto/reasons.h"

namespace proto::channel {
namespace {

base::Bytes B(std::string_view text) {
  // EDGE: characters as bytes.
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

template <typename T>
std::vector<uint8_t> Encoded(const T& message) {
  std::vector<uint8_t> out(kMaxBody);
  const auto size = Encode(message, out);
  EXPECT_TRUE(size.ok());
  out.resize(size.ok() ? *size : 0);
  return out;
}

// Decodes every truncation and every bit flip; none may crash, and what still
// decodes must encode again.
template <typename T>
void Abuse(const T& message) {
  auto arena = std::make_unique<Arena>();
  const std::vector<uint8_t> good = Encoded(message);
  std::vector<uint8_t> again(kMaxBody);
  const auto survive = [&](base::Bytes bytes) {
    arena->Reset();
    const auto decoded = Decode<T>(bytes, *arena);
    if (decoded.ok()) {
      EXPECT_TRUE(Encode(*decoded, again).ok());
    } else {
      EXPECT_EQ(decoded.status().code(), base::Code::kDataLoss);
    }
  };
  EXPECT_TRUE(Decode<T>(good, *arena).ok());
  for (size_t size = 0; size < good.size(); ++size) {
    survive(base::Bytes(good).first(size));
  }
  for (size_t bit = 0; bit < std::min<size_t>(good.size(), 300) * 8; ++bit) {
    std::vector<uint8_t> bad = good;
    bad[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    survive(bad);
  }
}

TEST(Channel, SurvivesTruncationsAndBitFlipsOfEveryMessage) {
  const std::vector<uint8_t> page(kFirmwarePageSize, 0x77);
  const std::array<uint8_t, kChipIdSize> chip{};
  const std::array<uint8_t, kDecisionIdSize> decision{};
  Abuse(Hello{1, 2, 4096, 100, B("demo/vm1")});
  Abuse(Welcome{1, 4096, 100, 2, B("vm1"), 77});
  Abuse(Ping{5});
  Abuse(Pong{5});
  Abuse(Open{1, B("verifier")});
  Abuse(Opened{1});
  Abuse(Refused{1, RefusedReason::kUnreachable});
  Abuse(Data{1, B("payload")});
  Abuse(Credit{1, 100});
  Abuse(Close{1, CloseReason::kDone});
  Abuse(GetCertificates{chip, 0x0102030405060708});
  Abuse(Certificates{B("table")});
  Abuse(Progress{Phase::kRefused, 0x505201, B("text"), 3, decision, 12345});
  Abuse(FirmwareSecrets{page});
  Abuse(FirmwareRequest{page});
  Abuse(FirmwareResponse{page, 0});
  Abuse(FirmwareResponse{{}, 2});
}

TEST(Channel, KeepsEveryField) {
  auto arena = std::make_unique<Arena>();
  const std::array<uint8_t, kDecisionIdSize> decision = {1, 2, 3};
  const auto bytes = Encoded(
      Progress{Phase::kFailed, 0x505201, B("why"), 5, decision, UINT64_MAX});
  const auto progress = Decode<Progress>(bytes, *arena);
  ASSERT_TRUE(progress.ok());
  EXPECT_EQ(progress->phase, Phase::kFailed);
  EXPECT_EQ(progress->reason, 0x505201u);
  EXPECT_TRUE(base::Equal(progress->text, B("why")));
  EXPECT_EQ(progress->outcome, 5u);
  EXPECT_TRUE(base::Equal(progress->decision_id, decision));
  EXPECT_EQ(progress->elapsed_us, UINT64_MAX);
}

TEST(Channel, LargestDataFitsAFrame) {
  auto arena = std::make_unique<Arena>();
  const std::vector<uint8_t> payload(kMaxPayload, 0x33);
  const auto bytes = Encoded(Data{UINT32_MAX, payload});
  EXPECT_LE(bytes.size(), kMaxBody);
  const auto data = Decode<Data>(bytes, *arena);
  ASSERT_TRUE(data.ok());
  EXPECT_TRUE(base::Equal(data->payload, payload));
}

template <typename T>
base::Reason WhyNot(const T& message) {
  auto arena = std::make_unique<Arena>();
  return Decode<T>(Encoded(message), *arena).status().reason();
}

TEST(Channel, RefusesWhatIsOutsideItsLimits) {
  const std::string long_name(kMaxNameSize + 1, 'a');
  const std::string long_text(kMaxText + 1, 'a');
  const std::vector<uint8_t> big(kMaxPayload + 1);
  const std::vector<uint8_t> table(kMaxCertificateTable + 1);
  const std::array<uint8_t, 63> short_chip{};
  const std::vector<uint8_t> page(kFirmwarePageSize);
  const base::Reason reasons[] = {
      WhyNot(Hello{2, 1, 4096, 0, B("a")}),
      WhyNot(Hello{1, 1, kMaxBody + 1, 0, B("a")}),
      WhyNot(Hello{1, 1, kDataOverhead, 0, B("a")}),
      WhyNot(Hello{1, 1, 4096, 0, B("")}),
      WhyNot(Hello{1, 1, 4096, 0, B(long_name)}),
      WhyNot(Hello{1, 1, 4096, 0, B("A")}),
      WhyNot(Hello{1, 1, 4096, 0, B("a\nb")}),
      WhyNot(Welcome{1, 4096, 0, 1, B("a"), 0}),
      WhyNot(Welcome{1, 0, 0, 1, B("a"), 1}),
      WhyNot(Open{0, B("a")}),
      WhyNot(Open{1, B("a b")}),
      WhyNot(Opened{0}),
      WhyNot(Refused{1, static_cast<RefusedReason>(5)}),
      WhyNot(Data{0, B("x")}),
      WhyNot(Data{1, B("")}),
      WhyNot(Data{1, big}),
      WhyNot(Credit{1, 0}),
      WhyNot(Close{1, static_cast<CloseReason>(5)}),
      WhyNot(GetCertificates{short_chip, 0}),
      WhyNot(Certificates{table}),
      WhyNot(Progress{.phase = Phase::kUnspecified}),
      WhyNot(Progress{.phase = static_cast<Phase>(9)}),
      WhyNot(Progress{.phase = Phase::kFailed, .reason = 0x1000000}),
      WhyNot(Progress{.phase = Phase::kFailed, .text = B(long_text)}),
      WhyNot(Progress{.phase = Phase::kFailed, .text = B("\x1b[2J")}),
      WhyNot(Progress{.phase = Phase::kRefused, .decision_id = B("short")}),
      WhyNot(FirmwareSecrets{B("x")}),
      WhyNot(FirmwareResponse{{}, 0}),
      WhyNot(FirmwareResponse{page, 1}),
  };
  for (size_t i = 0; i < std::size(reasons); ++i) {
    EXPECT_EQ(reasons[i], kChannelFieldInvalid) << i;
  }
}

TEST(Channel, FirmwareAttachHasNoBody) {
  auto arena = std::make_unique<Arena>();
  EXPECT_TRUE(Encoded(FirmwareAttach{}).empty());
  EXPECT_TRUE(Decode<FirmwareAttach>({}, *arena).ok());
  EXPECT_FALSE(Decode<FirmwareAttach>(B("x"), *arena).ok());
}

TEST(Channel, EncodeStopsAtItsBuffer) {
  std::array<uint8_t, 4> small;
  EXPECT_EQ(Encode(Data{1, B("payload")}, small).status().reason(),
            base::kBufferFull);
}

TEST(Channel, IgnoresFieldsOfANewerPeer) {
  auto arena = std::make_unique<Arena>();
  auto bytes = Encoded(Ping{5});
  bytes.insert(bytes.end(), {0xF8, 0x01, 0x07});  // field 31, varint
  EXPECT_EQ(Decode<Ping>(bytes, *arena)->token, 5u);
}

TEST(Channel, ManyFieldsCannotUseMoreThanTheArena) {
  auto arena = std::make_unique<Arena>();
  std::vector<uint8_t> bytes;
  // The same payload again and again; each copy takes its own memory.
  while (bytes.size() + 102 < kMaxBody) {
    bytes.insert(bytes.end(), {0x12, 100});
    bytes.resize(bytes.size() + 100, 0x41);
  }
  const auto data = Decode<Data>(bytes, *arena);
  EXPECT_FALSE(data.ok());
}

}  // namespace
}  // namespace proto::channel
