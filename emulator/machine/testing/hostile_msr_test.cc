// SPDX-License-Identifier: Apache-2.0
//
// A hypervisor that is hostile before there is a GHCB page: the MSR protocol.
// Spec: AMD 56421 (GHCB) rev. 2.03, section 2.3.1.
#include <stdint.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "emulator/machine/testing/bench.h"
#include "emulator/machine/testing/branches.h"
#include "emulator/machine/testing/scripts.h"
#include "gtest/gtest.h"
#include "sev/ghcb.h"

namespace emulator::machine::testing {
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

// At each exit of the protocol: no answer, the answer to something else, and
// the right one with bits flipped.
TEST(HostileMsrTest, EveryAnswerIsCheckedOrHarmless) {
  BranchAt brancher(
      IsMsrProtocol(),
      [](Machine&, const Exit& exit) {
        std::vector<Branch> branches;
        const std::string at =
            absl::StrCat(exit.number, " ", NameOf(exit.cause), " ");
        branches.push_back(
            Going<Instead>(absl::StrCat(at, "unanswered"), Any(), 1));
        for (const uint64_t answer :
             {uint64_t{0}, ~uint64_t{0}, sev::kMsrSevInfoRequest,
              sev::kMsrCpuidResponse, sev::kMsrTerminate,
              sev::kMsrPreferredGhcbResponse}) {
          branches.push_back(
              Going<Instead>(absl::StrCat(at, "answer ", answer), Any(), 1,
                             [answer](Machine&, Exit& e) { e.msr = answer; }));
        }
        for (const int bit : {0, 11, 12, 24, 32, 63}) {
          branches.push_back(Going<Afterwards>(
              absl::StrCat(at, "bit ", bit), Any(), 1,
              [bit](Machine&, Exit& e) { e.msr ^= uint64_t{1} << bit; }));
        }
        return branches;
      },
      kAlways);
  int unanswered = 0;
  for (const BranchReport& report : RunBranches(brancher)) {
    EXPECT_TRUE(report.acted) << report.name;
    if (report.name.ends_with("unanswered")) {
      ++unanswered;
      EXPECT_NE(report.end, "kernel") << report.name;
    }
  }
  // Versions, features, page state and registration, at least.
  EXPECT_GE(unanswered, 4);
  RecordProperty("ends", Tally(brancher.reports()));
}

TEST(HostileMsrTest, TheGhcbMustBeWhereTheGuestPutIt) {
  Afterwards script(Is(Cause::kGhcbRegistration), 1,
                    [](Machine&, Exit& exit) { exit.msr += 4096; });
  EXPECT_EQ(RunGuest(&script).end, "SP11");
  EXPECT_EQ(script.acted(), 1);
}

}  // namespace
}  // namespace emulator::machine::testing
