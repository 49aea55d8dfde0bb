// SPDX-License-Identifier: Apache-2.0
//
// A hypervisor that lies about the state of pages, and one that takes pages
// away from under the guest.
// Spec: AMD 56421 (GHCB) rev. 2.03, 4.1.6; AMD 24593 (APM volume 2), 15.36.
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "machine/page_state.h"
#include "sev/ghcb.h"
#include "sev/secrets_page.h"
#include "tests/hostile/bench.h"
#include "tests/hostile/branches.h"
#include "tests/hostile/scripts.h"

namespace hostile {
namespace {

using machine::Assigning;
using machine::ChangePageStates;
using machine::kPageSize;
using machine::kPscInvalidHeader;
using machine::LargePages;
using machine::MemoryRange;
using machine::RmpPageSize;

namespace f = sev::ghcb_layout;

// The structure in the GHCB page: header, then entries.
class Request {
 public:
  Request(Machine& machine, const Exit& exit)
      : machine_(machine), ghcb_(GhcbOf(machine, exit)) {}

  base::MutableBytes buffer() {
    return sev::FieldOf<f::SharedBuffer>(ghcb_.bytes());
  }
  uint16_t current() { return Get16(0); }
  uint16_t end() { return Get16(2); }
  void set_current(uint16_t value) { Set16(0, value); }
  void set_end(uint16_t value) { Set16(2, value); }
  base::MutableBytes entry(size_t index) {
    return buffer().subspan(sev::kPscHeaderSize + index * sev::kPscEntrySize,
                            sev::kPscEntrySize);
  }
  uint64_t Entry(size_t index) {
    return base::LoadLe<uint64_t>(entry(index).first<8>());
  }
  void SetEntry(size_t index, uint64_t value) {
    base::StoreLe<uint64_t>(value, entry(index).first<8>());
  }
  // Honest work on the entries up to `last`.
  void Do(uint16_t last) {
    const uint16_t real_end = end();
    set_end(last);
    static_cast<void>(
        ChangePageStates(buffer(), LargePages::kKeep, machine_.host()));
    set_end(real_end);
  }
  void Reply(uint64_t exit_info_2 = 0) {
    ghcb_.ClearBitmap();
    ghcb_.Set<f::SwExitInfo1>(0);
    ghcb_.Set<f::SwExitInfo2>(exit_info_2);
  }

 private:
  uint16_t Get16(size_t at) {
    return base::LoadLe<uint16_t>(buffer().subspan(at).first<2>());
  }
  void Set16(size_t at, uint16_t value) {
    base::StoreLe<uint16_t>(value, buffer().subspan(at).first<2>());
  }

