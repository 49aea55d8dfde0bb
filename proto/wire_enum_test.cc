// SPDX-License-Identifier: Apache-2.0
//
// Every enumeration of every message, at its decoder: which numbers are taken,
// how the others are refused, and which bytes are sent. A peer chooses them.
#include "proto/wire_enum.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/testing/hex.h"
#include "gtest/gtest.h"
#include "proto/attest.h"
#include "proto/attest.pb-c.h"
#include "proto/channel.h"
#include "proto/channel.pb-c.h"
#include "proto/config.h"
#include "proto/config.pb-c.h"
#include "proto/config_section.h"
#include "proto/reasons.h"

namespace proto {
namespace {

using base::Code;
using base::Status;
using base::testing::FromHex;
using Buffer = std::vector<uint8_t>;

Buffer operator+(Buffer a, const Buffer& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Buffer Varint(uint64_t number) {
  Buffer bytes;
  for (; number >= 0x80; number >>= 7) {
    bytes.push_back(static_cast<uint8_t>(number | 0x80));
  }
  bytes.push_back(static_cast<uint8_t>(number));
  return bytes;
}

// As protobuf sends an enumerator or an int32: a negative one takes 10 bytes.
Buffer Signed(int32_t number) {
  return Varint(static_cast<uint64_t>(static_cast<int64_t>(number)));
}

// Field `field` of type message: `content`.
Buffer Nested(uint8_t field, const Buffer& content) {
  return Buffer{static_cast<uint8_t>(field << 3 | 2)} + Varint(content.size()) +
         content;
}

Config Sample() {
  Config config;
  config.vm.Assign("vm");
  config.verifier_endpoint.Assign("verifier");
  config.verifier_pins.Add({1});
  return config;
}

Config SampleWithExpectedBoot() {
  Config config = Sample();
  config.expected_boot = ExpectedBoot{{1}, {1}, {1}, {}};
  return config;
}

Buffer Encoded(const Config& config) {
  Buffer bytes(kConfigMaxSize);
  const auto size = EncodeConfig(config, bytes);
  EXPECT_TRUE(size.ok());
  bytes.resize(size.ok() ? *size : 0);
  return bytes;
}

// A later field of the same number replaces an earlier one.
Status ConfigWith(const Config& config, const Buffer& fields) {
  Config out;
  return DecodeConfig(Encoded(config) + fields, out);
}

Status VerdictWith(const Buffer& outcome, const Buffer& granted) {
  Buffer bytes = Buffer{0x08} + outcome + Nested(2, Buffer(16, 0xD1)) + granted;
  const size_t zeros = kVerdictUnit - bytes.size() - 3;
  bytes = bytes + Buffer{0x7A} + Varint(zeros) + Buffer(zeros, 0);
  return Decode<AttestVerdict>(bytes, *std::make_unique<AttestArena>())
      .status();
}

template <typename Message>
Status Channel(const Buffer& body) {
  return channel::Decode<Message>(body, *std::make_unique<channel::Arena>())
      .status();
}

struct Field {
  const ProtobufCEnumDescriptor& numbers;
  bool may_be_0;
  // Decodes a message that is sound but for this varint.
  std::function<Status(const Buffer& varint)> decode;
  Status refusal;
};

const Field kFields[] = {
    {forelock__attest__tee__descriptor, false,
     [](const Buffer& tee) {
       return Decode<AttestRequest>(FromHex("080110") + tee + FromHex("1a0161"),
                                    *std::make_unique<AttestArena>())
           .status();
     },
     Status(Code::kDataLoss, kAttestFieldInvalid)},
    {forelock__attest__outcome__descriptor, false,
     [](const Buffer& outcome) {
       const bool granted = (outcome[0] & 0x7F) == 1;
       return VerdictWith(outcome, granted ? FromHex("1a00") : Buffer());
     },
     Status(Code::kDataLoss, kAttestFieldInvalid)},
    {forelock__channel__refused_reason__descriptor, true,
     [](const Buffer& reason) {
       return Channel<channel::Refused>(FromHex("080110") + reason);
     },
     Status(Code::kDataLoss, kChannelFieldInvalid)},
    {forelock__channel__close_reason__descriptor, true,
     [](const Buffer& reason) {
       return Channel<channel::Close>(FromHex("080110") + reason);
     },
     Status(Code::kDataLoss, kChannelFieldInvalid)},
    {forelock__channel__phase__descriptor, false,
     [](const Buffer& phase) {
       return Channel<channel::Progress>(FromHex("08") + phase);
     },
     Status(Code::kDataLoss, kChannelFieldInvalid)},
    {forelock__config__platform__descriptor, false,
     [](const Buffer& platform) {
       return ConfigWith(Sample(), FromHex("10") + platform);
     },
     Status(Code::kInvalidArgument, kConfigPlatform)},
    {forelock__config__acpi__descriptor, false,
     [](const Buffer& acpi) {
       return ConfigWith(Sample(), FromHex("48") + acpi);
     },
     Status(Code::kInvalidArgument, kConfigAcpi)},
    {forelock__config__on_failure__descriptor, true,
     [](const Buffer& on_failure) {
       return ConfigWith(SampleWithExpectedBoot(), FromHex("58") + on_failure);
     },
     Status(Code::kInvalidArgument, kConfigOnFailure)},
    {forelock__config__resource_kind__descriptor, false,
     [](const Buffer& kind) {
       const bool is_file = (kind[0] & 0x7F) == 2;
       const Buffer place = FromHex(is_file ? "2f61" : "61");
       return ConfigWith(
           Sample(), Nested(6, FromHex("0a016110") + kind + FromHex("1820") +
                                   Nested(4, place)));
     },
     Status(Code::kInvalidArgument, kConfigResourceKind)},
    {forelock__config__transport__descriptor, false,
     [](const Buffer& transport) {
       return ConfigWith(Sample(), Nested(7, FromHex("08") + transport));
     },
     Status(Code::kInvalidArgument, kConfigChannel)},
};

bool IsNamed(const ProtobufCEnumDescriptor& numbers, int32_t number) {
  for (unsigned i = 0; i < numbers.n_values; ++i) {
    if (numbers.values[i].value == number) return true;
  }
  return false;
}

TEST(WireEnum, OnlyTheNamedNumbersAreTaken) {
  std::vector<int32_t> numbers = {
      INT32_MIN, INT32_MIN + 1, -256,    -255,          -2,       -1, 511, 512,
      65536,     65537,         1 << 30, INT32_MAX - 1, INT32_MAX};
  // As a byte, 256 and more would be numbers that are known.
  for (int32_t number = 0; number <= 300; ++number) numbers.push_back(number);
  for (const Field& field : kFields) {
    for (const int32_t number : numbers) {
      const bool taken =
          IsNamed(field.numbers, number) && (number != 0 || field.may_be_0);
      EXPECT_EQ(field.decode(Signed(number)), taken ? Status() : field.refusal)
          << field.numbers.name << ' ' << number;
    }
  }
}

TEST(WireEnum, VarintsOfAnyLength) {
  for (const Field& field : kFields) {
    SCOPED_TRACE(field.numbers.name);
    // -1 in five bytes and not in ten.
    EXPECT_EQ(field.decode(Varint(UINT32_MAX)), field.refusal);
    EXPECT_EQ(field.decode(Varint(UINT32_MAX - 1)), field.refusal);
    EXPECT_EQ(field.decode(Varint(UINT64_MAX)), field.refusal);
    EXPECT_EQ(field.decode(Varint(uint64_t{1} << 31)), field.refusal);
    // protobuf drops what is above 32 bits, and takes zeros in front.
    EXPECT_EQ(field.decode(Varint((uint64_t{7} << 32) + 1)), Status());
    EXPECT_EQ(field.decode(FromHex("818000")), Status());
    EXPECT_EQ(field.decode(Varint((uint64_t{7} << 32) + 99)), field.refusal);
    // Eleven bytes are no varint.
    EXPECT_FALSE(field.decode(Buffer(10, 0x81) + Buffer{0}).ok());
  }
}

// What fuzzing found when the fields had enumerated types.
TEST(WireEnum, NumbersOutsideTheEnumerationsRange) {
  AttestArena arena;
  for (const char* request : {"10fbe89e9e9e9e07", "10ffffffff09"}) {
    EXPECT_EQ(Decode<AttestRequest>(FromHex(request), arena).status(),
              Status(Code::kDataLoss, kAttestFieldInvalid));
  }
  EXPECT_EQ(Channel<channel::Progress>(FromHex("080708ffffffffffffffff32")),
            Status(Code::kDataLoss, kChannelFieldInvalid));
}

TEST(WireEnum, BytesThatAreSent) {
  Buffer out(kMaxAttestMessage);
  const auto hex = [&out](const base::Result<size_t>& size) {
    return size.ok() ? Buffer(out.begin(), out.begin() + long(*size))
                     : Buffer();
  };
  const Buffer name = {'a'};
  AttestRequest request;
  request.vm = name;
  EXPECT_EQ(hex(Encode(request, out)), FromHex("080110011a0161"));
  request.tee = static_cast<Tee>(2);
  EXPECT_EQ(Encode(request, out).status(),
            Status(Code::kInvalidArgument, kAttestFieldInvalid));
  const Buffer id(kDecisionIdSize, 0xD1);
  for (int32_t number = 1; number <= 5; ++number) {
    AttestVerdict verdict;
    verdict.outcome = static_cast<Outcome>(number);
    verdict.decision_id = id;
    const Buffer bytes = hex(Encode(verdict, out));
    ASSERT_GT(bytes.size(), 2u);
    EXPECT_EQ(Buffer(bytes.begin(), bytes.begin() + 2),
              Buffer{0x08} + Signed(number));
  }
  using channel::Phase;
  EXPECT_EQ(
      hex(Encode(channel::Refused{1, channel::RefusedReason::kUnreachable},
                 out)),
      FromHex("08011002"));
  EXPECT_EQ(
      hex(Encode(channel::Refused{1, channel::RefusedReason::kUnspecified},
                 out)),
      FromHex("0801"));  // proto3 leaves 0 out
  EXPECT_EQ(
      hex(Encode(channel::Close{1, channel::CloseReason::kShuttingDown}, out)),
      FromHex("08011004"));
  EXPECT_EQ(hex(Encode(channel::Progress{.phase = Phase::kHandingOver}, out)),
            FromHex("0808"));
  Config config = SampleWithExpectedBoot();
  config.platform = Platform::kEmulated;
  config.acpi = Acpi::kFromHost;
  config.expected_boot->acpi = {1};
  config.on_failure = OnFailure::kBootWithoutSecrets;
  Resource resource;
  resource.name.Assign("a");
  resource.kind = ResourceKind::kFile;
  resource.place.Assign("/a");
  config.resources.Add(resource);
  const Buffer bytes = Encoded(config);
  const auto has = [&bytes](const char* part) {
    const Buffer wanted = FromHex(part);
    return std::search(bytes.begin(), bytes.end(), wanted.begin(),
                       wanted.end()) != bytes.end();
  };
  EXPECT_TRUE(
      has("080110021a027"
          "66d"));                                   // platform, vm
  EXPECT_TRUE(has("320c0a0161100218802022022f61"));  // resource
  EXPECT_TRUE(has("3a05080110f00b"));                // channel
  EXPECT_TRUE(has("480252"));                        // acpi, expected_boot
  EXPECT_TRUE(
      has("5801"
          "60"));  // on_failure, tsc_khz
}

TEST(WireEnum, HelpersAreExact) {
  enum class Small : uint8_t { kOne = 1, kTwo = 2 };
  constexpr Small kKnown[] = {Small::kTwo};
  EXPECT_EQ(EnumOf(2, kKnown), Small::kTwo);
  EXPECT_EQ(EnumOf(1, kKnown), std::nullopt);
  EXPECT_EQ(EnumOf(258, kKnown), std::nullopt);
  EXPECT_EQ(EnumOf(-254, kKnown), std::nullopt);
  EXPECT_EQ(NumberOf(Small::kTwo), 2);
}

}  // namespace
}  // namespace proto
