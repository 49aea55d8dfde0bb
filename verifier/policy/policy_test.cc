// SPDX-License-Identifier: Apache-2.0
#include "verifier/policy/policy.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "verifier/finding.h"
#include "verifier/policy/evaluate.h"
#include "verifier/policy/path_pattern.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

std::string Digest(char digit, size_t digits) {
  return std::string(digits, digit);
}

std::string Good() {
  return absl::StrCat(
      "version = 1\n"                 // line 1
      "name = \"demo\"\n"             // 2
      "vms = [\"demo/vm1\"]\n"        // 3
      "secrets = [\"demo/vm1/*\"]\n"  // 4
      "roots = [\"sha256:",
      Digest('a', 64),
      "\"]\n"  // 5
      "measurement = [\"",
      Digest('b', 96),
      "\"]\n"                      // 6
      "unattested_boot = false\n"  // 7
      "[boot]\n"                   // 8
      "kernel = [\"sha384:",
      Digest('1', 96),
      "\"]\n"  // 9
      "initrd = [\"sha384:",
      Digest('2', 96),
      "\"]\n"  // 10
      "command_line = [\"sha384:",
      Digest('3', 96),
      "\"]\n"  // 11
      "acpi = [\"sha384:",
      Digest('4', 96), "\"]\n");  // 12
}

Policy MustParse(const std::string& text) {
  auto policy = Policy::Parse(text, "p.toml");
  EXPECT_TRUE(policy.ok()) << policy.status();
  return policy.ok() ? *policy : Policy{};
}

template <size_t kSize>
std::array<uint8_t, kSize> Filled(uint8_t byte) {
  std::array<uint8_t, kSize> out;
  out.fill(byte);
  return out;
}

Facts GoodFacts() {
  Facts facts;
  facts.vm = "demo/vm1";
  facts.measurement = Filled<48>(0xbb);
  facts.root = Filled<32>(0xaa);
  facts.emulated = true;
  facts.allow_emulated = true;
  facts.boot.kernel = {10, Filled<48>(0x11)};
  facts.boot.initrd = {20, Filled<48>(0x22)};
  facts.boot.command_line = {30, Filled<48>(0x33)};
  facts.boot.acpi = Filled<48>(0x44);
  facts.boot.acpi_files = 3;
  return facts;
}

TEST(PathPattern, Names) {
  for (const char* name : {"a", "demo/vm1", "a.b_c-d/0"}) {
    EXPECT_TRUE(ValidName(name)) << name;
  }
  for (const std::string& name :
       {std::string(), std::string("/a"), std::string("a/"),
        std::string("a//b"), std::string("A"), std::string("a*"),
        std::string("a/*"), std::string("{vm}"), std::string("a\0b", 3),
        std::string(129, 'a')}) {
    EXPECT_FALSE(ValidName(name)) << name;
  }
}

TEST(PathPattern, OneStarIsOnePart) {
  EXPECT_TRUE(Matches("fleet/*", "fleet/a"));
  EXPECT_FALSE(Matches("fleet/*", "fleet/a/b"));
  EXPECT_FALSE(Matches("fleet/*", "fleet"));
  EXPECT_TRUE(Overlap("a/*/c", "a/b/*"));
  EXPECT_FALSE(Overlap("a/*/c", "a/b/d"));
  EXPECT_EQ(SubstituteVm("s/{vm}/*", "demo/vm1"), "s/demo/vm1/*");
}

TEST(Policy, OneVmNeverReachesAnothersSecrets) {
  const Policy policy = MustParse(absl::StrReplaceAll(
      Good(),
      {{"\"demo/vm1\"", "\"fleet/*\""}, {"\"demo/vm1/*\"", "\"{vm}/*\""}}));
  EXPECT_TRUE(policy.Gives("fleet/a", "fleet/a/disk"));
  EXPECT_FALSE(policy.Gives("fleet/a", "fleet/b/disk"));
  EXPECT_FALSE(policy.Gives("fleet/a", "fleet/a/b/disk"));
  EXPECT_FALSE(policy.Gives("demo/vm1", "demo/vm1/disk"));
  EXPECT_TRUE(policy.Governs("fleet/b/disk"));
}

TEST(Policy, SharedPathNamesWhatBothGovern) {
  const Policy one = MustParse(Good());
  const Policy two =
      MustParse(absl::StrReplaceAll(Good(), {{"demo/vm1/*", "demo/*/root"}}));
  const Policy apart =
      MustParse(absl::StrReplaceAll(Good(), {{"demo/vm1/*", "demo/vm2/*"}}));
  EXPECT_EQ(SharedPath(one, two), "demo/vm1/*");
  EXPECT_EQ(SharedPath(one, apart), "");
}

