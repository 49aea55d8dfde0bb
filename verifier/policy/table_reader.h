// SPDX-License-Identifier: Apache-2.0
//
// TableReader: reads the keys of one TOML table and refuses what is left over.
// Every refusal says "file:line:column: field: what is wrong". After the first
// one everything returns at once: readers of one file share a Refusal.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/result.h"
#include "third_party/toml.h"
#include "verifier/ossl/ossl.h"
#include "verifier/policy/policy.h"
#include "verifier/reasons.h"

namespace verifier {

class Refusal {
 public:
  explicit Refusal(std::string_view file) : file_(file) {}
  void Say(base::Reason reason, const toml::node& at, std::string_view field,
           std::string_view what);
  // Though another was said before.
  void SayInstead(base::Reason reason, const toml::node& at,
                  std::string_view field, std::string_view what);
  bool ok() const { return status_.ok(); }
  const absl::Status& status() const { return status_; }

 private:
  std::string file_;
  absl::Status status_;
};

class TableReader {
 public:
  // `prefix` is what the table's keys are called in messages: "boot.".
  TableReader(const toml::table& table, std::string prefix, Refusal& refusal)
      : table_(table), prefix_(std::move(prefix)), refusal_(refusal) {}

  bool ok() const { return refusal_.ok(); }
  void Fail(base::Reason reason, const toml::node& at, std::string_view key,
            std::string_view what) {
    refusal_.Say(reason, at, absl::StrCat(prefix_, key), what);
  }
  // At the key's value, which is there.
  void FailAt(std::string_view key, std::string_view what,
              base::Reason reason = kPolicyBadValue) {
    Fail(reason, *table_.get(key), key, what);
  }

  // null: absent, or failed.
  const toml::node* Find(std::string_view key);
  const toml::node* Require(std::string_view key);

  std::string String(std::string_view key);
  bool Bool(std::string_view key);
  // `what` says what is wanted if `node` is not an integer from `low` on.
  uint64_t Integer(std::string_view key, const toml::node& node, uint64_t low,
                   uint64_t high, std::string_view what);
  // A reader of the table under `key`; of an empty one after a failure.
  TableReader Table(std::string_view key);

  // Calls visit(text, node) for each string of a list.
  enum class Empty { kRefused, kAllowed };
  template <typename Visit>
  void Strings(std::string_view key, const toml::node& node, Empty empty,
               Visit visit) {
    for (const toml::node* element : List(key, node, empty)) {
      if (!ok()) return;
      if (!element->is_string()) {
        Fail(kPolicyBadValue, *element, key, "want a string");
        return;
      }
      visit(element->as_string()->get(), *element);
    }
  }
  // The elements; none after a failure.
  std::vector<const toml::node*> List(std::string_view key,
                                      const toml::node& node, Empty empty);

  // After the last key was asked for. A mistyped key is also a missing one:
  // the refusal then names what stands in the file.
  void RefuseUnknown();

  const toml::table& table() const { return table_; }

 private:
  const toml::table& table_;
  std::string prefix_;
  Refusal& refusal_;
  std::vector<std::string> known_;
  std::string missing_;  // The key that the refusal is about.
};

bool IsWord(const toml::node& node, std::string_view word);

// One value of `prefix` and hex digits; kSize bytes.
template <size_t kSize>
bool ReadHex(std::string_view text, std::string_view prefix,
             std::array<uint8_t, kSize>& out) {
  return text.starts_with(prefix) &&
         ossl::FromHex(text.substr(prefix.size()), out);
}

template <size_t kSize>
void ReadDigests(TableReader& reader, std::string_view key,
                 const toml::node& node, std::string_view prefix,
                 std::vector<std::array<uint8_t, kSize>>& out) {
  reader.Strings(
      key, node, TableReader::Empty::kRefused,
      [&](std::string_view text, const toml::node& at) {
        std::array<uint8_t, kSize> digest;
        if (!ReadHex(text, prefix, digest)) {
          const std::string with =
              prefix.empty() ? "" : absl::StrCat("\"", prefix, "\" and ");
          reader.Fail(kPolicyBadValue, at, key,
                      absl::StrCat("want ", with, 2 * kSize, " hex digits"));
          return;
        }
        out.push_back(digest);
      });
}

// Parts of the file, each in a table of its own.
void ReadLaunch(TableReader& top, Policy& policy);
void ReadGuestPolicy(TableReader& top, Policy& policy);
void ReadPlatformInfo(TableReader& top, Policy& policy);
void ReadSigner(TableReader& top, Policy& policy);
void ReadMinimumTcb(TableReader& top, Policy& policy);
void ReadBoot(TableReader& top, Policy& policy);

}  // namespace verifier
