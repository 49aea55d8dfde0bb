// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "base/bytes.h"
#include "cli/policy_commands.h"
#include "cli/policy_template.h"
#include "cli/testing/command_runner.h"
#include "cli/testing/emulated_reports.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "sev/report.h"
#include "verifier/ossl/ossl.h"

namespace cli {
namespace {

using psp::Hierarchy;
using psp::TestHierarchy;
using testing::EmulatedReport;
using testing::Output;
using testing::ReportBytes;
using Json = nlohmann::ordered_json;
using Words = std::vector<std::string>;

namespace layout = sev::report_layout;

class PolicyExplain : public ::testing::Test {
 protected:
  PolicyExplain() {
    for (const char* file : {"kernel", "initrd", "cmdline"}) {
      Write(file, file);
    }
  }

  std::string Write(const std::string& name, std::string_view text) const {
    return folder_.Write(name, verifier::ossl::AsBytes(text));
  }

  // For the emulated Milan and the VM "vm", satisfied by EmulatedReport().
  std::string Policy() const {
    const auto digest = [](std::string_view text) {
      return verifier::ossl::Hex(
          verifier::ossl::Sha384::Of(verifier::ossl::AsBytes(text)));
    };
    return PolicyTemplate(
        {.vm = "vm",
         .images = {{"image",
                     verifier::ossl::Hex(std::vector<uint8_t>(48, 0xAB))}},
         .emulated_root = testing::RootPin(TestHierarchy()),
         .kernel = digest("kernel"),
         .initrd = digest("initrd"),
         .command_line = digest("cmdline"),
         .acpi_none = true});
  }

  Output Explain(const std::string& policy, base::Bytes report, Words more,
                 const Hierarchy& hierarchy = TestHierarchy()) const {
    Words words = {"policy",         "explain",
                   "--policy",       Write("policy.toml", policy),
                   "--report",       folder_.Write("report.bin", report),
                   "--certificates", folder_.Write("vcek", hierarchy.vcek()),
                   "--certificates", folder_.Write("ask", hierarchy.ask()),
                   "--certificates", folder_.Write("ark", hierarchy.ark())};
    words.insert(words.end(), more.begin(), more.end());
    return testing::RunCommand(PolicyCommands(), words);
  }
  Json ExplainJson(const std::string& policy, base::Bytes report, int code,
                   Words more = {}) const {
    more.push_back("--json");
    const Output output = Explain(policy, report, more);
    EXPECT_EQ(output.code, code) << output.out << output.err;
    Json json = Json::parse(output.out, nullptr, false);
    EXPECT_TRUE(json.is_object()) << output.out << output.err;
    return json;
  }
  Words Everything() const {
    return {"--vm",           "vm",
            "--kernel",       folder_.Path("kernel"),
            "--initrd",       folder_.Path("initrd"),
            "--command-line", folder_.Path("cmdline"),
            "--acpi",         "none"};
  }
  // The fields of the conditions with this result.
  static Words With(const Json& json, std::string_view result) {
    Words fields;
    for (const Json& condition : json["conditions"]) {
      if (condition["result"] == result) {
        fields.push_back(condition["field"].get<std::string>());
      }
    }
    return fields;
  }

