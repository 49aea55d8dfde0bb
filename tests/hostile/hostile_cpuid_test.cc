// SPDX-License-Identifier: Apache-2.0
//
// A hypervisor that lies about the processor: in the CPUID page, and where the
// guest would ask it. The firmware's check of that page at launch is left out
// here: nothing depends on it.
// Spec: AMD 56860 rev. 1.58, "CPUID Page"; AMD 24594 (APM volume 3), appendix
// E.
#include <stdint.h>
#include <string.h>

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "machine/cpuid_table.h"
#include "sev/cpuid_page.h"
#include "tests/hostile/bench.h"
#include "tests/hostile/scripts.h"
#include "tests/hostile/seeded_random.h"

namespace hostile {
namespace {

using machine::CpuidEntry;
using machine::CpuidTable;
using machine::MakeCpuidTable;
using machine::MutablePageBytes;
using psp::kMilan;

namespace layout = sev::cpuid_function_layout;
using CpuidPage = MutablePageBytes;

BenchOptions WithPage(std::function<void(CpuidPage)> change,
                      const Allowance& allow = {}) {
  return {.machine =
              [change = std::move(change)](MachineOptions& options) {
                options.launch.edit_host_page =
                    [change](sev::PageType type, MutablePageBytes page) {
                      if (type == sev::PageType::kCpuid) change(page);
                    };
              },
          .allow = allow};
}

uint32_t Count(CpuidPage page) {
  return base::LoadLe<uint32_t>(page.first<4>());
}
void SetCount(CpuidPage page, uint32_t count) {
  base::StoreLe<uint32_t>(count, page.first<4>());
}
base::MutableBytes EntryOf(CpuidPage page, size_t index) {
  return page.subspan(sev::kCpuidHeaderSize + index * sev::kCpuidFunctionSize,
                      sev::kCpuidFunctionSize);
}
uint32_t Get(base::Bytes entry, size_t at) {
  return base::LoadLe<uint32_t>(entry.subspan(at).first<4>());
}
void Set(base::MutableBytes entry, size_t at, uint32_t value) {
  base::StoreLe<uint32_t>(value, entry.subspan(at).first<4>());
}
// Each entry of `leaf`.
void Each(CpuidPage page, uint32_t leaf,
          const std::function<void(base::MutableBytes)>& change) {
  for (size_t i = 0; i < Count(page) && i < sev::kCpuidMaxFunctions; ++i) {
    if (Get(EntryOf(page, i), layout::EaxIn::kOffset) == leaf) {
      change(EntryOf(page, i));
    }
  }
}
void Clear(CpuidPage page, uint32_t leaf, size_t at, uint32_t bits) {
  Each(page, leaf, [=](base::MutableBytes entry) {
    Set(entry, at, Get(entry, at) & ~bits);
  });
}
void Hide(CpuidPage page, uint32_t leaf) {
  Each(page, leaf, [](base::MutableBytes entry) {
    Set(entry, layout::EaxIn::kOffset, 0x12345678);
  });
}

constexpr size_t kEbx = layout::Ebx::kOffset, kEcx = layout::Ecx::kOffset;

struct Row {
  std::string name;
  std::function<void(CpuidPage)> change;
  std::set<std::string> ends;  // The ones that are right; no others are.
};

// To the kernel, or to where the image has printed `stop_at`.
void RunAll(const std::vector<Row>& rows, std::string stop_at = "") {
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    BenchOptions options = WithPage(row.change);
    options.stop_at = stop_at;
    const Outcome outcome = RunGuest(nullptr, options);
    EXPECT_TRUE(row.ends.contains(outcome.end)) << outcome.ToString();
  }
}

TEST(HostileCpuidTest, APageWithoutAUsableCountOrCbitIsRefused) {
  std::vector<Row> rows = {
      {"no entries", [](CpuidPage p) { SetCount(p, 0); }, {"SP1"}},
      {"65 entries", [](CpuidPage p) { SetCount(p, 65); }, {"SP1"}},
      {"-1 entries", [](CpuidPage p) { SetCount(p, 0xFFFFFFFF); }, {"SP1"}},
      {"no leaf 0x8000001F",
       [](CpuidPage p) { Hide(p, sev::kCpuidEncryptedMemory); },
       {"SP1"}},
      {"zeros", [](CpuidPage p) { memset(p.data(), 0, p.size()); }, {"SP1"}},
      {"ones", [](CpuidPage p) { memset(p.data(), 0xFF, p.size()); }, {"SP1"}},
  };
  for (const uint32_t position : {0, 1, 31, 52, 63}) {
    rows.push_back({absl::StrCat("C-bit ", position),
                    [position](CpuidPage p) {
                      Each(p, sev::kCpuidEncryptedMemory,
                           [position](base::MutableBytes entry) {
                             Set(entry, kEbx, position);
                           });
                    },
                    {"SP2"}});
  }
  RunAll(rows);
}

// A C-bit that could be, but is not: found out before anything depends on it.
// It may lead where no memory is, the way to the handlers too: then the
// processor ends the run. (The firmware refuses such a page.)
TEST(HostileCpuidTest, ACbitThatIsNotTheRealOneEndsTheRun) {
  for (uint32_t position = 32; position <= 50; ++position) {
    SCOPED_TRACE(position);
    const Outcome outcome =
        RunGuest(nullptr, WithPage(
                              [position](CpuidPage p) {
                                Each(p, sev::kCpuidEncryptedMemory,
                                     [position](base::MutableBytes entry) {
                                       Set(entry, kEbx, position);
                                     });
                              },
                              {.shutdown = true, .violation = true}));
    EXPECT_TRUE(outcome.end == "SP3" || outcome.end == "SP4" ||
                outcome.end == "shutdown" || outcome.end == "violation")
        << outcome.ToString();
    EXPECT_LE(outcome.exits, 1u);
  }
}

TEST(HostileCpuidTest, EachFeatureTheImageNeedsIsMissedWithAReason) {
  RunAll({
      {"no RDRAND", [](CpuidPage p) { Clear(p, 1, kEcx, 1u << 30); }, {"SM6"}},
      {"no AES-NI", [](CpuidPage p) { Clear(p, 1, kEcx, 1u << 25); }, {"SM7"}},
      {"no PCLMULQDQ",
       [](CpuidPage p) { Clear(p, 1, kEcx, 1u << 1); },
       {"SM7"}},
      {"no leaf 1", [](CpuidPage p) { Hide(p, 1); }, {"SM6"}},
      // RDRAND does.
      {"no RDSEED",
       [](CpuidPage p) { Clear(p, 7, kEbx, 1u << 18); },
       {"kernel"}},
      {"no leaf 7", [](CpuidPage p) { Hide(p, 7); }, {"kernel"}},
      {"no leaf 0", [](CpuidPage p) { Hide(p, 0); }, {"SM6"}},
      {"no leaf 0x80000000",
       [](CpuidPage p) { Hide(p, 0x80000000); },
       {"kernel"}},
  });
}

TEST(HostileCpuidTest, InventedLeavesDoNoHarm) {
  std::vector<Row> rows = {
      {"every feature of leaf 1 and 7",
       [](CpuidPage p) {
         for (const uint32_t leaf : {1, 7}) {
           Each(p, leaf, [](base::MutableBytes entry) {
             for (size_t at = layout::Eax::kOffset; at < 0x28; at += 4) {
               Set(entry, at, 0xFFFFFFFF);
             }
           });
         }
       },
       {"kernel"}},
      {"another C-bit behind the real one",
       [](CpuidPage p) {
         const uint32_t count = Count(p);
         const base::MutableBytes entry = EntryOf(p, count);
         memset(entry.data(), 0, entry.size());
         Set(entry, layout::EaxIn::kOffset, sev::kCpuidEncryptedMemory);
         Set(entry, kEbx, 47);
         SetCount(p, count + 1);
       },
       {"kernel"}},
      {"addresses of 0 bits",
       [](CpuidPage p) {
         Each(p, 0x80000008, [](base::MutableBytes entry) {
           Set(entry, layout::Eax::kOffset, 0);
         });
       },
       {"kernel"}},
      {"addresses of 255 bits",
       [](CpuidPage p) {
         Each(p, 0x80000008, [](base::MutableBytes entry) {
           Set(entry, layout::Eax::kOffset, 0xFFFFFFFF);
         });
       },
       {"kernel"}},
      {"64 entries, all of the C-bit's leaf but for its value",
       [](CpuidPage p) {
         for (size_t i = 0; i < sev::kCpuidMaxFunctions; ++i) {
           const base::MutableBytes entry = EntryOf(p, i);
           memset(entry.data(), 0, entry.size());
           Set(entry, layout::EaxIn::kOffset, sev::kCpuidEncryptedMemory);
         }
         SetCount(p, sev::kCpuidMaxFunctions);
       },
       {"SP2"}},
  };
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    rows.push_back({absl::StrCat("random page ", seed),
                    [seed](CpuidPage p) {
                      SeededRandom random(seed);
                      random.Fill(p);
                      SetCount(p, static_cast<uint32_t>(random.Below(65)));
                    },
                    {"SP1"}});
    rows.push_back({absl::StrCat("random values ", seed),
                    [seed](CpuidPage p) {
                      SeededRandom random(seed);
                      for (size_t i = 0; i < Count(p); ++i) {
                        const base::MutableBytes entry = EntryOf(p, i);
                        if (Get(entry, layout::EaxIn::kOffset) ==
                            sev::kCpuidEncryptedMemory) {
                          continue;
                        }
                        random.Fill(entry.subspan(layout::Eax::kOffset));
                      }
                    },
                    // By what the random leaf 1 has.
                    {"kernel", "SM6", "SM7"}});
  }
  RunAll(rows);
}

