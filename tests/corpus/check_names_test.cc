// SPDX-License-Identifier: Apache-2.0
//
// Corpus and verifier name the same checks. Only this test sees both.
#include <set>
#include <string_view>

#include "gtest/gtest.h"
#include "tests/corpus/checks.h"
#include "verifier/evidence/checks.h"

namespace corpus {
namespace {

TEST(CheckNames, AreTheVerifiers) {
  std::multiset<std::string_view> ours;
  for (const CorpusCheck& check : kChecks) ours.insert(check.name);
  EXPECT_EQ(ours,
            std::multiset<std::string_view>(std::begin(verifier::kCheckNames),
                                            std::end(verifier::kCheckNames)));
}

}  // namespace
}  // namespace corpus
