// SPDX-License-Identifier: Apache-2.0
//
// A hypervisor that is hostile in the GHCB page: exit information never
// written, written twice, or no answer to what was asked; and a page that
// changes while the guest reads it.
// Spec: AMD 56421 (GHCB) rev. 2.03, sections 3 and 4.1.
#include <stdint.h>
#include <string.h>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sev/ghcb.h"
#include "tests/hostile/bench.h"
#include "tests/hostile/branches.h"
#include "tests/hostile/scripts.h"
#include "tests/hostile/seeded_random.h"

namespace hostile {
namespace {

namespace f = sev::ghcb_layout;

struct Lie {
  const char* name;
  const char* end;  // Where kOtherEnds has no other one.
  std::function<void(GhcbPage)> tell;
};

void SetVersionAndUsage(GhcbPage page, uint16_t version, uint32_t usage) {
  sev::PutLe<uint16_t, f::ProtocolVersion>(version, page.bytes());
  sev::PutLe<uint32_t, f::Usage>(usage, page.bytes());
}

// After an honest answer. The result is the lower half of SW_EXITINFO1.
std::vector<Lie> Lies() {
  return {
      {"result 1: an exception", "SP13",
       [](GhcbPage p) {
         p.Set<f::SwExitInfo1>(sev::kExitResultException);
         p.Set<f::SwExitInfo2>(0x80000000 | 3 << 8 | 13);
       }},
      {"result 1: not even an exception", "SP13",
       [](GhcbPage p) {
         p.Set<f::SwExitInfo1>(sev::kExitResultException);
         p.Set<f::SwExitInfo2>(~uint64_t{0});
       }},
      {"result 2: malformed", "SP14",
       [](GhcbPage p) {
         p.Set<f::SwExitInfo1>(sev::kExitResultMalformed);
         p.Set<f::SwExitInfo2>(5);
       }},
      {"result 3", "SP15", [](GhcbPage p) { p.Set<f::SwExitInfo1>(3); }},
      {"result of all ones", "SP15",
       [](GhcbPage p) { p.Set<f::SwExitInfo1>(~uint64_t{0}); }},
      {"high half of the result", "kernel",
       [](GhcbPage p) { p.Set<f::SwExitInfo1>(uint64_t{1} << 32); }},
      {"EXITINFO2 of all ones", "kernel",
       [](GhcbPage p) { p.Set<f::SwExitInfo2>(~uint64_t{0}); }},
      {"no valid bits", "kernel", [](GhcbPage p) { p.ClearBitmap(); }},
      {"all valid bits", "kernel",
       [](GhcbPage p) {
         memset(p.bytes().data() + f::ValidBitmap::kOffset, 0xFF,
                f::ValidBitmap::kSize);
       }},
      {"registers of all ones", "kernel",
       [](GhcbPage p) {
         p.Set<f::Rax>(~uint64_t{0});
         p.Set<f::Rbx>(~uint64_t{0});
         p.Set<f::Rcx>(~uint64_t{0});
         p.Set<f::Rdx>(~uint64_t{0});
       }},
      {"another version and usage", "kernel",
       [](GhcbPage p) { SetVersionAndUsage(p, 1, 0xFFFFFFFF); }},
      {"zeros", "kernel",
       [](GhcbPage p) { memset(p.bytes().data(), 0, 4096); }},
      {"ones", "SP15",
       [](GhcbPage p) { memset(p.bytes().data(), 0xFF, 4096); }},
  };
}

// What an answer means depends on what was asked.
struct OtherEnd {
  Cause cause;
  const char* lie;
  const char* end;
};
constexpr OtherEnd kOtherEnds[] = {
    // WRMSR of a default memory type: a host need not have it.
    {Cause::kMsr, "result 1: an exception", "kernel"},
    {Cause::kMsr, "result 1: not even an exception", "kernel"},
    {Cause::kMsr, "result 2: malformed", "kernel"},
    // SW_EXITINFO2 is an error, and the structure an answer.
    {Cause::kPageState, "EXITINFO2 of all ones", "SP17"},
    {Cause::kPageState, "zeros", "SP18"},
    // IN: RAX must be there.
    {Cause::kConsole, "no valid bits", "SP12"},
    {Cause::kConsole, "zeros", "SP12"},
    {Cause::kReadBack, "no valid bits", "SP12"},
    {Cause::kReadBack, "zeros", "SP12"},
    {Cause::kReadBack, "registers of all ones", "PC18"},
    {Cause::kExtendedRequest, "result 2: malformed", "SR4"},
    {Cause::kExtendedRequest, "EXITINFO2 of all ones", "SR3"},
};
std::string EndOf(Cause cause, const Lie& lie) {
  for (const OtherEnd& other : kOtherEnds) {
    if (other.cause == cause && std::string_view(other.lie) == lie.name) {
      return other.end;
    }
  }
  return lie.end;
}

// Moments: the first page exit of each cause, and the first after the guest has
// shaken hands with its owner.
class Moments final : public Brancher {
 public:
  // `late`: of the second kind.
  using Make = std::function<std::vector<Branch>(Cause cause, bool late)>;
  explicit Moments(Make make) : make_(std::move(make)) {}

