// SPDX-License-Identifier: Apache-2.0
#include "proto/config.h"

#include <array>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "gtest/gtest.h"
#include "proto/config.pb-c.h"
#include "proto/config_level.h"
#include "proto/config_section.h"
#include "proto/reasons.h"

namespace proto {
namespace {

using base::Code;
using base::Status;

Resource MakeResource(std::string_view name, ResourceKind kind,
                      std::string_view place) {
  Resource resource;
  resource.name.Assign(name);
  resource.kind = kind;
  resource.place.Assign(place);
  return resource;
}

// Everything filled in.
Config Sample() {
  Config config;
  config.platform = Platform::kEmulated;
  config.vm.Assign("demo/vm1");
  config.verifier_endpoint.Assign("verifier");
  Pin pin{};
  pin[0] = 1;
  config.verifier_pins.Add(pin);
  pin[0] = 2;
  config.verifier_pins.Add(pin);
  config.resources.Add(
      MakeResource("demo/vm1/root", ResourceKind::kLuks2, "root"));
  config.resources.Add(
      MakeResource("demo/vm1/token", ResourceKind::kFile, "/srv/token"));
  config.channel_port = 0x600;
  config.proxy_deadline = base::Milliseconds{1234};
  config.acpi = Acpi::kFromHost;
  ExpectedBoot boot;
  boot.kernel[0] = boot.initrd[1] = boot.command_line[2] = boot.acpi[3] = 1;
  config.expected_boot = boot;
  config.on_failure = OnFailure::kBootWithoutSecrets;
  config.tsc_khz = 3'000'000;
  return config;
}

std::vector<uint8_t> Encoded(const Config& config) {
  std::vector<uint8_t> bytes(kConfigMaxSize);
  const auto size = EncodeConfig(config, bytes);
  EXPECT_TRUE(size.ok());
  bytes.resize(size.ok() ? *size : 0);
  return bytes;
}

TEST(Config, RoundTrips) {
  const Config in = Sample();
  Config out;
  ASSERT_TRUE(DecodeConfig(Encoded(in), out).ok());
  EXPECT_EQ(out.platform, in.platform);
  EXPECT_EQ(out.vm, in.vm);
  EXPECT_EQ(out.verifier_endpoint, in.verifier_endpoint);
  ASSERT_EQ(out.verifier_pins.size(), 2u);
  EXPECT_EQ(out.verifier_pins[1], in.verifier_pins[1]);
  ASSERT_EQ(out.resources.size(), 2u);
  EXPECT_EQ(out.resources[0].place.view(), "root");
  EXPECT_EQ(out.resources[1].kind, ResourceKind::kFile);
  EXPECT_EQ(out.resources[1].name.view(), "demo/vm1/token");
  EXPECT_EQ(out.channel_port, 0x600);
  EXPECT_EQ(out.proxy_deadline, in.proxy_deadline);
  EXPECT_EQ(out.verifier_deadline, base::Milliseconds{kDefaultVerifierMs});
  EXPECT_EQ(out.expected_boot->command_line, in.expected_boot->command_line);
  EXPECT_EQ(out.expected_boot->acpi, in.expected_boot->acpi);
  EXPECT_EQ(out.on_failure, in.on_failure);
  EXPECT_EQ(out.tsc_khz, in.tsc_khz);
}

TEST(Config, TheLargestOneFits) {
  Config config = Sample();
  config.resources = {};
  for (char c = 'a'; c < 'a' + static_cast<char>(kMaxResources); ++c) {
    config.resources.Add(MakeResource(std::string(kMaxNameSize, c),
                                      ResourceKind::kFile,
                                      "/" + std::string(kMaxPathSize - 1, c)));
  }
  Pin pin{};
  pin[1] = 1;
  config.verifier_pins.Add(pin);
  pin[1] = 2;
  config.verifier_pins.Add(pin);
  config.vm.Assign(std::string(kMaxNameSize, 'v'));
  config.verifier_endpoint.Assign(std::string(kMaxNameSize, 'e'));
  Config out;
  EXPECT_TRUE(DecodeConfig(Encoded(config), out).ok());
  EXPECT_EQ(out.resources.size(), kMaxResources);
}

TEST(Config, EachRuleHasItsReason) {
  struct Row {
    const char* what;
    std::function<void(Config&)> breaks;
    base::Reason reason;
  };
  const auto resource = [](std::string_view name, ResourceKind kind,
                           std::string_view place) {
    return [=](Config& c) { c.resources.Add(MakeResource(name, kind, place)); };
  };
  const Row rows[] = {
      {"no VM", [](Config& c) { c.vm = {}; }, kConfigVmName},
      {"capitals", [](Config& c) { c.vm.Assign("VM1"); }, kConfigVmName},
      {"dots", [](Config& c) { c.vm.Assign("a/../b"); }, kConfigVmName},
      {"leading slash", [](Config& c) { c.vm.Assign("/a"); }, kConfigVmName},
      {"NUL", [](Config& c) { c.vm.Assign({"a\0b", 3}); }, kConfigVmName},
      {"endpoint", [](Config& c) { c.verifier_endpoint.Assign("a b"); },
       kConfigEndpointName},
      {"no pin", [](Config& c) { c.verifier_pins = {}; }, kConfigPinCount},
      {"pin twice", [](Config& c) { c.verifier_pins.Add(c.verifier_pins[0]); },
       kConfigPinDuplicate},
      {"resource twice",
       resource("demo/vm1/root", ResourceKind::kLuks2, "other"),
       kConfigResourceDuplicate},
      {"volume twice", resource("x", ResourceKind::kLuks2, "root"),
       kConfigPlaceDuplicate},
      {"path twice", resource("x", ResourceKind::kFile, "/srv/token"),
       kConfigPlaceDuplicate},
      {"path below a file", resource("x", ResourceKind::kFile, "/srv/token/x"),
       kConfigPlaceDuplicate},
      {"path above a file", resource("x", ResourceKind::kFile, "/srv"),
       kConfigPlaceDuplicate},
      {"path above the keys", resource("x", ResourceKind::kFile, "/etc"),
       kConfigFilePath},
      {"path that is the keys' folder",
       resource("x", ResourceKind::kFile, "/etc/forelock/keys.d/"),
       kConfigFilePath},
      {"path of a parent of the keys",
       resource("x", ResourceKind::kFile, "/etc/forelock"), kConfigFilePath},
      {"path of the keys' folder",
       resource("x", ResourceKind::kFile, "/etc/forelock/keys.d"),
       kConfigFilePath},
      {"resource name", resource("X", ResourceKind::kLuks2, "x"),
       kConfigResourceName},
      {"volume name", resource("x", ResourceKind::kLuks2, "../x"),
       kConfigVolumeName},
      {"hidden volume", resource("x", ResourceKind::kLuks2, ".x"),
       kConfigVolumeName},
      {"deep path", resource("x", ResourceKind::kFile, "/1/2/3/4/5/6/7/8/9"),
       kConfigFilePath},
      {"relative path", resource("x", ResourceKind::kFile, "etc/x"),
       kConfigFilePath},
      {"path with dots", resource("x", ResourceKind::kFile, "/etc/../x"),
       kConfigFilePath},
      {"path with a space", resource("x", ResourceKind::kFile, "/etc/a b"),
       kConfigFilePath},
      {"path of a key",
       resource("x", ResourceKind::kFile, "/etc/forelock/keys.d/root.key"),
       kConfigFilePath},
      {"size 0",
       [](Config& c) {
         Resource r = MakeResource("x", ResourceKind::kLuks2, "x");
         r.max_size = 0;
         c.resources.Add(r);
       },
       kConfigResourceSize},
      {"size 4097",
       [](Config& c) {
         Resource r = MakeResource("x", ResourceKind::kLuks2, "x");
         r.max_size = 4097;
         c.resources.Add(r);
       },
       kConfigResourceSize},
      {"port", [](Config& c) { c.channel_port = 0x60; }, kConfigPort},
      {"no deadline",
       [](Config& c) { c.verifier_deadline = base::Milliseconds{0}; },
       kConfigDeadline},
      {"endless deadline",
       [](Config& c) {
         c.secure_processor_deadline = base::Milliseconds{kMaxDeadlineMs + 1};
       },
       kConfigDeadline},
      {"no kernel", [](Config& c) { c.expected_boot->kernel = {}; },
       kConfigExpectedBootIncomplete},
      {"no ACPI", [](Config& c) { c.expected_boot->acpi = {}; },
       kConfigExpectedBootIncomplete},
      {"ACPI too much", [](Config& c) { c.acpi = Acpi::kNone; },
       kConfigExpectedAcpiWithoutAcpi},
      {"unattested boot", [](Config& c) { c.expected_boot.reset(); },
       kConfigUnattestedBoot},
      {"TSC", [](Config& c) { c.tsc_khz = 1; }, kConfigTscFrequency},
  };
  for (const Row& row : rows) {
    Config config = Sample();
    row.breaks(config);
    EXPECT_EQ(CheckConfig(config), Status(Code::kInvalidArgument, row.reason))
        << row.what;
    std::vector<uint8_t> out(kConfigMaxSize);
    EXPECT_EQ(EncodeConfig(config, out).status().reason(), row.reason)
        << row.what;
  }
}

// A stock initrd would take these for a disk's key, by itself.
TEST(Config, NoFileIsWhereAStockInitrdFindsAKey) {
  for (const std::string_view path : {
           "/etc/cryptsetup-keys.d/root.key",
           "/etc/cryptsetup-keys.d",
           "/run/cryptsetup-keys.d/root.key",
           "/var/run/cryptsetup-keys.d/root.key",
           "/etc/credstore/cryptsetup.passphrase",
           "/run/credentials/@system/cryptsetup.passphrase",
           "/.extra/credentials/cryptsetup.passphrase.cred",
           "/crypto_keyfile.bin",
       }) {
    Config config = Sample();
    config.resources.Add(MakeResource("x", ResourceKind::kFile, path));
    EXPECT_EQ(CheckConfig(config).reason(), kConfigFilePath) << path;
  }
  for (const std::string_view path : {
           "/etc/forelock/token",
           "/etc/forelock/keys.d.old",
           "/etc/credstore/web.token",
           "/etc/cryptsetup-keys",
           "/etc/mycryptsetup.conf",
       }) {
    Config config = Sample();
    config.resources.Add(MakeResource("x", ResourceKind::kFile, path));
    EXPECT_TRUE(CheckConfig(config).ok()) << path;
  }
}

// Rules that only bytes can break, not a Config.
class RawConfig : public testing::Test {
 protected:
  RawConfig() {
    bytes_ = Encoded(Sample());
    message_ =
        forelock__config__config__unpack(nullptr, bytes_.size(), bytes_.data());
  }
  ~RawConfig() override {
    forelock__config__config__free_unpacked(message_, nullptr);
  }
  base::Reason Decode() {
    std::vector<uint8_t> packed(
        forelock__config__config__get_packed_size(message_));
    forelock__config__config__pack(message_, packed.data());
    Config out;
    return DecodeConfig(packed, out).reason();
  }
  std::vector<uint8_t> bytes_;
  Forelock__Config__Config* message_;
};

TEST_F(RawConfig, Version) {
  for (const uint32_t version : {0u, 2u, 0xFFFFFFFFu}) {
    message_->version = version;
    EXPECT_EQ(Decode(), kConfigUnknownVersion);
  }
}
TEST_F(RawConfig, Platform) {
  message_->platform = FORELOCK__CONFIG__PLATFORM__PLATFORM_UNSPECIFIED;
  EXPECT_EQ(Decode(), kConfigPlatform);
}
TEST_F(RawConfig, Acpi) {
  message_->acpi = FORELOCK__CONFIG__ACPI__ACPI_UNSPECIFIED;
  EXPECT_EQ(Decode(), kConfigAcpi);
}
TEST_F(RawConfig, OnFailure) {
  message_->on_failure = 2;
  EXPECT_EQ(Decode(), kConfigOnFailure);
}
TEST_F(RawConfig, Channel) {
  message_->channel->transport =
      FORELOCK__CONFIG__TRANSPORT__TRANSPORT_UNSPECIFIED;
  EXPECT_EQ(Decode(), kConfigChannel);
}
TEST_F(RawConfig, Port) {
  message_->channel->port = 0x10000;
  EXPECT_EQ(Decode(), kConfigPort);
  message_->channel->port = 0;  // the default
  EXPECT_EQ(Decode(), base::Reason());
}
TEST_F(RawConfig, PinSize) {
  message_->verifier_pins[0].len = 31;
  EXPECT_EQ(Decode(), kConfigPinSize);
}
TEST_F(RawConfig, DigestSize) {
  message_->expected_boot->initrd_sha384.len = 47;
  EXPECT_EQ(Decode(), kConfigDigestSize);
}
TEST_F(RawConfig, ResourceKind) {
  message_->resources[0]->kind =
      FORELOCK__CONFIG__RESOURCE_KIND__RESOURCE_UNSPECIFIED;
  EXPECT_EQ(Decode(), kConfigResourceKind);
}

TEST(Config, TooManyOrUnknownFieldsAreRefused) {
  Config out;
  auto bytes = Encoded(Sample());
  // Field 99, varint 1.
  auto unknown = bytes;
  unknown.insert(unknown.end(), {0x98, 0x06, 0x01});
  EXPECT_EQ(DecodeConfig(unknown, out),
            Status(Code::kDataLoss, kConfigUnknownField));
  // Another five pins.
  auto pins = bytes;
  for (uint8_t i = 0; i < 5; ++i) {
    pins.insert(pins.end(), {0x2A, 0x20});
    pins.insert(pins.end(), 32, static_cast<uint8_t>(0x40 + i));
  }
  EXPECT_EQ(DecodeConfig(pins, out).reason(), kConfigPinCount);
  // Another nine resources, empty.
  auto resources = bytes;
  for (int i = 0; i < 9; ++i) resources.insert(resources.end(), {0x32, 0x00});
  EXPECT_EQ(DecodeConfig(resources, out).reason(), kConfigResourceCount);
}

TEST(Config, TruncationsNeverDecodeToSomethingElse) {
  const auto bytes = Encoded(Sample());
  Config out;
  for (size_t size = 0; size < bytes.size(); ++size) {
    // A cut between fields is a shorter message: it must break a rule or lack
    // optional fields only.
    if (DecodeConfig(base::Bytes(bytes).first(size), out).ok()) {
      EXPECT_TRUE(CheckConfig(out).ok()) << size;
      EXPECT_GE(out.verifier_pins.size(), 1u) << size;
    }
  }
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    auto flipped = bytes;
    flipped[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
    if (DecodeConfig(flipped, out).ok()) EXPECT_TRUE(CheckConfig(out).ok());
  }
}

// --- Levels.

TEST(ConfigLevel, DefaultsAreReadableForTheFirstSvsm) {
  const Config config = Sample();
  EXPECT_FALSE(FieldAboveLevel(config, 1).has_value());
  const auto bytes = Encoded(config);
  Forelock__Config__Config* message =
      forelock__config__config__unpack(nullptr, bytes.size(), bytes.data());
  ASSERT_NE(message, nullptr);
  EXPECT_EQ(message->deadlines->boot_ms, 0u);
  forelock__config__config__free_unpacked(message, nullptr);
}

TEST(ConfigLevel, EachFieldIsFoundBelowItsLevelOnly) {
  Config config = Sample();
  config.boot_deadline = base::Milliseconds{1};
  const auto field = FieldAboveLevel(config, 1);
  ASSERT_TRUE(field.has_value());
  EXPECT_EQ(field->name, "deadlines.boot_ms");
  EXPECT_FALSE(FieldAboveLevel(config, field->level).has_value());
  EXPECT_FALSE(FieldAboveLevel(config, kConfigLevel).has_value());
  Config out;
  ASSERT_TRUE(DecodeConfig(Encoded(config), out).ok());
  EXPECT_EQ(out.boot_deadline, config.boot_deadline);
}

// Whoever adds a field to the message is told here of the rule.
TEST(ConfigLevel, EveryFieldOfTheMessageHasALevel) {
  constexpr size_t kFieldsOfLevelOne = 12 + 4 + 2 + 3 + 4;
  const size_t fields = forelock__config__config__descriptor.n_fields +
                        forelock__config__resource__descriptor.n_fields +
                        forelock__config__channel__descriptor.n_fields +
                        forelock__config__deadlines__descriptor.n_fields +
                        forelock__config__expected_boot__descriptor.n_fields;
  EXPECT_EQ(fields, kFieldsOfLevelOne + std::size(kConfigFields));
}

TEST(ConfigSection, FillsAndReads) {
  std::vector<uint8_t> section(kConfigSectionSize, 0xEE);
  const auto config = Encoded(Sample());
  ASSERT_TRUE(FillConfigSection(config, section).ok());
  const auto read = ConfigInSection(section);
  ASSERT_TRUE(read.ok());
  EXPECT_TRUE(base::Equal(*read, config));
}

TEST(ConfigSection, RefusesEverythingElse) {
  std::vector<uint8_t> section(kConfigSectionSize);
  EXPECT_EQ(base::StatusOf(ConfigInSection(section)),
            Status(Code::kNotFound, kConfigMissing));
  EXPECT_EQ(ConfigInSection(base::Bytes(section).first(100)).status().reason(),
            kConfigSectionMalformed);
  ASSERT_TRUE(FillConfigSection(Encoded(Sample()), section).ok());
  for (const size_t at : {size_t{0}, size_t{7}, size_t{10}, size_t{11},
                          size_t{12}, size_t{15}, kConfigSectionSize - 1}) {
    auto spoilt = section;
    spoilt[at] ^= 0xFF;
    EXPECT_EQ(ConfigInSection(spoilt).status().reason(),
              kConfigSectionMalformed)
        << at;
  }
  std::vector<uint8_t> too_large(kConfigMaxSize + 1, 1);
  EXPECT_EQ(FillConfigSection(too_large, section).reason(), kConfigTooLarge);
}

TEST(ConfigSection, EveryTruncationAndFlippedBitIsRefusedOrKept) {
  const auto config = Encoded(Sample());
  std::vector<uint8_t> section(kConfigSectionSize);
  ASSERT_TRUE(FillConfigSection(config, section).ok());
  for (size_t size = 0; size < section.size(); ++size) {
    EXPECT_FALSE(ConfigInSection(base::Bytes(section).first(size)).ok())
        << size;
  }
  // All that is not padding, and some of that.
  const size_t end = kConfigHeaderSize + config.size();
  for (size_t bit = 0; bit < 8 * (end + 64); ++bit) {
    section[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
    const auto read = ConfigInSection(section);
    const auto place =
        base::Bytes(section).subspan(kConfigHeaderSize, config.size());
    if (bit / 8 >= kConfigHeaderSize) {
      EXPECT_EQ(read.ok(), bit / 8 < end) << bit;
      if (read.ok()) EXPECT_TRUE(base::Equal(*read, place)) << bit;
    } else if (read.ok()) {
      // Zeros after a protobuf message: longer, it does not decode.
      EXPECT_GT(read->size(), config.size()) << bit;
      Config out;
      EXPECT_FALSE(DecodeConfig(*read, out).ok()) << bit;
    }
    section[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
  }
}

}  // namespace
}  // namespace proto