  Machine& machine_;
  GhcbPage ghcb_;
};

constexpr uint64_t kOperationMask = uint64_t{0xF} << sev::kPscOperationShift;

using Act = std::function<void(Machine&, Request&)>;
struct Lie {
  const char* name;
  Act act;
  bool always;
  bool may_go_on;  // The guest may be none the wiser, and is none the worse.
  // The page that the guest goes on to use is not in the state that the host
  // said: hardware would report #NPF to the host, which stops its own guest.
  bool violation = false;
};

std::vector<Lie> Lies() {
  const auto all_done = [](Request& r) {
    r.set_current(static_cast<uint16_t>(r.end() + 1));
    r.Reply();
  };
  return {
      {"says that all is done, and did nothing",
       [=](Machine&, Request& r) { all_done(r); }, false, false, true},
      {"the same for ever", [=](Machine&, Request& r) { all_done(r); }, true,
       false, true},
      {"did all but the last entry, says all",
       [=](Machine&, Request& r) {
         if (r.end() > 0) r.Do(static_cast<uint16_t>(r.end() - 1));
         all_done(r);
       },
       false, false, true},
      {"did one entry at a time",
       [](Machine&, Request& r) {
         r.Do(r.current());
         r.Reply();
       },
       true, true},
      {"did all, cursor back at the start",
       [](Machine&, Request& r) {
         r.Do(r.end());
         r.set_current(0);
         r.Reply();
       },
       false, true},
      {"cursor back for ever",
       [](Machine&, Request& r) {
         r.Do(r.end());
         r.set_current(0);
         r.Reply();
       },
       true, false},
      {"did nothing, cursor where it was, for ever",
       [](Machine&, Request& r) { r.Reply(); }, true, false},
      {"cursor beyond the end",
       [](Machine&, Request& r) {
         r.Do(r.end());
         r.set_current(static_cast<uint16_t>(r.end() + 2));
         r.Reply();
       },
       false, false},
      {"cursor of all ones",
       [](Machine&, Request& r) {
         r.Do(r.end());
         r.set_current(0xFFFF);
         r.Reply();
       },
       false, false},
      {"moves the end",
       [](Machine&, Request& r) {
         r.Do(r.end());
         r.set_current(static_cast<uint16_t>(r.end() + 1));
         r.set_end(0);
         r.Reply();
       },
       false, false},
      {"page cursor beyond the entry",
       [](Machine&, Request& r) {
         r.SetEntry(r.current(), r.Entry(r.current()) | 0xFFF);
         r.Reply();
       },
       false, false},
      {"error 1", [](Machine&, Request& r) { r.Reply(1); }, false, false},
      {"invalid header",
       [](Machine&, Request& r) { r.Reply(kPscInvalidHeader); }, false, false},
      {"error of all ones", [](Machine&, Request& r) { r.Reply(~uint64_t{0}); },
       false, false},
      {"did the opposite",
       [=](Machine&, Request& r) {
         for (size_t i = 0; i <= r.end(); ++i) {
           r.SetEntry(i, r.Entry(i) ^ (kOperationMask &
                                       uint64_t{3} << sev::kPscOperationShift));
         }
         r.Do(r.end());
         all_done(r);
       },
       false, false, true},
      {"did it to the next page",
       [=](Machine&, Request& r) {
         for (size_t i = 0; i <= r.end(); ++i) {
           r.SetEntry(i, r.Entry(i) + 4096);
         }
         r.Do(r.end());
         all_done(r);
       },
       false, true, true},
      {"did it, and undid it",
       [](Machine& machine, Request& r) {
         r.Do(r.end());
         r.Reply();
         for (size_t i = 0; i <= r.end(); ++i) {
           const uint64_t gpa = r.Entry(i) & sev::kPscGfnMask;
           if (machine.rmp().Get(gpa).assigned) {
             machine.host().MakeShared(gpa, 4096);
           } else {
             machine.host().MakePrivate(gpa, 4096, false);
           }
         }
       },
       false, false, true},
  };
}

// At the first page state changes: to shared, to private, of 2 MiB, and the
// channel's at the end.
TEST(HostilePageStateTest, LiesPartialAnswersAndCursorsThatGoBackwards) {
  uint64_t seen = 0;
  std::set<std::string> may_violate;
  BranchAt brancher(
      // The first two, and some of those that follow.
      [&seen](const Exit& exit) {
        return IsPage(Cause::kPageState)(exit) &&
               (++seen <= 2 || seen % 3 == 0);
      },
      [&may_violate](Machine&, const Exit& exit) {
        std::vector<Branch> branches;
        for (const Lie& lie : Lies()) {
          const std::string name = absl::StrCat(exit.number, " ", lie.name,
                                                lie.may_go_on ? "" : "!");
          if (lie.violation) may_violate.insert(name);
          branches.push_back(Going<Instead>(
              name, IsPage(Cause::kPageState), lie.always ? kAlways : 1,
              [act = lie.act](Machine& machine, Exit& e) {
                Request request(machine, e);
                act(machine, request);
              }));
        }
        return branches;
      },
      kAlways);
  // A host that assigns what is touched makes an honest one of some liars.
  const auto reports =
      RunBranches(brancher, {.machine =
                                 [](MachineOptions& options) {
                                   options.assigning = Assigning::kOnRequest;
                                 },
                             .allow = {.shutdown = false, .violation = true}});
  for (const BranchReport& report : reports) {
    EXPECT_TRUE(report.acted) << report.name;
    if (!may_violate.contains(report.name)) {
      EXPECT_NE(report.end, "violation") << report.name;
    }
    if (report.name.ends_with("!")) {
      EXPECT_NE(report.end, "kernel") << report.name;
    }
  }
  RecordProperty("ends", Tally(reports));
}

// RAM that is private already, before it is asked for, and RAM that is not
// until it is.
TEST(HostilePageStateTest, TheGuestStartsWhateverTheHostHasAssigned) {
  for (const Assigning assigning :
       {Assigning::kOnTouch, Assigning::kAtStart, Assigning::kAtStartIn4K,
        Assigning::kOnRequest}) {
    const Outcome outcome =
        RunGuest(nullptr, {.machine = [=](MachineOptions& options) {
                   options.assigning = assigning;
                 }});
    EXPECT_EQ(outcome.end, "kernel")
        << static_cast<int>(assigning) << outcome.ToString();
  }
}

// A host that says yes to each page state change and does nothing, while all
// RAM is private since before the first instruction: the guest's memory is as
// good as its own, and what it wants to share with the host is not shared.
TEST(HostilePageStateTest, AHostThatHadAssignedAllAndChangesNothing) {
  for (const Assigning assigning :
       {Assigning::kAtStart, Assigning::kAtStartIn4K, Assigning::kOnTouch}) {
    Instead script(
        IsPage(Cause::kPageState), kAlways, [](Machine& machine, Exit& exit) {
          Request request(machine, exit);
          request.set_current(static_cast<uint16_t>(request.end() + 1));
          request.Reply();
        });
    const Outcome outcome = RunGuest(
        &script,
        {.machine =
             [=](MachineOptions& options) { options.assigning = assigning; },
         .allow = {.violation = true}});
    EXPECT_GT(script.acted(), 0);
    EXPECT_EQ(outcome.end, "violation") << outcome.ToString();
  }
}

TEST(HostilePageStateTest, LargePagesThatTheHostSplitAreValidatedAllTheSame) {
  const Outcome outcome =
      RunGuest(nullptr, {.machine = [](MachineOptions& options) {
                 options.hypervisor.large_pages = LargePages::kSplit;
               }});
  EXPECT_EQ(outcome.end, "kernel") << outcome.ToString();
}

// --- Pages that go under the guest.

enum class Theft { kShared, kRemapped, kFlicker };

// Whether code that wipes keys is in the page: where it is gone, nobody can.
bool HasCodeThatWipes(uint64_t gpa) {
  for (const char* const name : {
           "_ZN4svsm12BootSequence10WipeVmpck0Ev",
           "_ZN4svsm18GuestRequestDriver4WipeEv",
           "_ZN4svsm12BootSequence11WipeSessionEv",
           "_ZN4svsm11Attestation4WipeEv",
           "_ZN6attest13NativeSession4WipeEv",
           "_ZN6attest9SecretSet4WipeEv",
           "_ZN6crypto9TlsClient4WipeEv",
           "_ZN4svsm8WipeHeapEv",
           "_ZN4svsm9WipeStackEv",
       }) {
    const uint64_t code = PlainGuest().symbols().AddressOf(name);
    EXPECT_NE(code, 0u) << name;
    if (code / kPageSize == gpa / kPageSize) return true;
  }
  return false;
}

// `count` pages of the image, spread over it, and some RAM that the guest took.
std::vector<uint64_t> SomePages(Machine& machine, size_t count) {
  std::vector<uint64_t> pages;
  const auto& launched = machine.launched().pages;
  for (size_t i = 0; i < count; ++i) {
    size_t index = i * launched.size() / count;
    while (HasCodeThatWipes(launched[index])) ++index;
    pages.push_back(launched[index]);
  }
  for (uint64_t gpa = 0; gpa < kBenchRam; gpa += kBenchRam / 4) {
    if (machine.rmp().Get(gpa).validated) pages.push_back(gpa);
  }
  return pages;
}

Branch Steal(uint64_t gpa, Theft theft) {
  const char* const how[] = {"made shared", "remapped", "gone and back"};
  return {.name = absl::StrCat(gpa, " ", how[static_cast<int>(theft)]),
          .act = [=](Machine& machine) {
            if (theft == Theft::kRemapped) {
              machine.rmp().AssignPrivate(gpa, RmpPageSize::k4K);
              return;
            }
            machine.rmp().MakeShared(gpa, RmpPageSize::k4K);
            // What the host wrote there must never be taken for the guest's.
            const base::MutableBytes bytes = machine.host().Shared(gpa, 4096);
            memset(bytes.data(), 0xCC, bytes.size());
            if (theft == Theft::kFlicker) {
              machine.rmp().AssignPrivate(gpa, RmpPageSize::k4K);
            }
          }};
}

// At exit numbers, so many pages of the image each.
class Thief final : public Brancher {
 public:
  struct Moment {
    uint64_t exit = 0;
    size_t pages = 0;
  };
  explicit Thief(std::vector<Moment> moments) : moments_(std::move(moments)) {}