  const std::set<Cause>& seen(bool late) const { return seen_[late ? 1 : 0]; }

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
  std::map<std::string, std::string> ends;
  Moments moments([&ends](Cause cause, bool late) {
    std::vector<Branch> branches;
    int alternate = 0;
    for (const Lie& lie : Lies()) {
      for (const int times : {1, kAlways}) {
        if (times == kAlways && (!late || ++alternate % 4 != 0)) continue;
        const std::string name =
            absl::StrCat(NameOf(cause), late ? " late" : "", ": ", lie.name,
                         times == 1 ? "" : ", always");
        ends[name] = EndOf(cause, lie);
        branches.push_back(
            Going<Afterwards>(name, IsPage(cause), times,
                              [tell = lie.tell](Machine& machine, Exit& e) {
                                tell(GhcbOf(machine, e));
                              }));
      }
    }
    return branches;
  });
  for (const BranchReport& report : RunBranches(moments)) {
    EXPECT_TRUE(report.acted) << report.name;
    EXPECT_EQ(report.end, ends[report.name]) << report.name << "\n"
                                             << report.text;
  }
  // All that the image exits for, so none is left out. The proxy is asked for
  // certificates (the doorbell) before the secure processor is for its report.
  EXPECT_EQ(
      moments.seen(false),
      (std::set<Cause>{Cause::kPageState, Cause::kMsr, Cause::kConsole,
                       Cause::kFwCfg, Cause::kChannelRegistration,
                       Cause::kDoorbell, Cause::kReadBack, Cause::kOtherPort}));
  EXPECT_EQ(moments.seen(true),
            (std::set<Cause>{Cause::kPageState, Cause::kConsole,
                             Cause::kDoorbell, Cause::kExtendedRequest}));
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

// Two answers to one exit: the second comes when the guest is about to read the
// result of the first, SW_EXITINFO1.
class WrittenTwice final : public Script {
 public:
  enum class Lies : uint8_t { kFirst, kSecond };
  WrittenTwice(AtExits::Wanted wanted, Lies lies,
               std::function<void(GhcbPage)> tell)
      : wanted_(std::move(wanted)), lies_(lies), tell_(std::move(tell)) {}

