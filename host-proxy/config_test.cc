// SPDX-License-Identifier: Apache-2.0
#include "host-proxy/config.h"

#include <chrono>
#include <string>
#include <string_view>

#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace host_proxy {
namespace {

constexpr std::string_view kGood = R"(connect_timeout_ms = 1500

[[vm]]
label = "demo/vm1"
socket = "/run/vm1.sock"
ram = "/dev/shm/vm1"
certificates = "/var/lib/certs"
[vm.endpoints]
verifier = "127.0.0.1:8443"
six = "[::1]:443"

[[vm]]
label = "vm2"
socket = "/run/vm2.sock"
ram = "/dev/shm/vm2"
[vm.endpoints]
verifier = "verifier.example.org:8443"
)";

TEST(Config, ReadsEverything) {
  const auto config = ParseConfig(kGood, "proxy.toml");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->connect_timeout, std::chrono::milliseconds(1500));
  ASSERT_EQ(config->vms.size(), 2u);
  const VmConfig& vm = config->vms[0];
  EXPECT_EQ(vm.label, "demo/vm1");
  EXPECT_EQ(vm.socket, "/run/vm1.sock");
  EXPECT_EQ(vm.ram, "/dev/shm/vm1");
  EXPECT_EQ(vm.certificates, "/var/lib/certs");
  EXPECT_EQ(vm.endpoints.at("verifier").host, "127.0.0.1");
  EXPECT_EQ(vm.endpoints.at("verifier").port, 8443);
  EXPECT_EQ(vm.endpoints.at("six").host, "::1");
  EXPECT_EQ(config->vms[1].certificates, "");
}

#define HP2 "HP2 the configuration file is not valid TOML: "
#define HP3 "HP3 the configuration has an unknown key: "
#define HP4 "HP4 a value in the configuration is missing or wrong: "

// Each row: a text, and how the message must begin.
TEST(Config, SaysWhereAndWhatIsWrong) {
  const struct {
    std::string text;
    std::string_view message;
  } rows[] = {
      {"", HP4 "f:1:1: key 'vm' is missing"},
      {"[[vm]\n", HP2 "f:1:6: "},
      {"[&\n", HP2 "f:1:2: "},
      {"\n \xC2\xBF = 1\n", HP2 "f:2:2: a character that is not"},
      {std::string("a\0b", 3), HP2 "f:1:2: a character that is not"},
      {"vm = 3\n", HP4 "f:1:6: key 'vm': want 1 to 1024 tables [[vm]]"},
      {"vm = [3]\n", HP4 "f:1:7: key 'vm': want a table"},
      {"colour = 1\n", HP3 "f:1:1: unknown key 'colour'"},
      {"connect_timeout_ms = 0\n", HP4 "f:1:22: "},
      {"connect_timeout_ms = \"1\"\n", HP4 "f:1:22: "},
      {"[[vm]]\nlabel = 1\n", HP4 "f:2:9: key 'vm.label': want a string"},
      {"[[vm]]\nsokket = \"a\"\n", HP3 "f:2:1: unknown key 'vm.sokket'"},
      {"[[vm]]\nlabel = \"a\"\n", HP4 "f:1:1: key 'vm.socket' is missing"},
      {"[[vm]]\nlabel = \"\"\n", HP4 "f:2:9: key 'vm.label': want 1 to 128"},
      {"[[vm]]\nlabel = \"a\\u001b[2J\"\n", HP4 "f:2:9: key 'vm.label': "},
      {"[[vm]]\nlabel = \"A\"\nsocket = \"s\"\nram = \"r\"\n",
       HP4 "f:2:9: key 'vm.label': want 1 to 128 of"},
      {"[[vm]]\nlabel = \"a\"\nsocket = \"" + std::string(108, 's') + "\"\n",
       HP4 "f:3:10: key 'vm.socket': want 1 to 107"},
      {"[[vm]]\nlabel = \"a\"\nsocket = \"s\"\nram = \"r\"\n",
       HP4 "f:1:1: key 'vm.endpoints' is missing"},
      {"[[vm]]\nlabel = \"a\"\nsocket = \"s\"\nram = \"r\"\nendpoints = 1\n",
       HP4 "f:5:13: key 'vm.endpoints': want a table"},
      {std::string(kMaxConfigSize + 1, '#'), HP2 "f: longer than 1048576"},
  };
  for (const auto& row : rows) {
    const auto config = ParseConfig(row.text, "f");
    ASSERT_FALSE(config.ok()) << row.text;
    EXPECT_TRUE(absl::StartsWith(config.status().message(), row.message))
        << config.status().message() << "\nexpected " << row.message;
  }
}