 private:
  void AtExit(Machine& machine, const Exit& exit) override {
    for (const Moment& moment : moments_) {
      if (exit.number != moment.exit) continue;
      std::vector<Branch> branches;
      for (const uint64_t gpa : SomePages(machine, moment.pages)) {
        for (const Theft theft :
             {Theft::kShared, Theft::kRemapped, Theft::kFlicker}) {
          branches.push_back(Steal(gpa, theft));
        }
      }
      Try(machine, branches);
    }
  }
  const std::vector<Moment> moments_;
};

// How that ends depends on the page. A page assigned again without being
// validated is #VC 0x404: a reason, if the handler, its stack and tables are
// still there, else a triple fault ("shutdown"). A page that is the host's is
// no matter of the guest's: each access is an #NPF, the host's own ("violation"
// here), and a host that does not give the page back has stopped its own guest.
// So most ends have no reason, and cannot have one. What holds each time: the
// guest never goes on with bytes that are not its own, no secret gets out, and
// no page is validated again (the judge).
TEST(HostilePageStateTest, PagesRemappedOrUnvalidatedUnderTheGuest) {
  const uint64_t exits = RunGuest().exits;
  ASSERT_GT(exits, 100u);
  // The first is before all, the last while the secret is there.
  Thief thief({{1, 4}, {exits / 2, 2}, {exits - 60, 16}});
  const auto reports =
      RunBranches(thief, {.allow = {.shutdown = true, .violation = true}});
  // Pages that nobody needs any more make no difference; most are needed, and
  // most of those by whoever would tell a reason.
  const size_t all = reports.size();
  size_t reasons = 0, faults = 0, shutdowns = 0;
  for (const BranchReport& report : reports) {
    faults += report.end == "violation" ? 1 : 0;
    shutdowns += report.end == "shutdown" ? 1 : 0;
    reasons += report.end.starts_with("S") ? 1 : 0;
  }
  EXPECT_GE(faults, all / 5) << Tally(reports);
  EXPECT_GE(shutdowns, all / 5) << Tally(reports);
  EXPECT_GE(faults + shutdowns, all / 2) << Tally(reports);
  EXPECT_LE(faults + shutdowns, all * 4 / 5) << Tally(reports);
  EXPECT_GE(reasons, all / 8) << Tally(reports);
  RecordProperty("ends", Tally(reports));
  printf("%zu thefts: %s\n", reports.size(), Tally(reports).c_str());
}

// Once the secret is granted, a page that the guest is about to write is no
// longer validated: FillKernel() is interrupted there, and so is whoever
// wipes that page.
class TakesAPage final : public Script {
 public:
  explicit TakesAPage(uint64_t gpa) : gpa_(gpa) {}
  void Observe(const ChannelPeer& peer) { peer_ = &peer; }
  void After(Machine& machine, Exit&) override {
    if (acted() != 0 || peer_->outcome() != proto::Outcome::kGranted) return;
    Act();
    machine.rmp().AssignPrivate(gpa_, RmpPageSize::k4K);
  }

