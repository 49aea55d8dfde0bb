// SPDX-License-Identifier: Apache-2.0
//
// What is written, and what is said, of a choice made up here.
#include "cli/roots/roots_prepare.h"

#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "cli/files.h"
#include "cli/reasons.h"
#include "cli/testing/command_runner.h"
#include "gtest/gtest.h"
#include "hosted/files.h"
#include "hosted/status.h"
#include "sev/cert_table.h"

namespace cli {
namespace {

namespace fs = std::filesystem;
using verifier::Choice;
using verifier::LeafWithoutChain;
using verifier::PreparedChain;
using verifier::SignerKind;
using Der = std::vector<uint8_t>;

constexpr uint64_t kTcb = 0x5100000004010A01;

ChipId Chip(uint8_t first) {
  ChipId id{};
  id[0] = first;
  return id;
}

PreparedChain VcekChain(uint8_t chip, Der leaf = {1}) {
  return {.name = {.chip_id = Chip(chip), .csp_id = {}, .tcb = kTcb},
          .leaf = std::move(leaf),
          .intermediate = {2, 2},
          .root = {3, 3, 3},
          .crl = {4}};
}

PreparedChain VlekChain(const std::string& csp_id, Der leaf = {1}) {
  PreparedChain chain = VcekChain(0, std::move(leaf));
  chain.name.kind = SignerKind::kVlek;
  chain.name.csp_id = csp_id;
  return chain;
}

std::string VcekFile(const std::string& first) {
  return "vcek-" + first + std::string(126, '0') + "-5100000004010a01.certs";
}

class Prepare : public ::testing::Test {
 protected:
  absl::Status Run(Choice choice, std::set<ChipId> chips = {}) {
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const absl::Status status =
        PrepareRoots({.to = to_, .chips = std::move(chips)}, choice);
    out_ = ::testing::internal::GetCapturedStdout();
    err_ = ::testing::internal::GetCapturedStderr();
    return status;
  }
  std::vector<std::string> Written() const {
    std::vector<std::string> names;
    if (!fs::exists(to_)) return names;
    for (const auto& entry : fs::directory_iterator(to_)) {
      names.push_back(entry.path().filename());
    }
    std::ranges::sort(names);
    return names;
  }
  void ExpectIncomplete(const absl::Status& status, std::string_view count,
                        std::string_view said) const {
    EXPECT_TRUE(hosted::Is(status, kPrepareIncomplete)) << status;
    EXPECT_EQ(hosted::DetailOf(status), count);
    EXPECT_TRUE(absl::StrContains(err_, said)) << err_;
  }

