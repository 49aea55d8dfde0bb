// SPDX-License-Identifier: Apache-2.0
//
// Policy::Parse: the keys at the top of the file, and [images] and [boot].
#include <algorithm>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "verifier/endorsements/amd_roots.h"
#include "verifier/finding.h"
#include "verifier/policy/path_pattern.h"
#include "verifier/policy/policy.h"
#include "verifier/policy/policy_tables.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

constexpr size_t kMaxFile = 256 * 1024;
constexpr size_t kMaxPairs = 1024;  // of `vms` and `secrets`
constexpr int64_t kVersion = 2;
constexpr uint32_t kLowestReport = 2, kHighestReport = 5;

using Empty = TomlTable::Empty;
using hosted::IsWord;
using hosted::ReadHex;

void ReadPatterns(TomlTable& reader, std::string_view key,
                  VmPlaceholder placeholder, std::vector<std::string>& out) {
  const toml::node* node = reader.Require(key);
  if (node == nullptr) return;
  reader.Strings(
      key, *node, Empty::kRefused,
      [&](const std::string& text, const toml::node& at) {
        if (!ValidPattern(text, placeholder)) {
          reader.Bad(at, key, "want parts of [a-z0-9._-] or * between slashes");
          return;
        }
        out.push_back(text);
      });
}

// Name, VMs and secrets, and then roots: the same in version 1.
void ReadNames(TomlTable& reader, Policy& policy) {
  policy.name = reader.String("name");
  if (reader.ok() && !ValidName(policy.name)) {
    reader.BadAt("name", "want 1 to 128 bytes of [a-z0-9._/-]");
  }
  ReadPatterns(reader, "vms", VmPlaceholder::kRefused, policy.vms);
  ReadPatterns(reader, "secrets", VmPlaceholder::kAllowed, policy.secrets);
  if (!reader.ok()) return;
  // They are compared each with each, whenever a policy is read.
  if (policy.vms.size() * policy.secrets.size() > kMaxPairs) {
    reader.BadAt("secrets",
                 "more than 1024 pairs of a VM and a secret; use patterns");
    return;
  }
  const std::string shared = policy.AmbiguousPath();
  if (!shared.empty()) reader.FailAt(kPolicyAmbiguousVm, "secrets", shared);
}

std::optional<sev::Product> ProductOfWord(std::string_view word) {
  for (const sev::Product product : sev::kProducts) {
    if (word == WordOf(product)) return product;
  }
  return std::nullopt;
}

std::optional<ossl::Digest256> RootOf(std::string_view text) {
  ossl::Digest256 digest;
  if (ReadHex(text, "sha256:", digest)) return digest;
  for (const AmdRoot& root : AmdRoots()) {
    if (text == absl::StrCat("amd:", WordOf(root.product))) return root.sha256;
  }
  return std::nullopt;
}

void ReadRoots(TomlTable& reader, Policy& policy) {
  const toml::node* node = reader.Require("roots");
  if (node == nullptr) return;
  reader.Strings("roots", *node, Empty::kRefused,
                 [&](std::string_view text, const toml::node& at) {
                   const auto root = RootOf(text);
                   if (!root) {
                     reader.Bad(at, "roots",
                                "want \"amd:milan\", \"amd:genoa\", "
                                "\"amd:turin\", or \"sha256:\" and 64 hex "
                                "digits");
                     return;
                   }
                   policy.roots.push_back(*root);
                 });
  const auto amd =
      std::count_if(policy.roots.begin(), policy.roots.end(), IsAmdRoot);
  if (amd != 0 && amd != static_cast<ptrdiff_t>(policy.roots.size())) {
    reader.Fail(kPolicyMixedRoots, *node, "roots",
                "an AMD root and another root in one policy");
  }
}

// Each of AMD's roots is of one product: what is in one list only is a slip.
void CompareWithRoots(TomlTable& reader, const Policy& policy) {
  if (!reader.ok() || policy.emulated()) return;
  for (const AmdRoot& root : AmdRoots()) {
    const bool named = std::find(policy.roots.begin(), policy.roots.end(),
                                 root.sha256) != policy.roots.end();
    const bool wanted = policy.RuleFor(root.product) != nullptr;
    if (named == wanted) continue;
    const std::string word = WordOf(root.product);
    reader.BadAt("products",
                 named ? absl::StrCat("\"amd:", word, "\" is in roots, \"",
                                      word, "\" is not here")
                       : absl::StrCat("\"", word, "\" is here, \"amd:", word,
                                      "\" is not in roots"));
  }
}

void ReadProducts(TomlTable& reader, Policy& policy) {
  const toml::node* node = reader.Require("products");
  if (node == nullptr) return;
  reader.Strings("products", *node, Empty::kRefused,
                 [&](std::string_view text, const toml::node& at) {
                   const auto product = ProductOfWord(text);
                   if (!product) {
                     reader.Bad(
                         at, "products",
                         "want \"milan\", \"genoa\" or \"turin\"; Bergamo and "
                         "Siena are \"genoa\"");
                   } else if (policy.RuleFor(*product) != nullptr) {
                     reader.Bad(at, "products", "named twice");
                   } else {
                     policy.products.push_back({.product = *product});
                   }
                 });
  CompareWithRoots(reader, policy);
}

void ReadReportVersions(TomlTable& reader, Policy& policy) {
  constexpr std::string_view kKey = "report_versions";
  const toml::node* node = reader.Require(kKey);
  if (node == nullptr) return;
  if (IsWord(*node, "any")) {
    policy.report_versions.any = true;
    return;
  }
  for (const toml::node* element : reader.List(kKey, *node, Empty::kRefused)) {
    policy.report_versions.values.push_back(static_cast<uint32_t>(
        reader.Integer(kKey, *element, kLowestReport, kHighestReport,
                       "want \"any\", or a list of numbers from 2 to 5")));
  }
}

