// SPDX-License-Identifier: Apache-2.0
#include "hosted/arguments.h"

#include <algorithm>
#include <limits>
#include <ranges>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace hosted {
namespace {

absl::Status Usage(std::string_view text) {
  return absl::InvalidArgumentError(text);
}

const Option* Find(std::span<const Option> options, std::string_view name) {
  const auto found = std::ranges::find(options, name, &Option::name);
  return found == options.end() ? nullptr : &*found;
}

// How many positional arguments there may be.
struct Count {
  size_t least = 0;
  size_t most = 0;
};
Count CountOf(std::string_view positional) {
  constexpr size_t kMany = std::numeric_limits<size_t>::max();
  Count count;
  for (const std::string_view word :
       absl::StrSplit(positional, ' ', absl::SkipEmpty())) {
    if (!word.starts_with('[')) ++count.least;
    const bool many = word.ends_with("...") || word.ends_with("...]");
    if (many || count.most == kMany) {
      count.most = kMany;
    } else {
      ++count.most;
    }
  }
  return count;
}

}  // namespace

absl::StatusOr<Arguments> Arguments::Parse(std::span<const std::string> words,
                                           std::span<const Option> options,
                                           std::string_view positional) {
  Arguments arguments;
  bool only_positional = false;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--" && !only_positional) {
      only_positional = true;
      continue;
    }
    if (only_positional || !word.starts_with("--")) {
      arguments.positional_.push_back(word);
      continue;
    }
    const size_t equals = word.find('=');
    const std::string name = word.substr(2, equals - 2);
    const Option* option = Find(options, name);
    if (option == nullptr) return Usage(absl::StrCat("unknown option ", word));
    std::string value;
    if (option->kind == Option::Kind::kSwitch) {
      if (equals != std::string::npos) {
        return Usage(absl::StrCat("--", name, " takes no value"));
      }
    } else if (equals != std::string::npos) {
      value = word.substr(equals + 1);
    } else if (i + 1 < words.size()) {
      value = words[++i];
    } else {
      return Usage(absl::StrCat("--", name, " wants a value"));
    }
    std::vector<std::string>& values = arguments.values_[name];
    if (!values.empty() && option->kind != Option::Kind::kRepeated) {
      return Usage(absl::StrCat("--", name, " is given twice"));
    }
    values.push_back(std::move(value));
  }
  for (const Option& option : options) {
    if (option.kind == Option::Kind::kRequired && !arguments.Has(option.name)) {
      return Usage(absl::StrCat("--", option.name, " is missing"));
    }
  }
  const Count count = CountOf(positional);
  const size_t got = arguments.positional_.size();
  if (got < count.least || got > count.most) {
    return Usage(positional.empty()
                     ? absl::StrCat("takes no arguments, got ", got)
                     : absl::StrCat("wants ", positional, ", got ", got,
                                    " argument", got == 1 ? "" : "s"));
  }
  return arguments;
}

std::string Arguments::Value(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::string() : found->second.back();
}

std::span<const std::string> Arguments::Values(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) return {};
  return found->second;
}

absl::StatusOr<int> Action::operator()(const Arguments& arguments) const {
  if (with_exit_code_ != nullptr) return with_exit_code_(arguments);
  const absl::Status status = plain_(arguments);
  if (!status.ok()) return status;
  return kExitOk;
}

}  // namespace hosted
