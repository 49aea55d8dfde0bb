// SPDX-License-Identifier: Apache-2.0
//
// Property: whatever bytes of shared memory the host changes, whenever, the
// judge is content. From a snapshot at the guest's first exit, or after the TLS
// handshake, where more of a run is the channel's (machine, verifier and secure
// processor); each run in a child with a seed of its own.
//
//   FORELOCK_PROPERTY_SEED=N      replays one run, and prints it
//   FORELOCK_PROPERTY_SECONDS=S   runs for S seconds, from a random seed on
//
// By `bazel test` with --test_env; `./run fuzz` does the second.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <chrono>
#include <functional>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sev/ghcb.h"
#include "tests/hostile/bench.h"
#include "tests/hostile/branches.h"
#include "tests/hostile/scripts.h"
#include "tests/hostile/seeded_random.h"

namespace hostile {
namespace {

using machine::kPageSize;
using machine::MemoryRange;

constexpr int kParts = 4;
constexpr uint64_t kRunsInAPart = 125;
// The seed alone says where a run begins. Those from the start are whole boots,
// so they are fewer.
constexpr bool FromTheStart(uint64_t seed) { return seed % 8 == 0; }
constexpr uint64_t kSnapshotSeed = 1;

uint64_t FromEnvironment(const char* name) {
  const char* const text = getenv(name);
  uint64_t value = 0;
  if (text == nullptr || !absl::SimpleAtoi(text, &value)) return 0;
  return value;
}

// Changes bytes of pages that are shared, at events that its seed chooses.
class Flipper final : public Script {
 public:
  explicit Flipper(uint64_t seed)
      : random_(seed),
        flips_left_(1 + random_.Below(8)),
        // Rare or frequent, so that early and late events are met. A whole boot
        // has some thousands.
        odds_(uint64_t{1} << random_.Below(FromTheStart(seed) ? 12 : 9)) {}

  Verdict Before(Machine& machine, Exit& exit) override {
    if (exit.by_page) ghcb_ = exit.msr;
    MaybeFlip(machine);
    return Verdict::kContinue;
  }
  void After(Machine& machine, Exit&) override { MaybeFlip(machine); }
  void OnPause(Machine& machine) override { MaybeFlip(machine); }

 private:
  void MaybeFlip(Machine& machine) {
    if (flips_left_ == 0 || random_.Below(odds_) != 0) return;
    --flips_left_;
    Act();
    const uint64_t gpa = Choose(machine);
    const base::MutableBytes page = machine.host().Shared(gpa, kPageSize);
    if (page.empty()) return;  // Private by now: nothing that a host can do.
    const size_t at = gpa == ghcb_ ? GhcbOffset() : Offset();
    switch (random_.Below(3)) {
      case 0:
        page[at] ^= static_cast<uint8_t>(1u << random_.Below(8));
        break;
      case 1:
        page[at] = static_cast<uint8_t>(random_.Next());
        break;
      default:
        XorWord(page, at & ~size_t{7}, random_.Next());
        break;
    }
  }
  // The GHCB as often as all others, and pages in use rather than empty ones.
  uint64_t Choose(Machine& machine) {
    FindPages(machine);
    if (pages_.empty() || (ghcb_ != 0 && random_.Below(2) == 0)) return ghcb_;
    for (int tries = 0; tries < 50; ++tries) {
      const uint64_t gpa = pages_[random_.Below(pages_.size())];
      const base::Bytes page = machine.host().Shared(gpa, kPageSize);
      if (!page.empty() && !base::AllZero(page)) return gpa;
    }
    return pages_[random_.Below(pages_.size())];
  }
  // Those that are shared now: not the same early and late.
  void FindPages(Machine& machine) {
    pages_.clear();
    for (const MemoryRange& range : machine.memory().ranges()) {
      for (uint64_t at = range.gpa; at < range.gpa + range.size;
           at += kPageSize) {
        if (!machine.rmp().Get(at).assigned &&
            !machine.host().Shared(at, kPageSize).empty()) {
          pages_.push_back(at);
        }
      }
    }
  }
  // Words of the channel and headers of messages begin their pages.
  size_t Offset() {
    const uint64_t bound = random_.Below(2) == 0 ? 512 : kPageSize;
    return static_cast<size_t>(random_.Below(bound));
  }
  // What the guest reads there.
  size_t GhcbOffset() {
    namespace f = sev::ghcb_layout;
    constexpr size_t kFields[] = {f::Rax::kOffset,
                                  f::Rbx::kOffset,
                                  f::Rdx::kOffset,
                                  f::SwExitInfo1::kOffset,
                                  f::SwExitInfo2::kOffset,
                                  f::ValidBitmap::kOffset,
                                  f::ValidBitmap::kOffset + 8,
                                  f::SharedBuffer::kOffset,
                                  f::SharedBuffer::kOffset + 8};
    return kFields[random_.Below(std::size(kFields))] +
           static_cast<size_t>(random_.Below(8));
  }