  void After(Machine& machine, Exit& exit) override {
    if (page_ != 0 || !wanted_(exit)) return;
    page_ = exit.msr;
    const GhcbPage page = GhcbOf(machine, exit);
    honest_.assign(page.bytes().begin(), page.bytes().end());
    if (lies_ == Lies::kFirst) tell_(page);
    machine.cpu().Watch(page_, sev::kGhcbSize);
  }
  void OnWatchedAccess(Machine& machine, const WatchedAccess& access) override {
    if (acted() != 0 || access.access != Access::kRead || access.c_bit ||
        access.gpa != page_ + f::SwExitInfo1::kOffset) {
      return;
    }
    Act();
    const base::MutableBytes bytes =
        machine.host().Shared(page_, sev::kGhcbSize);
    if (lies_ == Lies::kFirst) {
      memcpy(bytes.data(), honest_.data(), honest_.size());
    } else {
      tell_(GhcbPage(bytes.first<sev::kGhcbSize>()));
    }
  }

 private:
  const AtExits::Wanted wanted_;
  const Lies lies_;
  const std::function<void(GhcbPage)> tell_;
  uint64_t page_ = 0;
  std::vector<uint8_t> honest_;
};

// IN of the channel's read-back, which uses all there is of an answer. What the
// guest has read before is the first answer's, what it reads then the second's.
TEST(HostileGhcbTest, ExitInformationWrittenTwiceIsReadOnce) {
  using Order = WrittenTwice::Lies;
  const auto wanted = IsPage(Cause::kReadBack);
  std::map<std::string, std::string> ends;
  BranchAt brancher(wanted, [&](Machine&, const Exit&) {
    std::vector<Branch> branches;
    for (const Lie& lie : Lies()) {
      if (EndOf(Cause::kReadBack, lie) == "kernel") continue;
      const std::string_view name = lie.name;
      const bool no_bitmap = name == "no valid bits" || name == "zeros";
      const std::string first = absl::StrCat(name, ", then the truth");
      const std::string second = absl::StrCat("the truth, then ", name);
      ends[first] = no_bitmap ? "SP12" : "kernel";
      ends[second] = name == "no valid bits" ? "kernel"
                     : name == "zeros"       ? "PC18"
                                             : EndOf(Cause::kReadBack, lie);
      branches.push_back(
          Going<WrittenTwice>(first, wanted, Order::kFirst, lie.tell));
      branches.push_back(
          Going<WrittenTwice>(second, wanted, Order::kSecond, lie.tell));
    }
    return branches;
  });
  for (const BranchReport& report : RunBranches(brancher)) {
    EXPECT_TRUE(report.acted) << report.name;
    EXPECT_EQ(report.end, ends[report.name]) << report.name << "\n"
                                             << report.text;
  }
}

// How often the guest reads each word of an answer.
class CountingReads final : public Script {
 public:
  Verdict Before(Machine&, Exit&) override {
    reads_.clear();
    return Verdict::kContinue;
  }
  void After(Machine& machine, Exit& exit) override {
    cause_ = exit.cause;
    if (!exit.by_page || page_ != 0) return;
    page_ = exit.msr;
    machine.cpu().Watch(page_, sev::kGhcbSize);
  }
  void OnWatchedAccess(Machine&, const WatchedAccess& access) override {
    const uint64_t at = access.gpa - page_;
    // The shared buffer is a page state change's own: see its tests.
    if (access.access != Access::kRead || at >= f::SharedBuffer::kOffset) {
      return;
    }
    Act();
    if (++reads_[at & ~uint64_t{7}] > 1) {
      ADD_FAILURE() << NameOf(cause_) << " reads " << std::hex << at
                    << " again at " << access.rip;
    }
  }

 private:
  uint64_t page_ = 0;
  Cause cause_ = Cause::kUnknown;
  std::map<uint64_t, int> reads_;  // Since the last exit.
};

TEST(HostileGhcbTest, NoWordOfAnAnswerIsReadTwice) {
  CountingReads script;
  EXPECT_EQ(RunGuest(&script).end, "kernel");
  // The bitmap and SW_EXITINFO1 and 2, at each of hundreds of exits.
  EXPECT_GT(script.acted(), 1000);
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
}  // namespace hostile
