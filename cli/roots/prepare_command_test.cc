// SPDX-License-Identifier: Apache-2.0
#include "cli/roots/prepare_command.h"

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "cli/testing/command_runner.h"
#include "cli/testing/emulated_reports.h"
#include "gtest/gtest.h"
#include "psp/hierarchy.h"

namespace cli {
namespace {

namespace fs = std::filesystem;
using testing::Output;

class PrepareCommand : public ::testing::Test {
 protected:
  Output Run(std::vector<std::string> words) const {
    words.insert(words.begin(), {"roots", "prepare"});
    return testing::RunCommand(PrepareCommands(), words);
  }
  std::string TableIn(const std::string& folder) const {
    return folder + "/" +
           fs::path(milan_.VcekFileName()).replace_extension(".certs").string();
  }

  const psp::Hierarchy& milan_ = psp::TestHierarchy();
  testing::ScratchFolder folder_;
  const std::string pin_ = testing::RootPin(milan_);
  const std::string leaf_ = folder_.Write("in/any name.der", milan_.vcek());
  const std::string in_ = folder_.Path("in");
};

TEST_F(PrepareCommand, WritesIntoTheFirstFolderOrWhereItIsTold) {
  folder_.Write("in/deeper/1.der", milan_.ask());
  folder_.Write("in/deeper/2.der", milan_.ark());
  Output output = Run({"--root-sha256", pin_, in_});
  EXPECT_EQ(output.code, hosted::kExitOk) << output.err;
  EXPECT_EQ(output.out,
            "wrote " + TableIn(in_) + ", without a revocation list\n");
  EXPECT_TRUE(fs::exists(TableIn(in_)));

  const std::string to = folder_.Path("to");
  const std::string crl = folder_.Write("crl", milan_.crl());
  output = Run({"--root-sha256", pin_, "--to", to, crl, in_});
  EXPECT_EQ(output.code, hosted::kExitOk) << output.err;
  EXPECT_EQ(output.out, "wrote " + TableIn(to) + "\n");
}

TEST_F(PrepareCommand, SaysWhatIsOfNoUse) {
  folder_.Write("in/1.der", milan_.ask());
  folder_.Write("in/2.der", milan_.ark());
  const std::vector<uint8_t> junk = {1, 2, 3};
  folder_.Write("in/3\n.der", junk);
  Output output = Run({"--root-sha256", pin_, in_});
  EXPECT_EQ(output.code, hosted::kExitOk) << output.err;
  EXPECT_TRUE(absl::StrContains(output.err, "passed over: VE4 ")) << output.err;
  EXPECT_TRUE(absl::StrContains(output.err, "/3\\x0a.der")) << output.err;
  // One that a person names must be of use.
  output = Run({"--root-sha256", pin_, in_, folder_.Write("text", junk)});
  EXPECT_TRUE(absl::StrContains(output.err, "CL5 ")) << output.err;
  output = Run({"--root-sha256", pin_, in_, folder_.Path("none")});
  EXPECT_TRUE(absl::StrContains(output.err, "CL1 ")) << output.err;
}

TEST_F(PrepareCommand, SaysForWhatThereIsNoChain) {
  const Output output = Run({"--root-sha256", pin_, in_});
  EXPECT_EQ(output.code, hosted::kExitFailed);
  EXPECT_TRUE(absl::StrContains(output.err, leaf_ + ": VE2 ")) << output.err;
  EXPECT_TRUE(absl::StrContains(output.err, "CL8 ")) << output.err;
  EXPECT_FALSE(fs::exists(TableIn(in_)));
}

TEST_F(PrepareCommand, OnlyAmdsRootsCountUnlessOneIsNamed) {
  folder_.Write("in/1.der", milan_.ask());
  folder_.Write("in/2.der", milan_.ark());
  const Output output = Run({in_});
  EXPECT_EQ(output.code, hosted::kExitFailed);
  EXPECT_TRUE(absl::StrContains(output.err, "VE12 ")) << output.err;
}

TEST_F(PrepareCommand, WantsAFolderAndWholeChipIds) {
  EXPECT_EQ(Run({leaf_}).code, hosted::kExitUsage);
  EXPECT_EQ(Run({"--chip", "12", in_}).code, hosted::kExitUsage);
  EXPECT_EQ(Run({}).code, hosted::kExitUsage);
  const Output other =
      Run({"--root-sha256", pin_, "--chip", std::string(128, 'a'), in_});
  EXPECT_EQ(other.code, hosted::kExitFailed);
  EXPECT_TRUE(absl::StrContains(other.err, "no VCEK is at hand")) << other.err;
}

}  // namespace
}  // namespace cli
