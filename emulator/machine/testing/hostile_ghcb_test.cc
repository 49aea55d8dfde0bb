// SPDX-License-Identifier: Apache-2.0
//
// A hypervisor that is hostile in the GHCB page: exit information never
// written, written twice, or no answer to what was asked; and a page that
// changes while the guest reads it.
// Spec: AMD 56421 (GHCB) rev. 2.03, sections 3 and 4.1.
#include <stdint.h>
#include <string.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "emulator/machine/testing/bench.h"
#include "emulator/machine/testing/branches.h"
#include "emulator/machine/testing/scripts.h"
#include "emulator/machine/testing/seeded_random.h"
#include "gtest/gtest.h"
#include "sev/ghcb.h"

namespace emulator::machine::testing {
namespace {

namespace f = sev::ghcb_layout;

struct Lie {
  const char* name;
  std::function<void(GhcbPage)> tell;
};

void SetVersionAndUsage(GhcbPage page, uint16_t version, uint32_t usage) {
  sev::PutLe<uint16_t, f::ProtocolVersion>(version, page.bytes());
  sev::PutLe<uint32_t, f::Usage>(usage, page.bytes());
}

// After an honest answer.
std::vector<Lie> Lies() {
  return {
      {"result 1: an exception",
       [](GhcbPage p) {
         p.Set<f::SwExitInfo1>(sev::kExitResultException);
         p.Set<f::SwExitInfo2>(0x80000000 | 3 << 8 | 13);
       }},
      {"result 1: not even an exception",
       [](GhcbPage p) {
         p.Set<f::SwExitInfo1>(sev::kExitResultException);
         p.Set<f::SwExitInfo2>(~uint64_t{0});
       }},
      {"result 2: malformed",
       [](GhcbPage p) {
         p.Set<f::SwExitInfo1>(sev::kExitResultMalformed);
         p.Set<f::SwExitInfo2>(5);
       }},
      {"result 3", [](GhcbPage p) { p.Set<f::SwExitInfo1>(3); }},
      {"result of all ones",
       [](GhcbPage p) { p.Set<f::SwExitInfo1>(~uint64_t{0}); }},
      {"high half of the result",
       [](GhcbPage p) { p.Set<f::SwExitInfo1>(uint64_t{1} << 32); }},
      {"EXITINFO2 of all ones",
       [](GhcbPage p) { p.Set<f::SwExitInfo2>(~uint64_t{0}); }},
      {"no valid bits", [](GhcbPage p) { p.ClearBitmap(); }},
      {"all valid bits",
       [](GhcbPage p) {
         memset(p.bytes().data() + f::ValidBitmap::kOffset, 0xFF,
                f::ValidBitmap::kSize);
       }},
      {"registers of all ones",
       [](GhcbPage p) {
         p.Set<f::Rax>(~uint64_t{0});
         p.Set<f::Rbx>(~uint64_t{0});
         p.Set<f::Rcx>(~uint64_t{0});
         p.Set<f::Rdx>(~uint64_t{0});
       }},
      {"another version and usage",
       [](GhcbPage p) { SetVersionAndUsage(p, 1, 0xFFFFFFFF); }},
      {"zeros", [](GhcbPage p) { memset(p.bytes().data(), 0, 4096); }},
      {"ones", [](GhcbPage p) { memset(p.bytes().data(), 0xFF, 4096); }},
  };
}

// Moments: the first page exit of each cause, and the first after the guest has
// shaken hands with its owner.
class Moments final : public Brancher {
 public:
  // `late`: of the second kind.
  using Make = std::function<std::vector<Branch>(Cause cause, bool late)>;
  explicit Moments(Make make) : make_(std::move(make)) {}

  const std::set<Cause>& seen() const { return seen_[0]; }

 private:
  void AtExit(Machine& machine, const Exit& exit) override {
    if (!exit.by_page || exit.cause == Cause::kTermination) return;
    const bool late =
        machine.trace().console().find("connected: ") != std::string::npos;
    if (!seen_[late ? 1 : 0].insert(exit.cause).second) return;
    // It comes again late, when there is less left to run.
    if (!late && exit.cause == Cause::kConsole) return;
    Try(machine, make_(exit.cause, late));
  }