  SeededRandom random_;
  uint64_t flips_left_;
  const uint64_t odds_;
  std::vector<uint64_t> pages_;
  uint64_t ghcb_ = 0;
};

// The snapshots: the first exit of all, and the first after the handshake.
class TwoMoments final : public Brancher {
 public:
  // The seed of the next run of that kind; 0: there is none.
  using Next = std::function<uint64_t(bool from_the_start)>;
  explicit TwoMoments(Next next) : next_(std::move(next)) {}

 private:
  void AtExit(Machine& machine, const Exit&) override {
    if (!started_) {
      started_ = true;
      RunAll(machine, true);
      if (in_child()) return;
    }
    if (done_ ||
        machine.trace().console().find("connected: ") == std::string::npos) {
      return;
    }
    done_ = true;
    RunAll(machine, false);
  }
  void RunAll(Machine& machine, bool from_the_start) {
    for (;;) {
      const uint64_t seed = next_(from_the_start);
      if (seed == 0) return;
      Try(machine, {{.name = absl::StrCat("seed ", seed),
                     .then = [seed] { return std::make_unique<Flipper>(seed); },
                     .seed = seed}});
      if (in_child()) return;
    }
  }

  const Next next_;
  bool started_ = false;
  bool done_ = false;
};

// Those of [first, end) of the wanted kind, in order.
TwoMoments::Next SeedsOf(uint64_t first, uint64_t end) {
  return [seed = first, end, first, kind = true](bool wanted) mutable {
    if (wanted != kind) seed = first;
    kind = wanted;
    while (seed < end && FromTheStart(seed) != wanted) ++seed;
    return seed < end ? seed++ : uint64_t{0};
  };
}

void RunSeeds(TwoMoments::Next next) {
  TwoMoments brancher(std::move(next));
  const Outcome outcome = CollectBranches(brancher, {.seed = kSnapshotSeed});
  EXPECT_TRUE(outcome.ok()) << outcome.ToString();
  size_t acted = 0;
  for (const BranchReport& report : brancher.reports()) {
    acted += report.acted ? 1 : 0;
    EXPECT_TRUE(report.ok)
        << report.text
        << "replay: bazel test --test_env=FORELOCK_PROPERTY_SEED="
        << report.name.substr(5) << " //tests/hostile:property_test";
  }
  EXPECT_GE(acted, brancher.reports().size() / 2);
  printf("%zu runs: %s\n", brancher.reports().size(),
         Tally(brancher.reports()).c_str());
}

class PropertyTest : public ::testing::TestWithParam<int> {};

TEST_P(PropertyTest, ChangedSharedBytesDoNoHarm) {
  const uint64_t replay = FromEnvironment("FORELOCK_PROPERTY_SEED");
  const uint64_t seconds = FromEnvironment("FORELOCK_PROPERTY_SECONDS");
  if (replay != 0) {
    if (GetParam() != 0) GTEST_SKIP();
    RunSeeds(SeedsOf(replay, replay + 1));
    return;
  }
  if (seconds == 0) {
    const uint64_t first = 1 + static_cast<uint64_t>(GetParam()) * kRunsInAPart;
    RunSeeds(SeedsOf(first, first + kRunsInAPart));
    return;
  }
  if (GetParam() != 0) GTEST_SKIP();
  std::random_device device;
  const uint64_t first = uint64_t{device()} << 20 | 1;
  printf("from seed %llu\n", static_cast<unsigned long long>(first));
  const auto start = std::chrono::steady_clock::now();
  // Half of the time for each kind.
  RunSeeds([next = SeedsOf(first, ~uint64_t{0}), start,
            seconds](bool wanted) mutable {
    const auto end =
        start + std::chrono::milliseconds(seconds * (wanted ? 500 : 1000));
    return std::chrono::steady_clock::now() < end ? next(wanted) : uint64_t{0};
  });
}

INSTANTIATE_TEST_SUITE_P(Parts, PropertyTest, ::testing::Range(0, kParts));

}  // namespace
}  // namespace hostile
