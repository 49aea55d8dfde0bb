// SPDX-License-Identifier: Apache-2.0
#include "svsm/platform/snp/page_states.h"

#include <stdint.h>

#include <algorithm>
#include <vector>

#include "base/result.h"
#include "gtest/gtest.h"
#include "sev/ghcb.h"
#include "svsm/linux/reasons.h"
#include "svsm/platform/snp/fake_hypervisor.h"
#include "svsm/platform/snp/ghcb.h"
#include "svsm/platform/snp/reasons.h"

namespace svsm {
namespace {

using base::Reason;
using Pvalidated = PageInstructions::Pvalidated;

constexpr uint64_t k2M = PageStates::kLarge;
constexpr uint64_t k4K = kPageSize;
constexpr uint64_t kGiB = uint64_t{1} << 30;
constexpr Range kImage{0x200000, 0x340000};
constexpr Range kShared{0x280000, 0x284000};

class PageStatesTest : public testing::Test {
 protected:
  void SetUp() override { host_.Launch(kImage); }
  // However a test ends what it does.
  void TearDown() override { EXPECT_FALSE(host_.window_open); }

  // Every page of `pages` is private and validated, and was evicted then.
  bool Ours(Range pages) {
    for (uint64_t at = pages.begin; at < pages.end; at += k4K) {
      if (!host_.rmp[at].assigned || !host_.rmp[at].validated ||
          host_.rmp[at].dirty_cache) {
        return false;
      }
    }
    return true;
  }
  static std::vector<uint64_t> PagesOf(Range pages) {
    std::vector<uint64_t> out;
    for (uint64_t at = pages.begin; at < pages.end; at += k4K) {
      out.push_back(at);
    }
    return out;
  }
  Reason Accept(Range pages) { return states_.Accept(pages).reason(); }