TEST(Policy, PairsOfVmAndSecretAreLimited) {
  const auto parse = [](int vm_count, int secret_count) {
    std::string vms, secrets;
    for (int i = 0; i < vm_count; ++i) absl::StrAppend(&vms, "\"v", i, "\",");
    for (int i = 0; i < secret_count; ++i) {
      absl::StrAppend(&secrets, "\"s", i, "/{vm}\",");
    }
    return Policy::Parse(
        absl::StrReplaceAll(
            Good(), {{"\"demo/vm1\"", vms}, {"\"demo/vm1/*\"", secrets}}),
        "p.toml");
  };
  EXPECT_TRUE(parse(32, 32).ok()) << parse(32, 32).status();
  EXPECT_FALSE(parse(32, 33).ok());
  EXPECT_NE(parse(32, 33).status().message().find("1024 pairs"),
            std::string_view::npos);
}

TEST(Policy, PlaceholderNeverGivesOnePathToTwoVms) {
  const auto parse = [](const char* vms, const char* secrets) {
    return Policy::Parse(
        absl::StrReplaceAll(
            Good(), {{"\"demo/vm1\"", vms}, {"\"demo/vm1/*\"", secrets}}),
        "p.toml");
  };
  // s/fleet/a/b/key would be fleet/a's and fleet/a/b's.
  const auto refused =
      parse(R"("fleet/*", "fleet/*/*")", R"("s/{vm}/*", "s/{vm}/*/*")");
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.status().message().find("VP20 "), std::string_view::npos)
      << refused.status();
  EXPECT_NE(refused.status().message().find("p.toml:4:11: secrets"),
            std::string_view::npos)
      << refused.status();
  EXPECT_FALSE(parse(R"("*")", R"("{vm}/*", "*/{vm}")").ok());
  EXPECT_FALSE(
      parse(R"("*", "*/a")", R"("{vm}/*", "{vm}/x/y", "{vm}/*/*")").ok());
  EXPECT_TRUE(parse(R"("fleet/*", "fleet/*/*")", R"("s/{vm}/key")").ok());
  EXPECT_TRUE(parse(R"("fleet/*", "demo/*")",
                    R"("s/{vm}/*", "s/{vm}/*/*", "t/{vm}", "shared/key")")
                  .ok());
  EXPECT_TRUE(
      parse(R"("fleet/a", "demo/b/c")", R"("s/{vm}/*", "s/{vm}/*/*")").ok());
}

struct BadCase {
  const char* name;
  const char* from;
  std::string to;
  const char* want;  // In the message.
};

class PolicyRefused : public testing::TestWithParam<BadCase> {};

TEST_P(PolicyRefused, WithReasonLineAndColumn) {
  std::string text = Good();
  ASSERT_NE(text.find(GetParam().from), std::string::npos);
  text = absl::StrReplaceAll(text, {{GetParam().from, GetParam().to}});
  const auto policy = Policy::Parse(text, "p.toml");
  ASSERT_FALSE(policy.ok());
  EXPECT_NE(policy.status().message().find(GetParam().want), std::string::npos)
      << policy.status();
}

