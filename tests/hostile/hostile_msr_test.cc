// SPDX-License-Identifier: Apache-2.0
//
// A hypervisor that is hostile before there is a GHCB page: the MSR protocol.
// Spec: AMD 56421 (GHCB) rev. 2.03, section 2.3.1.
#include <stdint.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sev/ghcb.h"
#include "tests/hostile/bench.h"
#include "tests/hostile/branches.h"
#include "tests/hostile/scripts.h"

namespace hostile {
namespace {

TEST(HostileMsrTest, OtherGhcbVersionsAreRefused) {
  struct Row {
    uint16_t min, max;
    std::string end;
  };
  for (const Row& row : std::vector<Row>{{1, 2, "stopped"},
                                         {2, 2, "stopped"},
                                         {2, 0xFFFF, "stopped"},
                                         {1, 1, "SP7"},
                                         {3, 4, "SP7"},
                                         {0, 0, "SP7"},
                                         {2, 1, "SP10"},
                                         {0xFFFF, 0, "SP10"}}) {
    const Outcome outcome =
        RunGuest(nullptr, {.machine =
                               [&row](MachineOptions& options) {
                                 options.hypervisor.min_version = row.min;
                                 options.hypervisor.max_version = row.max;
                               },
                           .stop_at = "started: "});
    EXPECT_EQ(outcome.end, row.end) << row.min << " to " << row.max << "\n"
                                    << outcome.ToString();
  }
}

TEST(HostileMsrTest, AnotherCbitThanTheCpuidPagesIsRefused) {
  for (const uint8_t position : {0, 32, 47, 50, 52, 63, 255}) {
    const Outcome outcome =
        RunGuest(nullptr, {.machine = [position](MachineOptions& options) {
                   options.hypervisor.cbit_position = position;
                 }});
    EXPECT_EQ(outcome.end, "SP8") << int{position} << outcome.ToString();
  }
}

TEST(HostileMsrTest, AHypervisorWithoutSnpIsRefused) {
  for (const uint64_t features : {uint64_t{0}, uint64_t{2}, uint64_t{0xFFE}}) {
    const Outcome outcome =
        RunGuest(nullptr, {.machine = [features](MachineOptions& options) {
                   options.hypervisor.features = features;
                 }});
    EXPECT_EQ(outcome.end, "SP9") << features << outcome.ToString();
  }
}

// What becomes of an answer with one bit flipped. 56421, 2.3.1: GHCBInfo is
// bits 11:0; SEV_INFO has the C-bit at 31:24, the versions above; a page state
// change has an error at 63:32 and zeros below.
const char* EndOfFlip(Cause cause, int bit) {
  if (bit < 12) return "SP10";
  switch (cause) {
    case Cause::kSevInfo:
      return bit == 24 ? "SP8" : "kernel";
    case Cause::kFeatures:
      return bit == 12 ? "SP9" : "kernel";
    case Cause::kPageState:
      return bit < 32 ? "SP10" : "SP17";
    default:
      return "SP11";
  }
}

// At each exit of the protocol: no answer, the answer to something else, and
// the right one with bits flipped.
TEST(HostileMsrTest, EveryAnswerIsCheckedOrHarmless) {
  std::map<std::string, std::string> ends;
  std::set<Cause> seen;
  BranchAt brancher(
      IsMsrProtocol(),
      [&](Machine&, const Exit& exit) {
        seen.insert(exit.cause);
        std::vector<Branch> branches;
        const std::string at =
            absl::StrCat(exit.number, " ", NameOf(exit.cause), " ");
        const std::string unanswered = absl::StrCat(at, "unanswered");
        ends[unanswered] = "SP10";
        branches.push_back(Going<Instead>(unanswered, Any(), 1));
        for (const uint64_t answer :
             {uint64_t{0}, ~uint64_t{0}, sev::kMsrSevInfoRequest,
              sev::kMsrCpuidResponse, sev::kMsrTerminate,
              sev::kMsrPreferredGhcbResponse}) {
          const std::string name = absl::StrCat(at, "answer ", answer);
          ends[name] = "SP10";
          branches.push_back(Going<Instead>(
              name, Any(), 1, [answer](Machine&, Exit& e) { e.msr = answer; }));
        }
        for (const int bit : {0, 11, 12, 24, 32, 63}) {
          const std::string name = absl::StrCat(at, "bit ", bit);
          ends[name] = EndOfFlip(exit.cause, bit);
          branches.push_back(Going<Afterwards>(
              name, Any(), 1,
              [bit](Machine&, Exit& e) { e.msr ^= uint64_t{1} << bit; }));
        }
        return branches;
      },
      kAlways);
  for (const BranchReport& report : RunBranches(brancher)) {
    EXPECT_TRUE(report.acted) << report.name;
    EXPECT_EQ(report.end, ends[report.name]) << report.name << "\n"
                                             << report.text;
  }
  EXPECT_EQ(seen,
            (std::set<Cause>{Cause::kSevInfo, Cause::kFeatures,
                             Cause::kPageState, Cause::kGhcbRegistration}));
  RecordProperty("ends", Tally(brancher.reports()));
}

TEST(HostileMsrTest, TheGhcbMustBeWhereTheGuestPutIt) {
  Afterwards script(Is(Cause::kGhcbRegistration), 1,
                    [](Machine&, Exit& exit) { exit.msr += 4096; });
  EXPECT_EQ(RunGuest(&script).end, "SP11");
  EXPECT_EQ(script.acted(), 1);
}

}  // namespace
}  // namespace hostile
