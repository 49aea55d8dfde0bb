// SPDX-License-Identifier: Apache-2.0
//
// report show and report verify on recorded evidence, with the certificates as
// a person would name them.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "cli/describe_report.h"
#include "cli/files.h"
#include "cli/report_commands.h"
#include "cli/testing/command_runner.h"
#include "gtest/gtest.h"
#include "sev/vectors_for_tests.h"
#include "verifier/conformance/manifest.h"
#include "verifier/ossl/ossl.h"

namespace cli {
namespace {

using verifier::conformance::kMaxManifestSize;
using verifier::conformance::Manifest;
using verifier::conformance::ParseManifest;
using verifier::conformance::Vector;
using verifier::conformance::VectorEntry;
using verifier::conformance::VectorFile;
using Words = std::vector<std::string>;

absl::StatusOr<Manifest> ReadManifest(const std::string& folder) {
  const auto bytes = ReadInput(folder + "/manifest.json", kMaxManifestSize);
  if (!bytes.ok()) return bytes.status();
  return ParseManifest(std::string(bytes->begin(), bytes->end()));
}

Words WordsFor(const std::string& folder, const Manifest& manifest,
               const VectorEntry& entry) {
  Words words = {
      "report", "verify", "--json", "--at",
      absl::FormatTime(absl::RFC3339_sec, absl::FromTimeT(entry.eval_time),
                       absl::UTCTimeZone())};
  if (entry.test_roots) {
    for (const auto& pin : manifest.test_roots) {
      words.push_back(absl::StrCat("--root-sha256=", verifier::ossl::Hex(pin)));
    }
  }
  for (const VectorFile& file : entry.files) {
    const std::string path = absl::StrCat(folder, "/", file.path);
    if (file.role == "report") {
      words.push_back(path);
    } else {
      words.push_back(file.role == "crl" ? "--crl" : "--certificates");
      words.push_back(path);
    }
  }
  return words;
}

bool Holds(const Json& list, const std::string& name) {
  return std::ranges::find(list, Json(name)) != list.end();
}

void Expect(const Vector& vector, const testing::Output& output) {
  const Json json = Json::parse(output.out, nullptr, false);
  ASSERT_TRUE(json.is_object()) << output.err;
  std::string verdict = vector.expected.verdict;
  auto failing = vector.expected.failing_checks;
  if (sev::IsValidHere(vector.entry.id)) {
    verdict = "valid";
    failing.clear();
  }
  // Without a certificate nobody can tell that a bit was changed.
  if (vector.entry.File("leaf") == nullptr && verdict == "invalid" &&
      failing.empty() && json["checks"]["length_1184"] == true) {
    verdict = "unverifiable";
  }
  EXPECT_EQ(json["verdict"], verdict) << ToText(json);
  EXPECT_EQ(output.code, verdict == "valid"     ? hosted::kExitOk
                         : verdict == "invalid" ? hosted::kExitInvalid
                                                : hosted::kExitUnverifiable);
  if (!failing.empty()) {
    EXPECT_TRUE(std::ranges::any_of(failing, [&](const std::string& check) {
      return Holds(json["failing_checks"], check);
    })) << ToText(json["failing_checks"]);
  }
  for (const std::string& check : vector.expected.passing_checks) {
    EXPECT_FALSE(Holds(json["failing_checks"], check)) << check;
  }
}

TEST(ReportVectors, AreJudgedAsExpected) {
  const std::string folder = sev::VectorsFolder();
  if (folder.empty()) GTEST_SKIP() << "FORELOCK_VECTORS is not set";
  const auto manifest = ReadManifest(folder);
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  int judged = 0;
  for (const Vector& vector : manifest->vectors) {
    if (!vector.entry.kind.starts_with("report")) continue;
    SCOPED_TRACE(vector.entry.id);
    Expect(vector,
           testing::RunCommand(ReportCommands(),
                               WordsFor(folder, *manifest, vector.entry)));
    ++judged;
  }
  EXPECT_GT(judged, 100);
}

TEST(ReportVectors, EnvelopesOpen) {
  const std::string folder = sev::VectorsFolder();
  if (folder.empty()) GTEST_SKIP() << "FORELOCK_VECTORS is not set";
  const auto manifest = ReadManifest(folder);
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  for (const Vector& vector : manifest->vectors) {
    const std::string& kind = vector.entry.kind;
    if (kind != "azure-hcl" && kind != "msg-report-rsp") continue;
    const testing::Output output = testing::RunCommand(
        ReportCommands(),
        {"report", "show", "--json", "--wrapped", kind,
         absl::StrCat(folder, "/", vector.entry.files.front().path)});
    EXPECT_EQ(output.code, hosted::kExitOk) << output.err;
    const Json json = Json::parse(output.out, nullptr, false);
    if (kind == "azure-hcl") EXPECT_EQ(json["runtime_data_bound"], true);
  }
}

}  // namespace
}  // namespace cli