INSTANTIATE_TEST_SUITE_P(
    All, PolicyRefused,
    testing::Values(
        BadCase{"syntax", "version = 1", "version = = 1", "VP1 "},
        BadCase{"syntax_place", "name = \"demo\"", "name = demo", "p.toml:2:"},
        BadCase{"version", "version = 1", "version = 2",
                "p.toml:1:11: version: want 1"},
        BadCase{"version_string", "version = 1", "version = \"1\"", "want 1"},
        BadCase{"no_version", "version = 1\n", "", "VP3 "},
        BadCase{"unknown_key", "version = 1\n", "version = 1\nfoo = 2\n",
                "p.toml:2:7: foo: not a key"},
        BadCase{"unknown_boot_key", "[boot]\n", "[boot]\nfoo = 2\n",
                "p.toml:9:7: boot.foo: not a key"},
        BadCase{"no_vms", "vms = [\"demo/vm1\"]\n", "", "vms: missing"},
        BadCase{"empty_vms", "vms = [\"demo/vm1\"]", "vms = []",
                "p.toml:3:7: vms: want a list"},
        BadCase{"bad_vm", "[\"demo/vm1\"]", "[\"demo//vm1\"]", "p.toml:3:8"},
        BadCase{"vm_placeholder", "[\"demo/vm1\"]", "[\"{vm}\"]", "VP4 "},
        BadCase{"part_star", "demo/vm1/*", "demo/vm*", "p.toml:4:12: secrets"},
        BadCase{"name", "\"demo\"", "\"De mo\"", "p.toml:2:8: name"},
        BadCase{"short_root", "sha256:a", "sha256:", "p.toml:5:10: roots"},
        BadCase{"no_prefix", "sha256:", "", "VP4 "},
        BadCase{"mixed_roots", "roots = [",
                "roots = [\"sha256:69d063b45344d26a2e94e1f4210de49ef555308287d4"
                "c174445c95639a540bcd\", ",
                "VP5 "},
        BadCase{"measurement_any", "measurement = [", "measurement = \"any\"#",
                "p.toml:6:15: measurement"},
        BadCase{"no_measurement", "measurement = [", "#", "VP3 "},
        BadCase{"any_without_line", "initrd = [", "initrd = \"any\" #", "VP6 "},
        BadCase{"no_boot", "[boot]", "[other]", "boot: missing"},
        BadCase{"no_kernel", "kernel = [", "# [", "boot.kernel: missing"},
        BadCase{"kernel_none", "kernel = [", "kernel = \"none\" #", "VP4 "},
        BadCase{"no_unattested", "unattested_boot = false\n", "", "VP3 "},
        BadCase{"unattested_text", "unattested_boot = false",
                "unattested_boot = \"no\"", "want true or false"},
        BadCase{"bits", "version = 1\n",
                "version = 1\nguest_policy_bits = [19]\n", "26 to 63"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Policy, EveryTruncationIsRefused) {
  const std::string good = Good();
  const size_t last = good.size() - 2;  // Only the last newline may go.
  for (size_t size = 0; size < last; ++size) {
    EXPECT_FALSE(Policy::Parse(good.substr(0, size), "p").ok()) << size;
  }
}

TEST(Evaluate, SatisfiedPolicyHasNoFinding) {
  EXPECT_TRUE(Evaluate(MustParse(Good()), GoodFacts()).empty());
}

TEST(Evaluate, EachFactCounts) {
  struct Case {
    base::Reason want;
    void (*change)(Facts&);
  };
  const Case cases[] = {
      {kVmNotNamed, [](Facts& f) { f.vm = "demo/vm2"; }},
      {kRootNotNamed, [](Facts& f) { (*f.root)[0] ^= 1; }},
      {kRootNotNamed, [](Facts& f) { f.root.reset(); }},
      {kEmulatedNotAllowed, [](Facts& f) { f.allow_emulated = false; }},
      {kMeasurementNotAllowed, [](Facts& f) { f.measurement[47] ^= 1; }},
      {kKernelNotAllowed, [](Facts& f) { f.boot.kernel->sha384[0] ^= 1; }},
      {kKernelNotAllowed, [](Facts& f) { f.boot.kernel.reset(); }},
      {kInitrdNotAllowed, [](Facts& f) { f.boot.initrd->sha384[0] ^= 1; }},
      {kInitrdNotAllowed, [](Facts& f) { f.boot.initrd.reset(); }},
      {kCommandLineNotAllowed,
       [](Facts& f) { f.boot.command_line->sha384[0] ^= 1; }},
      {kAcpiNotAllowed, [](Facts& f) { f.boot.acpi[0] ^= 1; }},
      {kAcpiNotAllowed, [](Facts& f) { f.boot.acpi_files = 0; }},
  };
  const Policy policy = MustParse(Good());
  for (const Case& c : cases) {
    Facts facts = GoodFacts();
    c.change(facts);
    const Findings findings = Evaluate(policy, facts);
    ASSERT_EQ(findings.size(), 1u) << ReasonCode(c.want);
    EXPECT_EQ(findings[0].reason, c.want);
  }
}

TEST(Evaluate, AllReasonsNotOnlyTheFirst) {
  Facts facts = GoodFacts();
  facts.boot.kernel.reset();
  facts.boot.acpi[0] ^= 1;
  facts.measurement[0] ^= 1;
  EXPECT_EQ(Evaluate(MustParse(Good()), facts).size(), 3u);
}

TEST(Evaluate, AcpiNoneMeansNone) {
  const Policy policy = MustParse(
      absl::StrReplaceAll(Good(), {{"acpi = [", "acpi = \"none\" #"}}));
  Facts facts = GoodFacts();
  ASSERT_EQ(Evaluate(policy, facts).size(), 1u);
  facts.boot.acpi_files = 0;
  EXPECT_TRUE(Evaluate(policy, facts).empty());
}

TEST(Evaluate, AnyLetsEverythingPass) {
  const Policy policy = MustParse(absl::StrReplaceAll(
      Good(), {{"kernel = [", "kernel = \"any\" #"},
               {"acpi = [", "acpi = \"any\" #"},
               {"unattested_boot = false", "unattested_boot = true"}}));
  Facts facts = GoodFacts();
  facts.boot.kernel->sha384[0] ^= 1;
  facts.boot.acpi[0] ^= 1;
  EXPECT_TRUE(Evaluate(policy, facts).empty());
}

}  // namespace
}  // namespace verifier
