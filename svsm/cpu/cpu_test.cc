// SPDX-License-Identifier: Apache-2.0
#include <stdint.h>

#include <deque>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "gtest/gtest.h"
#include "svsm/cpu/entropy.h"
#include "svsm/cpu/features.h"
#include "svsm/cpu/tsc_clock.h"
#include "svsm/reasons.h"

namespace svsm {
namespace {

constexpr uint32_t kPclmulqdq = 1 << 1;
constexpr uint32_t kAesNi = 1 << 25;
constexpr uint32_t kRdrand = 1 << 30;
constexpr uint32_t kRdseed = 1 << 18;

uint32_t max_leaf;
uint32_t leaf1_ecx;
uint32_t leaf7_ebx;

CpuidRegisters FakeCpuid(uint32_t leaf, uint32_t) {
  EXPECT_LE(leaf, max_leaf) << "asked for a leaf the CPU does not have";
  if (leaf == 0) return {.eax = max_leaf};
  if (leaf == 1) return {.ecx = leaf1_ecx};
  if (leaf == 7) return {.ebx = leaf7_ebx};
  return {};
}

base::Reason ReasonWith(uint32_t ecx) {
  max_leaf = 7;
  leaf1_ecx = ecx;
  return CheckCpu(FakeCpuid).status().reason();
}

TEST(FeaturesTest, RequiresRandomnessAndAes) {
  EXPECT_EQ(ReasonWith(0), kNoRdrand);
  EXPECT_EQ(ReasonWith(kAesNi | kPclmulqdq), kNoRdrand);
  EXPECT_EQ(ReasonWith(kRdrand | kPclmulqdq), kNoAesInstructions);
  EXPECT_EQ(ReasonWith(kRdrand | kAesNi), kNoAesInstructions);
  EXPECT_EQ(ReasonWith(kRdrand | kAesNi | kPclmulqdq), base::Reason());
}

TEST(FeaturesTest, LooksAtLeafSevenOnlyIfThereIsOne) {
  leaf1_ecx = kRdrand | kAesNi | kPclmulqdq;
  leaf7_ebx = kRdseed;
  max_leaf = 7;
  EXPECT_TRUE(CheckCpu(FakeCpuid)->rdseed);
  max_leaf = 6;
  EXPECT_FALSE(CheckCpu(FakeCpuid)->rdseed);
  max_leaf = 0;
  EXPECT_EQ(CheckCpu(FakeCpuid).status().reason(), kNoRdrand);
}

class FakeCpu final : public RandomInstructions {
 public:
  bool Rdrand64(uint64_t* out) override { return Take(rdrand, out); }
  bool Rdseed64(uint64_t* out) override { return Take(rdseed, out); }
  void Relax() override { ++relaxed; }

  std::deque<uint64_t> rdrand, rdseed;
  int relaxed = 0;