// Absent from policies that are older than the key: what they allow stays.
void ReadTcbAboveCurrent(TomlTable& reader, Policy& policy) {
  constexpr std::string_view kKey = "tcb_above_current";
  const toml::node* node = reader.Find(kKey);
  if (node == nullptr) return;
  policy.tcb_above_current =
      reader.Choice<bool>(kKey, *node, {{"forbidden", false}, {"any", true}});
}

// Names are keys, so one with a dot must stand in quotes.
void ReadImages(TomlTable& top, Policy& policy) {
  if (top.Find("images") == nullptr) return;
  TomlTable reader = top.Table("images");
  for (const auto& [key, node] : reader.table()) {
    const std::string name(key.str());
    ossl::Digest384 digest;
    if (node.is_table()) {
      reader.Bad(node, name,
                 "a name with a dot needs quotes: \"web-1.4\" = \"...\"");
    } else if (!ValidName(name) || name.find('/') != std::string::npos) {
      reader.Bad(node, name, "want a name of [a-z0-9._-]");
    } else if (!node.is_string() ||
               !ReadHex(node.as_string()->get(), "", digest)) {
      reader.Bad(node, name, "want 96 hex digits");
    } else {
      policy.images.emplace_back(name, digest);
    }
  }
}

enum class NoneWord { kRefused, kAllowed };

BootRule ReadBootRule(TomlTable& reader, std::string_view key, NoneWord none,
                      bool unattested_boot) {
  BootRule rule;
  const toml::node* node = reader.Require(key);
  if (node == nullptr) return rule;
  if (!node->is_string()) {
    ReadDigests(reader, key, *node, "sha384:", rule.digests);
  } else if (IsWord(*node, "none") && none == NoneWord::kAllowed) {
    rule.kind = BootRule::Kind::kNone;
  } else if (IsWord(*node, "any")) {
    rule.kind = BootRule::Kind::kAny;
    if (!unattested_boot) {
      reader.Fail(kPolicyUnattestedBoot, *node, key,
                  "\"any\" needs unattested_boot = true");
    }
  } else {
    reader.Bad(*node, key,
               none == NoneWord::kAllowed
                   ? "want a list of digests, \"none\" or \"any\""
                   : "want a list of digests or \"any\"");
  }
  return rule;
}

// Says what the file must be, whatever its version is.
void ReadVersion(TomlTable& reader, bool& outdated) {
  const toml::node* version = reader.Require("version");
  if (version == nullptr) return;
  const auto number = version->value<int64_t>();
  if (version->is_integer() && number == 1) {
    outdated = true;
  } else if (!version->is_integer() || number != kVersion) {
    reader.Bad(*version, "version", "want 2");
  }
}

void ReadConditions(TomlTable& reader, Policy& policy) {
  ReadProducts(reader, policy);
  ReadReportVersions(reader, policy);
  ReadTcbAboveCurrent(reader, policy);
  policy.unattested_boot = reader.Bool("unattested_boot");
  ReadImages(reader, policy);
  ReadLaunch(reader, policy);
  ReadGuestPolicy(reader, policy);
  ReadPlatformInfo(reader, policy);
  ReadSigner(reader, policy);
  ReadMinimumTcb(reader, policy);
  ReadBoot(reader, policy);
  reader.RefuseUnknown();
}

enum class Outdated { kRefused, kGrantsNothing };

absl::StatusOr<Policy> Read(std::string_view text, std::string_view file,
                            Outdated outdated) {
  hosted::TomlErrors errors(file, {.rows = ReasonRows(),
                                   .syntax = kPolicySyntax,
                                   .unknown_key = kPolicyUnknownKey,
                                   .missing_key = kPolicyMissingKey,
                                   .bad_value = kPolicyBadValue});
  const auto parsed = hosted::ParseToml(text, kMaxFile, errors);
  if (!parsed) return errors.status();
  Policy policy;
  TomlTable reader(*parsed, "", errors);
  ReadVersion(reader, policy.outdated);
  // Version 1, too, and the other TOML file that an owner has.
  if (policy.outdated && reader.Find("verifier_pins") != nullptr) {
    reader.FailAt(kPolicyIsImageConfig, "verifier_pins",
                  "no policy has pins; forelock image configure takes this "
                  "file");
    return errors.status();
  }
  if (policy.outdated && outdated == Outdated::kRefused) {
    reader.FailAt(kPolicyVersion, "version",
                  "1 is no longer read; write version = 2 and the keys that "
                  "docs/policy.md, \"From version 1\", lists");
  }
  ReadNames(reader, policy);
  ReadRoots(reader, policy);
  if (!policy.outdated) ReadConditions(reader, policy);
  if (!errors.ok()) return errors.status();
  return policy;
}

}  // namespace

void ReadBoot(TomlTable& top, Policy& policy) {
  TomlTable reader = top.Table("boot");
  const bool any = policy.unattested_boot;
  policy.kernel = ReadBootRule(reader, "kernel", NoneWord::kRefused, any);
  policy.initrd = ReadBootRule(reader, "initrd", NoneWord::kRefused, any);
  policy.command_line =
      ReadBootRule(reader, "command_line", NoneWord::kRefused, any);
  policy.acpi = ReadBootRule(reader, "acpi", NoneWord::kAllowed, any);
  reader.RefuseUnknown();
}

absl::StatusOr<Policy> Policy::Parse(std::string_view text,
                                     std::string_view file) {
  return Read(text, file, Outdated::kRefused);
}

absl::StatusOr<Policy> Policy::ParseStored(std::string_view text,
                                           std::string_view file) {
  return Read(text, file, Outdated::kGrantsNothing);
}

}  // namespace verifier
