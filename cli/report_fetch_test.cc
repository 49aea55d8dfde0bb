// SPDX-License-Identifier: Apache-2.0
//
// report verify --kds, against a key service of the test's own.
#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "cli/files.h"
#include "cli/report_commands.h"
#include "cli/testing/command_runner.h"
#include "cli/testing/emulated_reports.h"
#include "gtest/gtest.h"
#include "psp/certificates.h"
#include "verifier/kds/kds.h"
#include "verifier/kds/testing/http_server.h"

namespace cli {
namespace {

using psp::Hierarchy;
using psp::TestHierarchy;
using testing::EmulatedReport;
using testing::Output;
using testing::ReportBytes;
using verifier::ChainPath;
using verifier::CrlPath;
using verifier::VcekPath;
using verifier::testing::HttpServer;
using verifier::testing::HttpText;

using Words = std::vector<std::string>;

std::string Text(base::Bytes bytes) { return {bytes.begin(), bytes.end()}; }

class ReportFetch : public ::testing::Test {
 protected:
  void SetUp() override { verifier::testing::UseNoProxy(); }

  // What the service has of a hierarchy.
  void Publish(const Hierarchy& hierarchy) {
    const sev::Product product = hierarchy.model().product;
    answers_[VcekPath(product, hierarchy.chip_id(),
                      hierarchy.model().raw_tcb())] =
        HttpText("200 OK", Text(hierarchy.vcek()));
    answers_[ChainPath(product, "vcek")] = HttpText(
        "200 OK", absl::StrCat(Text(hierarchy.ask()), Text(hierarchy.ark())));
    answers_[ChainPath(product, "vlek")] = HttpText(
        "200 OK", absl::StrCat(Text(hierarchy.asvk()), Text(hierarchy.ark())));
    answers_[CrlPath(product)] = HttpText("200 OK", Text(hierarchy.crl()));
  }
  Output Verify(const Hierarchy& hierarchy, base::Bytes report,
                Words more = {}) const {
    Words words = {"report",
                   "verify",
                   "--kds",
                   server_.url(),
                   "--root-sha256",
                   testing::RootPin(hierarchy),
                   folder_.Write("report.bin", report)};
    words.insert(words.end(), more.begin(), more.end());
    return testing::RunCommand(ReportCommands(), words);
  }
  // A good ASK of the right name that signed nothing here.
  void StoreAnotherAsk(const Hierarchy& milan) const {
    const auto ask = psp::MakeCertificate(
        psp::IntermediateSpec(psp::kMilan, psp::SignerKind::kVcek,
                              milan.asvk_key(), milan.ark_key()));
    ASSERT_TRUE(ask.ok()) << ask.status();
    folder_.Write("store/milan/ask.der", *ask);
    folder_.Write("store/milan/ark.der", milan.ark());
  }
  bool Exists(const std::string& name) const {
    return std::filesystem::exists(folder_.Path(name));
  }

