// SPDX-License-Identifier: Apache-2.0
//
// TomlTable: reads the keys of one TOML table and refuses what is left over.
// Every message says where: "LA5 what: guest.toml:3:1: unknown key 'vn'".
// Only the first thing that is wrong is kept, and after it every read returns
// at once with nothing: readers of one file share a TomlErrors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/result.h"
#include "hosted/status.h"
#include "third_party/toml.h"

namespace hosted {

// What a module calls the ways in which its file can be wrong.
struct TomlReasons {
  ReasonRows rows;
  base::Reason syntax;  // also: too long
  base::Reason unknown_key;
  base::Reason missing_key;
  base::Reason bad_value;
};

class TomlErrors {
 public:
  // `file` is what messages call it.
  TomlErrors(std::string_view file, const TomlReasons& reasons)
      : file_(file), reasons_(reasons) {}

  // Dropped if something was said before. `reason` is one of reasons().rows.
  void Say(base::Reason reason, const toml::source_region& where,
           std::string_view what);
  // Though something was.
  void SayInstead(base::Reason reason, const toml::source_region& where,
                  std::string_view what);
  // Of the file as a whole.
  void SayOfFile(base::Reason reason, std::string_view what);

  bool ok() const { return status_.ok(); }
  const absl::Status& status() const { return status_; }
  const TomlReasons& reasons() const { return reasons_; }

 private:
  const std::string file_;
  const TomlReasons reasons_;
  absl::Status status_;
};

// nullopt, and `errors` says why: not TOML, or longer than `limit` bytes.
std::optional<toml::table> ParseToml(std::string_view text, size_t limit,
                                     TomlErrors& errors);

class TomlTable {
 public:
  // `prefix` is what the table's keys are called in messages: "boot.", or
  // nothing. Table and errors outlive this.
  TomlTable(const toml::table& table, std::string prefix, TomlErrors& errors)
      : table_(table), prefix_(std::move(prefix)), errors_(errors) {}

  bool ok() const { return errors_.ok(); }
  const toml::table& table() const { return table_; }

  // "key 'boot.kernel': WHAT", at a node of this table.
  void Fail(base::Reason reason, const toml::node& at, std::string_view key,
            std::string_view what);
  void Bad(const toml::node& at, std::string_view key, std::string_view what) {
    Fail(errors_.reasons().bad_value, at, key, what);
  }
  // At the key's value, which is there.
  void FailAt(base::Reason reason, std::string_view key,
              std::string_view what) {
    Fail(reason, *table_.get(key), key, what);
  }
  void BadAt(std::string_view key, std::string_view what) {
    FailAt(errors_.reasons().bad_value, key, what);
  }

  // null: absent, or something failed before. The first call for a key makes
  // it known.
  const toml::node* Find(std::string_view key);
  // null: absent, which is then said, or something failed before.
  const toml::node* Require(std::string_view key);

  // Of a key that must be there; nothing, false or 0 after a failure.
  std::string String(std::string_view key);
  bool Bool(std::string_view key);
  // A reader of the table under `key`; of an empty one after a failure.
  TomlTable Table(std::string_view key);

  // The same of a node that was found under `key`.
  std::string StringOf(std::string_view key, const toml::node& node);
  // `what` says what is wanted if the node is not an integer from `low` to
  // `high`; `low` is returned then.
  uint64_t Integer(std::string_view key, const toml::node& node, uint64_t low,
                   uint64_t high, std::string_view what);
  // A reader of the node's table; `what` as above.
  TomlTable TableOf(std::string_view key, const toml::node& node,
                    std::string_view what = "want a table");

  // One of a few words; the first of them after a failure.
  template <typename T>
  T Choice(std::string_view key, const toml::node& node,
           std::initializer_list<std::pair<std::string_view, T>> choices) {
    const auto* text = node.as_string();
    std::string words;
    for (const auto& [word, value] : choices) {
      if (text != nullptr && text->get() == word) return value;
      absl::StrAppend(&words, words.empty() ? "" : " or ", "\"", word, "\"");
    }
    Bad(node, key, absl::StrCat("want ", words));
    return choices.begin()->second;
  }

  // Calls visit(text, node) for each string of a list.
  enum class Empty : uint8_t { kRefused, kAllowed };
  template <typename Visit>
  void Strings(std::string_view key, const toml::node& node, Empty empty,
               Visit visit) {
    for (const toml::node* element : List(key, node, empty)) {
      if (!ok()) return;
      if (!element->is_string()) {
        Bad(*element, key, "want a string");
        return;
      }
      visit(element->as_string()->get(), *element);
    }
  }
  // The elements, 4096 at most; none after a failure.
  std::vector<const toml::node*> List(std::string_view key,
                                      const toml::node& node, Empty empty);

  // After the last key was asked for. A mistyped key is also a missing one:
  // the message then names what stands in the file, and both.
  void RefuseUnknown();

 private:
  const toml::table& table_;
  const std::string prefix_;  // with a dot at its end, or empty
  TomlErrors& errors_;
  std::vector<std::string> known_;
  std::string missing_;  // The key that the message is about.
};

bool IsWord(const toml::node& node, std::string_view word);

// `prefix` and hexadecimal digits of exactly out.size() bytes.
bool ReadHex(std::string_view text, std::string_view prefix,
             base::MutableBytes out);

}  // namespace hosted
