// SPDX-License-Identifier: Apache-2.0
//
// Policy::Parse. Every refusal says "file:line:column: field: what is wrong".
#include <algorithm>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "third_party/toml.h"
#include "verifier/evidence/amd_roots.h"
#include "verifier/finding.h"
#include "verifier/policy/path_pattern.h"
#include "verifier/policy/policy.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

constexpr size_t kMaxFile = 256 * 1024;
constexpr size_t kMaxEntries = 4096;
constexpr size_t kMaxPairs = 1024;     // of `vms` and `secrets`
constexpr int kLowestUnknownBit = 26;  // guest_policy_bits of ABI 1.58.

// Reads the keys of one table and refuses what is left over. After the first
// error everything returns at once.
class TableReader {
 public:
  TableReader(const toml::table& table, std::string_view file,
              std::string prefix)
      : table_(table), file_(file), prefix_(std::move(prefix)) {}

  const absl::Status& status() const { return status_; }

  void Fail(base::Reason reason, const toml::node& at, std::string_view field,
            std::string_view what) {
    const auto where = at.source().begin;
    if (status_.ok()) {
      status_ = Error(reason, absl::StatusCode::kInvalidArgument,
                      absl::StrCat(file_, ":", where.line, ":", where.column,
                                   ": ", prefix_, field, ": ", what));
    }
  }

  // null: failed, or absent and optional.
  const toml::node* Find(std::string_view key) {
    known_.emplace_back(key);
    return table_.get(key);
  }
  const toml::node* Require(std::string_view key) {
    const toml::node* node = Find(key);
    if (node == nullptr) Fail(kPolicyMissingKey, table_, key, "missing");
    return node;
  }

  std::string String(std::string_view key) {
    const toml::node* node = Require(key);
    if (node == nullptr) return "";
    if (!node->is_string()) {
      Fail(kPolicyBadValue, *node, key, "want a string");
      return "";
    }
    return node->as_string()->get();
  }

  bool Bool(std::string_view key) {
    const toml::node* node = Require(key);
    if (node == nullptr) return false;
    if (!node->is_boolean()) {
      Fail(kPolicyBadValue, *node, key, "want true or false");
      return false;
    }
    return node->as_boolean()->get();
  }

  // Calls visit(text, node) for each string of a non-empty array.
  template <typename Visit>
  void Strings(std::string_view key, const toml::node& node, Visit visit) {
    const toml::array* array = node.as_array();
    if (array == nullptr || array->empty() || array->size() > kMaxEntries) {
      Fail(kPolicyBadValue, node, key, "want a list of strings, not empty");
      return;
    }
    for (const toml::node& element : *array) {
      if (!status_.ok()) return;
      if (!element.is_string()) {
        Fail(kPolicyBadValue, element, key, "want a string");
        return;
      }
      visit(element.as_string()->get(), element);
    }
  }

  void RefuseUnknown() {
    for (const auto& [key, node] : table_) {
      if (std::find(known_.begin(), known_.end(), key.str()) == known_.end()) {
        Fail(kPolicyUnknownKey, node, key.str(), "not a key of a policy");
        return;
      }
    }
  }

 private:
  const toml::table& table_;
  std::string_view file_;
  std::string prefix_;
  std::vector<std::string> known_;
  absl::Status status_;
};

template <size_t kSize>
void ReadDigests(TableReader& reader, std::string_view key,
                 const toml::node& node, std::string_view prefix,
                 std::vector<std::array<uint8_t, kSize>>& out) {
  reader.Strings(key, node, [&](std::string_view text, const toml::node& at) {
    std::array<uint8_t, kSize> digest;
    std::string_view hex = text;
    if (!absl::ConsumePrefix(&hex, prefix) || !ossl::FromHex(hex, digest)) {
      reader.Fail(
          kPolicyBadValue, at, key,
          absl::StrCat("want \"", prefix, "\" and ", 2 * kSize, " hex digits"));
      return;
    }
    out.push_back(digest);
  });
}

void ReadPatterns(TableReader& reader, std::string_view key,
                  VmPlaceholder placeholder, std::vector<std::string>& out) {
  const toml::node* node = reader.Require(key);
  if (node == nullptr) return;
  reader.Strings(
      key, *node, [&](const std::string& text, const toml::node& at) {
        if (!ValidPattern(text, placeholder)) {
          reader.Fail(kPolicyBadValue, at, key,
                      "want parts of [a-z0-9._-] or * between slashes");
          return;
        }
        out.push_back(text);
      });
}

enum class NoneWord { kRefused, kAllowed };

BootRule ReadBootRule(TableReader& reader, std::string_view key, NoneWord none,
                      bool unattested_boot) {
  BootRule rule;
  const toml::node* node = reader.Require(key);
  if (node == nullptr) return rule;
  if (!node->is_string()) {
    ReadDigests(reader, key, *node, "sha384:", rule.digests);
    return rule;
  }
  const std::string& word = node->as_string()->get();
  if (word == "none" && none == NoneWord::kAllowed) {
    rule.kind = BootRule::Kind::kNone;
  } else if (word == "any") {
    rule.kind = BootRule::Kind::kAny;
    if (!unattested_boot) {
      reader.Fail(kPolicyUnattestedBoot, *node, key,
                  "\"any\" needs unattested_boot = true");
    }
  } else {
    reader.Fail(kPolicyBadValue, *node, key,
                none == NoneWord::kAllowed
                    ? "want a list of digests, \"none\" or \"any\""
                    : "want a list of digests or \"any\"");
  }
  return rule;
}

