// SPDX-License-Identifier: Apache-2.0
#include "svsm/boot/page_tables.h"

#include <stdint.h>
#include <string.h>

#include <memory>
#include <optional>

#include "gtest/gtest.h"

namespace svsm {
namespace {

constexpr uint64_t kAt = 0x300000;  // Where the tables lie, for their links.
constexpr ImageLayout kImage = {
    .text_start = 0x200000,
    .text_end = 0x240000,
    .read_only_start = 0x240000,
    .read_only_end = 0x25A000,
    .stack_guard = 0x280000,
};

struct Access {
  bool write, execute;
  bool operator==(const Access&) const = default;
};

// Walks the tables as a CPU would.
class PageTablesTest : public testing::Test {
 protected:
  void SetUp() override { BuildPageTables(kImage, kAt, 0, *tables_); }

  // The page that a walk for `address` ends in.
  uint64_t Target(uint64_t address) const {
    uint64_t target = 0;
    static_cast<void>(Walk(address, &target));
    return target;
  }

  std::optional<Access> Walk(uint64_t address, uint64_t* page = nullptr) const {
    // EDGE: as the CPU does: nothing but 64-bit entries, one table after the
    // other.
    const auto* entries = reinterpret_cast<const uint64_t*>(tables_.get());
    const uint64_t* table = entries;
    Access access = {true, true};
    for (int shift = 39;; shift -= 9) {
      const uint64_t entry = table[(address >> shift) & 511];
      if (!(entry & kPagePresent)) return std::nullopt;
      access.write &= (entry & kPageWritable) != 0;
      access.execute &= (entry & kPageNoExecute) == 0;
      const uint64_t target = entry & 0x000FFFFFFFFFF000;
      if (shift == 12 || (entry & kPageLarge)) {
        const uint64_t mask = (uint64_t{1} << shift) - 1;
        if (page == nullptr) {
          EXPECT_EQ(target, address & ~mask);
        } else {
          *page = target;
        }
        return access;
      }
      EXPECT_GE(target, kAt);
      EXPECT_LE(target, kAt + sizeof(PageTables) - kPageSize);
      table = entries + (target - kAt) / sizeof(uint64_t);
    }
  }

  std::unique_ptr<PageTables> tables_ = std::make_unique<PageTables>();
};

TEST_F(PageTablesTest, EachPartHasItsAccess) {
  EXPECT_EQ(Walk(0), std::nullopt);
  EXPECT_EQ(Walk(0xFFF), std::nullopt);
  EXPECT_EQ(Walk(0x1000), (Access{true, false}));
  EXPECT_EQ(Walk(0x200000), (Access{false, true}));
  EXPECT_EQ(Walk(0x23FFFF), (Access{false, true}));
  EXPECT_EQ(Walk(0x240000), (Access{false, false}));
  EXPECT_EQ(Walk(0x259FFF), (Access{false, false}));
  EXPECT_EQ(Walk(0x25A000), (Access{true, false}));
  EXPECT_EQ(Walk(0x280000), std::nullopt);
  EXPECT_EQ(Walk(0x281000), (Access{true, false}));
  EXPECT_EQ(Walk(kFineLimit), (Access{true, false}));
  EXPECT_EQ(Walk(kIdentityLimit - 1), (Access{true, false}));
  EXPECT_EQ(Walk(kIdentityLimit), std::nullopt);
  EXPECT_EQ(Walk(uint64_t{1} << 39), std::nullopt);
}

TEST_F(PageTablesTest, EveryEntryBearsTheMask) {
  constexpr uint64_t kCbit = uint64_t{1} << 51;
  const auto plain = std::make_unique<PageTables>(*tables_);
  BuildPageTables(kImage, kAt, kCbit, *tables_);
  // EDGE: tables are nothing but 64-bit entries.
  const auto* with = reinterpret_cast<const uint64_t*>(tables_.get());
  const auto* without = reinterpret_cast<const uint64_t*>(plain.get());
  for (size_t i = 0; i < sizeof(PageTables) / sizeof(uint64_t); ++i) {
    ASSERT_EQ(with[i], without[i] == 0 ? 0 : without[i] | kCbit) << i;
  }
}

TEST_F(PageTablesTest, FineEntryIsTheOneThatIsWalked) {
  FineEntry(*tables_, 0x25A000) = 0;
  EXPECT_EQ(Walk(0x25A000), std::nullopt);
  EXPECT_EQ(Walk(0x259000), (Access{false, false}));
  EXPECT_EQ(Walk(0x25B000), (Access{true, false}));
}

TEST_F(PageTablesTest, TheWindowShowsWhatItIsGiven) {
  OpenWindow(*tables_, 0x140000000, 0);
  EXPECT_EQ(Target(kWindow + 0x1234), 0x140000000u);
  EXPECT_EQ(Walk(kWindow + kLargePageSize), std::nullopt);
}

// Else what it last showed could be written there, code too.
TEST_F(PageTablesTest, AClosedWindowShowsNothing) {
  const auto before = std::make_unique<PageTables>(*tables_);
  OpenWindow(*tables_, 0x200000, uint64_t{1} << 51);
  uint64_t code = 0;
  ASSERT_EQ(Walk(kWindow, &code), (Access{true, false}));
  ASSERT_EQ(code & kImage.text_start, kImage.text_start);
  CloseWindow(*tables_);
  for (uint64_t at = 0; at < uint64_t{1} << 30; at += kLargePageSize) {
    EXPECT_EQ(Walk(kWindow + at), std::nullopt) << at;
  }
  EXPECT_EQ(memcmp(before.get(), tables_.get(), sizeof(PageTables)), 0);
}

TEST_F(PageTablesTest, NothingIsWritableAndExecutable) {
  for (uint64_t address = 0; address < kIdentityLimit;
       address += address < kFineLimit ? kPageSize : kLargePageSize) {
    const std::optional<Access> access = Walk(address);
    if (access) EXPECT_FALSE(access->write && access->execute) << address;
  }
}

}  // namespace
}  // namespace svsm