  const Make make_;
  std::set<Cause> seen_[2];
};

// What each kind of exit is told is a lie: once, or for ever.
TEST(HostileGhcbTest, EveryAnswerIsCheckedOrHarmless) {
  Moments moments([](Cause cause, bool late) {
    std::vector<Branch> branches;
    int alternate = 0;
    for (const Lie& lie : Lies()) {
      for (const int times : {1, kAlways}) {
        if (times == kAlways && (!late || ++alternate % 4 != 0)) continue;
        branches.push_back(Going<Afterwards>(
            absl::StrCat(NameOf(cause), late ? " late" : "", ": ", lie.name,
                         times == 1 ? "" : ", always"),
            IsPage(cause), times, [tell = lie.tell](Machine& machine, Exit& e) {
              tell(GhcbOf(machine, e));
            }));
      }
    }
    return branches;
  });
  for (const BranchReport& report : RunBranches(moments)) {
    EXPECT_TRUE(report.acted) << report.name;
  }
  for (const Cause cause :
       {Cause::kConsole, Cause::kFwCfg, Cause::kPageState, Cause::kReadBack,
        Cause::kDoorbell, Cause::kChannelRegistration,
        Cause::kExtendedRequest}) {
    EXPECT_TRUE(moments.seen().contains(cause) ||
                cause == Cause::kExtendedRequest)
        << NameOf(cause);
  }
  RecordProperty("ends", Tally(moments.reports()));
}

TEST(HostileGhcbTest, ExitInformationThatIsNeverWrittenEndsTheBoot) {
  Moments moments([](Cause cause, bool) {
    return std::vector<Branch>{
        Going<Instead>(std::string(NameOf(cause)), IsPage(cause), 1)};
  });
  for (const BranchReport& report : RunBranches(moments)) {
    // A page state change shows it by its cursor, and is asked for again.
    if (report.name == NameOf(Cause::kPageState)) continue;
    EXPECT_NE(report.end, "kernel") << report.name << "\n" << report.text;
  }
}

// Between the guest's stores and the exit the host may write too. (Its honest
// half calls some of that a violation: the guest never wrote it.)
TEST(HostileGhcbTest, ExitInformationWrittenTwiceIsReadOnce) {
  BranchAt brancher(IsPage(Cause::kFwCfg), [](Machine&, const Exit&) {
    std::vector<Branch> branches;
    for (const Lie& lie : Lies()) {
      branches.push_back(
          Going<Ahead>(lie.name, IsPage(Cause::kFwCfg), kAlways,
                       [tell = lie.tell](Machine& machine, Exit& e) {
                         tell(GhcbOf(machine, e));
                       }));
    }
    return branches;
  });
  for (const BranchReport& report :
       RunBranches(brancher, {.allow = {.violation = true}})) {
    EXPECT_TRUE(report.acted) << report.name;
  }
}

TEST(HostileGhcbTest, APageThatFlipsBetweenTwoReadsDoesNoHarm) {
  Moments moments([](Cause cause, bool late) {
    std::vector<Branch> branches;
    for (const int every : {1, 2, 3, 7}) {
      for (const uint64_t mask : {uint64_t{1}, ~uint64_t{0}}) {
        if (!late && every > 1) continue;
        branches.push_back(Going<Flipping>(
            absl::StrCat("from ", NameOf(cause), late ? " late" : "", " every ",
                         every, " mask ", mask),
            Is(cause), GhcbPageOf, every, mask));
      }
    }
    return branches;
  });
  int acted = 0;
  for (const BranchReport& report : RunBranches(moments)) {
    acted += report.acted ? 1 : 0;
  }
  EXPECT_GT(acted, 20);
}

// The page itself goes: the guest must not go on in memory of its own.
TEST(HostileGhcbTest, AGhcbThatBecomesPrivateEndsTheRun) {
  Afterwards script(IsPage(Cause::kFwCfg), 1, [](Machine& machine, Exit& exit) {
    machine.host().MakePrivate(exit.msr, 4096, false);
  });
  const Outcome outcome = RunGuest(&script, {.allow = {.violation = true}});
  EXPECT_EQ(script.acted(), 1);
  EXPECT_NE(outcome.end, "kernel");
  EXPECT_FALSE(outcome.granted);
}

}  // namespace
}  // namespace emulator::machine::testing