void ReadBoot(TableReader& top, std::string_view file, Policy& policy,
              absl::Status& status) {
  const toml::node* node = top.Require("boot");
  if (node == nullptr) return;
  if (!node->is_table()) {
    top.Fail(kPolicyBadValue, *node, "boot", "want a table");
    return;
  }
  TableReader reader(*node->as_table(), file, "boot.");
  const bool any = policy.unattested_boot;
  policy.kernel = ReadBootRule(reader, "kernel", NoneWord::kRefused, any);
  policy.initrd = ReadBootRule(reader, "initrd", NoneWord::kRefused, any);
  policy.command_line =
      ReadBootRule(reader, "command_line", NoneWord::kRefused, any);
  policy.acpi = ReadBootRule(reader, "acpi", NoneWord::kAllowed, any);
  reader.RefuseUnknown();
  status = reader.status();
}

void ReadRoots(TableReader& reader, Policy& policy) {
  const toml::node* node = reader.Require("roots");
  if (node == nullptr) return;
  ReadDigests(reader, "roots", *node, "sha256:", policy.roots);
  const auto amd =
      std::count_if(policy.roots.begin(), policy.roots.end(), IsAmdRoot);
  if (amd != 0 && amd != static_cast<ptrdiff_t>(policy.roots.size())) {
    reader.Fail(kPolicyMixedRoots, *node, "roots",
                "an AMD root and another root in one policy");
  }
}

void ReadGuestPolicyBits(TableReader& reader, Policy& policy) {
  const toml::node* node = reader.Find("guest_policy_bits");
  if (node == nullptr) return;
  const toml::array* array = node->as_array();
  if (array == nullptr) {
    reader.Fail(kPolicyBadValue, *node, "guest_policy_bits",
                "want a list of bit numbers");
    return;
  }
  for (const toml::node& element : *array) {
    const auto* bit = element.as_integer();
    if (bit == nullptr || bit->get() < kLowestUnknownBit || bit->get() > 63) {
      reader.Fail(kPolicyBadValue, element, "guest_policy_bits",
                  "want a bit number, 26 to 63");
      return;
    }
    policy.guest_policy_bits |= uint64_t{1} << bit->get();
  }
}

}  // namespace

absl::StatusOr<Policy> Policy::Parse(std::string_view text,
                                     std::string_view file) {
  if (text.size() > kMaxFile) {
    return Error(kPolicySyntax, absl::StatusCode::kInvalidArgument,
                 absl::StrCat(file, ": longer than ", kMaxFile, " bytes"));
  }
  const toml::parse_result parsed = third_party::ParseToml(text);
  if (!parsed) {
    const auto& error = parsed.error();
    return Error(
        kPolicySyntax, absl::StatusCode::kInvalidArgument,
        absl::StrCat(file, ":", error.source().begin.line, ":",
                     error.source().begin.column, ": ", error.description()));
  }
  Policy policy;
  TableReader reader(parsed.table(), file, "");
  const toml::node* version = reader.Require("version");
  if (version != nullptr && version->value<int64_t>() != 1) {
    reader.Fail(kPolicyBadValue, *version, "version", "want 1");
  }
  policy.name = reader.String("name");
  if (reader.status().ok() && !ValidName(policy.name)) {
    reader.Fail(kPolicyBadValue, *reader.Find("name"), "name",
                "want 1 to 128 bytes of [a-z0-9._/-]");
  }
  ReadPatterns(reader, "vms", VmPlaceholder::kRefused, policy.vms);
  ReadPatterns(reader, "secrets", VmPlaceholder::kAllowed, policy.secrets);
  if (reader.status().ok()) {
    // They are compared each with each, whenever a policy is read.
    if (policy.vms.size() * policy.secrets.size() > kMaxPairs) {
      reader.Fail(kPolicyBadValue, *reader.Find("secrets"), "secrets",
                  "more than 1024 pairs of a VM and a secret; use patterns");
    } else if (const std::string shared = policy.AmbiguousPath();
               !shared.empty()) {
      reader.Fail(kPolicyAmbiguousVm, *reader.Find("secrets"), "secrets",
                  shared);
    }
  }
  ReadRoots(reader, policy);
  if (const toml::node* node = reader.Require("measurement")) {
    ReadDigests(reader, "measurement", *node, "", policy.measurements);
  }
  policy.unattested_boot = reader.Bool("unattested_boot");
  ReadGuestPolicyBits(reader, policy);
  absl::Status boot;
  ReadBoot(reader, file, policy, boot);
  reader.RefuseUnknown();
  if (!reader.status().ok()) return reader.status();
  if (!boot.ok()) return boot;
  return policy;
}

}  // namespace verifier