  testing::ScratchFolder folder_;
  const std::string to_ = folder_.Path("made/on the way");
  std::string out_, err_;
};

TEST_F(Prepare, WritesOneTableAChipAndTcb) {
  ASSERT_TRUE(Run({.chains = {VcekChain(0xAB), VlekChain("CN=../x")}}).ok());
  const std::string vcek = VcekFile("ab");
  const std::string vlek = "vlek-..%2Fx-5100000004010a01.certs";
  EXPECT_EQ(Written(), (std::vector<std::string>{vcek, vlek}));
  for (const std::string& file : {vcek, vlek}) {
    EXPECT_TRUE(absl::StrContains(out_, "wrote " + to_ + "/" + file + "\n"))
        << out_;
  }
  EXPECT_EQ(err_, "");
  struct stat about{};
  ASSERT_EQ(stat((to_ + "/" + vcek).c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777u, hosted::kPublicFile);

  const auto bytes = ReadInput(to_ + "/" + vcek);
  ASSERT_TRUE(bytes.ok());
  const auto table = sev::ParseCertTable(*bytes);
  ASSERT_TRUE(table.ok());
  EXPECT_TRUE(base::Equal(table->vcek, Der{1}));
  EXPECT_TRUE(base::Equal(table->ask, Der{2, 2}));
  EXPECT_TRUE(base::Equal(table->ark, Der{3, 3, 3}));
  EXPECT_TRUE(base::Equal(table->crl, Der{4}));
  EXPECT_TRUE(table->vlek.empty());
  const auto other = ReadInput(to_ + "/" + vlek);
  ASSERT_TRUE(other.ok());
  const auto vlek_table = sev::ParseCertTable(*other);
  ASSERT_TRUE(vlek_table.ok());
  EXPECT_TRUE(base::Equal(vlek_table->vlek, Der{1}));
  EXPECT_TRUE(vlek_table->vcek.empty());
}

TEST_F(Prepare, ReplacesWhatChangedAndSaysWhatDidNot) {
  ASSERT_TRUE(Run({.chains = {VcekChain(1), VcekChain(2)}}).ok());
  const auto inode = [&] {
    struct stat about{};
    EXPECT_EQ(stat((to_ + "/" + VcekFile("01")).c_str(), &about), 0);
    return about.st_ino;
  };
  const auto before = inode();
  ASSERT_TRUE(Run({.chains = {VcekChain(1), VcekChain(2, {9})}}).ok());
  EXPECT_EQ(inode(), before);
  EXPECT_TRUE(absl::StrContains(out_, "kept " + to_ + "/" + VcekFile("01")))
      << out_;
  EXPECT_TRUE(absl::StrContains(out_, "wrote " + to_ + "/" + VcekFile("02")))
      << out_;
  const auto bytes = ReadInput(to_ + "/" + VcekFile("02"));
  ASSERT_TRUE(bytes.ok());
  EXPECT_TRUE(base::Equal(sev::ParseCertTable(*bytes)->vcek, Der{9}));
  EXPECT_EQ(Written().size(), 2u);  // And nothing beside them.
}

TEST_F(Prepare, NamesWhatHasNoChainAndWritesTheRest) {
  const LeafWithoutChain without = {
      .name = {.chip_id = Chip(2), .csp_id = {}, .tcb = kTcb},
      .what = "x.der\n: no ASK"};
  ExpectIncomplete(Run({.chains = {VcekChain(1)}, .left_out = {without}}),
                   "1 of 2", "no file for x.der\\x0a: no ASK\n");
  EXPECT_FALSE(absl::StrContains(err_, "from before")) << err_;
  EXPECT_TRUE(absl::StrContains(out_, VcekFile("01"))) << out_;
  EXPECT_TRUE(Run({.chains = {VcekChain(1)}, .left_out = {}}).ok());
  EXPECT_EQ(err_, "");
  EXPECT_EQ(Written(), (std::vector<std::string>{VcekFile("01")}));
  ExpectIncomplete(Run({}), "no VCEK or VLEK is there", "");
}

TEST_F(Prepare, AFileFromBeforeStaysAndIsNamed) {
  ASSERT_TRUE(Run({.chains = {VcekChain(1)}}).ok());
  const LeafWithoutChain without = {.name = VcekChain(1).name, .what = "x"};
  ExpectIncomplete(Run({.chains = {}, .left_out = {without}}), "1 of 1",
                   to_ + "/" + VcekFile("01") + " is from before, and stays\n");
  EXPECT_EQ(Written(), (std::vector<std::string>{VcekFile("01")}));
}

TEST_F(Prepare, SaysWhereThereIsNoCurrentList) {
  PreparedChain chain = VcekChain(1);
  chain.crl.clear();
  ASSERT_TRUE(Run({.chains = {chain}}).ok());
  EXPECT_TRUE(absl::StrContains(out_, ".certs, without a revocation list\n"))
      << out_;
}

TEST_F(Prepare, NoMoreThanADaemonSends) {
  // Five entries of 24 bytes, and 2 + 3 + 1 bytes beside the leaf.
  const size_t room = proto::channel::kMaxCertificateTable - 5 * 24 - 6;
  ASSERT_TRUE(Run({.chains = {VcekChain(1, Der(room))}}).ok());
  EXPECT_EQ(fs::file_size(to_ + "/" + VcekFile("01")),
            proto::channel::kMaxCertificateTable);
  ExpectIncomplete(Run({.chains = {VcekChain(2, Der(room + 1)), VcekChain(3)}}),
                   "1 of 2", VcekFile("02") + ": larger than 12 KiB");
  EXPECT_EQ(Written(),
            (std::vector<std::string>{VcekFile("01"), VcekFile("03")}));
}

// Layouts of a TCB differ by product; a VLEK's name does not say which it is.
TEST_F(Prepare, TwoOfOneNameAreNeitherOfThem) {
  ExpectIncomplete(
      Run({.chains = {VlekChain("CN=a", {1}), VlekChain("CN=a", {2})}}),
      "1 of 1", "two products");
  EXPECT_EQ(Written().size(), 0u);
}

TEST_F(Prepare, OnlyTheChipsAskedFor) {
  const LeafWithoutChain other = {
      .name = {.chip_id = Chip(3), .csp_id = {}, .tcb = kTcb}, .what = "other"};
  const Choice choice = {
      .chains = {VcekChain(1), VcekChain(2), VlekChain("CN=a")},
      .left_out = {other}};
  EXPECT_TRUE(Run(choice, {Chip(2)}).ok()) << err_;
  EXPECT_EQ(Written(), (std::vector<std::string>{
                           VcekFile("02"), "vlek-a-5100000004010a01.certs"}));
  ExpectIncomplete(Run(choice, {Chip(2), Chip(3)}), "1 of 3", "other");
  ExpectIncomplete(Run(choice, {Chip(9)}), "1 of 2",
                   "chip 09" + std::string(126, '0') + ": no VCEK is at hand");
}

TEST_F(Prepare, AFolderThatCannotBeWrittenIsSaid) {
  folder_.Write("made", Der{1});
  const absl::Status status = Run({.chains = {VcekChain(1)}});
  EXPECT_TRUE(hosted::Is(status, kFileUnwritable)) << status;
}

TEST(ChipIdOf, TakesAReportsIdOrATurinsShortOne) {
  EXPECT_EQ(*ChipIdOf("Ab" + std::string(126, '0')), Chip(0xAB));
  EXPECT_EQ(*ChipIdOf("ab00000000000000"), Chip(0xAB));
  for (const char* odd : {"", "ab", "ab0000000000000g"}) {
    EXPECT_FALSE(ChipIdOf(odd).ok()) << odd;
  }
  EXPECT_FALSE(ChipIdOf(std::string(129, '0')).ok());
}

}  // namespace
}  // namespace cli
