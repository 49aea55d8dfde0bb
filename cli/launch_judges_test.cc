// SPDX-License-Identifier: Apache-2.0
#include "cli/launch_judges.h"

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "launch/measure.h"
#include "sev/id_block.h"
#include "verifier/conformance/judge.h"
#include "verifier/evidence/appraisal.h"
#include "verifier/ossl/ossl.h"

namespace cli {
namespace {

using verifier::Verdict;
using verifier::conformance::Judgement;
using verifier::conformance::VectorEntry;
using Blob = std::vector<uint8_t>;
using Files = std::map<std::string, Blob, std::less<>>;
using Names = std::vector<std::string>;

Blob Bytes(std::string_view text) { return Blob(text.begin(), text.end()); }

class Case {
 public:
  explicit Case(std::string kind) {
    entry_.id = "x";
    entry_.kind = std::move(kind);
  }

  Judgement Run(Files files) const {
    return verifier::conformance::Judge(
        {.entry = entry_, .files = std::move(files)},
        {.more_kinds = LaunchJudges()});
  }
  VectorEntry& entry() { return entry_; }

 private:
  VectorEntry entry_;
};

TEST(LaunchJudges, IdBlocks) {
  Case one("id-block");
  sev::IdBlock block;
  block.guest_svn = 7;
  const auto bytes = sev::EncodeIdBlock(block);
  Files files = {{"id-block", Blob(bytes.begin(), bytes.end())}};
  EXPECT_EQ(one.Run(files).verdict, Verdict::kValid);
  one.entry().id_block.guest_svn = 8;
  EXPECT_EQ(one.Run(files).failing_checks, Names{"guest_svn"});
  one.entry().id_block.guest_svn = 7;
  one.entry().id_block.launch_digest = std::string(96, '0');
  EXPECT_EQ(one.Run(files).verdict, Verdict::kValid);

  Blob key(sev::kEcdsaKeySize);
  key[0] = sev::kCurveP384;
  files["id-public-key-struct"] = key;
  EXPECT_EQ(one.Run(files).verdict, Verdict::kValid);
  one.entry().id_block.id_key_digest =
      verifier::ossl::Hex(verifier::ossl::Sha384::Of(key));
  EXPECT_EQ(one.Run(files).verdict, Verdict::kValid);
  files["id-public-key-struct"].back() = 1;
  EXPECT_EQ(one.Run(files).failing_checks, Names{"id_key_digest"});

  files["id-public-key-struct"] = key;
  files["id-auth-info"] = Blob(sev::kIdAuthSize);
  EXPECT_EQ(one.Run(files).failing_checks,
            (Names{"algos", "id_key_in_auth", "id_block_signature"}));
  files["id-auth-info"].pop_back();
  EXPECT_EQ(one.Run(files).failing_checks, Names{"id_auth"});
  files["id-block"].pop_back();
  EXPECT_EQ(one.Run(files).failing_checks, Names{"id_block"});
}

TEST(LaunchJudges, Launches) {
  const Case one("launch-measurement");
  sev::LaunchDigest contents;
  contents.fill(0x5A);
  launch::LaunchMeasurement measurement;
  measurement.AddPage(sev::PageType::kNormal, 0x1000, contents);
  measurement.AddPage(sev::PageType::kCpuid, 0xfffffffff000, {});
  const std::string text = absl::StrReplaceAll(
      R"({"seed_ld": "ZERO", "expected_launch_digest": "DIGEST",
          "page_info_updates": {
            "columns": ["page_type", "gpa", "contents_sha384"],
            "rows": [[1, "0x1000", "CONTENTS"],
                     [6, "0xfffffffff000", "ZERO"]]}})",
      {{"ZERO", std::string(96, '0')},
       {"CONTENTS", verifier::ossl::Hex(contents)},
       {"DIGEST", verifier::ossl::Hex(measurement.digest())}});
  EXPECT_EQ(one.Run({{"vector", Bytes(text)}}).verdict, Verdict::kValid)
      << one.Run({{"vector", Bytes(text)}}).note;
  EXPECT_EQ(one.Run({}).failing_checks, Names{"page_list"});

  const std::pair<std::string_view, std::string_view> rows[] = {
      {"0x1000", "0x2000"},
      {"[1, ", "[2, "},
  };
  for (const auto& [good, bad] : rows) {
    const Blob vector = Bytes(absl::StrReplaceAll(text, {{good, bad}}));
    EXPECT_EQ(one.Run({{"vector", vector}}).failing_checks,
              Names{"launch_digest"});
  }
  const std::pair<std::string_view, std::string_view> malformed[] = {
      {"0x1000", "0x1001"},
      {"0x1000", "1000"},
      {"[1, ", "[3, "},  // such a page has no contents
      {"[1, ", "[7, "},
      {"[1, ", "[0, "},
      {"[1, ", "[-1, "},
      {"[1, ", "["},
      {"\"seed_ld\": \"", "\"seed_ld\": \"0"},
      {"expected_launch_digest", "launch_digest"},
      {"rows", "lines"},
      {R"("page_type", "gpa")", R"("gpa", "page_type")"},
  };
  for (const auto& [good, bad] : malformed) {
    const std::string changed = absl::StrReplaceAll(text, {{good, bad}});
    ASSERT_NE(changed, text) << good;
    EXPECT_EQ(one.Run({{"vector", Bytes(changed)}}).failing_checks,
              Names{"page_list"})
        << bad;
  }
  for (size_t size = 0; size < text.size(); ++size) {
    EXPECT_EQ(one.Run({{"vector", Bytes(text.substr(0, size))}}).verdict,
              Verdict::kInvalid);
  }
}

}  // namespace
}  // namespace cli
