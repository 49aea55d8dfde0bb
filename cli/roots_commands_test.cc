// SPDX-License-Identifier: Apache-2.0
#include "cli/roots_commands.h"

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "base/bytes.h"
#include "cli/files.h"
#include "cli/testing/command_runner.h"
#include "cli/testing/emulated_reports.h"
#include "gtest/gtest.h"
#include "psp/certificates.h"
#include "verifier/ossl/ossl.h"

namespace cli {
namespace {

using psp::Hierarchy;
using psp::TestHierarchy;
using testing::Output;

using Words = std::vector<std::string>;

class Roots : public ::testing::Test {
 protected:
  // Into the folder "store", with Milan's emulated root pinned.
  Output Import(Words files) const {
    Words words = {"roots",         "import",
                   "--to",          folder_.Path("store"),
                   "--root-sha256", testing::RootPin(TestHierarchy())};
    words.insert(words.end(), files.begin(), files.end());
    return testing::RunCommand(RootsCommands(), words);
  }
  void ExpectRefused(const Words& files, std::string_view reason) const {
    const Output output = Import(files);
    EXPECT_EQ(output.code, hosted::kExitFailed) << output.out;
    EXPECT_TRUE(absl::StrContains(output.err, reason)) << output.err;
  }
  bool Has(const std::string& name) const {
    return std::filesystem::exists(folder_.Path("store/" + name));
  }

