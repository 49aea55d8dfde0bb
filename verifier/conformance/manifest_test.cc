// SPDX-License-Identifier: Apache-2.0
#include "verifier/conformance/manifest.h"

#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "hosted/status.h"
#include "sev/vectors_for_tests.h"
#include "verifier/conformance/json.h"
#include "verifier/conformance/reasons.h"

namespace verifier::conformance {
namespace {

// Of nothing.
constexpr std::string_view kDigest =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

std::string Text(std::string_view entry) {
  return absl::StrReplaceAll(
      absl::StrCat(R"({"default_eval_time": "2026-09-15T00:00:00Z",
        "test_root_pins_sha256_der": {"Milan": "@"}, "vectors": [)",
                   entry, "]}"),
      {{"@", kDigest}});
}

constexpr std::string_view kEntry = R"({
  "id": "one", "kind": "report", "genuine": true,
  "file": "a/r.bin", "sha256": "@",
  "files": [{"role": "report", "path": "a/r.bin", "sha256": "@"},
            {"role": "leaf", "path": "b.der", "sha256": "@"}],
  "eval_time": "2024-01-02T03:04:05Z", "trust_anchor": "a test root",
  "expected": {"verdict": "invalid", "failing_checks": ["r_s_in_range"]},
  "checks": {"length_1184": true, "r_s_in_range": false, "report_signature": null}
})";

Vector Only(std::string_view entry) {
  const auto manifest = ParseManifest(Text(entry));
  EXPECT_TRUE(manifest.ok()) << manifest.status();
  if (!manifest.ok() || manifest->vectors.size() != 1) return {};
  return manifest->vectors[0];
}

TEST(Manifest, ReadsAnEntry) {
  const auto manifest = ParseManifest(Text(kEntry));
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  EXPECT_EQ(manifest->test_roots.size(), 1u);
  ASSERT_EQ(manifest->vectors.size(), 1u);
  const Vector& vector = manifest->vectors[0];
  ASSERT_TRUE(vector.problem.ok()) << vector.problem;
  EXPECT_EQ(vector.entry.id, "one");
  EXPECT_TRUE(vector.entry.genuine);
  EXPECT_TRUE(vector.entry.test_roots);
  EXPECT_EQ(vector.entry.eval_time, 1704164645);
  ASSERT_EQ(vector.entry.files.size(), 2u);
  EXPECT_EQ(vector.entry.File("leaf")->path, "b.der");
  EXPECT_EQ(vector.entry.File("root"), nullptr);
  EXPECT_EQ(vector.expected.verdict, "invalid");
  EXPECT_EQ(vector.expected.failing_checks,
            std::vector<std::string>{"r_s_in_range"});
  EXPECT_EQ(vector.expected.passing_checks,
            std::vector<std::string>{"length_1184"});
}

TEST(Manifest, FillsInWhatMayBeLeftOut) {
  const Vector vector = Only(R"({"id": "x", "kind": "crl", "file": "c.der",
      "sha256": "@", "trust_anchor": null, "expected": {"verdict": "valid"}})");
  ASSERT_TRUE(vector.problem.ok()) << vector.problem;
  EXPECT_EQ(vector.entry.eval_time, 1789430400);
  EXPECT_FALSE(vector.entry.test_roots);
  EXPECT_FALSE(vector.entry.genuine);
  ASSERT_NE(vector.entry.File("crl"), nullptr);
  EXPECT_EQ(vector.entry.File("crl")->path, "c.der");
}

TEST(Manifest, ReadsClaimsOfAnIdBlock) {
  const Vector vector = Only(R"({"id": "x", "kind": "id-block",
      "decoded": {"id_block": {"policy": "0x30000", "guest_svn": 7},
                  "id_key_digest_sha384": "ab"},
      "expected": {"verdict": "valid"}})");
  ASSERT_TRUE(vector.problem.ok()) << vector.problem;
  EXPECT_EQ(vector.entry.id_block.policy, 0x30000u);
  EXPECT_EQ(vector.entry.id_block.guest_svn, 7u);
  EXPECT_EQ(vector.entry.id_block.version, std::nullopt);
  EXPECT_EQ(vector.entry.id_block.id_key_digest, "ab");
}

TEST(Manifest, OneBadEntryDoesNotStopTheOthers) {
  const auto manifest =
      ParseManifest(Text(absl::StrCat(R"({"id": 7}, )", kEntry, ", ", kEntry)));
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  ASSERT_EQ(manifest->vectors.size(), 3u);
  EXPECT_TRUE(hosted::Is(manifest->vectors[0].problem, kVectorsManifest));
  EXPECT_EQ(manifest->vectors[0].entry.id, "#1");
  EXPECT_TRUE(manifest->vectors[1].problem.ok());
  EXPECT_FALSE(manifest->vectors[2].problem.ok()) << "the same id again";
}

