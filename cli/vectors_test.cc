// SPDX-License-Identifier: Apache-2.0
//
// Every recorded vector gives what its manifest expects.
#include <string>

#include "absl/strings/str_join.h"
#include "cli/launch_judges.h"
#include "gtest/gtest.h"
#include "sev/vectors_for_tests.h"
#include "verifier/conformance/run.h"

namespace cli {
namespace {

TEST(Vectors, AllAreAsExpected) {
  const std::string folder = sev::VectorsFolder();
  if (folder.empty()) GTEST_SKIP() << "FORELOCK_VECTORS is not set";
  const auto results =
      verifier::conformance::RunVectors(folder, {}, LaunchJudges());
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_FALSE(results->empty());
  for (const verifier::conformance::VectorResult& result : *results) {
    if (sev::IsValidHere(result.id)) {
      EXPECT_EQ(result.verdict, "valid") << result.id << "; " << result.note;
      continue;
    }
    EXPECT_TRUE(result.as_expected)
        << result.id << ": " << result.verdict << " ("
        << absl::StrJoin(result.failing_checks, ",") << "), wanted "
        << result.expected << "; " << result.note;
  }
}

}  // namespace
}  // namespace cli
