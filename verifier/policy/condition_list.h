// SPDX-License-Identifier: Apache-2.0
//
// How evaluate.cc and evaluate_report.cc write down what they find.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/result.h"
#include "verifier/policy/evaluate.h"

namespace verifier {

class ConditionList {
 public:
  void Off(std::string_view field, base::Reason reason) {
    list_.push_back(
        {std::string(field), Judgement::kOff, reason, "", "anything"});
  }
  void Add(std::string_view field, base::Reason reason, bool pass,
           std::string seen, std::string allowed) {
    list_.push_back({std::string(field),
                     pass ? Judgement::kPass : Judgement::kFail, reason,
                     std::move(seen), std::move(allowed)});
  }
  void Unknown(std::string_view field, base::Reason reason,
               std::string allowed) {
    list_.push_back({std::string(field), Judgement::kUnknown, reason, "nothing",
                     std::move(allowed)});
  }
  std::vector<Condition> Take() && { return std::move(list_); }

 private:
  std::vector<Condition> list_;
};

// Long lists would drown the log; the policy itself has them all.
template <typename T, typename ToText>
std::string Listed(const std::vector<T>& list, ToText text) {
  constexpr size_t kShown = 4;
  std::string out;
  for (size_t i = 0; i < list.size() && i < kShown; ++i) {
    absl::StrAppend(&out, i == 0 ? "" : ", ", text(list[i]));
  }
  if (list.size() > kShown) {
    absl::StrAppend(&out, " and ", list.size() - kShown, " more");
  }
  return out.empty() ? "nothing" : out;
}

// What of the policy speaks of the report and its signer.
void JudgeReport(const Policy& policy, const Facts& facts, ConditionList& out);

}  // namespace verifier