TEST(Manifest, RefusesEntriesOfNoUse) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {R"("id": "one")", R"("id": "o\u001bne")"},
      {R"("id": "one")", R"("id": "")"},
      {R"("kind": "report")", R"("kind": ["report"])"},
      {R"("role": "leaf")", R"("role": "report")"},
      {R"("role": "leaf")", R"("rule": "leaf")"},
      {R"("2024-01-02T03:04:05Z")", R"("yesterday")"},
      {R"("2024-01-02T03:04:05Z")", R"("infinite-future")"},
      {R"("2024-01-02T03:04:05Z")", "5"},
      {R"("path": "b.der", "sha256": "@")", R"("path": "b.der")"},
      {R"("path": "b.der", "sha256": "@")",
       R"("path": "b.der", "sha256": "00")"},
      {R"("verdict": "invalid")", R"("verdict": true)"},
      {R"(["r_s_in_range"])", "[1]"},
  };
  for (const auto& [good, bad] : rows) {
    const std::string entry = absl::StrReplaceAll(kEntry, {{good, bad}});
    ASSERT_NE(entry, kEntry) << good;
    EXPECT_TRUE(hosted::Is(Only(entry).problem, kVectorsManifest)) << bad;
  }
}

TEST(Manifest, PathsStayInTheFolder) {
  for (const std::string_view path :
       {"a", "a/b.bin", "a..b/c", "...", "common/amd/milan/ark.der"}) {
    EXPECT_TRUE(IsPathInside(path)) << path;
  }
  for (const std::string_view path :
       {"", "/", "/etc/passwd", "..", "../a", "a/..", "a/../b", "a//b", "./a",
        "a/.", "a/", "a\\..\\b", "a\nb", "a\x7f"}) {
    EXPECT_FALSE(IsPathInside(path)) << path;
  }
  EXPECT_FALSE(IsPathInside(std::string(2000, 'a')));
  EXPECT_FALSE(IsPathInside(std::string_view("a\0b", 3)));
  const std::string entry =
      absl::StrReplaceAll(kEntry, {{"b.der", "../../etc/passwd"}});
  EXPECT_TRUE(hosted::Is(Only(entry).problem, kVectorPath));
}

TEST(Manifest, RefusesWhatIsNoManifest) {
  for (const std::string_view text :
       {"", "[]", "{}", "{", "nonsense", R"({"vectors": {}})",
        R"({"vectors": [1, ]})",
        R"({"test_root_pins_sha256_der": 1, "vectors": []})",
        R"({"test_root_pins_sha256_der": {"a": "b"}, "vectors": []})",
        "{\"vectors\": [\"\xff\"]}"}) {
    EXPECT_TRUE(hosted::Is(ParseManifest(text).status(), kVectorsManifest))
        << text;
  }
  const std::string deep =
      absl::StrCat(R"({"vectors": )", std::string(1000000, '['), "}");
  EXPECT_TRUE(hosted::Is(ParseManifest(deep).status(), kVectorsManifest));
  const std::string closed =
      absl::StrCat(R"({"vectors": )", std::string(100000, '['),
                   std::string(100000, ']'), "}");
  EXPECT_TRUE(hosted::Is(ParseManifest(closed).status(), kVectorsManifest));
}

TEST(Manifest, SurvivesTruncationAndFlippedBits) {
  const std::string good = Text(kEntry);
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(ParseManifest(std::string_view(good).substr(0, size)).ok());
  }
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string text = good;
    text[bit / 8] = static_cast<char>(text[bit / 8] ^ (1 << (bit % 8)));
    const auto manifest = ParseManifest(text);
    if (!manifest.ok()) continue;
    for (const Vector& vector : manifest->vectors) {
      if (!vector.problem.ok()) continue;
      for (const VectorFile& file : vector.entry.files) {
        EXPECT_TRUE(IsPathInside(file.path));
      }
    }
  }
}

TEST(Manifest, TheRecordedOne) {
  const std::string folder = sev::VectorsFolder();
  if (folder.empty()) GTEST_SKIP() << "FORELOCK_VECTORS is not set";
  const auto bytes = sev::ReadVector(folder + "/manifest.json");
  const auto manifest = ParseManifest(std::string(bytes.begin(), bytes.end()));
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  EXPECT_GT(manifest->vectors.size(), 200u);
  for (const Vector& vector : manifest->vectors) {
    EXPECT_TRUE(vector.problem.ok()) << vector.entry.id << vector.problem;
  }
}

}  // namespace
}  // namespace verifier::conformance