  FakeHypervisor host_;
  Ghcb ghcb_{host_, host_.page()};
  PageStates states_{host_, ghcb_, host_, 51, kImage};
};

// --- Accept.

TEST_F(PageStatesTest, AcceptsInLargeSteps) {
  ASSERT_EQ(Accept({4 * k2M, 4 * k2M + kGiB}), Reason());
  EXPECT_TRUE(Ours({4 * k2M, 4 * k2M + kGiB}));
  EXPECT_EQ(host_.pvalidates, 512u);
  EXPECT_EQ(host_.large_pvalidates, 512u);
  EXPECT_EQ(host_.page_exits, 3u);  // 253 entries each
  ASSERT_EQ(host_.batches.size(), 3u);
  EXPECT_EQ(host_.batches[0].size(), 253u);
  EXPECT_EQ(host_.batches[2].size(), 6u);
}

TEST_F(PageStatesTest, UnalignedEndsGoInSmallSteps) {
  const Range pages{4 * k2M - 2 * k4K, 6 * k2M + k4K};
  ASSERT_EQ(Accept(pages), Reason());
  EXPECT_TRUE(Ours(pages));
  EXPECT_EQ(host_.pvalidates, 2u + 2u + 1u);
  EXPECT_FALSE(host_.rmp[pages.begin - k4K].assigned);
  EXPECT_FALSE(host_.rmp[pages.end].assigned);
}

TEST_F(PageStatesTest, PageZeroAndAboveFourGiB) {
  ASSERT_EQ(Accept({0, 0xA0000}), Reason());
  ASSERT_EQ(Accept({5 * kGiB, 6 * kGiB}), Reason());
  EXPECT_TRUE(Ours({0, 0xA0000}));
  EXPECT_TRUE(Ours({5 * kGiB, 6 * kGiB}));
}

TEST_F(PageStatesTest, FallsBackWhereTheHostBacksBySmallPages) {
  host_.backs_large = false;
  ASSERT_EQ(Accept({4 * k2M, 6 * k2M}), Reason());
  EXPECT_TRUE(Ours({4 * k2M, 6 * k2M}));
  EXPECT_EQ(host_.pvalidates, 2u + 1024u);
}

TEST_F(PageStatesTest, NothingIsAcceptedTwice) {
  ASSERT_EQ(Accept({4 * k2M, 8 * k2M}), Reason());
  const unsigned exits = host_.page_exits;
  EXPECT_EQ(Accept({4 * k2M, 8 * k2M}), kPageNotOurs);
  EXPECT_EQ(Accept({3 * k2M, 4 * k2M + k4K}), kPageNotOurs);
  EXPECT_EQ(Accept({8 * k2M - k4K, 9 * k2M}), kPageNotOurs);
  EXPECT_EQ(Accept({0, kGiB}), kPageNotOurs);
  // Nor is the image, not even what it has shared.
  EXPECT_EQ(Accept({kImage.end - k4K, kImage.end}), kPageNotOurs);
  ASSERT_TRUE(states_.Share(kShared).ok());
  EXPECT_EQ(Accept(kShared), kPageNotOurs);
  EXPECT_EQ(host_.page_exits, exits + 1);
}

TEST_F(PageStatesTest, NothingWithTheCbitOrAbove) {
  constexpr uint64_t kEnd = uint64_t{1} << 51;
  EXPECT_EQ(Accept({kEnd - k4K, kEnd}), Reason());
  EXPECT_EQ(Accept({kEnd, kEnd + k4K}), kPageBeyondCbit);
  EXPECT_EQ(Accept({kEnd - k2M, kEnd + k2M}), kPageBeyondCbit);
  // The image's own pages, by another name.
  EXPECT_EQ(Accept({kEnd + kImage.begin, kEnd + kImage.end}), kPageBeyondCbit);
  EXPECT_EQ(Accept({k2M * 9, k2M * 9}), kPageBeyondCbit);
}

TEST_F(PageStatesTest, UnchangedMeansThatTheHostRemapped) {
  host_.rmp_lie = [](uint64_t address, bool, Pvalidated& out) {
    if (address == 5 * k2M) out.unchanged = true;
  };
  EXPECT_EQ(Accept({4 * k2M, 6 * k2M}), kPvalidateUnchanged);
  host_.backs_large = false;
  host_.rmp_lie = [](uint64_t address, bool large, Pvalidated& out) {
    if (!large && address == 11 * k2M + 7 * k4K) out.unchanged = true;
  };
  EXPECT_EQ(Accept({10 * k2M, 12 * k2M}), kPvalidateUnchanged);
}

TEST_F(PageStatesTest, EveryFailureOfPvalidateEndsIt) {
  uint64_t at = 10 * k2M;
  for (const uint32_t code : {1u, 2u, 3u, 7u, 255u}) {
    for (const bool large : {true, false}) {
      host_.rmp_lie = [&](uint64_t, bool, Pvalidated& out) { out.code = code; };
      EXPECT_EQ(Accept({at, at + (large ? k2M : k4K)}), kPvalidateFailed);
      at += k2M;
    }
  }
  // Size mismatch of a small page is no reason to try a smaller one.
  host_.rmp_lie = [&](uint64_t, bool, Pvalidated& out) { out.code = 6; };
  EXPECT_EQ(Accept({at, at + k2M}), kPvalidateFailed);
}

TEST_F(PageStatesTest, TheHostDidNotDoWhatItSaid) {
  host_.page_lie = [&] {  // All done; nothing is.
    host_.set_psc_header((host_.psc_header() & 0xFFFF0000) | 1);
    host_.Done();
    return true;
  };
  EXPECT_EQ(Accept({4 * k2M, 4 * k2M + k4K}), kPvalidateFailed);
}

// --- Eviction, each page once and after its PVALIDATE, which the fake checks.

TEST_F(PageStatesTest, EveryPageOfALargeOneIsEvicted) {
  const Range pages{4 * k2M - k4K, 6 * k2M + k4K};
  ASSERT_EQ(Accept(pages), Reason());
  EXPECT_EQ(host_.pvalidates, 4u);
  EXPECT_EQ(host_.evicted, PagesOf(pages));
}

TEST_F(PageStatesTest, TheSmallPagesOfTheFallbackAreEvicted) {
  host_.backs_large = false;
  ASSERT_EQ(Accept({4 * k2M, 5 * k2M}), Reason());
  EXPECT_EQ(host_.evicted, PagesOf({4 * k2M, 5 * k2M}));
}

TEST_F(PageStatesTest, WhatFailedIsNotEvicted) {
  host_.rmp_lie = [](uint64_t address, bool, Pvalidated& out) {
    if (address == 5 * k2M) out.unchanged = true;
  };
  EXPECT_EQ(Accept({4 * k2M, 6 * k2M}), kPvalidateUnchanged);
  EXPECT_EQ(host_.evicted, PagesOf({4 * k2M, 5 * k2M}));
  host_.evicted.clear();
  host_.rmp_lie = [](uint64_t, bool, Pvalidated& out) { out.code = 1; };
  EXPECT_EQ(Accept({8 * k2M, 8 * k2M + k4K}), kPvalidateFailed);
  EXPECT_TRUE(host_.evicted.empty());
}

TEST_F(PageStatesTest, APageThatComesBackIsEvictedBeforeItIsZeroed) {
  ASSERT_TRUE(states_.Share(kShared).ok());
  // Nothing to evict in what is the host's now.
  EXPECT_TRUE(host_.evicted.empty());
  ASSERT_TRUE(states_.Unshare(kShared).ok());
  EXPECT_EQ(host_.evicted, PagesOf(kShared));
  host_.evicted.clear();
  constexpr uint64_t kGhcb = FakeHypervisor::kGhcbGpa;
  ASSERT_TRUE(states_.ShareByMsr(kGhcb).ok());
  ASSERT_TRUE(states_.UnshareByMsr(kGhcb).ok());
  EXPECT_EQ(host_.evicted, PagesOf({kGhcb, kGhcb + k4K}));
}

// --- The window, a writable mapping of what may be code.

TEST_F(PageStatesTest, EachChangeClosesTheWindow) {
  ASSERT_TRUE(states_.Share(kShared).ok());
  EXPECT_EQ(host_.windows_closed, 1u);
  EXPECT_FALSE(host_.window_open);
  ASSERT_TRUE(states_.Unshare(kShared).ok());
  EXPECT_EQ(host_.windows_closed, 2u);
  EXPECT_FALSE(host_.window_open);
  ASSERT_EQ(Accept({4 * k2M, 6 * k2M + k4K}), Reason());
  EXPECT_EQ(host_.windows_closed, 3u);
  EXPECT_FALSE(host_.window_open);
  constexpr uint64_t kGhcb = FakeHypervisor::kGhcbGpa;
  ASSERT_TRUE(states_.ShareByMsr(kGhcb).ok());
  EXPECT_FALSE(host_.window_open);
  ASSERT_TRUE(states_.UnshareByMsr(kGhcb).ok());
  EXPECT_FALSE(host_.window_open);
  EXPECT_EQ(host_.windows_closed, 5u);
}

TEST_F(PageStatesTest, AChangeThatFailsClosesTheWindowToo) {
  host_.rmp_lie = [](uint64_t, bool, Pvalidated& out) { out.code = 1; };
  EXPECT_EQ(Accept({4 * k2M, 5 * k2M}), kPvalidateFailed);
  EXPECT_EQ(host_.windows_closed, 1u);
  EXPECT_FALSE(host_.window_open);
  EXPECT_EQ(states_.Share(kShared).reason(), kPvalidateFailed);
  EXPECT_EQ(host_.windows_closed, 2u);
  EXPECT_FALSE(host_.window_open);
  host_.rmp_lie = nullptr;
  constexpr uint64_t kGhcb = FakeHypervisor::kGhcbGpa;
  ASSERT_TRUE(states_.ShareByMsr(kGhcb).ok());
  host_.rmp_lie = [](uint64_t, bool, Pvalidated& out) { out.unchanged = true; };
  EXPECT_EQ(states_.UnshareByMsr(kGhcb).reason(), kPvalidateUnchanged);
  EXPECT_EQ(host_.windows_closed, 4u);
  EXPECT_FALSE(host_.window_open);
  // The host refuses what was rescinded.
  host_.rmp_lie = nullptr;
  host_.page_lie = [&] {
    host_.Done(0, uint64_t{1} << 32);
    return true;
  };
  EXPECT_EQ(states_.Share({kShared.end, kShared.end + k4K}).reason(),
            kPageStateRefused);
  EXPECT_EQ(host_.windows_closed, 5u);
  EXPECT_FALSE(host_.window_open);
}

// --- The cursor.

TEST_F(PageStatesTest, PartialProgressGoesOnWhereItStopped) {
  host_.entries_an_exit = 100;
  ASSERT_EQ(Accept({kGiB, kGiB + 253 * k2M}), Reason());
  EXPECT_TRUE(Ours({kGiB, kGiB + 253 * k2M}));
  ASSERT_EQ(host_.batches.size(), 3u);
  EXPECT_EQ(host_.batches[0].size(), 253u);
  EXPECT_EQ(host_.batches[1].size(), 153u);
  EXPECT_EQ(host_.batches[2].size(), 53u);
  EXPECT_EQ(
      host_.batches[1][0],
      sev::MakePscEntry(kGiB + 100 * k2M, sev::PageOperation::kPrivate, true));
}

TEST_F(PageStatesTest, AnEntryDoneInPart) {
  bool first = true;
  host_.page_lie = [&] {
    if (!first) return false;
    first = false;
    for (uint64_t i = 0; i < 300; ++i) {
      host_.rmp[4 * k2M + i * k4K] = {.assigned = true, .large = true};
    }
    host_.set_psc_entry(0, host_.psc_entry(0) | 300);
    host_.Done();
    return true;
  };
  ASSERT_EQ(Accept({4 * k2M, 5 * k2M}), Reason());
  ASSERT_EQ(host_.batches.size(), 1u);
  EXPECT_EQ(host_.batches[0][0] & sev::kPscCurrentPageMask, 300u);
}

// The host may write anything between two exits: what is sent next is from the
// private copy.
TEST_F(PageStatesTest, EntriesThatTheHostChangesAreSentAgainAsTheyWere) {
  host_.entries_an_exit = 1;
  host_.page_tampering = [&] {
    const uint64_t header = host_.psc_header();
    for (size_t i = header & 0xFFFF; i <= (header >> 16 & 0xFFFF); ++i) {
      // Other addresses, shared instead of private.
      host_.set_psc_entry(
          i, sev::MakePscEntry(kImage.begin + i * k4K,
                               sev::PageOperation::kShared, false));
    }
  };
  ASSERT_EQ(Accept({4 * k2M, 8 * k2M}), Reason());
  EXPECT_TRUE(Ours(kImage));
  EXPECT_TRUE(Ours({4 * k2M, 8 * k2M}));
}

TEST_F(PageStatesTest, TheCursorMovesBackwards) {
  host_.entries_an_exit = 3;
  unsigned exits = 0;
  host_.page_tampering = [&] {
    if (++exits == 2) {
      host_.set_psc_header((host_.psc_header() & 0xFFFF0000) | 2);
    }
  };
  EXPECT_EQ(Accept({4 * k2M, 12 * k2M}), kPageStateCursor);
}

TEST_F(PageStatesTest, TheCursorMovesBeyondTheEnd) {
  for (const uint64_t cursor : {uint64_t{9}, uint64_t{300}, uint64_t{0xFFFF}}) {
    host_.page_tampering = [&] {
      host_.set_psc_header((host_.psc_header() & 0xFFFF0000) | cursor);
    };
    EXPECT_EQ(Accept({100 * cursor * k2M, (100 * cursor + 8) * k2M}),
              kPageStateCursor);
  }
}

TEST_F(PageStatesTest, TheEndOrReservedBytesChange) {
  uint64_t at = 4 * k2M;
  for (int bit = 16; bit < 64; ++bit, at += k2M) {
    host_.page_tampering = [&] {
      host_.set_psc_header(host_.psc_header() ^ uint64_t{1} << bit);
    };
    EXPECT_EQ(Accept({at, at + k2M}), kPageStateCursor) << bit;
  }
}

TEST_F(PageStatesTest, ThePageCursorMovesBackwardsOrBeyond) {
  uint64_t to = 300;
  host_.page_lie = [&] {
    host_.set_psc_entry(0,
                        (host_.psc_entry(0) & ~sev::kPscCurrentPageMask) | to);
    to = 299;
    host_.Done();
    return true;
  };
  EXPECT_EQ(Accept({4 * k2M, 5 * k2M}), kPageStateCursor);
  to = 513;
  EXPECT_EQ(Accept({6 * k2M, 7 * k2M}), kPageStateCursor);
  to = 2;  // Of a 4 KiB page.
  EXPECT_EQ(Accept({8 * k2M, 8 * k2M + k4K}), kPageStateCursor);
}

TEST_F(PageStatesTest, NoProgressEnds) {
  host_.page_lie = [&] {
    host_.Done();
    return true;
  };
  EXPECT_EQ(Accept({4 * k2M, 5 * k2M}), kPageStateStuck);
  EXPECT_LE(host_.page_exits, PageStates::kMaxIdleExits + 2);
}

TEST_F(PageStatesTest, ProgressByCrumbsEndsToo) {
  uint64_t page = 0;
  uint64_t entry = 0;
  host_.page_lie = [&] {
    if (++page == 512) {
      page = 0;
      ++entry;
    }
    host_.set_psc_header((host_.psc_header() & 0xFFFF0000) | entry);
    host_.set_psc_entry(
        entry, (host_.psc_entry(entry) & ~sev::kPscCurrentPageMask) | page);
    host_.Done();
    return true;
  };
  EXPECT_EQ(Accept({kGiB, 2 * kGiB}), kPageStateStuck);
  EXPECT_LE(host_.page_exits, PageStates::kMaxExits);
}

TEST_F(PageStatesTest, ARefusalEnds) {
  host_.page_lie = [&] {
    host_.Done(0, uint64_t{1} << 32);
    return true;
  };
  EXPECT_EQ(Accept({4 * k2M, 5 * k2M}), kPageStateRefused);
  host_.page_lie = [&] {
    host_.Done(2, 1);
    return true;
  };
  EXPECT_EQ(Accept({6 * k2M, 7 * k2M}), kGhcbRefused);
}

// --- Share and Unshare.

TEST_F(PageStatesTest, SharesAndTakesBack) {
  ASSERT_TRUE(states_.Share(kShared).ok());
  for (uint64_t at = kShared.begin; at < kShared.end; at += k4K) {
    EXPECT_FALSE(host_.rmp[at].assigned);
    EXPECT_TRUE(host_.mapped_shared.contains(at));
  }
  EXPECT_TRUE(Ours({kImage.begin, kShared.begin}));
  EXPECT_TRUE(Ours({kShared.end, kImage.end}));
  EXPECT_EQ(host_.zeroed.size(), 4u);

  host_.zeroed.clear();
  ASSERT_TRUE(states_.Unshare(kShared).ok());
  EXPECT_TRUE(Ours(kImage));
  EXPECT_TRUE(host_.mapped_shared.empty());
  EXPECT_EQ(host_.zeroed.size(), 4u);
  ASSERT_EQ(states_.accepted().size(), 1u);
  EXPECT_EQ(states_.accepted()[0], kImage);
  // And once more.
  EXPECT_TRUE(states_.Share(kShared).ok());
}

TEST_F(PageStatesTest, ValidationIsRescindedBeforeTheHostGetsThePage) {
  host_.page_lie = [&] {
    for (uint64_t at = kShared.begin; at < kShared.end; at += k4K) {
      EXPECT_FALSE(host_.rmp[at].validated);
      EXPECT_FALSE(host_.mapped_shared.contains(at));
    }
    return false;
  };
  ASSERT_TRUE(states_.Share(kShared).ok());
  EXPECT_EQ(host_.page_exits, 1u);
}

TEST_F(PageStatesTest, OnlyPagesOfTheImageInTheRightState) {
  EXPECT_EQ(states_.Unshare(kShared).reason(), kPageNotOurs);
  ASSERT_TRUE(states_.Share(kShared).ok());
  EXPECT_EQ(states_.Share(kShared).reason(), kPageNotOurs);
  EXPECT_EQ(states_.Share({kShared.end - k4K, kShared.end + k4K}).reason(),
            kPageNotOurs);
  EXPECT_EQ(states_.Unshare({kShared.begin, kShared.end + k4K}).reason(),
            kPageNotOurs);
  ASSERT_EQ(Accept({4 * k2M, 5 * k2M}), Reason());
  EXPECT_EQ(states_.Share({4 * k2M, 4 * k2M + k4K}).reason(), kPageNotOurs);
  EXPECT_EQ(states_.Unshare({5 * k2M, 5 * k2M + k4K}).reason(), kPageNotOurs);
}

TEST_F(PageStatesTest, TheGhcbGoesByTheMsrProtocol) {
  ASSERT_TRUE(states_.ShareByMsr(FakeHypervisor::kGhcbGpa).ok());
  EXPECT_EQ(host_.page_exits, 0u);
  EXPECT_FALSE(host_.rmp[FakeHypervisor::kGhcbGpa].assigned);
  ASSERT_TRUE(states_.UnshareByMsr(FakeHypervisor::kGhcbGpa).ok());
  EXPECT_EQ(host_.page_exits, 0u);
  EXPECT_TRUE(Ours(kImage));
}

TEST_F(PageStatesTest, APageTakenBackThatWasValidatedAlready) {
  ASSERT_TRUE(states_.Share(kShared).ok());
  host_.page_tampering = [&] {
    host_.rmp[kShared.begin + k4K].validated = true;  // The host cannot, but.
  };
  EXPECT_EQ(states_.Unshare(kShared).reason(), kPvalidateUnchanged);
}

TEST_F(PageStatesTest, ManyHolesFillTheSet) {
  Reason last;
  uint64_t at = 4 * k2M;
  for (size_t i = 0; i < PageStates::kMaxRanges + 1; ++i, at += 2 * k2M) {
    last = Accept({at, at + k4K});
  }
  EXPECT_EQ(last, kTooManyRanges);
}

}  // namespace
}  // namespace svsm
