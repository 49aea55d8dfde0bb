// SPDX-License-Identifier: Apache-2.0
//
// The corpus itself: it has what it should, and plain OpenSSL agrees with its
// verdicts as far as OpenSSL can tell. corpus_verdicts_test runs it through our
// own verifier.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "psp/openssl_verify.h"
#include "sev/report.h"
#include "tests/corpus/checks.h"
#include "tests/corpus/entry.h"
#include "tests/corpus/manifest.h"
#include "tests/corpus/world.h"

namespace corpus {
namespace {

using psp::kChipModels;
using psp::ReportSignatureVerifies;
using psp::VerifyChainByOpenssl;

struct Corpus {
  World world = MakeWorld();
  std::vector<Entry> entries = AllEntries(world);
};
const Corpus& TheCorpus() {
  static const Corpus* const corpus = new Corpus;
  return *corpus;
}
const std::vector<Entry>& Entries() { return TheCorpus().entries; }

const Entry* Find(const std::string& id) {
  for (const Entry& entry : Entries()) {
    if (entry.id == id) return &entry;
  }
  return nullptr;
}

Blob FileOf(const Entry& entry, std::string_view role) {
  for (const File& file : entry.files) {
    if (file.role == role) return file.bytes;
  }
  return {};
}

bool IsReport(const Entry& entry) { return entry.kind.starts_with("report"); }

std::string OpensslOnChain(const Entry& entry) {
  const Blob leaf = FileOf(entry, "leaf"),
             intermediate = FileOf(entry, "intermediate"),
             root = FileOf(entry, "root");
  return VerifyChainByOpenssl({.leaf = leaf,
                               .intermediate = intermediate,
                               .root = root,
                               .at = entry.eval_time});
}

TEST(Corpus, IdsAreUniqueAndVerdictsFitTheChecks) {
  std::set<std::string> ids;
  for (const Entry& entry : Entries()) {
    EXPECT_TRUE(ids.insert(entry.id).second) << entry.id;
    EXPECT_FALSE(entry.files.empty()) << entry.id;
    EXPECT_EQ(entry.verdict == "invalid", !entry.failing_checks.empty())
        << entry.id;
    for (const auto& [name, passes] : entry.checks) {
      EXPECT_EQ(passes, std::ranges::find(entry.failing_checks, name) ==
                            entry.failing_checks.end())
          << entry.id << " " << name;
    }
    for (const std::string& name : entry.failing_checks) {
      EXPECT_TRUE(std::ranges::any_of(
          entry.checks, [&](const auto& each) { return each.first == name; }))
          << entry.id << " does not list " << name;
    }
  }
}

TEST(Corpus, EveryProductSignerAndVersionIsThere) {
  for (const ChipModel* model : kChipModels) {
    for (const char* signer : {"vcek", "vlek"}) {
      for (const char* version : {"2", "3", "4", "5"}) {
        const std::string id =
            std::string(model->name) + "-" + signer + "-v" + version;
        const Entry* entry = Find(id);
        ASSERT_NE(entry, nullptr) << id;
        EXPECT_EQ(entry->verdict, "valid");
      }
    }
  }
}

TEST(Corpus, EveryCheckFailsSomewhereAndPassesSomewhere) {
  std::map<std::string, std::set<bool>> seen;
  for (const Entry& entry : Entries()) {
    for (const auto& [name, passes] : entry.checks) seen[name].insert(passes);
  }
  for (const CorpusCheck& check : kChecks) {
    EXPECT_EQ(seen[std::string(check.name)].size(), 2u) << check.name;
  }
}

TEST(Corpus, OpensslVerifiesWhatIsValid) {
  size_t reports = 0;
  for (const Entry& entry : Entries()) {
    if (!IsReport(entry) || entry.verdict != "valid") continue;
    ++reports;
    EXPECT_EQ(OpensslOnChain(entry), "ok") << entry.id;
    const auto report = sev::UnverifiedReport::Parse(FileOf(entry, "report"));
    ASSERT_TRUE(report.ok()) << entry.id;
    EXPECT_TRUE(ReportSignatureVerifies(*report, FileOf(entry, "leaf")))
        << entry.id;
  }
  EXPECT_GE(reports, 32u);
}

TEST(Corpus, OpensslRefusesWhatItCanTell) {
  struct Row {
    const char* id;
    const char* error;
  };
  const Row rows[] = {
      {"milan-vcek-leaf-expired", "certificate has expired"},
      {"genoa-vcek-leaf-not-yet-valid", "certificate is not yet valid"},
      {"turin-vlek-leaf-expired", "certificate has expired"},
      {"milan-vcek-ask-expired", "certificate has expired"},
      {"milan-vcek-ark-expired", "certificate has expired"},
      {"turin-vcek-leaf-own-signature", "certificate signature failure"},
      {"turin-vcek-leaf-signature-edited", "certificate signature failure"},
  };
  for (const Row& row : rows) {
    const Entry* entry = Find(row.id);
    ASSERT_NE(entry, nullptr) << row.id;
    EXPECT_EQ(OpensslOnChain(*entry), row.error) << row.id;
  }
  for (const Entry& entry : Entries()) {
    if (entry.failing_checks != std::vector<std::string>{"report_signature"}) {
      continue;
    }
    const auto report = sev::UnverifiedReport::Parse(FileOf(entry, "report"));
    ASSERT_TRUE(report.ok()) << entry.id;
    EXPECT_FALSE(ReportSignatureVerifies(*report, FileOf(entry, "leaf")))
        << entry.id;
  }
}

TEST(Corpus, AFolderHasItsManifestAndEveryFile) {
  namespace fs = std::filesystem;
  const fs::path dir = fs::path(testing::TempDir()) / "corpus";
  ASSERT_TRUE(WriteCorpus(dir.string(), TheCorpus().world, Entries()).ok());
  std::ifstream file(dir / "manifest.json");
  const auto manifest = nlohmann::json::parse(file, nullptr, false);
  ASSERT_FALSE(manifest.is_discarded());
  EXPECT_EQ(manifest["default_eval_time"], kEvalTimeText);
  ASSERT_EQ(manifest["vectors"].size(), Entries().size());
  for (const auto& vector : manifest["vectors"]) {
    EXPECT_EQ(vector["genuine"], false);
    for (const auto& each : vector["files"]) {
      const fs::path path = dir / each["path"].get<std::string>();
      EXPECT_EQ(fs::file_size(path), each["bytes"].get<size_t>()) << path;
    }
  }
}

}  // namespace
}  // namespace corpus
