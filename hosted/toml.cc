// SPDX-License-Identifier: Apache-2.0
#include "hosted/toml.h"

#include <algorithm>

#include "absl/strings/escaping.h"

namespace hosted {
namespace {

constexpr size_t kMaxEntries = 4096;

const toml::table& EmptyTable() {
  static const auto& kEmpty = *new toml::table;
  return kEmpty;
}

}  // namespace

void TomlErrors::Say(base::Reason reason, const toml::source_region& where,
                     std::string_view what) {
  if (status_.ok()) SayInstead(reason, where, what);
}

void TomlErrors::SayInstead(base::Reason reason,
                            const toml::source_region& where,
                            std::string_view what) {
  status_ = Error(reasons_.rows, reason,
                  absl::StrCat(file_, ":", where.begin.line, ":",
                               where.begin.column, ": ", what));
}

void TomlErrors::SayOfFile(base::Reason reason, std::string_view what) {
  if (!status_.ok()) return;
  status_ = Error(reasons_.rows, reason, absl::StrCat(file_, ": ", what));
}

std::optional<toml::table> ParseToml(std::string_view text, size_t limit,
                                     TomlErrors& errors) {
  if (text.size() > limit) {
    errors.SayOfFile(errors.reasons().syntax,
                     absl::StrCat("longer than ", limit, " bytes"));
    return std::nullopt;
  }
  toml::parse_result parsed = third_party::ParseToml(text);
  if (!parsed) {
    errors.Say(errors.reasons().syntax, parsed.error().source(),
               parsed.error().description());
    return std::nullopt;
  }
  return std::move(parsed).table();
}

void TomlTable::Fail(base::Reason reason, const toml::node& at,
                     std::string_view key, std::string_view what) {
  errors_.Say(reason, at.source(),
              absl::StrCat("key '", prefix_, key, "': ", what));
}

const toml::node* TomlTable::Find(std::string_view key) {
  known_.emplace_back(key);
  return ok() ? table_.get(key) : nullptr;
}

const toml::node* TomlTable::Require(std::string_view key) {
  const toml::node* node = Find(key);
  if (node != nullptr || !ok()) return node;
  missing_ = key;
  errors_.Say(errors_.reasons().missing_key, table_.source(),
              absl::StrCat("key '", prefix_, key, "' is missing"));
  return nullptr;
}

std::string TomlTable::String(std::string_view key) {
  const toml::node* node = Require(key);
  return node == nullptr ? "" : StringOf(key, *node);
}

bool TomlTable::Bool(std::string_view key) {
  const toml::node* node = Require(key);
  if (node == nullptr) return false;
  if (!node->is_boolean()) {
    Bad(*node, key, "want true or false");
    return false;
  }
  return node->as_boolean()->get();
}

TomlTable TomlTable::Table(std::string_view key) {
  const toml::node* node = Require(key);
  if (node != nullptr) return TableOf(key, *node);
  return TomlTable(EmptyTable(), absl::StrCat(prefix_, key, "."), errors_);
}

std::string TomlTable::StringOf(std::string_view key, const toml::node& node) {
  if (node.is_string()) return node.as_string()->get();
  Bad(node, key, "want a string");
  return "";
}

uint64_t TomlTable::Integer(std::string_view key, const toml::node& node,
                            uint64_t low, uint64_t high,
                            std::string_view what) {
  const auto* value = node.as_integer();
  if (value == nullptr || value->get() < 0 ||
      static_cast<uint64_t>(value->get()) < low ||
      static_cast<uint64_t>(value->get()) > high) {
    Bad(node, key, what);
    return low;
  }
  return static_cast<uint64_t>(value->get());
}

TomlTable TomlTable::TableOf(std::string_view key, const toml::node& node,
                             std::string_view what) {
  if (!node.is_table()) Bad(node, key, what);
  return TomlTable(node.is_table() ? *node.as_table() : EmptyTable(),
                   absl::StrCat(prefix_, key, "."), errors_);
}

std::vector<const toml::node*> TomlTable::List(std::string_view key,
                                               const toml::node& node,
                                               Empty empty) {
  const toml::array* array = node.as_array();
  const bool usable = array != nullptr && array->size() <= kMaxEntries &&
                      (empty == Empty::kAllowed || !array->empty());
  if (!usable) {
    Bad(node, key,
        empty == Empty::kAllowed ? "want a list, 4096 entries at most"
                                 : "want a list, not empty");
    return {};
  }
  std::vector<const toml::node*> elements;
  for (const toml::node& element : *array) elements.push_back(&element);
  return elements;
}

void TomlTable::RefuseUnknown() {
  for (const auto& [key, node] : table_) {
    if (std::ranges::find(known_, key.str()) != known_.end()) continue;
    const std::string what =
        absl::StrCat("unknown key '", prefix_, key.str(), "'");
    if (missing_.empty()) {
      errors_.Say(errors_.reasons().unknown_key, key.source(), what);
    } else {
      errors_.SayInstead(errors_.reasons().unknown_key, key.source(),
                         absl::StrCat(what, "; ", missing_, " is missing"));
    }
    return;
  }
}

bool IsWord(const toml::node& node, std::string_view word) {
  return node.is_string() && node.as_string()->get() == word;
}

bool ReadHex(std::string_view text, std::string_view prefix,
             base::MutableBytes out) {
  std::string bytes;
  if (!text.starts_with(prefix) ||
      text.size() != prefix.size() + 2 * out.size() ||
      !absl::HexStringToBytes(text.substr(prefix.size()), &bytes)) {
    return false;
  }
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return true;
}

}  // namespace hosted
