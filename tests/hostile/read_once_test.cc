// SPDX-License-Identifier: Apache-2.0
//
// Each byte of shared memory is read once, from the first instruction on, in
// every shared page: what was checked is what is used. And a host that changes
// each byte as soon as it was read changes nothing.
#include <stdint.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gtest/gtest.h"
#include "machine/cpu.h"
#include "proxy/page_layout.h"
#include "sev/ghcb.h"
#include "tests/hostile/bench.h"
#include "tests/hostile/branches.h"
#include "tests/hostile/read_watch.h"
#include "tests/hostile/scripts.h"

namespace hostile {
namespace {

using machine::Frame;

namespace page = proxy::page;

uint64_t AddressOf(std::string_view name) {
  const uint64_t address = PlainGuest().symbols().AddressOf(name);
  EXPECT_NE(address, 0u) << name;
  return address;
}

constexpr uint64_t kPageBytes = 4096;

// All that the image shares. A word is polled if the guest may look at it again
// and again; each look is a use of its own, from one load.
std::vector<SharedPlace> Places() {
  const uint64_t fw_cfg = AddressOf("_ZN4svsm12_GLOBAL__N_112fw_cfg_pagesE");
  const uint64_t proxy = AddressOf("_ZN4svsm12_GLOBAL__N_111proxy_pagesE");
  const uint64_t processor =
      AddressOf("_ZN4svsm12_GLOBAL__N_115processor_pagesE");
  const uint64_t ghcb = AddressOf("_ZN4svsm12_GLOBAL__N_19ghcb_pageE");
  // A call of the transport begins with a look at kHostSession; within one call
  // each other word is loaded once.
  constexpr Renewal kPolled =
      Renewal::kAnyExit | Renewal::kPause | Renewal::kLook;
  const SharedPlace::By call{proxy + page::kHostSession, 4};
  const auto word = [&](std::string name, uint32_t offset, uint64_t size,
                        Renewal renewal) {
    return SharedPlace{std::move(name), proxy + offset, size, renewal, call};
  };
  return {
      {"the GHCB", ghcb, sev::kGhcbSize, Renewal::kAnyExit, {}},
      {"fw_cfg's page", fw_cfg, kPageBytes, Renewal::kNever, {}},
      // The device clears it when it is done.
      {"fw_cfg's control", fw_cfg, 4, Renewal::kFwCfg | Renewal::kPause, {}},
      {"the boot files", fw_cfg + kPageBytes, 256 * 1024, Renewal::kFwCfg, {}},
      {"the request page", processor, kPageBytes, Renewal::kNever, {}},
      {"the response page",
       processor + kPageBytes,
       kPageBytes,
       Renewal::kRequest,
       {}},
      {"the certificates",
       processor + 2 * kPageBytes,
       8 * kPageBytes,
       Renewal::kRequest,
       {}},
      {"the channel's header", proxy, kPageBytes, Renewal::kNever, {}},
      // Compared with the guest's own number, and nothing else is done with it.
      word("kHostSession", page::kHostSession, 4, Renewal::kAnyTime),
      word("kHostGeneration", page::kHostGeneration, 8, kPolled),
      word("kHostStatus", page::kHostStatus, 4, kPolled),
      word("kHostLooks", page::kHostLooks, 4, kPolled),
      word("kBellWanted", page::kBellWanted, 4, kPolled),
      word("kToHostTail", page::kToHostTail, 4, kPolled),
      word("kToGuestHead", page::kToGuestHead, 4, kPolled),
      {"the ring to the host",
       proxy + page::kToHostData,
       proxy::kRingSize,
       Renewal::kNever,
       {}},
      // Bytes come anew only where the guest gave them back.
      {"the ring to the guest",
       proxy + page::kToGuestData,
       proxy::kRingSize,
       Renewal::kStore,
       {proxy + page::kToGuestTail, 4}},
  };
}

class ReadsOnce : public Script {
 public:
  ReadsOnce() : watch_(Places()) {}

  void OnStart(Machine& machine) override { machine.cpu().WatchShared(); }
  Verdict Before(Machine&, Exit& exit) override {
    watch_.Exited(exit.cause);
    return Verdict::kContinue;
  }
  void OnPause(Machine&) override { watch_.Paused(); }
  void OnWatchedAccess(Machine& machine, const WatchedAccess& access) override {
    if (access.c_bit) return;
    if (access.access == Access::kWrite) {
      watch_.Stored(access.gpa, access.size);
      return;
    }
    Act();
    const auto wrong = watch_.Read(access.gpa, access.size);
    if (!wrong.has_value() || ++failures_ > kMostFailures) return;
    std::string callers;
    for (const Frame& frame : machine.cpu().Backtrace()) {
      absl::StrAppend(&callers, "\n  ", frame.text);
    }
    ADD_FAILURE() << *wrong << ", RIP " << absl::StrFormat("%#x", access.rip)
                  << callers;
  }
  const ReadWatch& watch() const { return watch_; }
  int failures() const { return failures_; }

 private:
  // The first ones name the place.
  static constexpr int kMostFailures = 5;

