// SPDX-License-Identifier: Apache-2.0
#include "verifier/policy/table_reader.h"

#include "verifier/finding.h"

namespace verifier {
namespace {

constexpr size_t kMaxEntries = 4096;

}  // namespace

void Refusal::Say(base::Reason reason, const toml::node& at,
                  std::string_view field, std::string_view what) {
  if (status_.ok()) SayInstead(reason, at, field, what);
}

void Refusal::SayInstead(base::Reason reason, const toml::node& at,
                         std::string_view field, std::string_view what) {
  const auto where = at.source().begin;
  status_ = Error(reason, absl::StatusCode::kInvalidArgument,
                  absl::StrCat(file_, ":", where.line, ":", where.column, ": ",
                               field, ": ", what));
}

const toml::node* TableReader::Find(std::string_view key) {
  known_.emplace_back(key);
  return ok() ? table_.get(key) : nullptr;
}

const toml::node* TableReader::Require(std::string_view key) {
  const toml::node* node = Find(key);
  if (node == nullptr && ok()) missing_ = key;
  if (node == nullptr) Fail(kPolicyMissingKey, table_, key, "missing");
  return node;
}

std::string TableReader::String(std::string_view key) {
  const toml::node* node = Require(key);
  if (node == nullptr) return "";
  if (!node->is_string()) {
    Fail(kPolicyBadValue, *node, key, "want a string");
    return "";
  }
  return node->as_string()->get();
}

bool TableReader::Bool(std::string_view key) {
  const toml::node* node = Require(key);
  if (node == nullptr) return false;
  if (!node->is_boolean()) {
    Fail(kPolicyBadValue, *node, key, "want true or false");
    return false;
  }
  return node->as_boolean()->get();
}

uint64_t TableReader::Integer(std::string_view key, const toml::node& node,
                              uint64_t low, uint64_t high,
                              std::string_view what) {
  const auto* value = node.as_integer();
  if (value == nullptr || value->get() < 0 ||
      static_cast<uint64_t>(value->get()) < low ||
      static_cast<uint64_t>(value->get()) > high) {
    Fail(kPolicyBadValue, node, key, what);
    return low;
  }
  return static_cast<uint64_t>(value->get());
}

TableReader TableReader::Table(std::string_view key) {
  static const auto& kEmpty = *new toml::table;
  const toml::node* node = Require(key);
  if (node != nullptr && !node->is_table()) {
    Fail(kPolicyBadValue, *node, key, "want a table");
    node = nullptr;
  }
  return TableReader(node == nullptr ? kEmpty : *node->as_table(),
                     absl::StrCat(prefix_, key, "."), refusal_);
}

std::vector<const toml::node*> TableReader::List(std::string_view key,
                                                 const toml::node& node,
                                                 Empty empty) {
  const toml::array* array = node.as_array();
  const bool usable = array != nullptr && array->size() <= kMaxEntries &&
                      (empty == Empty::kAllowed || !array->empty());
  if (!usable) {
    Fail(kPolicyBadValue, node, key,
         empty == Empty::kAllowed ? "want a list, 4096 entries at most"
                                  : "want a list, not empty");
    return {};
  }
  std::vector<const toml::node*> elements;
  for (const toml::node& element : *array) elements.push_back(&element);
  return elements;
}

void TableReader::RefuseUnknown() {
  for (const auto& [key, node] : table_) {
    if (std::find(known_.begin(), known_.end(), key.str()) != known_.end()) {
      continue;
    }
    if (missing_.empty()) {
      Fail(kPolicyUnknownKey, node, key.str(), "not a key of a policy");
    } else {
      refusal_.SayInstead(
          kPolicyUnknownKey, node, absl::StrCat(prefix_, key.str()),
          absl::StrCat("not a key of a policy; ", missing_, " is missing"));
    }
    return;
  }
}

bool IsWord(const toml::node& node, std::string_view word) {
  return node.is_string() && node.as_string()->get() == word;
}

}  // namespace verifier