  testing::ScratchFolder folder_;
  std::map<std::string, std::string> answers_;  // By path; else 404.
  HttpServer server_{[this](const std::string& path) {
    const auto found = answers_.find(path);
    return found == answers_.end() ? HttpText("404 Not Found") : found->second;
  }};
};

TEST_F(ReportFetch, FetchesWhatIsMissingAndKeepsIt) {
  for (const psp::ChipModel* model : {&psp::kGenoa, &psp::kTurin}) {
    const Hierarchy& hierarchy = TestHierarchy(*model);
    Publish(hierarchy);
    const ReportBytes report = EmulatedReport(hierarchy);
    const Words store = {"--certificates", folder_.Path("store"),
                         "--require-crl"};
    const size_t before = server_.requests().size();
    Output output = Verify(hierarchy, report, store);
    EXPECT_EQ(output.code, hosted::kExitOk) << output.out << output.err;
    EXPECT_EQ(server_.requests().size(), before + 3);
    const std::string name(model->name);
    for (const char* file : {"/ark.der", "/ask.der", "/crl.der"}) {
      EXPECT_TRUE(Exists("store/" + name + file)) << file;
    }
    // The name that the proxy looks for.
    EXPECT_TRUE(Exists("store/" + hierarchy.VcekFileName()));

    // Everything is there now.
    output = Verify(hierarchy, report, store);
    EXPECT_EQ(output.code, hosted::kExitOk) << output.out << output.err;
    EXPECT_EQ(server_.requests().size(), before + 3);
  }
}

TEST_F(ReportFetch, NeedsNoFolder) {
  const Hierarchy& milan = TestHierarchy();
  Publish(milan);
  const Output output = Verify(milan, EmulatedReport(milan));
  EXPECT_EQ(output.code, hosted::kExitOk) << output.out << output.err;
}

TEST_F(ReportFetch, AsksForEveryProductWhereTheReportDoesNotSay) {
  const Hierarchy& genoa = TestHierarchy(psp::kGenoa);
  Publish(genoa);
  const ReportBytes report = EmulatedReport(genoa, 2);
  EXPECT_EQ(Verify(genoa, report).code, hosted::kExitOk);
  const auto asked = server_.requests();
  ASSERT_GE(asked.size(), 2u);
  EXPECT_TRUE(absl::StrContains(asked[0], "/Milan/"));
  EXPECT_TRUE(absl::StrContains(asked[1], "/Genoa/"));

  const size_t before = asked.size();
  EXPECT_EQ(Verify(genoa, report, {"--product", "genoa"}).code,
            hosted::kExitOk);
  EXPECT_TRUE(absl::StrContains(server_.requests()[before], "/Genoa/"));
}

TEST_F(ReportFetch, SaysWhyThereIsNoCertificate) {
  const Hierarchy& milan = TestHierarchy();
  const ReportBytes report = EmulatedReport(milan);
  const auto expect = [&](std::string_view reason) {
    const Output output = Verify(milan, report);
    EXPECT_EQ(output.code, hosted::kExitFailed) << output.out;
    EXPECT_TRUE(absl::StrContains(output.err, reason)) << output.err;
  };
  expect("CL14 ");
  // The chain is asked for first.
  Publish(milan);
  const std::string path =
      VcekPath(sev::Product::kMilan, milan.chip_id(), milan.model().raw_tcb());
  answers_[path] = HttpText("503 Busy");
  expect("CL17 ");
  answers_[path] = HttpText("301 Moved\r\nLocation: http://127.0.0.1:1/");
  expect("CL16 ");
  answers_[path] = HttpText("200 OK", "<html>a portal</html>");
  expect("CL19 ");
  answers_[path] = HttpText("200 OK", Text(milan.ask()));
  expect("CL19 ");
  answers_[path] = HttpText("200 OK", std::string(65 * 1024, 'x'));
  expect("CL18 ");
  answers_[ChainPath(sev::Product::kMilan, "vcek")] = HttpText("200 OK", "?");
  expect("CL19 ");
}

TEST_F(ReportFetch, DoesWithoutAListUnlessItIsRequired) {
  const Hierarchy& milan = TestHierarchy();
  Publish(milan);
  answers_[CrlPath(sev::Product::kMilan)] = HttpText("500 Broken");
  const ReportBytes report = EmulatedReport(milan);
  const Output output = Verify(milan, report);
  EXPECT_EQ(output.code, hosted::kExitOk) << output.out;
  EXPECT_TRUE(absl::StrContains(output.err, "note: CL17 ")) << output.err;
  EXPECT_EQ(Verify(milan, report, {"--require-crl"}).code,
            hosted::kExitInvalid);
}

TEST_F(ReportFetch, KeepsNoChainOfAnotherRoot) {
  const Hierarchy& milan = TestHierarchy();
  const Hierarchy& genoa = TestHierarchy(psp::kGenoa);
  Publish(milan);
  answers_[ChainPath(sev::Product::kMilan, "vcek")] =
      HttpText("200 OK", absl::StrCat(Text(genoa.ask()), Text(genoa.ark())));
  answers_[CrlPath(sev::Product::kMilan)] =
      HttpText("200 OK", Text(genoa.crl()));
  const Output output = Verify(milan, EmulatedReport(milan),
                               {"--certificates", folder_.Path("store")});
  EXPECT_NE(output.code, hosted::kExitOk) << output.out;
  EXPECT_TRUE(absl::StrContains(output.err, "note: CL22 ")) << output.err;
  EXPECT_FALSE(Exists("store"));
}

TEST_F(ReportFetch, KeepsNoListThatIsForgedOrOlder) {
  const Hierarchy& milan = TestHierarchy();
  Publish(milan);
  auto spec = psp::GoodCrlSpec(psp::kMilan, milan.ask_key());
  spec.number = 1000;
  const auto forged = psp::MakeCrl(spec);
  ASSERT_TRUE(forged.ok()) << forged.status();
  answers_[CrlPath(sev::Product::kMilan)] = HttpText("200 OK", Text(*forged));
  const ReportBytes report = EmulatedReport(milan);
  const Words store = {"--certificates", folder_.Path("store")};
  Output output = Verify(milan, report, store);
  EXPECT_TRUE(absl::StrContains(output.err, "note: CL22 ")) << output.err;
  EXPECT_TRUE(Exists("store/milan/ark.der"));
  EXPECT_TRUE(Exists("store/milan/ask.der"));
  EXPECT_TRUE(Exists("store/" + milan.VcekFileName()));
  EXPECT_FALSE(Exists("store/milan/crl.der"));

  // One that has expired, but is newer than what the service has.
  spec = psp::GoodCrlSpec(psp::kMilan, milan.ark_key());
  spec.number = 1000;
  spec.validity = {.not_before = 1, .not_after = 2};
  const auto newer = psp::MakeCrl(spec);
  ASSERT_TRUE(newer.ok()) << newer.status();
  folder_.Write("store/milan/crl.der", *newer);
  Publish(milan);
  output = Verify(milan, report, store);
  const auto stored = ReadInput(folder_.Path("store/milan/crl.der"));
  ASSERT_TRUE(stored.ok()) << stored.status();
  EXPECT_EQ(*stored, *newer);
}

TEST_F(ReportFetch, KeepsNoVcekThatIsForgedOrAnothers) {
  const Hierarchy& milan = TestHierarchy();
  auto forged = psp::VcekSpec(psp::kMilan, milan.chip_id(), milan.vcek_key(),
                              milan.ark_key());
  auto other_chip = milan.chip_id();
  other_chip[0] ^= 1;
  auto other =
      psp::VcekSpec(psp::kMilan, other_chip, milan.vcek_key(), milan.ask_key());
  Publish(milan);
  for (const auto& spec : {forged, other}) {
    const auto vcek = psp::MakeCertificate(spec);
    ASSERT_TRUE(vcek.ok()) << vcek.status();
    answers_[VcekPath(sev::Product::kMilan, milan.chip_id(),
                      milan.model().raw_tcb())] =
        HttpText("200 OK", Text(*vcek));
    const Output output = Verify(milan, EmulatedReport(milan),
                                 {"--certificates", folder_.Path("store")});
    EXPECT_NE(output.code, hosted::kExitOk) << output.out << output.err;
    EXPECT_TRUE(absl::StrContains(output.err, "note: CL22 ")) << output.err;
    EXPECT_TRUE(Exists("store/milan/ask.der"));
    EXPECT_FALSE(Exists("store/" + milan.VcekFileName()));
  }
}

// The service limits how often a chip's VCEK may be asked for, so one that
// comes must not be lost to what fails beside it.
TEST_F(ReportFetch, AsksForNoVcekThatItCouldNotKeep) {
  const Hierarchy& milan = TestHierarchy();
  const std::string vcek =
      VcekPath(sev::Product::kMilan, milan.chip_id(), milan.model().raw_tcb());
  const std::string chain = ChainPath(sev::Product::kMilan, "vcek");
  const Words store = {"--certificates", folder_.Path("store")};
  for (const char* failure : {"404 Not Found", "500 Broken"}) {
    Publish(milan);
    answers_[chain] = HttpText(failure);
    const size_t before = server_.requests().size();
    EXPECT_EQ(Verify(milan, EmulatedReport(milan), store).code,
              hosted::kExitFailed);
    const auto asked = server_.requests();
    EXPECT_EQ(asked.size(), before + 1);
    EXPECT_EQ(asked.back(), chain);
  }
  // The list fails: the VCEK is kept all the same.
  Publish(milan);
  answers_[CrlPath(sev::Product::kMilan)] = HttpText("500 Broken");
  EXPECT_EQ(Verify(milan, EmulatedReport(milan), store).code, hosted::kExitOk);
  EXPECT_TRUE(Exists("store/" + milan.VcekFileName()));
}

// A folder that has an ASK of the right name which did not sign this VCEK.
TEST_F(ReportFetch, FetchesTheChainWhereNoStoredIssuerSigned) {
  const Hierarchy& milan = TestHierarchy(psp::kMilan, /*vlek=*/true);
  Publish(milan);
  StoreAnotherAsk(milan);
  const Output output = Verify(milan, EmulatedReport(milan),
                               {"--certificates", folder_.Path("store")});
  EXPECT_EQ(output.code, hosted::kExitOk) << output.out << output.err;
  EXPECT_TRUE(Exists("store/" + milan.VcekFileName()));
}

// The folder's ASK is good, but is not the one that signed; the chain of the
// one that did is refused. What the service gave once is not asked for again.
TEST_F(ReportFetch, KeepsTheVcekWhoseChainIsRefused) {
  const Hierarchy& milan = TestHierarchy(psp::kMilan, /*vlek=*/true);
  StoreAnotherAsk(milan);
  Publish(milan);
  const std::string chain = ChainPath(sev::Product::kMilan, "vcek");
  answers_[chain] = HttpText("500 Broken");
  const Words store = {"--certificates", folder_.Path("store")};
  Output output = Verify(milan, EmulatedReport(milan), store);
  EXPECT_NE(output.code, hosted::kExitOk) << output.out << output.err;
  EXPECT_TRUE(Exists("store/" + milan.VcekFileName()));

  const size_t before = server_.requests().size();
  Publish(milan);
  output = Verify(milan, EmulatedReport(milan), store);
  EXPECT_EQ(output.code, hosted::kExitOk) << output.out << output.err;
  const auto asked = server_.requests();
  EXPECT_EQ(std::count(asked.begin() + static_cast<ptrdiff_t>(before),
                       asked.end(), chain),
            1);
  for (size_t i = before; i < asked.size(); ++i) {
    EXPECT_FALSE(absl::StrContains(asked[i], "blSPL")) << asked[i];
  }
}

// But not one whose key did not sign the report.
TEST_F(ReportFetch, KeepsNoVcekThatSignedNothing) {
  const Hierarchy& milan = TestHierarchy(psp::kMilan, /*vlek=*/true);
  StoreAnotherAsk(milan);
  Publish(milan);
  const auto junk = psp::MakeCertificate(psp::VcekSpec(
      psp::kMilan, milan.chip_id(), milan.vlek_key(), milan.ask_key()));
  ASSERT_TRUE(junk.ok()) << junk.status();
  answers_[VcekPath(sev::Product::kMilan, milan.chip_id(),
                    milan.model().raw_tcb())] = HttpText("200 OK", Text(*junk));
  answers_[ChainPath(sev::Product::kMilan, "vcek")] = HttpText("500 Broken");
  const Output output = Verify(milan, EmulatedReport(milan),
                               {"--certificates", folder_.Path("store")});
  EXPECT_NE(output.code, hosted::kExitOk) << output.out << output.err;
  EXPECT_FALSE(Exists("store/" + milan.VcekFileName()));
}

// AMD replaced the ASK: the folder has the old one, and the VCEK under it.
TEST_F(ReportFetch, FetchesAnewWhatIsRevoked) {
  const Hierarchy& milan = TestHierarchy(psp::kMilan, /*vlek=*/true);
  auto old_ask = psp::IntermediateSpec(psp::kMilan, psp::SignerKind::kVcek,
                                       milan.asvk_key(), milan.ark_key());
  old_ask.serial += 100;
  auto list = psp::GoodCrlSpec(psp::kMilan, milan.ark_key());
  list.number = 10;
  list.revoked_serial = old_ask.serial;
  const auto made = [](const auto& der) {
    return std::vector<uint8_t>(der->begin(), der->end());
  };
  folder_.Write("store/ark.der", milan.ark());
  folder_.Write("store/ask.der", made(psp::MakeCertificate(old_ask)));
  folder_.Write(
      "store/vcek.der",
      made(psp::MakeCertificate(psp::VcekSpec(
          psp::kMilan, milan.chip_id(), milan.vcek_key(), milan.asvk_key()))));
  Publish(milan);
  answers_[CrlPath(sev::Product::kMilan)] =
      HttpText("200 OK", Text(made(psp::MakeCrl(list))));
  const Words store = {"--certificates", folder_.Path("store")};
  Output output = Verify(milan, EmulatedReport(milan), store);
  EXPECT_EQ(output.code, hosted::kExitOk) << output.out << output.err;
  EXPECT_TRUE(absl::StrContains(output.err, "revoked: ")) << output.err;
  // And has it from then on.
  const size_t asked = server_.requests().size();
  output = Verify(milan, EmulatedReport(milan), store);
  EXPECT_EQ(output.code, hosted::kExitOk) << output.out << output.err;
  EXPECT_EQ(server_.requests().size(), asked);
}

// Whoever writes the folder keeps nobody from asking.
TEST_F(ReportFetch, FetchesInPlaceOfWhatDidNotSignTheReport) {
  const Hierarchy& milan = TestHierarchy(psp::kMilan, /*vlek=*/true);
  Publish(milan);
  const auto junk = psp::MakeCertificate(psp::VcekSpec(
      psp::kMilan, milan.chip_id(), milan.vlek_key(), milan.asvk_key()));
  ASSERT_TRUE(junk.ok()) << junk.status();
  folder_.Write("store/junk.der", *junk);
  const Output output = Verify(milan, EmulatedReport(milan),
                               {"--certificates", folder_.Path("store")});
  EXPECT_EQ(output.code, hosted::kExitOk) << output.out << output.err;
}

TEST_F(ReportFetch, AsksForTheChainFirstForEveryProduct) {
  const Hierarchy& genoa = TestHierarchy(psp::kGenoa);
  Publish(genoa);
  answers_[ChainPath(sev::Product::kGenoa, "vcek")] = HttpText("500 Broken");
  EXPECT_EQ(Verify(genoa, EmulatedReport(genoa, 2)).code, hosted::kExitFailed);
  for (const std::string& path : server_.requests()) {
    EXPECT_TRUE(absl::StrContains(path, "/cert_chain")) << path;
  }
}

TEST_F(ReportFetch, TheServiceHasNoVlek) {
  const Hierarchy& vlek = TestHierarchy(psp::kMilan, /*vlek=*/true);
  Publish(vlek);
  const ReportBytes report = EmulatedReport(vlek, 3, sev::SigningKey::kVlek);
  Output output = Verify(vlek, report);
  EXPECT_EQ(output.code, hosted::kExitUnverifiable) << output.out;
  EXPECT_TRUE(absl::StrContains(output.err, "CL21 ")) << output.err;
  EXPECT_TRUE(server_.requests().empty());
  // But what is above one.
  output = Verify(vlek, report,
                  {"--certificates", folder_.Write("vlek", vlek.vlek())});
  EXPECT_EQ(output.code, hosted::kExitOk) << output.out << output.err;
}

}  // namespace
}  // namespace cli
