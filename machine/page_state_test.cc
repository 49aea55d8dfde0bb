// SPDX-License-Identifier: Apache-2.0
#include "machine/page_state.h"

#include <array>
#include <vector>

#include "gtest/gtest.h"
#include "machine/fake_host_view.h"
#include "sev/ghcb.h"

namespace machine {
namespace {

using sev::MakePscEntry;
using sev::PageOperation;

class PageStateTest : public testing::Test {
 protected:
  uint64_t Run(std::vector<uint64_t> entries, uint16_t first = 0,
               LargePages large = LargePages::kKeep) {
    buffer_.fill(0);
    Put16(0, first);
    Put16(2, static_cast<uint16_t>(entries.size() - 1));
    for (size_t i = 0; i < entries.size(); ++i) {
      base::StoreLe<uint64_t>(entries[i],
                              std::span(buffer_).subspan(8 + 8 * i).first<8>());
    }
    return ChangePageStates(buffer_, large, memory_);
  }
  void Put16(size_t at, uint16_t value) {
    base::StoreLe<uint16_t>(value, std::span(buffer_).subspan(at).first<2>());
  }
  uint16_t cursor() const {
    return base::LoadLe<uint16_t>(std::span<const uint8_t>(buffer_).first<2>());
  }
  uint64_t entry(size_t i) const {
    return base::LoadLe<uint64_t>(
        std::span<const uint8_t>(buffer_).subspan(8 + 8 * i).first<8>());
  }

  FakeHostView memory_{8 << 20};
  std::array<uint8_t, 2032> buffer_{};
};

TEST_F(PageStateTest, ChangesEachEntryAndMovesTheCursor) {
  EXPECT_EQ(Run({MakePscEntry(0x1000, PageOperation::kPrivate, false),
                 MakePscEntry(0x200000, PageOperation::kPrivate, true)}),
            kPscDone);
  EXPECT_EQ(cursor(), 2);
  EXPECT_EQ(entry(0) & sev::kPscCurrentPageMask, 1u);
  EXPECT_EQ(entry(1) & sev::kPscCurrentPageMask, 512u);
  EXPECT_EQ(memory_.is_private.size(), 513u);
  EXPECT_EQ(memory_.large_pages, 1);
  EXPECT_EQ(Run({MakePscEntry(0x200000, PageOperation::kShared, true)}),
            kPscDone);
  EXPECT_EQ(memory_.is_private.size(), 1u);
}

TEST_F(PageStateTest, AHostMaySplitLargePages) {
  EXPECT_EQ(Run({MakePscEntry(0x200000, PageOperation::kPrivate, true)}, 0,
                LargePages::kSplit),
            kPscDone);
  EXPECT_EQ(memory_.large_pages, 0);
  EXPECT_EQ(memory_.is_private.size(), 512u);
}

TEST_F(PageStateTest, GoesOnFromBothCursors) {
  const uint64_t half =
      MakePscEntry(0x200000, PageOperation::kPrivate, true) | 500;
  EXPECT_EQ(
      Run({MakePscEntry(0x1000, PageOperation::kPrivate, false), half}, 1),
      kPscDone);
  EXPECT_EQ(memory_.is_private.size(), 12u);
  EXPECT_EQ(memory_.large_pages, 0);
}

TEST_F(PageStateTest, RefusesWhatKvmRefuses) {
  const uint64_t good = MakePscEntry(0x1000, PageOperation::kPrivate, false);
  EXPECT_EQ(Run(std::vector<uint64_t>(253, good)), kPscDone);
  Put16(0, 0);
  Put16(2, 253);
  EXPECT_EQ(ChangePageStates(buffer_, LargePages::kKeep, memory_),
            kPscInvalidHeader);
  EXPECT_EQ(Run({good, MakePscEntry(0x1000, PageOperation::kPrivate, true)}),
            kPscInvalidEntry);
  EXPECT_EQ(cursor(), 1);
  EXPECT_EQ(Run({good | 2}), kPscInvalidEntry);
  EXPECT_EQ(Run({MakePscEntry(8 << 20, PageOperation::kPrivate, false)}),
            kPscFailed);
  EXPECT_EQ(ChangePageStates(base::MutableBytes(buffer_).first(7),
                             LargePages::kKeep, memory_),
            kPscInvalidHeader);
}

TEST_F(PageStateTest, OnePageByMsr) {
  const auto request = [](PageOperation operation, uint64_t gpa) {
    return static_cast<uint64_t>(operation) << 52 | gpa | 0x014;
  };
  EXPECT_EQ(
      ChangePageStateByMsr(request(PageOperation::kPrivate, 0x3000), memory_),
      0x015u);
  EXPECT_TRUE(memory_.is_private.contains(0x3000));
  EXPECT_EQ(
      ChangePageStateByMsr(request(PageOperation::kShared, 0x3000), memory_),
      0x015u);
  EXPECT_TRUE(memory_.is_private.empty());
  EXPECT_NE(ChangePageStateByMsr(request(PageOperation::kPrivate, 8 << 20),
                                 memory_) >>
                32,
            0u);
  EXPECT_NE(
      ChangePageStateByMsr(request(PageOperation::kPsmash, 0), memory_) >> 32,
      0u);
}

}  // namespace
}  // namespace machine
