// SPDX-License-Identifier: Apache-2.0
//
// One thing wrong with a report or its certificates, the checks that fail for
// it and a reason that is given. Tables of these are in the test's other files.
#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "verifier/evidence/checks.h"
#include "verifier/testing/appraisal_draft.h"

namespace verifier {

struct Refusal {
  std::string name;
  std::vector<Check> fails;  // These and no other, unless `and_more`.
  base::Reason reason;
  std::function<testing::Exhibit()> make;
  bool and_more = false;

  friend void PrintTo(const Refusal& refusal, std::ostream* out) {
    *out << refusal.name;
  }
};

struct Subject {
  const psp::ChipModel* model = &psp::kMilan;
  SignerKind kind = SignerKind::kVcek;
  uint32_t report_version = 3;
};
inline constexpr Subject kMilanVlek = {.kind = SignerKind::kVlek};
inline constexpr Subject kTurinVcek = {.model = &psp::kTurin};

// Changed before it is signed.
inline std::function<testing::Exhibit()> Drafted(
    std::function<void(testing::Draft&)> change, Subject subject = {}) {
  return [change = std::move(change), subject] {
    testing::Draft draft = testing::GoodDraft(*subject.model, subject.kind,
                                              subject.report_version);
    change(draft);
    return draft.Sign();
  };
}

// Changed after.
inline std::function<testing::Exhibit()> Altered(
    std::function<void(testing::Exhibit&)> change, Subject subject = {}) {
  return [change = std::move(change), subject] {
    testing::Exhibit exhibit =
        testing::GoodDraft(*subject.model, subject.kind, subject.report_version)
            .Sign();
    change(exhibit);
    return exhibit;
  };
}

std::vector<Refusal> FormRefusals();
std::vector<Refusal> ChainRefusals();
std::vector<Refusal> CrlRefusals();
std::vector<Refusal> BindingRefusals();

}  // namespace verifier
