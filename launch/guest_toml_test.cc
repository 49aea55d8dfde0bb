// SPDX-License-Identifier: Apache-2.0
#include "launch/guest_toml.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/time.h"
#include "gtest/gtest.h"

namespace launch {
namespace {

const std::string kHex16 = "00112233445566778899aabbccddeeff";

std::string Sample() {
  const std::string sha256 = kHex16 + kHex16;
  const std::string sha384 = sha256 + kHex16;
  return absl::StrCat(
      "version = 1\n"
      "platform = \"emulated\"\n"
      "vm = \"demo/vm1\"\n"
      "verifier = \"verifier\"\n"
      "verifier_pins = [\"sha256:",
      sha256,
      "\"]\n"
      "acpi = \"from-host\"\n"
      "on_failure = \"boot-without-secrets\"\n"
      "tsc_khz = 2000000\n"
      "[[resource]]\n"
      "name = \"demo/vm1/root\"\n"
      "kind = \"luks2\"\n"
      "volume = \"root\"\n"
      "max_size = 64\n"
      "[[resource]]\n"
      "name = \"demo/vm1/token\"\n"
      "kind = \"file\"\n"
      "path = \"/etc/token\"\n"
      "[channel]\n"
      "transport = \"page\"\n"
      "port = 0x5f4\n"
      "[deadlines]\n"
      "proxy_ms = 1000\n"
      "boot_ms = 90000\n"
      "[expected_boot]\n"
      "kernel = \"sha384:",
      sha384,
      "\"\n"
      "initrd = \"sha384:",
      sha384,
      "\"\n"
      "command_line = \"sha384:",
      sha384,
      "\"\n"
      "acpi = \"sha384:",
      sha384, "\"\n");
}

TEST(GuestToml, ReadsEveryKey) {
  const auto config = ParseGuestToml(Sample(), "guest.toml");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->platform, proto::Platform::kEmulated);
  EXPECT_EQ(config->vm.view(), "demo/vm1");
  EXPECT_EQ(config->verifier_endpoint.view(), "verifier");
  EXPECT_EQ(config->verifier_pins[0][17], 0x11);
  EXPECT_EQ(config->acpi, proto::Acpi::kFromHost);
  EXPECT_EQ(config->on_failure, proto::OnFailure::kBootWithoutSecrets);
  EXPECT_EQ(config->tsc_khz, 2'000'000u);
  ASSERT_EQ(config->resources.size(), 2u);
  EXPECT_EQ(config->resources[0].max_size, 64u);
  EXPECT_EQ(config->resources[1].place.view(), "/etc/token");
  EXPECT_EQ(config->resources[1].max_size, proto::kMaxSecretSize);
  EXPECT_EQ(config->channel_port, 0x5f4);
  EXPECT_EQ(config->proxy_deadline, base::Milliseconds{1000});
  EXPECT_EQ(config->boot_deadline, base::Milliseconds{90'000});
  EXPECT_EQ(config->expected_boot->acpi[47], 0xff);
}

TEST(GuestToml, WhatShowPrintsReadsTheSame) {
  const auto config = ParseGuestToml(
      absl::StrReplaceAll(Sample(), {{"/etc/token", "/a'b\\\\c\\\"d"}}),
      "guest.toml");
  ASSERT_TRUE(config.ok()) << config.status();
  const std::string shown = ToGuestToml(*config);
  const auto again = ParseGuestToml(shown, "shown");
  ASSERT_TRUE(again.ok()) << again.status() << shown;
  EXPECT_EQ(ToGuestToml(*again), shown);
}

TEST(GuestToml, MistakesAreShownWhereTheyAre) {
  struct Row {
    const char* from;
    const char* to;
    const char* reason;
    const char* message;  // with line and column
  };
  const Row rows[] = {
      {"version = 1", "version = 2", "LA7", "g.toml:1:11: "},
      {"version = 1\n", "", "LA6", "key 'version' is missing"},
      {"version = 1", "version = ", "LA4", "g.toml:1:"},
      {"\"emulated\"", "\"auto\"", "LA7",
       "g.toml:2:12: key 'platform': want \"snp\" or \"emulated\""},
      {"\"emulated\"", "3", "LA7", "g.toml:2:12: "},
      {"platform = \"emulated\"\n", "", "LA6", ""},
      {"vm = ", "vn = ", "LA5", "g.toml:3:1: unknown key 'vn'"},
      {"\"demo/vm1\"", "\"Demo\"", "PR8", "g.toml:3:6: "},
      {"[\"sha256:", "[\"sha1:", "LA7", "g.toml:5:18: "},
      {"[\"sha256:00", "[\"sha256:0g", "LA7", "g.toml:5:18: "},
      {"on_failure = \"boot-without-secrets\"", "on_failure = \"go\"", "LA7",
       "g.toml:7:14: "},
      {"tsc_khz = 2000000", "tsc_khz = -1", "LA7", "g.toml:8:11: "},
      {"tsc_khz = 2000000", "tsc_khz = 7", "PR30", "g.toml:8:11: "},
      {"max_size = 64", "max_size = 9999", "PR17", "g.toml:9:1: "},
      {"max_size = 64", "maxsize = 64", "LA5",
       "g.toml:13:1: unknown key 'resource.maxsize'"},
      {"volume = \"root\"", "path = \"/root\"", "LA5", "'resource.path'"},
      {"demo/vm1/token", "demo/vm1/root", "PR15", "g.toml:14:1: "},
      {"port = 0x5f4", "port = 70000", "LA7", "g.toml:20:8: "},
      {"port = 0x5f4", "port = 1", "PR22", "g.toml:18:1: "},
      {"proxy_ms = 1000", "proxy_ms = 1000000", "PR23", "g.toml:21:1: "},
      {"boot_ms = 90000", "boot_ms = 600001", "PR23", "g.toml:21:1: "},
      {"kernel = ", "kernal = ", "LA5", "g.toml:25:1: "},
      {"[expected_boot]", "[expected]", "LA5", "g.toml:24:2: "},
  };
  for (const Row& row : rows) {
    const std::string text =
        absl::StrReplaceAll(Sample(), {{row.from, row.to}});
    const auto config = ParseGuestToml(text, "g.toml");
    ASSERT_FALSE(config.ok()) << row.from << " -> " << row.to;
    EXPECT_TRUE(absl::StartsWith(config.status().message(),
                                 absl::StrCat(row.reason, " ")))
        << row.from << " -> " << row.to << ": " << config.status();
    EXPECT_TRUE(absl::StrContains(config.status().message(), row.message))
        << row.from << " -> " << row.to << ": " << config.status();
  }
}

TEST(GuestToml, BootWithoutSecretsNeedsExpectedBoot) {
  const std::string text = Sample().substr(0, Sample().find("[expected_boot]"));
  const auto config = ParseGuestToml(text, "g.toml");
  EXPECT_TRUE(absl::StrContains(config.status().message(), ": g.toml:7:14: "))
      << config.status();
}

// toml++ 3.3.0 aborted on these.
TEST(GuestToml, OddTableHeadersAreErrors) {
  for (const char* text : {"[[[1]]]", "[[=", "[[[]]", "[[[a]]]"}) {
    const auto config = ParseGuestToml(text, "g.toml");
    EXPECT_TRUE(absl::StartsWith(config.status().message(),
                                 "LA4 configuration file is not valid TOML: "
                                 "g.toml:1:"))
        << text << config.status();
  }
}

TEST(GuestToml, EveryTruncationIsAnErrorOrWhole) {
  const std::string text = Sample();
  for (size_t size = 0; size < text.size(); ++size) {
    const auto config = ParseGuestToml(text.substr(0, size), "g.toml");
    if (config.ok()) EXPECT_TRUE(proto::CheckConfig(*config).ok()) << size;
  }
}

TEST(GuestToml, EveryFlippedBitIsAnErrorOrReadsTheSameAgain) {
  const std::string good = Sample();
  std::string text = good;
  for (size_t bit = 0; bit < 8 * good.size(); ++bit) {
    text[bit / 8] = static_cast<char>(good[bit / 8] ^ 1 << bit % 8);
    const auto config = ParseGuestToml(text, "g.toml");
    text[bit / 8] = good[bit / 8];
    if (!config.ok()) continue;
    EXPECT_TRUE(proto::CheckConfig(*config).ok()) << bit;
    const std::string shown = ToGuestToml(*config);
    const auto again = ParseGuestToml(shown, "shown");
    ASSERT_TRUE(again.ok()) << bit << again.status() << shown;
    EXPECT_EQ(ToGuestToml(*again), shown) << bit;
  }
}

}  // namespace
}  // namespace launch