  const Hierarchy& milan_ = TestHierarchy();
  testing::ScratchFolder folder_;
  const std::string ark_ = folder_.Write("ark", milan_.ark());
  const std::string ask_ = folder_.Write("ask", milan_.ask());
  const std::string crl_ = folder_.Write("crl", milan_.crl());
};

TEST_F(Roots, ImportsWhatAPinnedRootVouchesFor) {
  // Any order.
  Output output = Import({crl_, ask_, ark_});
  EXPECT_EQ(output.code, hosted::kExitOk) << output.err;
  for (const char* file : {"milan/ark.der", "milan/ask.der", "milan/crl.der"}) {
    EXPECT_TRUE(Has(file)) << file;
    EXPECT_TRUE(absl::StrContains(output.out, file)) << output.out;
  }
  output = Import({crl_, ask_, ark_});
  EXPECT_EQ(output.code, hosted::kExitOk) << output.err;
  EXPECT_TRUE(absl::StrContains(output.out, "already")) << output.out;

  // The root is in the folder by now.
  EXPECT_EQ(Import({crl_}).code, hosted::kExitOk);

  const Output list = testing::RunCommand(
      RootsCommands(), {"roots", "list", folder_.Path("store"), "--root-sha256",
                        testing::RootPin(milan_)});
  EXPECT_EQ(list.code, hosted::kExitOk) << list.err;
  for (const char* text : {"ARK-Milan", "SEV-Milan", "CRL", " pinned"}) {
    EXPECT_TRUE(absl::StrContains(list.out, text)) << list.out;
  }
  const Output amd = testing::RunCommand(
      RootsCommands(), {"roots", "list", folder_.Path("store")});
  EXPECT_TRUE(absl::StrContains(amd.out, "NOT PINNED")) << amd.out;
}

TEST_F(Roots, RefusesEverythingElseAndWritesNothing) {
  const Hierarchy& genoa = TestHierarchy(psp::kGenoa);
  ExpectRefused({ask_}, "CL25 ");  // No root at all.
  ExpectRefused({folder_.Write("other", genoa.ark())}, "CL25 ");
  ExpectRefused({ark_, folder_.Write("other", genoa.ark())}, "CL25 ");
  ExpectRefused({ark_, folder_.Write("other", genoa.ask())}, "CL26 ");
  ExpectRefused({ark_, folder_.Write("other", genoa.crl())}, "CL26 ");
  ExpectRefused({ark_, folder_.Write("vcek", milan_.vcek())}, "CL27 ");
  ExpectRefused({ark_, folder_.Write("text", base::AsBytes("hello"))}, "CL5 ");
  ExpectRefused({ark_, "/nowhere"}, "CL1 ");
  std::vector<uint8_t> changed = milan_.ask();
  changed.back() ^= 1;  // In the signature.
  ExpectRefused({ark_, folder_.Write("changed", changed)}, "CL26 ");
  EXPECT_FALSE(std::filesystem::exists(folder_.Path("store")));

  // Without a pin of one's own only AMD's.
  const Output output = testing::RunCommand(
      RootsCommands(),
      {"roots", "import", "--to", folder_.Path("store"), ark_});
  EXPECT_EQ(output.code, hosted::kExitFailed);
  EXPECT_TRUE(absl::StrContains(output.err, "CL25 ")) << output.err;
}

TEST_F(Roots, RefusesWhatHasExpired) {
  auto spec = psp::IntermediateSpec(psp::kMilan, psp::SignerKind::kVcek,
                                    milan_.ask_key(), milan_.ark_key());
  spec.validity = {.not_before = 1, .not_after = 2};
  const auto expired = psp::MakeCertificate(spec);
  ASSERT_TRUE(expired.ok()) << expired.status();
  ExpectRefused({ark_, folder_.Write("expired", *expired)}, "VE10 ");
}

TEST_F(Roots, KeepsWhatIsThere) {
  ASSERT_EQ(Import({ark_, ask_, crl_}).code, hosted::kExitOk);
  // AMD has issued several ASKs of one name; both may be needed.
  auto spec = psp::IntermediateSpec(psp::kMilan, psp::SignerKind::kVcek,
                                    milan_.ask_key(), milan_.ark_key());
  spec.serial += 100;
  const auto second = psp::MakeCertificate(spec);
  ASSERT_TRUE(second.ok()) << second.status();
  const Output output = Import({folder_.Write("second", *second)});
  EXPECT_EQ(output.code, hosted::kExitOk) << output.err;
  EXPECT_TRUE(absl::StrContains(output.out, "milan/ask-")) << output.out;

  // A list gives way to a newer one, never to an older one.
  auto crl = psp::GoodCrlSpec(psp::kMilan, milan_.ark_key());
  crl.number = 100;
  const auto newer = psp::MakeCrl(crl);
  ASSERT_TRUE(newer.ok()) << newer.status();
  EXPECT_TRUE(absl::StrContains(Import({folder_.Write("newer", *newer)}).out,
                                "milan/crl.der"));
  const Output older = Import({crl_});
  EXPECT_EQ(older.code, hosted::kExitOk) << older.err;
  EXPECT_TRUE(absl::StrContains(older.out, "milan/crl.der: it is newer"))
      << older.out;
  EXPECT_FALSE(absl::StrContains(older.out, "already")) << older.out;
}

TEST_F(Roots, AListThatNoRootSignedGivesWay) {
  auto spec = psp::GoodCrlSpec(psp::kMilan, milan_.ask_key());
  spec.number = 1000;
  const auto forged = psp::MakeCrl(spec);
  ASSERT_TRUE(forged.ok()) << forged.status();
  folder_.Write("store/milan/crl.der", *forged);
  const Output output = Import({ark_, crl_});
  EXPECT_EQ(output.code, hosted::kExitOk) << output.err;
  EXPECT_TRUE(absl::StrContains(output.out, "wrote ")) << output.out;
  const auto stored = ReadInput(folder_.Path("store/milan/crl.der"));
  ASSERT_TRUE(stored.ok());
  EXPECT_EQ(*stored, milan_.crl());
}

TEST_F(Roots, APinMakesNoRootOfAnotherName) {
  auto spec = psp::ArkSpec(psp::kMilan, milan_.ark_key());
  spec.subject = spec.issuer = "X";
  const auto other = psp::MakeCertificate(spec);
  ASSERT_TRUE(other.ok()) << other.status();
  folder_.Write("store/x.der", *other);
  auto ask = psp::IntermediateSpec(psp::kMilan, psp::SignerKind::kVcek,
                                   milan_.ask_key(), milan_.ark_key());
  ask.issuer = "X";
  const auto below = psp::MakeCertificate(ask);
  ASSERT_TRUE(below.ok()) << below.status();
  const Output output = testing::RunCommand(
      RootsCommands(),
      {"roots", "import", "--to", folder_.Path("store"), "--root-sha256",
       verifier::ossl::Hex(verifier::ossl::Sha256::Of(*other)),
       folder_.Write("below", *below)});
  EXPECT_EQ(output.code, hosted::kExitFailed) << output.out;
  EXPECT_TRUE(absl::StrContains(output.err, "CL25 ")) << output.err;
}

TEST_F(Roots, TheDefaultFolderIsTheUsers) {
  const std::string data = folder_.Path("data");
  setenv("XDG_DATA_HOME", data.c_str(), 1);
  const Output output = testing::RunCommand(
      RootsCommands(),
      {"roots", "import", "--root-sha256", testing::RootPin(milan_), ark_});
  EXPECT_EQ(output.code, hosted::kExitOk) << output.err;
  EXPECT_TRUE(
      std::filesystem::exists(data + "/forelock/certificates/milan/ark.der"));
  EXPECT_EQ(testing::RunCommand(RootsCommands(), {"roots", "list"}).code,
            hosted::kExitOk);
  setenv("XDG_DATA_HOME", "relative", 1);
  unsetenv("HOME");
  EXPECT_EQ(testing::RunCommand(RootsCommands(), {"roots", "list"}).code,
            hosted::kExitUsage);
}

}  // namespace
}  // namespace cli