  testing::ScratchFolder folder_;
};

TEST_F(PolicyExplain, WhatIsSatisfiedIsNotRefused) {
  const Json json = ExplainJson(Policy(), EmulatedReport(TestHierarchy()),
                                hosted::kExitOk, Everything());
  EXPECT_EQ(json["decision"], "not refused");
  EXPECT_EQ(json["evidence"]["verdict"], "valid");
  EXPECT_EQ(With(json, "fail"), Words{});
  EXPECT_EQ(With(json, "unknown"), Words{});
  const Words pass = With(json, "pass");
  for (const char* field :
       {"vms", "roots", "products", "launch.measurement", "guest_policy.debug",
        "signer.vlek", "minimum_tcb.milan.launch", "boot.kernel", "boot.acpi",
        "vmpl"}) {
    EXPECT_TRUE(std::ranges::find(pass, field) != pass.end()) << field;
  }
  // Whatever is given, a report does not show its session.
  EXPECT_TRUE(absl::StrContains(json["not_judged"].dump(), "report data"));
  EXPECT_TRUE(absl::StrContains(json["not_judged"].dump(), "allow-emulated"));
}

TEST_F(PolicyExplain, WhatAReportDoesNotShowIsSaidPlainly) {
  const Json json =
      ExplainJson(Policy(), EmulatedReport(TestHierarchy()), hosted::kExitOk);
  EXPECT_EQ(With(json, "unknown"), (Words{"vms", "boot.kernel", "boot.initrd",
                                          "boot.command_line", "boot.acpi"}));
  for (const char* text : {"give --vm", "boot.kernel: ", "boot.acpi: "}) {
    EXPECT_TRUE(absl::StrContains(json["not_judged"].dump(), text)) << text;
  }
}

TEST_F(PolicyExplain, EveryReasonIsNamed) {
  const ReportBytes report = EmulatedReport(
      TestHierarchy(), 3, sev::SigningKey::kVcek, [](ReportBytes& bytes) {
        bytes[layout::Measurement::kOffset] ^= 1;
        bytes[layout::Vmpl::kOffset] = 1;
        bytes[layout::CommittedTcb::kOffset + 6] = 1;
      });
  Words more = Everything();
  more[3] = folder_.Path("initrd");  // For the kernel.
  const Json json = ExplainJson(Policy(), report, hosted::kExitInvalid, more);
  EXPECT_EQ(json["decision"], "refused");
  EXPECT_EQ(json["evidence"]["verdict"], "valid");
  EXPECT_EQ(With(json, "fail"),
            (Words{"minimum_tcb.milan.committed", "launch.measurement",
                   "boot.kernel", "vmpl"}));
  for (const Json& condition : json["conditions"]) {
    if (condition["field"] == "launch.measurement") {
      EXPECT_EQ(condition["reason"], "VP11");
    }
  }
}

TEST_F(PolicyExplain, EvidenceComesFirst) {
  ReportBytes report = EmulatedReport(TestHierarchy());
  report[layout::HostData::kOffset] ^= 1;
  Json json = ExplainJson(Policy(), report, hosted::kExitInvalid);
  EXPECT_EQ(json["evidence"]["failing_checks"], Json({"report_signature"}));
  EXPECT_FALSE(json["evidence"]["reasons"].empty());

  // The policy's roots are those that count.
  const std::string other = absl::StrReplaceAll(
      Policy(), {{testing::RootPin(TestHierarchy()), std::string(64, 'a')}});
  json =
      ExplainJson(other, EmulatedReport(TestHierarchy()), hosted::kExitInvalid);
  EXPECT_EQ(With(json, "fail"), Words{"roots"});
}

TEST_F(PolicyExplain, TcbAboveTheCurrentUnlessThePolicySaysAny) {
  const ReportBytes report = EmulatedReport(
      TestHierarchy(), 3, sev::SigningKey::kVcek,
      [](ReportBytes& bytes) { bytes[layout::CurrentTcb::kOffset + 6] = 1; });
  Json json = ExplainJson(Policy(), report, hosted::kExitInvalid);
  EXPECT_EQ(json["evidence"]["failing_checks"],
            Json({"tcb_not_above_current"}));
  EXPECT_EQ(With(json, "fail"), Words{"tcb_above_current"});
  const std::string any = absl::StrReplaceAll(
      Policy(),
      {{"tcb_above_current = \"forbidden\"", "tcb_above_current = \"any\""}});
  json = ExplainJson(any, report, hosted::kExitOk);
  EXPECT_EQ(json["evidence"]["verdict"], "valid");
  EXPECT_EQ(With(json, "any")[0], "tcb_above_current");
}

// What is missing refuses nothing; it is asked for.
TEST_F(PolicyExplain, WithoutAChainNothingIsSaidOfIt) {
  const Hierarchy& hierarchy = TestHierarchy();
  const std::string policy = Write(
      "policy.toml", absl::StrReplaceAll(Policy(), {{"\ncrl = \"if-present\"",
                                                     "\ncrl = \"required\""}}));
  const std::string leaf = folder_.Write("leaf", hierarchy.vcek());
  const std::string ask = folder_.Write("ask", hierarchy.ask());
  const std::string ark = folder_.Write("ark", hierarchy.ark());
  for (const Words& certificates :
       {Words{}, Words{leaf}, Words{ask}, Words{ark}, Words{leaf, ark},
        Words{ask, ark}}) {
    Words words = {
        "policy",   "explain",
        "--policy", policy,
        "--report", folder_.Write("report.bin", EmulatedReport(hierarchy)),
        "--json"};
    for (const std::string& file : certificates) {
      words.insert(words.end(), {"--certificates", file});
    }
    const Output output = testing::RunCommand(PolicyCommands(), words);
    EXPECT_EQ(output.code, hosted::kExitUnverifiable)
        << output.out << output.err;
    const Json json = Json::parse(output.out, nullptr, false);
    EXPECT_EQ(json["decision"], "unverifiable");
    EXPECT_EQ(json["evidence"]["verdict"], "unverifiable");
    EXPECT_EQ(With(json, "fail"), Words{});
    const Words unknown = With(json, "unknown");
    for (const char* field :
         {"roots", "products", "signer.vlek", "signer.crl"}) {
      EXPECT_TRUE(std::ranges::find(unknown, field) != unknown.end()) << field;
    }
    EXPECT_TRUE(
        absl::StrContains(json["not_judged"].dump(), "what certificates show"));
  }
}

TEST_F(PolicyExplain, AnotherProductIsRefused) {
  const Hierarchy& turin = TestHierarchy(psp::kTurin);
  const std::string policy = absl::StrReplaceAll(
      Policy(), {{testing::RootPin(TestHierarchy()), testing::RootPin(turin)}});
  const Output output = Explain(policy, EmulatedReport(turin), {}, turin);
  EXPECT_EQ(output.code, hosted::kExitInvalid);
  EXPECT_TRUE(absl::StrContains(output.out, "evidence  valid"));
  EXPECT_TRUE(absl::StrContains(output.out, "FAIL  products"));
  EXPECT_TRUE(absl::StrContains(output.out, "VP25 "));
  EXPECT_TRUE(absl::StrContains(output.out, "decision  refused\n"));
}

TEST_F(PolicyExplain, WrongWordsAreUsage) {
  const ReportBytes report = EmulatedReport(TestHierarchy());
  for (const Words& more :
       {Words{"--at", "today"}, Words{"--acpi", "sha384:00"}, Words{"x"}}) {
    EXPECT_EQ(Explain(Policy(), report, more).code, hosted::kExitUsage)
        << more[0];
  }
  const Output broken = Explain("version = 2\n", report, {});
  EXPECT_EQ(broken.code, hosted::kExitFailed);
  EXPECT_TRUE(
      absl::StrContains(broken.err, "policy.toml:1:1: key 'name' is missing"))
      << broken.err;
}

}  // namespace
}  // namespace cli