  ReadWatch watch_;
  int failures_ = 0;
};

// What is named and never read would be watched in vain.
void ExpectAllRead(const ReadWatch& watch) {
  for (const SharedPlace& place : watch.places()) {
    if (place.renewal == Renewal::kNever) {
      EXPECT_EQ(watch.reads(place.name), 0u) << place.name;
    } else {
      EXPECT_NE(watch.reads(place.name), 0u) << place.name;
    }
  }
}

TEST(ReadOnceTest, NoByteOfASharedPageIsReadTwice) {
  ReadsOnce script;
  const Outcome outcome = RunGuest(&script);
  EXPECT_EQ(outcome.end, "kernel") << outcome.ToString();
  ExpectAllRead(script.watch());
  EXPECT_EQ(script.failures(), 0);
  // By words and bytes: kernel and initrd alone are 90 KiB.
  EXPECT_GT(script.watch().reads("the boot files"), 10'000u);
  EXPECT_GT(script.watch().reads("the ring to the guest"), 1000u);
}

// The paths of a boot that does not go well.
TEST(ReadOnceTest, NorWhenTheVerifierIsAskedTwice) {
  ReadsOnce script;
  const Outcome outcome = RunGuest(
      &script, {.peer = [](ChannelPeer& peer) { peer.drop_evidence = 1; }});
  EXPECT_EQ(outcome.end, "kernel") << outcome.ToString();
  EXPECT_EQ(script.failures(), 0);
}

TEST(ReadOnceTest, NorWhenNobodyAnswers) {
  ReadsOnce script;
  const Outcome outcome = RunGuest(&script, {.peer = [](ChannelPeer& peer) {
    peer.refuse_connections = true;
  }});
  EXPECT_NE(outcome.end, "kernel") << outcome.ToString();
  EXPECT_EQ(script.failures(), 0);
}

// Each byte is another one as soon as the guest has read it; the words that it
// polls are the daemon's, or the channel would end. So a second read, for
// whatever use, sees something else than the first did.
class ChangesWhatWasRead final : public Script {
 public:
  ChangesWhatWasRead() : watch_(Places()) {}

  void OnStart(Machine& machine) override { machine.cpu().WatchShared(); }
  Verdict Before(Machine& machine, Exit&) override {
    Change(machine);
    return Verdict::kContinue;
  }
  void OnPause(Machine& machine) override { Change(machine); }
  void OnWatchedAccess(Machine& machine, const WatchedAccess& access) override {
    // Told before the access is made: the one before is over.
    Change(machine);
    if (access.c_bit || access.access != Access::kRead) return;
    if (watch_.Polled(access.gpa)) return;
    gpa_ = access.gpa;
    size_ = access.size;
  }

 private:
  void Change(Machine& machine) {
    if (size_ == 0) return;
    const base::MutableBytes bytes = machine.host().Shared(gpa_, size_);
    for (uint8_t& byte : bytes) byte ^= 0xFF;
    size_ = 0;
    Act();
  }

  const ReadWatch watch_;
  uint64_t gpa_ = 0;
  uint64_t size_ = 0;
};

TEST(ReadOnceTest, AHostThatChangesWhatWasReadChangesNothing) {
  ChangesWhatWasRead script;
  const Outcome outcome = RunGuest(&script);
  EXPECT_EQ(outcome.end, "kernel") << outcome.ToString();
  EXPECT_GT(script.acted(), 10'000);
}

// A polled word that is another one after each look at it: the boot may end,
// with a reason.
class ChangesAWord final : public Script {
 public:
  ChangesAWord(uint64_t gpa, uint64_t mask, int from)
      : gpa_(gpa), mask_(mask), from_(from) {}

  void OnStart(Machine& machine) override { machine.cpu().Watch(gpa_, 8); }
  Verdict Before(Machine& machine, Exit&) override {
    Change(machine);
    return Verdict::kContinue;
  }
  void OnWatchedAccess(Machine& machine, const WatchedAccess& access) override {
    Change(machine);
    due_ = !access.c_bit && access.access == Access::kRead &&
           access.gpa == gpa_ && ++reads_ >= from_;
  }

 private:
  void Change(Machine& machine) {
    if (!due_) return;
    due_ = false;
    const base::MutableBytes word =
        machine.host().Shared(gpa_ & ~uint64_t{7}, 8);
    if (word.empty() || acted() == kMost) return;
    XorWord(word, 0, mask_ << 8 * (gpa_ % 8));
    Act();
  }
  static constexpr int kMost = 200;

  const uint64_t gpa_;
  const uint64_t mask_;
  const int from_;
  int reads_ = 0;
  bool due_ = false;
};

TEST(ReadOnceTest, APolledWordThatChangesAfterEachLookDoesNoHarm) {
  const std::vector<SharedPlace> places = Places();
  const ReadWatch watch(places);
  BranchAt brancher(
      Is(Cause::kChannelRegistration), [&](Machine&, const Exit&) {
        std::vector<Branch> branches;
        for (const SharedPlace& place : places) {
          if (!watch.Polled(place.gpa) || place.name == "fw_cfg's control") {
            continue;
          }
          for (const uint64_t mask : {uint64_t{1}, uint64_t{0xFFFFFFFF}}) {
            for (const int from : {1, 40}) {
              branches.push_back(Going<ChangesAWord>(
                  absl::StrFormat("%s mask %#x from look %d", place.name, mask,
                                  from),
                  place.gpa, mask, from));
            }
          }
        }
        return branches;
      });
  int acted = 0;
  for (const BranchReport& report : RunBranches(brancher)) {
    acted += report.acted ? 1 : 0;
  }
  EXPECT_GT(acted, 20);
}

}  // namespace
}  // namespace hostile
