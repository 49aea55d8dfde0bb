// SPDX-License-Identifier: Apache-2.0
//
// Reading a TOML table whose every key must be known, with errors that name
// file, line and column. Private to guest_toml.cc.
#pragma once

#include <algorithm>
#include <array>
#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "launch/error.h"
#include "launch/reasons.h"
#include "proto/config.h"
#include "toml++/toml.h"

namespace launch {

// The first error of a file; later ones are dropped.
class Errors {
 public:
  explicit Errors(const std::string& file_name) : file_name_(file_name) {}

  void Add(base::Reason reason, const toml::source_region& where,
           std::string_view text) {
    // A misspelt key is unknown and missing at once: the first says more.
    const bool better = missing_ && reason == kTomlUnknownKey;
    if (!status_.ok() && !better) return;
    missing_ = reason == kTomlMissingKey;
    status_ = Error(
        reason, absl::StrFormat("%s:%d:%d: %s", file_name_, where.begin.line,
                                where.begin.column, text));
  }
  bool ok() const { return status_.ok(); }
  const absl::Status& status() const { return status_; }

 private:
  std::string file_name_;
  absl::Status status_;
  bool missing_ = false;  // status_ says that a key is missing.
};

enum class Presence : uint8_t { kRequired, kOptional };

// One table whose every key must be asked for.
class Table {
 public:
  Table(const toml::table& table, std::string name, Errors& errors)
      : table_(table), name_(std::move(name)), errors_(errors) {}

  // nullptr: absent; an error if it is required.
  const toml::node* Get(std::string_view key, Presence presence) {
    known_.insert(std::string(key));
    const toml::node* node = table_.get(key);
    if (node == nullptr && presence == Presence::kRequired) {
      errors_.Add(kTomlMissingKey, table_.source(),
                  absl::StrCat("key '", name_, key, "' is missing"));
    }
    return node;
  }

  std::string Text(std::string_view key, Presence presence) {
    const toml::node* node = Get(key, presence);
    if (node == nullptr) return "";
    return TextOf(*node, key);
  }
  std::string TextOf(const toml::node& node, std::string_view key) {
    const auto* value = node.as_string();
    if (value == nullptr || value->get().empty()) {
      Bad(node, key, "wants text");
      return "";
    }
    return value->get();
  }

  uint32_t Number(std::string_view key, Presence presence, uint32_t absent) {
    const toml::node* node = Get(key, presence);
    if (node == nullptr) return absent;
    const auto* value = node->as_integer();
    if (value == nullptr || value->get() < 0 || value->get() > UINT32_MAX) {
      Bad(*node, key, "wants a whole number");
      return absent;
    }
    return static_cast<uint32_t>(value->get());
  }

  // One of a few words.
  template <typename T>
  T Choice(std::string_view key, Presence presence,
           std::initializer_list<std::pair<std::string_view, T>> choices) {
    const toml::node* node = Get(key, presence);
    if (node == nullptr) return choices.begin()->second;
    const std::string text = TextOf(*node, key);
    std::string words;
    for (const auto& [word, value] : choices) {
      if (text == word) return value;
      absl::StrAppend(&words, words.empty() ? "" : " or ", "\"", word, "\"");
    }
    Bad(*node, key, absl::StrCat("wants ", words));
    return choices.begin()->second;
  }

  // PREFIX and hexadecimal digits for exactly out.size() bytes.
  template <size_t kSize>
  void Digest(const toml::node& node, std::string_view key,
              std::string_view prefix, std::array<uint8_t, kSize>& out) {
    const std::string text = TextOf(node, key);
    std::string bytes;
    if (!text.starts_with(prefix) || text.size() != prefix.size() + 2 * kSize ||
        !absl::HexStringToBytes(std::string_view(text).substr(prefix.size()),
                                &bytes)) {
      Bad(node, key,
          absl::StrCat("wants ", prefix, " and ", 2 * kSize, " hex digits"));
      return;
    }
    std::copy(bytes.begin(), bytes.end(), out.begin());
  }

  template <size_t kCapacity>
  void Fixed(std::string_view key, proto::FixedText<kCapacity>& out) {
    const toml::node* node = Get(key, Presence::kRequired);
    if (node == nullptr) return;
    if (!out.Assign(TextOf(*node, key))) {
      Bad(*node, key, absl::StrCat("is over ", kCapacity, " characters"));
    }
  }

  void Bad(const toml::node& node, std::string_view key,
           std::string_view what) {
    errors_.Add(kTomlBadValue, node.source(),
                absl::StrCat("key '", name_, key, "' ", what));
  }

  // Call last.
  void RefuseOtherKeys() {
    for (const auto& [key, node] : table_) {
      if (known_.contains(std::string(key.str()))) continue;
      errors_.Add(kTomlUnknownKey, key.source(),
                  absl::StrCat("unknown key '", name_, key.str(), "'"));
    }
  }

 private:
  const toml::table& table_;
  const std::string name_;  // with a trailing dot, or empty
  Errors& errors_;
  std::set<std::string> known_;
};

}  // namespace launch
