// SPDX-License-Identifier: Apache-2.0
#include "machine/stop_reason.h"

#include <stdlib.h>

#include <fstream>
#include <iterator>
#include <vector>

#include "base/bytes.h"
#include "gtest/gtest.h"

namespace machine {
namespace {

std::vector<uint8_t> Payload() {
  const char* const path = getenv("PAYLOAD");
  std::ifstream in(path == nullptr ? "" : path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(SymbolTableTest, NamesAddresses) {
  const auto table = SymbolTable::FromElf(Payload());
  ASSERT_TRUE(table.ok()) << table.status();
  const uint64_t store = table->AddressOf("store");
  ASSERT_NE(store, 0u);
  EXPECT_TRUE(table->Describe(store + 3).starts_with("store+0x3 (0x100"));
  EXPECT_EQ(table->Describe(0x1234), "0x1234");
  EXPECT_EQ(table->Describe(0xFFFFFFFF81000000), "0xffffffff81000000");
  EXPECT_EQ(table->AddressOf("no_such_symbol"), 0u);
}

TEST(SymbolTableTest, BearsTruncationAtEveryByte) {
  const std::vector<uint8_t> file = Payload();
  ASSERT_FALSE(file.empty());
  size_t refused = 0;
  for (size_t size = 0; size < file.size(); ++size) {
    // A copy: reading past its end is what sanitizers see.
    const std::vector<uint8_t> part(file.begin(), file.begin() + size);
    refused += !SymbolTable::FromElf(part).ok();
  }
  // The section headers come last.
  EXPECT_EQ(refused, file.size());
}

TEST(SymbolTableTest, BearsEveryFlippedBitOfTheHeaders) {
  std::vector<uint8_t> file = Payload();
  const uint64_t sections =
      base::LoadLe<uint64_t>(base::Bytes(file).subspan(0x28).first<8>());
  ASSERT_LT(sections, file.size());
  for (size_t at = 0; at < file.size(); ++at) {
    if (at == 64) at = sections;
    for (int bit = 0; bit < 8; ++bit) {
      file[at] ^= 1 << bit;
      if (const auto table = SymbolTable::FromElf(file); table.ok()) {
        table->Describe(0x100010);
      }
      file[at] ^= 1 << bit;
    }
  }
}

TEST(StopReasonTest, SaysEverythingOfAViolation) {
  const StopReason reason = {
      .kind = StopKind::kViolation,
      .text = "broken",
      .rip = 0x1000,
      .fault = {.rule = Rule::kSharedWrite,
                .gpa = 0x2000,
                .gva = 0x3000,
                .access = Access::kWrite},
      .backtrace = {{0x1000, "f+0x0"}, {0x1100, "g+0x4"}}};
  EXPECT_EQ(reason.ToString(),
            "violation: broken\n"
            "  rip 0x1000\n"
            "  write of gpa 0x2000 (gva 0x3000, C=0)\n"
            "    f+0x0\n"
            "    g+0x4\n");
}

}  // namespace
}  // namespace machine