TEST(Config, EndpointsAreHostAndPort) {
  const std::string head =
      "[[vm]]\nlabel = \"a\"\nsocket = \"s\"\nram = \"r\"\n[vm.endpoints]\n";
  for (const std::string_view good :
       {"e = \"h:1\"", "e = \"h:65535\"", "e = \"[fe80::1%eth0]:1\""}) {
    EXPECT_TRUE(ParseConfig(head + std::string(good), "f").ok()) << good;
  }
  for (const std::string_view bad :
       {"e = \"h\"", "e = \":1\"", "e = \"h:\"", "e = \"h:0\"",
        "e = \"h:65536\"", "e = \"h:-1\"", "e = \"h:+1\"", "e = \"h: 1\"",
        "e = \"::1:1\"", "e = \"[]:1\"", "E = \"h:1\"", "e = 1", ""}) {
    EXPECT_FALSE(ParseConfig(head + std::string(bad), "f").ok()) << bad;
  }
}

TEST(Config, NothingIsUsedTwice) {
  for (const std::string_view line :
       {"demo/vm1", "/run/vm1.sock", "/dev/shm/vm1"}) {
    std::string text(kGood);
    const std::string_view other = line == "demo/vm1"        ? "vm2"
                                   : line == "/run/vm1.sock" ? "/run/vm2.sock"
                                                             : "/dev/shm/vm2";
    text.replace(text.find("\"" + std::string(other) + "\"") + 1, other.size(),
                 line);
    EXPECT_FALSE(ParseConfig(text, "f").ok()) << line;
  }
}

// An error with a place, or a configuration in which nothing is missing.
void ExpectErrorOrWhole(std::string_view text) {
  const auto config = ParseConfig(text, "f");
  if (!config.ok()) {
    EXPECT_TRUE(absl::StrContains(config.status().message(), ": f:")) << text;
    return;
  }
  EXPECT_GE(config->vms.size(), 1u) << text;
  for (const VmConfig& vm : config->vms) {
    EXPECT_FALSE(vm.label.empty() || vm.socket.empty() || vm.ram.empty() ||
                 vm.endpoints.empty())
        << text;
    for (const auto& [name, endpoint] : vm.endpoints) {
      EXPECT_FALSE(name.empty() || endpoint.host.empty()) << text;
      EXPECT_NE(endpoint.port, 0) << text;
    }
  }
}

TEST(Config, EveryTruncationIsAnErrorOrAWholeConfiguration) {
  for (size_t size = 0; size < kGood.size(); ++size) {
    ExpectErrorOrWhole(kGood.substr(0, size));
  }
}

TEST(Config, EveryFlippedBitIsAnErrorOrAWholeConfiguration) {
  std::string text(kGood);
  for (size_t bit = 0; bit < 8 * text.size(); ++bit) {
    text[bit / 8] = static_cast<char>(kGood[bit / 8] ^ 1 << bit % 8);
    ExpectErrorOrWhole(text);
    text[bit / 8] = kGood[bit / 8];
  }
}

TEST(Config, TooLargeAFileIsRefused) {
  EXPECT_FALSE(ParseConfig(std::string(kMaxConfigSize + 1, '\n'), "f").ok());
}

}  // namespace
}  // namespace host_proxy