 private:
  const uint64_t gpa_;
  const ChannelPeer* peer_ = nullptr;
};

// Bytes of the page at `gpa`, little-endian.
uint64_t Load(Machine& machine, uint64_t gpa, size_t size) {
  uint64_t value = 0;
  memcpy(&value, machine.memory().Private(gpa, size).data(), size);
  return value;
}

TEST(HostilePageStateTest, NoPageThatIsTakenAwayKeepsTheKeysFromBeingWiped) {
  Bench honest(nullptr);
  const Outcome good = honest.Run();
  ASSERT_EQ(good.end, "kernel") << good.ToString();
  Machine& machine = honest.machine();
  // By Linux's boot protocol: ramdisk_image, and setup_data's second node,
  // which leads to the blob with the addresses of the kept pages.
  const uint64_t zero_page = good.result.kernel_boot_params;
  const uint64_t initrd = Load(machine, zero_page + 0x218, 4);
  const uint64_t node = Load(machine, Load(machine, zero_page + 0x250, 8), 8);
  const uint64_t blob = Load(machine, node + 16, 4);
  const uint64_t secrets_copy = Load(machine, blob + 8, 8);
  const uint64_t behind = (initrd + honest.guest().initrd().size()) & ~0xFFFULL;
  for (const uint64_t gpa : {behind, secrets_copy + 4096}) {
    const size_t tls_before = TheOwner().tls_secrets().size();
    TakesAPage script(gpa);
    Bench bench(&script, {});
    script.Observe(bench.peer());
    // Before the image takes VMPCK0 out of it.
    const auto launched = bench.machine().firmware().SecretsPage();
    const Outcome outcome = bench.Run();
    EXPECT_TRUE(outcome.ok()) << outcome.ToString();
    EXPECT_EQ(script.acted(), 1);
    EXPECT_TRUE(outcome.granted);
    EXPECT_NE(outcome.end, "kernel");
    Needles keys;
    for (size_t i = 0; i < sev::kVmpckCount; ++i) {
      keys.Add(absl::StrCat("VMPCK", i),
               base::Bytes(launched).subspan(
                   sev::secrets_layout::Vmpck0::kOffset + i * sev::kVmpckSize,
                   sev::kVmpckSize));
    }
    const auto& tls = TheOwner().tls_secrets();
    ASSERT_GT(tls.size(), tls_before);
    for (size_t i = tls_before; i < tls.size(); ++i) {
      keys.Add(absl::StrCat("TLS secret ", i - tls_before), tls[i]);
    }
    for (const MemoryRange& range : bench.machine().memory().ranges()) {
      for (const Needles::Hit& hit :
           keys.FindIn({range.private_bytes, range.size})) {
        ADD_FAILURE() << keys.name(hit.index) << " at " << std::hex
                      << range.gpa + hit.offset << ", taken: " << gpa;
      }
    }
  }
}

}  // namespace
}  // namespace hostile
