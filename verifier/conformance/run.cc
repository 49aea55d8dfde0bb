// SPDX-License-Identifier: Apache-2.0
#include "verifier/conformance/run.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "hosted/files.h"
#include "hosted/text.h"
#include "nlohmann/json.hpp"
#include "verifier/conformance/error.h"
#include "verifier/conformance/reasons.h"
#include "verifier/endorsements/amd_roots.h"
#include "verifier/finding.h"
#include "verifier/ossl/ossl.h"
#include "verifier/reasons.h"

namespace verifier::conformance {
namespace {

constexpr std::string_view kError = "error";
// Larger than any file of a vector; page lists of large firmware are the most.
constexpr size_t kMaxVectorFile = 32 << 20;

absl::StatusOr<std::vector<uint8_t>> ReadFile(const std::string& path,
                                              size_t limit) {
  auto bytes = hosted::ReadRegularFile(path, limit);
  if (!bytes.ok()) {
    return verifier::Error(kInputUnusable, bytes.status().code(),
                           bytes.status().message());
  }
  return bytes;
}

class Runner {
 public:
  Runner(const std::string& folder, const Manifest& manifest,
         std::span<const KindJudge> more_kinds)
      : folder_(folder), more_kinds_(more_kinds) {
    for (const AmdRoot& root : AmdRoots()) {
      amd_roots_.push_back({.sha256 = root.sha256, .name = "AMD"});
    }
    for (const ossl::Digest256& sha256 : manifest.test_roots) {
      test_roots_.push_back({.sha256 = sha256, .name = "test"});
    }
    for (const Vector& vector : manifest.vectors) {
      if (!vector.problem.ok() || !vector.entry.genuine) continue;
      LoadedVector loaded{.entry = vector.entry};
      for (const std::string_view role : {"report", "msg", "hcl"}) {
        const VectorFile* file = vector.entry.File(role);
        if (file == nullptr) continue;
        auto bytes = Read(*file);
        if (bytes.ok()) loaded.files.emplace(role, *std::move(bytes));
      }
      signatures_.Add(ReportOf(loaded));
    }
  }

  VectorResult Run(const Vector& vector) const {
    VectorResult result{.id = vector.entry.id,
                        .kind = vector.entry.kind,
                        .verdict = std::string(kError),
                        .expected = vector.expected.verdict};
    if (!vector.problem.ok()) {
      result.note = std::string(vector.problem.message());
      return result;
    }
    LoadedVector loaded{.entry = vector.entry};
    for (const VectorFile& file : vector.entry.files) {
      auto bytes = Read(file);
      if (!bytes.ok()) {
        result.note = std::string(bytes.status().message());
        return result;
      }
      loaded.files.emplace(file.role, *std::move(bytes));
    }
    const VectorContext context = {.amd_roots = amd_roots_,
                                   .test_roots = test_roots_,
                                   .signatures = &signatures_,
                                   .more_kinds = more_kinds_};
    Judgement judgement = Judge(loaded, context);
    result.as_expected = IsKnownKind(vector.entry.kind, context) &&
                         IsAsExpected(vector.expected, judgement);
    result.verdict = std::string(NameOf(judgement.verdict));
    result.failing_checks = std::move(judgement.failing_checks);
    result.note = std::move(judgement.note);
    return result;
  }

 private:
  // The path was checked with the manifest. A link in the folder may lead
  // elsewhere: what it leads to has the digest that the manifest names.
  absl::StatusOr<std::vector<uint8_t>> Read(const VectorFile& file) const {
    auto bytes =
        ReadFile(absl::StrCat(folder_, "/", file.path), kMaxVectorFile);
    if (!bytes.ok()) return bytes;
    if (ossl::Sha256::Of(*bytes) != file.sha256) {
      return Error(kVectorDigest, absl::StrCat("sha256 of ", file.path));
    }
    return bytes;
  }

