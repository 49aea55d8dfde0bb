// SPDX-License-Identifier: Apache-2.0
#include "verifier/policy/policy.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "verifier/endorsements/amd_roots.h"
#include "verifier/policy/path_pattern.h"
#include "verifier/policy/policy_for_tests.h"

namespace verifier {
namespace {

std::string Good() { return testing::StrictPolicy(); }

Policy MustParse(const std::string& text) {
  auto policy = Policy::Parse(text, "p.toml");
  EXPECT_TRUE(policy.ok()) << policy.status();
  return policy.ok() ? *policy : Policy{};
}

// `text` with its line `number`, from 1, replaced; "" takes it out.
std::string WithLine(const std::string& text, size_t number,
                     const std::string& line) {
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  if (line.empty()) {
    lines.erase(lines.begin() + static_cast<ptrdiff_t>(number) - 1);
  } else {
    lines[number - 1] = line;
  }
  return absl::StrJoin(lines, "\n");
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
  EXPECT_NE(refused.status().message().find("p.toml:4:11: key 'secrets'"),
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

// Complete: whatever is left out, a key or a table, the policy does not load.
TEST(Policy, EveryKeyIsNeeded) {
  std::string table;
  size_t number = 0;
  for (const std::string& line :
       std::vector<std::string>(absl::StrSplit(Good(), '\n'))) {
    ++number;
    if (line.empty()) continue;
    if (line[0] == '[') {
      table = line.substr(1, line.size() - 2) + ".";
      continue;
    }
    const std::string key = line.substr(0, line.find(' '));
    const auto policy = Policy::Parse(WithLine(Good(), number, ""), "p.toml");
    ASSERT_FALSE(policy.ok()) << line;
    if (table == "images.") continue;  // Optional, but here it is named.
    EXPECT_NE(policy.status().message().find(
                  absl::StrCat("key '", table, key, "' is missing")),
              std::string_view::npos)
        << policy.status();
    EXPECT_NE(policy.status().message().find("VP3 "), std::string_view::npos);
  }
  EXPECT_EQ(number, 58u);  // With the empty one at the end.
}

TEST(Policy, EveryTableIsNeeded) {
  for (const char* table : {"launch", "guest_policy", "platform_info", "signer",
                            "minimum_tcb.milan", "minimum_tcb.turin", "boot"}) {
    const auto policy =
        Policy::Parse(absl::StrReplaceAll(
                          Good(), {{absl::StrCat("[", table, "]"), "[other]"}}),
                      "p.toml");
    ASSERT_FALSE(policy.ok()) << table;
    const std::string want = std::string_view(table).starts_with("minimum_tcb")
                                 ? absl::StrCat("key '", table, "' is missing")
                                 : absl::StrCat("; ", table, " is missing");
    EXPECT_NE(policy.status().message().find(want), std::string_view::npos)
        << policy.status();
  }
}

// The line to mend is the one that stands there.
TEST(Policy, AMistypedKeyIsNamedWithTheMissingOne) {
  struct Slip {
    const char *from, *to, *want;
  };
  const Slip slips[] = {
      {"version = 2", "versoin = 2",
       "p.toml:1:1: unknown key 'versoin'; version is missing"},
      {"roots =", "root =", "p.toml:5:1: unknown key 'root'; roots is missing"},
      {"minimum_guest_svn", "minimum_svn",
       "unknown key 'launch.minimum_svn'; minimum_guest_svn is missing"},
      {"single_socket", "single_soket",
       "p.toml:23:1: unknown key 'guest_policy.single_soket'; single_socket is "
       "missing"},
      {"[guest_policy]", "[guest_polcy]",
       "p.toml:19:2: unknown key 'guest_polcy'; guest_policy is missing"},
      {"[minimum_tcb.turin]", "[minimum_tcb.turn]",
       "unknown key 'minimum_tcb.turn'; turin is missing"},
      {"tee = 14", "teee = 14",
       "unknown key 'minimum_tcb.turin.reported.teee'; tee is missing"},
      {"command_line =", "commandline =",
       "unknown key 'boot.commandline'; command_line is missing"},
  };
  for (const Slip& slip : slips) {
    const auto policy = Policy::Parse(
        absl::StrReplaceAll(Good(), {{slip.from, slip.to}}), "p.toml");
    ASSERT_FALSE(policy.ok()) << slip.to;
    EXPECT_NE(policy.status().message().find(slip.want), std::string_view::npos)
        << policy.status();
    EXPECT_NE(policy.status().message().find("VP2 "), std::string_view::npos);
  }
}

TEST(Policy, EveryPartOfATcbIsNeeded) {
  for (const char* part :
       {"fmc = 12, ", "boot_loader = 13, ", "tee = 14, ", "snp = 15, "}) {
    const auto policy =
        Policy::Parse(absl::StrReplaceAll(Good(), {{part, ""}}), "p.toml");
    ASSERT_FALSE(policy.ok()) << part;
    EXPECT_NE(
        policy.status().message().find("p.toml:50:12: "
                                       "key 'minimum_tcb.turin.reported."),
        std::string_view::npos)
        << policy.status();
  }
}

TEST(Policy, UnknownKeysAreRefusedInEveryTable) {
  size_t number = 0;
  for (const std::string& line :
       std::vector<std::string>(absl::StrSplit(Good(), '\n'))) {
    ++number;
    if (line != "version = 2" && !line.starts_with("[")) continue;
    if (line == "[images]") continue;  // Its keys are names.
    const auto policy =
        Policy::Parse(WithLine(Good(), number, line + "\nfoo = 1"), "p.toml");
    ASSERT_FALSE(policy.ok()) << line;
    EXPECT_NE(policy.status().message().find(
                  absl::StrCat("p.toml:", number + 1, ":1: ")),
              std::string_view::npos)
        << policy.status();
    EXPECT_NE(policy.status().message().find("VP2 "), std::string_view::npos);
  }
}

TEST(Policy, ReadsWhatIsWritten) {
  const Policy policy = MustParse(Good());
  ASSERT_EQ(policy.products.size(), 2u);
  EXPECT_EQ(policy.RuleFor(sev::Product::kGenoa), nullptr);
  const ProductRule* turin = policy.RuleFor(sev::Product::kTurin);
  ASSERT_NE(turin, nullptr);
  EXPECT_EQ(turin->reported.value.fmc, 12);
  EXPECT_EQ(turin->reported.value.microcode, 81);
  EXPECT_TRUE(turin->committed.any);
  EXPECT_EQ(policy.measurement.values.size(), 2u);
  EXPECT_EQ(policy.measurement.values[0][0], 0xbb);
  EXPECT_EQ(policy.chips.values[1][7], 0x66);
  EXPECT_EQ(policy.chips.values[1][8], 0);
  EXPECT_EQ(policy.minimum_abi.value, (AbiVersion{1, 55}));
  EXPECT_EQ(policy.guest_policy_bits, uint64_t{1} << 26);
  EXPECT_TRUE(policy.emulated());
}

TEST(Policy, AmdRootsByName) {
  const Policy policy = MustParse(absl::StrReplaceAll(
      Good(), {{"\"sha256:" + testing::Digits('a', 64) + "\"",
                R"("amd:milan", "amd:turin")"}}));
  EXPECT_FALSE(policy.emulated());
  EXPECT_EQ(policy.roots.size(), 2u);
  EXPECT_EQ(ProductOfRoot(policy.roots[1]), sev::Product::kTurin);
}

TEST(Policy, AnIdKeyCanStandForTheMeasurement) {
  EXPECT_TRUE(
      MustParse(WithLine(Good(), 12, "measurement = \"any\"")).measurement.any);
}

// The other TOML file that an owner has; its version is 1, too.
TEST(Policy, AnImagesConfigurationIsSaidToBeOne) {
  const std::string config = R"(version = 1
platform = "emulated"
vm = "demo/vm1"
verifier = "verifier"
verifier_pins = ["sha256:00"]
)";
  for (const auto parse : {&Policy::Parse, &Policy::ParseStored}) {
    const auto refused = parse(config, "vm1.toml");
    ASSERT_FALSE(refused.ok());
    const std::string_view message = refused.status().message();
    EXPECT_TRUE(message.starts_with("VP45 ")) << message;
    EXPECT_NE(message.find("forelock image configure takes this file"),
              std::string_view::npos)
        << message;
  }
}

TEST(Policy, OfAnOlderVersionGovernsAndGrantsNothing) {
  const std::string old = R"(version = 1
name = "old"
vms = ["demo/*"]
secrets = ["{vm}/key"]
roots = ["amd:milan"]
measurement = ["00"]
)";
  const auto refused = Policy::Parse(old, "p.toml");
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.status().message().find("VP21 "), std::string_view::npos);
  EXPECT_NE(
      refused.status().message().find("p.toml:1:11: key 'version': 1 is no "
                                      "longer read; write version = 2"),
      std::string_view::npos)
      << refused.status();
  const auto stored = Policy::ParseStored(old, "p.toml");
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_TRUE(stored->outdated);
  EXPECT_TRUE(stored->Governs("demo/a/key"));
  EXPECT_FALSE(stored->emulated());
  EXPECT_TRUE(stored->products.empty());
  EXPECT_FALSE(Policy::ParseStored("version = 3\n", "p.toml").ok());
}

struct BadCase {
  const char* name;
  const char* from;
  std::string to;
  const char* want;  // In the message.
};

class PolicyRefused : public ::testing::TestWithParam<BadCase> {};

TEST_P(PolicyRefused, WithReasonLineAndColumn) {
  std::string text = Good();
  ASSERT_NE(text.find(GetParam().from), std::string::npos);
  text = absl::StrReplaceAll(text, {{GetParam().from, GetParam().to}});
  const auto policy = Policy::Parse(text, "p.toml");
  ASSERT_FALSE(policy.ok());
  EXPECT_NE(policy.status().message().find(GetParam().want), std::string::npos)
      << policy.status();
}

const std::string kMilanPin =
    "69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd";

INSTANTIATE_TEST_SUITE_P(
    All, PolicyRefused,
    ::testing::Values(
        BadCase{"syntax", "version = 2", "version = = 2", "VP1 "},
        BadCase{"syntax_place", "name = \"demo\"", "name = demo", "p.toml:2:"},
        BadCase{"version", "version = 2", "version = 3",
                "p.toml:1:11: key 'version': want 2"},
        BadCase{"version_string", "version = 2", "version = \"2\"", "want 2"},
        BadCase{"empty_vms", "vms = [\"demo/vm1\"]", "vms = []",
                "p.toml:3:7: key 'vms': want a list"},
        BadCase{"bad_vm", "[\"demo/vm1\"]", "[\"demo//vm1\"]", "p.toml:3:8"},
        BadCase{"vm_placeholder", "[\"demo/vm1\"]", "[\"{vm}\"]", "VP4 "},
        BadCase{"part_star", "demo/vm1/*", "demo/vm*",
                "p.toml:4:12: key 'secrets'"},
        BadCase{"name", "\"demo\"", "\"De mo\"", "p.toml:2:8: key 'name'"},
        BadCase{"short_root", "sha256:a",
                "sha256:", "p.toml:5:10: key 'roots'"},
        BadCase{"no_prefix", "sha256:", "", "VP4 "},
        BadCase{"unknown_amd",
                "[\"sha256:", "[\"amd:rome\", \"sha256:", "want \"amd:milan\""},
        BadCase{"mixed_roots", "roots = [", "roots = [\"amd:genoa\", ", "VP5 "},
        BadCase{"mixed_by_digest", "roots = [",
                "roots = [\"sha256:" + kMilanPin + "\", ", "VP5 "},
        BadCase{"root_without_product", "roots = [",
                "roots = [\"amd:milan\", \"amd:genoa\"] #",
                "p.toml:6:12: key 'products': \"amd:genoa\" is in roots"},
        BadCase{"product_without_root", "roots = [",
                "roots = [\"amd:milan\"] #",
                "p.toml:6:12: key 'products': \"turin\" is here"},
        BadCase{"bergamo", "\"milan\", \"turin\"", "\"milan\", \"bergamo\"",
                "p.toml:6:22: key 'products'"},
        BadCase{"product_twice", "\"turin\"]", "\"turin\", \"turin\"]",
                "named twice"},
        BadCase{"product_any", "[\"milan\", \"turin\"]", "\"any\"",
                "p.toml:6:12: key 'products': want a list"},
        BadCase{"report_version", "[3, 5]", "[3, 6]",
                "p.toml:7:23: key 'report_versions'"},
        BadCase{"report_version_word", "[3, 5]", "\"all\"", "VP4 "},
        BadCase{"above_current_word", "unattested_boot",
                "tcb_above_current = \"no\" #",
                "p.toml:8:21: key 'tcb_above_current': want \"forbidden\" or "
                "\"any\""},
        BadCase{"above_current_bool", "unattested_boot",
                "tcb_above_current = true #",
                "p.toml:8:21: key 'tcb_above_current': want \"forbidden\""},
        BadCase{"image_dot", "\"web-1.4\" = ", "web-1.4 = ",
                "p.toml:10:1: key 'images.web-1': a name with a dot"},
        BadCase{"image_digest", "\"web-1.4\" = \"b", "\"web-1.4\" = \"",
                "p.toml:10:13: key 'images.web-1.4': want 96"},
        BadCase{"image_unknown", "image:web-1.4", "image:web-1.5", "VP24 "},
        BadCase{"measurement_short", "\"image:web-1.4\"", "\"00\"",
                "p.toml:12:16: key 'launch.measurement': want 96"},
        BadCase{"host_data_word", "host_data = [", "host_data = \"all\" #",
                "p.toml:17:13: key 'launch.host_data': want \"any\""},
        BadCase{"host_data_short", "host_data = [\"3", "host_data = [\"",
                "p.toml:17:14: key 'launch.host_data': want 64 hex digits"},
        BadCase{"kernel_short", "kernel = [\"sha384:", "kernel = [\"sha384:00",
                "key 'boot.kernel': want \"sha384:\" and 96 hex digits"},
        BadCase{"svn_negative", "minimum_guest_svn = 7",
                "minimum_guest_svn = -1", "p.toml:18:21"},
        BadCase{"svn_large", "minimum_guest_svn = 7",
                "minimum_guest_svn = 4294967296", "p.toml:18:21"},
        BadCase{"debug_any", "debug = \"forbidden\"", "debug = \"any\"",
                "VP23 "},
        BadCase{"debug_required", "debug = \"forbidden\"",
                "debug = \"required\"",
                "p.toml:22:9: key 'guest_policy.debug'"},
        BadCase{"migration_any", "migration_agent = \"forbidden\"",
                "migration_agent = \"any\"", "VP23 "},
        BadCase{"smt_word", "smt = \"forbidden\"", "smt = \"off\"",
                "p.toml:20:7: key 'guest_policy.smt'"},
        BadCase{"smt_bool", "smt = \"forbidden\"", "smt = false",
                "key 'guest_policy.smt': want a string"},
        BadCase{"abi_number", "minimum_abi = \"1.55\"", "minimum_abi = 1.55",
                "p.toml:29:15: key 'guest_policy.minimum_abi'"},
        BadCase{"abi_parts", "\"1.55\"", "\"1.55.3\"", "VP4 "},
        BadCase{"abi_sign", "\"1.55\"", "\"+1.55\"", "VP4 "},
        BadCase{"abi_large", "\"1.55\"", "\"1.256\"", "VP4 "},
        BadCase{"bits", "unknown_bits = [26]", "unknown_bits = [19]",
                "26 to 63"},
        BadCase{"vlek_word", "[\"CN=cloud.example\"]", "\"all\"",
                "p.toml:41:8: key 'signer.vlek'"},
        BadCase{"vlek_empty", "[\"CN=cloud.example\"]", "[\"\"]", "VP4 "},
        BadCase{"chips_empty", "chips = [", "chips = [] #",
                "p.toml:42:9: key 'signer.chips': want a list"},
        BadCase{"chip_short", "chips = [\"55", "chips = [\"5",
                "128 hex digits, or 16"},
        BadCase{"chip_masked", "chips_denied = [\"77",
                "chips_denied = [\"0000000000000000\", \"77",
                "p.toml:43:17: key 'signer.chips_denied': zeros"},
        BadCase{"crl", "crl = \"required\"", "crl = \"any\"",
                "p.toml:44:7: key 'signer.crl'"},
        BadCase{"tcb_number", "snp = 24", "snp = 256",
                "p.toml:46:46: key 'minimum_tcb.milan.reported.snp': want a "
                "number"},
        BadCase{"tcb_fmc_on_milan", "{ boot_loader = 4",
                "{ fmc = 1, boot_loader = 4",
                "unknown key 'minimum_tcb.milan.reported.fmc'"},
        BadCase{"tcb_of_other_product", "[boot]",
                "[minimum_tcb.genoa]\nreported = \"any\"\n[boot]",
                "unknown key 'minimum_tcb.genoa'"},
        BadCase{"tcb_word", "committed = \"any\"", "committed = \"none\"",
                "p.toml:51:13: key 'minimum_tcb.turin.committed'"},
        BadCase{"any_without_line", "initrd = [", "initrd = \"any\" #", "VP6 "},
        BadCase{"kernel_none", "kernel = [", "kernel = \"none\" #", "VP4 "},
        BadCase{"unattested_text", "unattested_boot = false",
                "unattested_boot = \"no\"", "want true or false"}),
    [](const auto& info) { return std::string(info.param.name); });

// Without a measurement, an ID key and a number say what may run.
TEST(Policy, UnpinnedIsRefused) {
  const std::string any = WithLine(Good(), 12, "measurement = \"any\"");
  for (const std::string& text :
       {WithLine(any, 13, "id_key_digest = \"any\""),
        WithLine(any, 13,
                 "id_key_digest = [\"" + testing::Digits('0', 96) + "\"]"),
        WithLine(any, 18, "minimum_guest_svn = \"any\"")}) {
    const auto policy = Policy::Parse(text, "p.toml");
    ASSERT_FALSE(policy.ok());
    EXPECT_NE(policy.status().message().find("VP22 "), std::string_view::npos)
        << policy.status();
    EXPECT_NE(policy.status().message().find("p.toml:12:15"),
              std::string_view::npos)
        << policy.status();
  }
}

TEST(Policy, EveryTruncationIsRefused) {
  const std::string good = Good();
  const size_t last = good.size() - 2;  // Only the last newline may go.
  for (size_t size = 0; size < last; ++size) {
    EXPECT_FALSE(Policy::Parse(good.substr(0, size), "p").ok()) << size;
  }
}

// No flipped bit makes a policy that says less than it must.
TEST(Policy, FlippedBitsNeverMakeItIncomplete) {
  const std::string good = Good();
  for (size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::string text = good;
    text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << bit % 8));
    const auto policy = Policy::Parse(text, "p");
    if (!policy.ok()) continue;
    EXPECT_FALSE(policy->outdated || policy->vms.empty() ||
                 policy->roots.empty() || policy->products.empty() ||
                 policy->measurement.values.empty());
  }
}

}  // namespace
}  // namespace verifier
