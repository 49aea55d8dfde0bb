// SPDX-License-Identifier: Apache-2.0
#include "cli/roots/roots_commands.h"

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
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

// Made by Milan's ARK: serial 100 above the good one's.
std::vector<uint8_t> SecondAsk(const Hierarchy& milan) {
  auto spec = psp::IntermediateSpec(psp::kMilan, psp::SignerKind::kVcek,
                                    milan.ask_key(), milan.ark_key());
  spec.serial += 100;
  return psp::MakeCertificate(spec).value();
}
std::vector<uint8_t> ListOf(const Hierarchy& milan, long number, long revoked) {
  auto spec = psp::GoodCrlSpec(psp::kMilan, milan.ark_key());
  spec.number = number;
  spec.revoked_serial = revoked;
  return psp::MakeCrl(spec).value();
}
long SerialOfAsk(const Hierarchy& milan) {
  return psp::IntermediateSpec(psp::kMilan, psp::SignerKind::kVcek,
                               milan.ask_key(), milan.ark_key())
      .serial;
}

TEST_F(Roots, RefusesWhatAListRevokes) {
  const std::string second = folder_.Write("second", SecondAsk(milan_));
  const std::string revoking =
      folder_.Write("revoking", ListOf(milan_, 10, SerialOfAsk(milan_) + 100));
  // Beside it, whatever else comes, and in the folder.
  for (const Words& files :
       {Words{second, ark_, revoking}, Words{revoking, ark_, ask_, second}}) {
    ExpectRefused(files, "VE35 ");
    EXPECT_FALSE(std::filesystem::exists(folder_.Path("store")));
  }
  ASSERT_EQ(Import({ark_, ask_, revoking}).code, hosted::kExitOk);
  ExpectRefused({second}, "VE35 ");
  // An older list among the files takes nothing back.
  ExpectRefused({second, crl_}, "VE35 ");
}

TEST_F(Roots, NamesWhatANewListRevokes) {
  ASSERT_EQ(Import({ark_, ask_, crl_}).code, hosted::kExitOk);
  const std::vector<uint8_t> good = SecondAsk(milan_);
  const std::string second = folder_.Write("second", good);
  const std::string revoking =
      folder_.Write("revoking", ListOf(milan_, 10, SerialOfAsk(milan_)));
  const Output output = Import({second, revoking});
  EXPECT_EQ(output.code, hosted::kExitOk) << output.err;
  EXPECT_TRUE(absl::StrContains(output.out, "revoked: ")) << output.out;
  // By the name that it has now.
  EXPECT_FALSE(absl::StrContains(
      output.out, "revoked: " + folder_.Path("store/milan/ask.der")))
      << output.out;
  // The name that people look at is that of the good one.
  const auto stored = ReadInput(folder_.Path("store/milan/ask.der"));
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_EQ(*stored, good);
  const Output list = testing::RunCommand(
      RootsCommands(), {"roots", "list", folder_.Path("store"), "--root-sha256",
                        testing::RootPin(milan_)});
  EXPECT_TRUE(absl::StrContains(list.out, "REVOKED BY LIST 10")) << list.out;
}

// Whatever a file in the way holds: nobody's certificates are lost.
TEST_F(Roots, OverwritesNoFileThatHoldsMore) {
  std::vector<uint8_t> both = milan_.ask();
  both.insert(both.end(), milan_.ark().begin(), milan_.ark().end());
  folder_.Write("store/milan/ask.der", both);
  const Output output = Import({folder_.Write("second", SecondAsk(milan_))});
  EXPECT_EQ(output.code, hosted::kExitOk) << output.err;
  const auto stored = ReadInput(folder_.Path("store/milan/ask.der"));
  ASSERT_TRUE(stored.ok());
  EXPECT_EQ(*stored, both);
}

// Under whatever name the newer one lies.
TEST_F(Roots, TakesNoListThatIsOlderThanAnyThere) {
  ASSERT_EQ(Import({ark_, ask_}).code, hosted::kExitOk);
  const long serial = SerialOfAsk(milan_);
  folder_.Write("store/my-list.der", ListOf(milan_, 7, serial + 100));
  auto older = psp::GoodCrlSpec(psp::kMilan, milan_.ark_key());
  older.number = 7;
  older.validity.not_before -= 30 * 24 * 60 * 60;
  const Output output =
      Import({folder_.Write("older", psp::MakeCrl(older).value())});
  EXPECT_EQ(output.code, hosted::kExitOk) << output.err;
  EXPECT_TRUE(absl::StrContains(output.out, "my-list.der: it is newer"))
      << output.out;
  EXPECT_FALSE(Has("milan/crl.der"));
}

TEST_F(Roots, RefusesAListThatIsOutOfDate) {
  auto spec = psp::GoodCrlSpec(psp::kMilan, milan_.ark_key());
  spec.validity = {.not_before = 1, .not_after = 2};
  ExpectRefused({ark_, folder_.Write("old", psp::MakeCrl(spec).value())},
                "VE36 ");
}

TEST_F(Roots, ListSaysWhatIsWrong) {
  auto expired = psp::IntermediateSpec(psp::kMilan, psp::SignerKind::kVcek,
                                       milan_.ask_key(), milan_.ark_key());
  expired.validity = {.not_before = 1, .not_after = 2};
  auto unsigned_list = psp::GoodCrlSpec(psp::kMilan, milan_.ask_key());
  folder_.Write("store/1.der", milan_.ark());
  folder_.Write("store/2.der", psp::MakeCertificate(expired).value());
  folder_.Write("store/3.der", psp::MakeCrl(unsigned_list).value());
  folder_.Write("store/4.der", ListOf(milan_, 8, 1));
  folder_.Write("store/5.der", ListOf(milan_, 9, 1));
  folder_.Write("store/6.der", TestHierarchy(psp::kGenoa).ask());
  folder_.Write("store/7.der", milan_.vcek());
  folder_.Write("store/8.der", milan_.ask());
  folder_.Write("store/9.der", TestHierarchy(psp::kGenoa).vcek());
  const Output list = testing::RunCommand(
      RootsCommands(), {"roots", "list", folder_.Path("store"), "--root-sha256",
                        testing::RootPin(milan_)});
  std::vector<std::string> lines;
  for (const auto line : absl::StrSplit(list.out, '\n')) {
    if (absl::StartsWith(line, "  ")) lines.emplace_back(line);
  }
  constexpr std::string_view kEnds[] = {" pinned",
                                        " OUT OF DATE",
                                        " THAT IS HERE",
                                        " SUPERSEDED BY LIST 9",
                                        "",
                                        " THAT IS HERE",
                                        "",
                                        "",
                                        " NOT SIGNED BY WHAT IS GOOD HERE"};
  ASSERT_EQ(lines.size(), std::size(kEnds)) << list.out;
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string_view end =
        std::string_view(lines[i]).substr(lines[i].find("sha256:") + 71);
    EXPECT_TRUE(kEnds[i].empty() ? end.empty() : end.ends_with(kEnds[i]))
        << lines[i];
  }
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