  const std::string& folder_;
  const std::span<const KindJudge> more_kinds_;
  std::vector<AcceptedRoot> amd_roots_, test_roots_;
  SignatureIndex signatures_;
};

size_t CountAsExpected(const std::vector<VectorResult>& results) {
  return static_cast<size_t>(
      std::ranges::count(results, true, &VectorResult::as_expected));
}

std::string Names(const std::vector<std::string>& names) {
  return names.empty() ? "-" : absl::StrJoin(names, ",");
}

std::string Outcome(const VectorResult& result) {
  if (result.as_expected) return "as expected";
  std::string text = "UNEXPECTED";
  if (!result.expected.empty() && result.expected != result.verdict) {
    absl::StrAppend(&text, ", wanted ", result.expected);
  }
  if (!result.note.empty()) absl::StrAppend(&text, ": ", result.note);
  return hosted::Printable(text);
}

}  // namespace

bool IsAsExpected(const Expectation& expected, const Judgement& judgement) {
  if (NameOf(judgement.verdict) != expected.verdict) return false;
  const std::set<std::string> failing(judgement.failing_checks.begin(),
                                      judgement.failing_checks.end());
  const auto fails = [&](const std::string& name) {
    return failing.contains(name);
  };
  if (judgement.verdict != Verdict::kInvalid) return failing.empty();
  return (expected.failing_checks.empty() ||
          std::ranges::any_of(expected.failing_checks, fails)) &&
         std::ranges::none_of(expected.passing_checks, fails);
}

absl::StatusOr<std::vector<VectorResult>> RunVectors(
    const std::string& folder, const VectorFilter& filter,
    std::span<const KindJudge> more_kinds) {
  const auto text =
      ReadFile(absl::StrCat(folder, "/manifest.json"), kMaxManifestSize);
  if (!text.ok()) return text.status();
  const auto manifest = ParseManifest(
      // EDGE: char may alias the bytes.
      {reinterpret_cast<const char*>(text->data()), text->size()});
  if (!manifest.ok()) return manifest.status();
  const Runner runner(folder, *manifest, more_kinds);
  std::vector<VectorResult> results;
  for (const Vector& vector : manifest->vectors) {
    if (!filter.id.empty() && vector.entry.id != filter.id) continue;
    if (!filter.kind.empty() && vector.entry.kind != filter.kind) continue;
    results.push_back(runner.Run(vector));
  }
  if (results.empty() && !(filter.id.empty() && filter.kind.empty())) {
    return Error(kVectorUnknown, filter.id.empty() ? filter.kind : filter.id);
  }
  return results;
}

bool AllAsExpected(const std::vector<VectorResult>& results) {
  return CountAsExpected(results) == results.size();
}

std::string TextOf(const std::vector<VectorResult>& results) {
  std::string text;
  for (const VectorResult& result : results) {
    absl::StrAppendFormat(&text, "%-44s %-12s %s  %s\n", result.id,
                          result.verdict, Names(result.failing_checks),
                          Outcome(result));
  }
  absl::StrAppendFormat(&text, "%d vectors, %d as expected, %d not\n",
                        results.size(), CountAsExpected(results),
                        results.size() - CountAsExpected(results));
  return text;
}

std::string JsonOf(const std::vector<VectorResult>& results) {
  nlohmann::ordered_json json;
  json["vectors"] = nlohmann::ordered_json::array();
  for (const VectorResult& result : results) {
    json["vectors"].push_back({{"id", result.id},
                               {"kind", result.kind},
                               {"verdict", result.verdict},
                               {"failing_checks", result.failing_checks},
                               {"expected_verdict", result.expected},
                               {"as_expected", result.as_expected},
                               {"note", hosted::Printable(result.note)}});
  }
  json["total"] = results.size();
  json["as_expected"] = CountAsExpected(results);
  json["unexpected"] = results.size() - CountAsExpected(results);
  return json.dump(2) + "\n";
}

}  // namespace verifier::conformance
