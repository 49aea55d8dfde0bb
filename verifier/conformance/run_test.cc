// SPDX-License-Identifier: Apache-2.0
#include "verifier/conformance/run.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "hosted/status.h"
#include "sev/cert_table.h"
#include "verifier/conformance/reasons.h"
#include "verifier/ossl/ossl.h"
#include "verifier/reasons.h"

namespace verifier::conformance {
namespace {

class Folder {
 public:
  Folder() : path_(absl::StrCat(::testing::TempDir(), "/vectors")) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  const std::string& path() const { return path_; }

  void Write(const std::string& name, std::string_view bytes) const {
    std::ofstream(path_ + "/" + name, std::ios::binary) << bytes;
  }
  void WriteManifest(std::string_view entries) const {
    Write("manifest.json",
          absl::StrCat(R"({"default_eval_time": "2026-09-15T00:00:00Z",
                           "vectors": [)",
                       entries, "]}"));
  }

 private:
  std::string path_;
};

// A certificate table without certificates.
std::string EmptyTable() { return std::string(sev::kCertTableEntrySize, '\0'); }

std::string Entry(std::string_view id, std::string_view kind,
                  std::string_view file, std::string_view bytes,
                  std::string_view verdict) {
  return absl::StrCat(R"({"id": ")", id, R"(", "kind": ")", kind,
                      R"(", "file": ")", file, R"(", "sha256": ")",
                      ossl::Hex(ossl::Sha256::Of(ossl::AsBytes(bytes))),
                      R"(", "expected": {"verdict": ")", verdict, R"("}})");
}

TEST(RunVectors, SaysWhatIsAsExpected) {
  const Folder folder;
  const std::string good = EmptyTable();
  const std::string bad = good.substr(1);
  folder.Write("good", good);
  folder.Write("bad", bad);
  folder.WriteManifest(
      absl::StrCat(Entry("a", "cert-table", "good", good, "valid"), ",",
                   Entry("b", "cert-table", "bad", bad, "invalid"), ",",
                   Entry("c", "cert-table", "bad", bad, "valid"), ",",
                   Entry("d", "weather", "good", good, "unverifiable"), ",",
                   Entry("e", "cert-table", "good", bad, "valid"), ",",
                   Entry("f", "cert-table", "missing", good, "valid"), ",",
                   Entry("g", "cert-table", "../good", good, "valid")));
  const auto results = RunVectors(folder.path());
  ASSERT_TRUE(results.ok()) << results.status();
  ASSERT_EQ(results->size(), 7u);
  struct Row {
    std::string_view id, verdict;
    bool as_expected;
  };
  const Row rows[] = {
      {"a", "valid", true},    {"b", "invalid", true},
      {"c", "invalid", false}, {"d", "unverifiable", false},
      {"e", "error", false},   {"f", "error", false},
      {"g", "error", false},
  };
  for (size_t i = 0; i < results->size(); ++i) {
    const VectorResult& result = results->at(i);
    EXPECT_EQ(result.id, rows[i].id);
    EXPECT_EQ(result.verdict, rows[i].verdict) << result.id;
    EXPECT_EQ(result.as_expected, rows[i].as_expected) << result.id;
  }
  EXPECT_FALSE(AllAsExpected(*results));
  const std::string text = TextOf(*results);
  EXPECT_NE(text.find("7 vectors, 2 as expected, 5 not\n"), std::string::npos);
  EXPECT_NE(text.find("CL42"), std::string::npos) << text;
  EXPECT_NE(text.find("CL41"), std::string::npos) << text;
  EXPECT_NE(text.find("unknown kind weather"), std::string::npos) << text;
  const std::string json = JsonOf(*results);
  EXPECT_NE(json.find("\"as_expected\": 2"), std::string::npos) << json;
}

TEST(RunVectors, Filters) {
  const Folder folder;
  const std::string good = EmptyTable();
  folder.Write("good", good);
  folder.WriteManifest(
      absl::StrCat(Entry("a", "cert-table", "good", good, "valid"), ",",
                   Entry("b", "crl", "good", good, "invalid")));
  EXPECT_EQ(RunVectors(folder.path(), {.id = "b"})->size(), 1u);
  EXPECT_EQ(RunVectors(folder.path(), {.kind = "cert-table"})->size(), 1u);
  EXPECT_TRUE(AllAsExpected(*RunVectors(folder.path())));
  EXPECT_TRUE(hosted::Is(RunVectors(folder.path(), {.id = "z"}).status(),
                         kVectorUnknown));
  EXPECT_TRUE(hosted::Is(RunVectors(folder.path(), {.kind = "z"}).status(),
                         kVectorUnknown));
}

TEST(RunVectors, NeedsAManifest) {
  const Folder folder;
  EXPECT_TRUE(hosted::Is(RunVectors(folder.path()).status(), kInputUnusable));
  folder.Write("manifest.json", "nonsense");
  EXPECT_TRUE(hosted::Is(RunVectors(folder.path()).status(), kVectorsManifest));
}

TEST(RunVectors, DoesNotWaitForAPipe) {
  const Folder folder;
  ASSERT_EQ(mkfifo((folder.path() + "/pipe").c_str(), 0600), 0);
  folder.WriteManifest(Entry("a", "cert-table", "pipe", "x", "valid"));
  const auto results = RunVectors(folder.path());
  ASSERT_TRUE(results.ok());
  EXPECT_EQ(results->front().verdict, "error");
}

TEST(IsAsExpected, ComparesVerdictAndChecks) {
  const Judgement failing = {.verdict = Verdict::kInvalid,
                             .failing_checks = {"a", "b"}};
  EXPECT_TRUE(IsAsExpected({.verdict = "invalid"}, failing));
  EXPECT_TRUE(IsAsExpected({.verdict = "invalid", .failing_checks = {"b", "c"}},
                           failing));
  EXPECT_FALSE(
      IsAsExpected({.verdict = "invalid", .failing_checks = {"c"}}, failing));
  EXPECT_FALSE(IsAsExpected(
      {.verdict = "invalid", .failing_checks = {"b"}, .passing_checks = {"a"}},
      failing));
  EXPECT_FALSE(IsAsExpected({.verdict = "valid"}, failing));
  EXPECT_TRUE(IsAsExpected({.verdict = "valid", .passing_checks = {"a"}},
                           {.verdict = Verdict::kValid}));
  EXPECT_TRUE(IsAsExpected({.verdict = "unverifiable"},
                           {.verdict = Verdict::kUnverifiable}));
  EXPECT_FALSE(IsAsExpected({.verdict = "maybe"}, failing));
}

}  // namespace
}  // namespace verifier::conformance