// Each leaf alone, hidden and inverted: no leaf decides anything but whether
// the boot goes on.
TEST(HostileCpuidTest, EachLeafMayLie) {
  const CpuidTable table = MakeCpuidTable(kMilan);
  std::set<uint32_t> leaves;
  for (const CpuidEntry& entry : table) leaves.insert(entry.leaf);
  ASSERT_GT(leaves.size(), 5u);
  std::vector<Row> rows;
  for (const uint32_t leaf : leaves) {
    rows.push_back({absl::StrCat("hidden ", leaf),
                    [leaf](CpuidPage p) { Hide(p, leaf); },
                    {leaf == sev::kCpuidEncryptedMemory ? "SP1"
                     : leaf <= 1                        ? "SM6"
                                                        : "stopped"}});
    if (leaf == sev::kCpuidEncryptedMemory) continue;
    rows.push_back({absl::StrCat("inverted ", leaf),
                    [leaf](CpuidPage p) {
                      Each(p, leaf, [](base::MutableBytes entry) {
                        for (size_t at = layout::Eax::kOffset; at < 0x28;
                             at += 4) {
                          Set(entry, at, ~Get(entry, at));
                        }
                      });
                    },
                    {leaf == 1 ? "SM6" : "stopped"}});
  }
  // Nothing asks again later.
  RunAll(rows, "measured: ");
}

// The page answers, so the hypervisor is not asked.
TEST(HostileCpuidTest, WhatTheHypervisorSaysOfTheCpuDoesNotMatter) {
  Bench bench(
      nullptr, {.machine = [](MachineOptions& options) {
        options.hypervisor.cpuid = {{.leaf = 0, .values = {0, 0, 0, 0}}};
      }});
  const Outcome outcome = bench.Run();
  EXPECT_TRUE(outcome.ok() && outcome.end == "kernel") << outcome.ToString();
  EXPECT_EQ(bench.machine().trace().count(Cause::kCpuid), 0u);
}

}  // namespace
}  // namespace hostile