 private:
  static bool Take(std::deque<uint64_t>& from, uint64_t* out) {
    if (from.empty()) return false;
    *out = from.front();
    from.pop_front();
    return true;
  }
};

TEST(EntropyTest, MixesBothInstructions) {
  FakeCpu cpu;
  cpu.rdrand = {0x0101010101010101, 0x0202020202020202};
  cpu.rdseed = {0x1010101010101010, 0x2020202020202020};
  uint8_t out[12];
  ASSERT_TRUE(CpuEntropy(cpu, true).Fill(out).ok());
  for (int i = 0; i < 8; ++i) EXPECT_EQ(out[i], 0x11);
  for (int i = 8; i < 12; ++i) EXPECT_EQ(out[i], 0x22);
}

TEST(EntropyTest, DoesNotTouchRdseedUnlessListed) {
  FakeCpu cpu;
  cpu.rdrand = {5};
  cpu.rdseed = {9};
  uint8_t out[8];
  ASSERT_TRUE(CpuEntropy(cpu, false).Fill(out).ok());
  EXPECT_EQ(cpu.rdseed.size(), 1u);
}

TEST(EntropyTest, RefusesStuckValues) {
  uint8_t out[16];
  for (const uint64_t stuck :
       {uint64_t{0}, UINT64_MAX, uint64_t{0x1234567812345678}}) {
    FakeCpu cpu;
    cpu.rdrand.assign(100, stuck);
    EXPECT_EQ(CpuEntropy(cpu, false).Fill(out),
              base::Status(base::Code::kUnavailable, kEntropyStuck));
  }
  FakeCpu rdseed_stuck;
  for (uint64_t i = 1; i < 100; ++i) rdseed_stuck.rdrand.push_back(i);
  rdseed_stuck.rdseed.assign(100, 7);
  EXPECT_FALSE(CpuEntropy(rdseed_stuck, true).Fill(out).ok());
}

TEST(EntropyTest, AnEmptyGeneratorEndsInAnError) {
  FakeCpu cpu;
  uint8_t out[8];
  EXPECT_FALSE(CpuEntropy(cpu, false).Fill(out).ok());
  EXPECT_EQ(cpu.relaxed, CpuEntropy::kTries);
}

TEST(EntropyTest, ASingleRepetitionIsSkipped) {
  FakeCpu cpu;
  cpu.rdrand = {5, 5, 6};
  uint8_t out[16];
  ASSERT_TRUE(CpuEntropy(cpu, false).Fill(out).ok());
  EXPECT_EQ(out[0], 5);
  EXPECT_EQ(out[8], 6);
}

uint64_t fake_tsc;
uint64_t ReadFakeTsc() { return fake_tsc; }
void DoNothing() {}

uint64_t Nanoseconds(base::Instant t) { return static_cast<uint64_t>(t); }

TEST(TscClockTest, ScalesByTheFrequency) {
  fake_tsc = 1'000'000;
  TscClock clock(ReadFakeTsc, DoNothing);
  clock.SetKilohertz(2'500'000);
  fake_tsc += 2'500'000'000;
  EXPECT_EQ(Nanoseconds(clock.Now()), 1'000'000'000u);
  // A year on: no overflow.
  fake_tsc += uint64_t{2'500'000'000} * 31'536'000;
  EXPECT_EQ(Nanoseconds(clock.Now()), uint64_t{31'536'001'000'000'000});
}

TEST(TscClockTest, NeverGoesBack) {
  fake_tsc = 5'000'000;
  TscClock clock(ReadFakeTsc, DoNothing);
  clock.SetKilohertz(1'000'000);
  fake_tsc = 9'000'000;
  const base::Instant later = clock.Now();
  fake_tsc = 6'000'000;
  EXPECT_GE(clock.Now(), later);
  fake_tsc = 0;
  EXPECT_GE(clock.Now(), later);
}

TEST(TscClockTest, AStoppedTscStillEndsAWait) {
  fake_tsc = 77;
  TscClock clock(ReadFakeTsc, DoNothing);
  clock.SetKilohertz(2'500'000);
  const base::Instant deadline = clock.Now() + base::Milliseconds{5};
  uint64_t turns = 0;
  while (!clock.Passed(deadline)) {
    clock.Relax();
    ASSERT_LT(++turns, 10'000'000u);
  }
  // Not before a turn could really have taken that long.
  EXPECT_GE(turns, 5'000'000 / TscClock::kNanosecondsPerTurn);
}

TEST(TscClockTest, TheLastWordIsAllowedOnce) {
  fake_tsc = 0;
  TscClock clock(ReadFakeTsc, DoNothing);
  clock.SetKilohertz(1'000'000);  // a tick is a nanosecond
  constexpr base::Milliseconds kTwo{2};
  clock.EndAt(TscClock::kStart + base::Milliseconds{10});
  fake_tsc = 10'000'000;
  EXPECT_TRUE(clock.Passed(base::Instant{UINT64_MAX}));
  clock.AllowLastWord(kTwo);
  EXPECT_FALSE(clock.Passed(base::Instant{UINT64_MAX}));
  fake_tsc = 11'000'000;
  clock.AllowLastWord(kTwo);
  EXPECT_FALSE(clock.Passed(base::Instant{UINT64_MAX}));
  fake_tsc = 12'000'000;
  clock.AllowLastWord(kTwo);
  EXPECT_TRUE(clock.Passed(base::Instant{UINT64_MAX}));
}

TEST(TscClockTest, TheLastWordTakesNoTimeAway) {
  fake_tsc = 0;
  TscClock clock(ReadFakeTsc, DoNothing);
  clock.EndAt(base::Instant{1'000'000'000});
  clock.AllowLastWord(base::Milliseconds{2});
  EXPECT_EQ(clock.end(), base::Instant{1'000'000'000});
}

TEST(TscClockTest, ATscSetFarAheadIsTheEndOfTime) {
  // 2^64 ticks and a few less, at frequencies where their nanoseconds do and
  // do not fit.
  for (const uint32_t kilohertz : {1u, 100'000u, 999'999u, 1'000'000u,
                                   2'500'000u, 10'000'000u, UINT32_MAX}) {
    for (const uint64_t tsc : {UINT64_MAX, UINT64_MAX - kilohertz,
                               UINT64_MAX / 1'000'000 * kilohertz + 77}) {
      fake_tsc = 0;
      TscClock clock(ReadFakeTsc, DoNothing);
      clock.SetKilohertz(kilohertz);
      const base::Instant deadline = clock.Now() + base::Milliseconds{5};
      fake_tsc = tsc;
      const base::Instant far = clock.Now();
      EXPECT_GE(far, deadline) << kilohertz << " " << tsc;
      // Stopped or set back there, turns go on counting and nothing wraps.
      for (const uint64_t next : {tsc, uint64_t{0}, UINT64_MAX}) {
        fake_tsc = next;
        clock.Relax();
        EXPECT_GE(clock.Now(), far) << kilohertz << " " << tsc;
        EXPECT_TRUE(clock.Passed(deadline)) << kilohertz << " " << tsc;
      }
    }
  }
  fake_tsc = 0;
  TscClock clock(ReadFakeTsc, DoNothing);
  clock.SetKilohertz(100'000);
  fake_tsc = UINT64_MAX;
  EXPECT_EQ(Nanoseconds(clock.Now()), UINT64_MAX);
  EXPECT_TRUE(clock.Passed(base::Instant{UINT64_MAX}));
}

}  // namespace
}  // namespace svsm
