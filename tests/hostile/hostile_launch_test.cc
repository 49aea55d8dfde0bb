// SPDX-License-Identifier: Apache-2.0
//
// A host that is hostile in how it launches the guest: other entry points, a
// second CPU, images of the other platform, features that the image does not
// know, and memory maps.
#include <stdint.h>
#include <string.h>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "machine/cpu.h"
#include "proto/launch_note.h"
#include "sev/ghcb.h"
#include "sev/vmsa.h"
#include "tests/hostile/bench.h"
#include "tests/hostile/scripts.h"
#include "tests/hostile/seeded_random.h"

namespace hostile {
namespace {

using machine::Cpu;
using machine::kCbitPosition;
using machine::Launched;
using machine::MemoryMapEntry;
using machine::MutablePageBytes;
using machine::StopKind;
using machine::StopReason;

template <typename F>
void SetVmsa(std::span<uint8_t> vmsa, uint64_t value) {
  base::StoreLe<uint64_t>(value, vmsa.subspan(F::kOffset).template first<8>());
}
uint64_t SymbolOf(const char* name) {
  const uint64_t address = PlainGuest().symbols().AddressOf(name);
  EXPECT_NE(address, 0u) << name;
  return address;
}

// --- Entry points.

// The same image, started elsewhere: the digest says so.
TEST(HostileLaunchTest, OtherEntryPointsGetNoSecret) {
  const uint64_t entry = SymbolOf("ForelockSnpEntry");
  std::vector<uint64_t> places = {SymbolOf("ForelockEntry"),
                                  SymbolOf("SvsmMain"), 0, 0xFFFFFFF0};
  for (uint64_t step = 1; step <= 12; ++step)
    places.push_back(entry + 7 * step);
  for (const uint64_t place : places) {
    SCOPED_TRACE(place);
    const Guest guest({.plan = [place](launch::LaunchPlan& plan) {
      SetVmsa<sev::vmsa_layout::Rip>(plan.pages.back().contents, place);
    }});
    const Outcome outcome =
        RunGuest(nullptr, {.guest = &guest,
                           .allow = {.other_image = true},
                           .instruction_limit = 300'000'000});
    EXPECT_NE(outcome.end, "kernel");
  }
}

// At the entry flag it goes no further.
TEST(HostileLaunchTest, PvhEntryOfAnSnpImageEndsTheRun) {
  const uint64_t entry = SymbolOf("ForelockEntry");
  const Guest guest({.plan = [entry](launch::LaunchPlan& plan) {
    SetVmsa<sev::vmsa_layout::Rip>(plan.pages.back().contents, entry);
  }});
  const Outcome outcome = RunGuest(
      nullptr,
      {.guest = &guest, .allow = {.shutdown = true, .other_image = true}});
  // At its first fetch through page tables without the C-bit: code is
  // ciphertext there. Before it asked anybody for anything.
  EXPECT_EQ(outcome.end, "shutdown") << outcome.ToString();
  EXPECT_EQ(outcome.exits, 0u);
  EXPECT_EQ(outcome.guest_messages, 0u);
}

TEST(HostileLaunchTest, AnEmulatedImageInAnSnpLaunchIsRefused) {
  const Guest guest({.config = [](proto::Config& config) {
    config.platform = proto::Platform::kEmulated;
  }});
  const Outcome outcome = RunGuest(nullptr, {.guest = &guest});
  EXPECT_EQ(outcome.end, "SM9") << outcome.ToString();
  EXPECT_EQ(outcome.guest_messages, 0u);
}

// --- SEV_STATUS, which the CPU answers and no host.

class WithStatus final : public Script {
 public:
  explicit WithStatus(uint64_t status) : status_(status) {}
  void OnStart(Machine& machine) override {
    machine.cpu().set_sev_status(status_);
    Act();
  }

 private:
  const uint64_t status_;
};

TEST(HostileLaunchTest, SevStatusMustShowSnpAndNothingUnknown) {
  constexpr uint64_t kSnp =
      sev::kSevStatusSev | sev::kSevStatusEs | sev::kSevStatusSnp;
  struct Row {
    uint64_t status;
    std::string end;
  };
  std::vector<Row> rows = {{0, "SP5"},
                           {sev::kSevStatusSev, "SP5"},
                           {sev::kSevStatusSev | sev::kSevStatusEs, "SP5"},
                           {sev::kSevStatusSnp, "SP5"},
                           {kSnp, "kernel"},
                           {kSnp | sev::kSevStatusVtom, "SP6"},
                           {kSnp | sev::kSevStatusReflectVc, "SP6"},
                           {kSnp | sev::kSevStatusRestrictedInjection, "SP6"},
                           {kSnp | sev::kSevStatusAlternateInjection, "SP6"},
                           {kSnp | sev::kSevStatusDebugSwap, "kernel"},
                           {kSnp | sev::kSevStatusBtbIsolation, "kernel"},
                           {~uint64_t{0}, "SP6"}};
  for (int bit = 18; bit < 64; bit += 9) {
    rows.push_back({kSnp | uint64_t{1} << bit, "SP6"});
  }
  for (const Row& row : rows) {
    WithStatus script(row.status);
    EXPECT_EQ(RunGuest(&script).end, row.end) << std::hex << row.status;
  }
}

// --- A second CPU, from the same VMSA.

class SecondCpu final : public AtExits {
 public:
  explicit SecondCpu(uint64_t exit, uint64_t rip)
      : AtExits([exit](const Exit& e) { return e.number == exit; }, 1),
        rip_(rip) {}
  // No CPU can be made while another one runs.
  void OnStart(Machine& machine) override {
    auto cpu = Cpu::Create(machine.memory(), machine.rmp(), machine.events(),
                           {.c_bit = kCbitPosition});
    if (!cpu.ok()) {
      ADD_FAILURE() << cpu.status();
      return;
    }
    cpu_ = *std::move(cpu);
    cpu_->LoadVmsa(machine.launched().vmsa);
    if (rip_ != 0) cpu_->set_rip(rip_);
  }
  Verdict Before(Machine&, Exit& exit) override {
    if (Take(exit)) stop = cpu_->Run({.instructions = 50'000'000});
    return Verdict::kContinue;
  }
  // How much the second CPU did.
  uint64_t instructions() const { return cpu_->instructions(); }
  StopReason stop;

 private:
  const uint64_t rip_;
  std::unique_ptr<Cpu> cpu_;
};

TEST(HostileLaunchTest, ASecondCpuAtTheEntryPointTerminates) {
  const uint64_t exits = RunGuest().exits;
  for (const uint64_t exit : {uint64_t{1}, uint64_t{3}, uint64_t{5}, exits / 2,
                              exits - 60, exits - 10}) {
    SecondCpu script(exit, 0);
    const Outcome outcome = RunGuest(&script, {.allow = {.keys = true}});
    EXPECT_EQ(outcome.end, "SM1") << exit << outcome.ToString();
    EXPECT_EQ(script.acted(), 1);
  }
}

// No VMSA says so: but if one did, nothing gets out. Either the second CPU ends
// the VM, for want of a reason or with one, or it faults at once, and the first
// goes on.
TEST(HostileLaunchTest, ASecondCpuElsewhereGetsNothingOut) {
  const uint64_t exits = RunGuest().exits;
  const uint64_t entry = SymbolOf("ForelockSnpEntry");
  std::vector<uint64_t> places = {SymbolOf("ForelockEntry"), 0x1000};
  for (uint64_t step = 1; step <= 6; ++step)
    places.push_back(entry + 11 * step);
  // By the CPU that ended it.
  const std::set<std::string> by_second = {"SM1", "SP1", "shutdown",
                                           "violation"};
  size_t ran = 0;
  for (const uint64_t place : places) {
    SCOPED_TRACE(place);
    SecondCpu script(exits - 60, place);
    const Outcome outcome =
        Bench(&script, {.allow = {.shutdown = true, .violation = true}}).Run();
    EXPECT_EQ(script.acted(), 1);
    EXPECT_TRUE(outcome.end == "kernel" || by_second.contains(outcome.end))
        << outcome.ToString();
    EXPECT_NE(script.stop.kind, StopKind::kInstructionLimit);
    ran += script.instructions() > 0 ? 1 : 0;
    for (const std::string& complaint : outcome.complaints) {
      // Where the second one ended the VM, the first could wipe nothing. All
      // else counts.
      EXPECT_TRUE(by_second.contains(outcome.end) &&
                  complaint.find("in private memory") != std::string::npos)
          << complaint;
    }
  }
  EXPECT_GE(ran, places.size() / 2);
}

// --- Memory maps.

struct MapRow {
  std::string name;
  std::vector<MemoryMapEntry> map;
  std::set<std::string> ends;  // The ones that are right; no others are.
};

constexpr uint64_t kRam = kBenchRam;
constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint16_t kMemory = proto::kMemoryMapTypeMemory;

Outcome RunWithMap(const std::vector<MemoryMapEntry>& map) {
  return RunGuest(nullptr, {.machine = [&map](MachineOptions& options) {
                    options.launch.memory_map = map;
                  }});
}

TEST(HostileLaunchTest, MemoryMapsThatOverlapWrapOrReachBeyond) {
  const std::vector<MapRow> rows = {
      {"honest", {{0, kRam, kMemory}}, {"kernel"}},
      {"the same twice", {{0, kRam, kMemory}, {0, kRam, kMemory}}, {"SL3"}},
      {"overlapping",
       {{0, 20 * kMiB, kMemory}, {15 * kMiB, 17 * kMiB, kMemory}},
       {"SL3"}},
      {"one inside the other",
       {{0, kRam, kMemory}, {20 * kMiB, kMiB, kMemory}},
       {"SL3"}},
      {"reserved inside RAM",
       {{0, kRam, kMemory}, {20 * kMiB, kMiB, 1}},
       {"SL3"}},
      {"descending",
       {{16 * kMiB, 16 * kMiB, kMemory}, {0, 16 * kMiB, kMemory}},
       {"kernel"}},
      {"wraps",
       {{0, kRam, kMemory}, {~uint64_t{0xFFF}, 2 * kMiB, kMemory}},
       {"SL2"}},
      {"all of it", {{0, ~uint64_t{0xFFF}, kMemory}}, {"SL9"}},
      {"up to the C-bit", {{0, uint64_t{1} << 51, kMemory}}, {"SL9"}},
      {"at the C-bit",
       {{0, kRam, kMemory}, {uint64_t{1} << 51, kRam, kMemory}},
       {"SL9"}},
      {"the VMSA",
       {{0, kRam, kMemory}, {sev::kKvmVmsaGpa, 4096, kMemory}},
       {"SL9"}},
      {"more than there is", {{0, 4 * kRam, kMemory}}, {"SP17"}},
      {"a ROM below 4 GiB",
       {{0, kRam, kMemory}, {0xFFF80000, 0x80000, kMemory}},
       {"SL17"}},
      {"the APIC", {{0, kRam, kMemory}, {0xFEE00000, 4096, kMemory}}, {"SL17"}},
      {"the last page below 4 GiB",
       {{0, kRam, kMemory}, {0xFFFFF000, 4096, kMemory}},
       {"SL17"}},
      {"the first page of the devices",
       {{0, kRam, kMemory}, {0xC0000000, 4096, kMemory}},
       {"SL17"}},
      // Allowed, but it is not there.
      {"the last page below the devices",
       {{0, kRam, kMemory}, {0xBFFFF000, 4096, kMemory}},
       {"SP17"}},
      {"a hole where RAM ends",
       {{0, kRam, kMemory}, {2 * kRam, kRam, kMemory}},
       {"SP17"}},
      {"none", {{0, kRam, 1}}, {"SL7"}},
      {"one page", {{0, 4096, kMemory}}, {"SL5"}},
      {"all types are unknown", {{0, kRam, 0xFFFF}}, {"SL7"}},
      {"only below the image", {{0, kMiB, kMemory}}, {"SL5"}},
      {"many small ones",
       [] {
         std::vector<MemoryMapEntry> map;
         for (uint64_t i = 0; i < 168; ++i) {
           map.push_back({i * 64 * 4096, 63 * 4096, kMemory});
         }
         return map;
       }(),
       {"SL4"}},
  };
  for (const MapRow& row : rows) {
    SCOPED_TRACE(row.name);
    const Outcome outcome = RunWithMap(row.map);
    EXPECT_TRUE(row.ends.contains(outcome.end)) << outcome.ToString();
  }
}

// Which pages of RAM are validated.
std::vector<bool> Validated(Machine& machine) {
  std::vector<bool> pages;
  for (uint64_t gpa = 0; gpa < kRam; gpa += 4096) {
    pages.push_back(machine.rmp().Get(gpa).validated);
  }
  return pages;
}

// A page of the image that the guest gave away and took again is garbage to it,
// and no longer what was measured: at no exit may one be, but for those that it
// shares itself.
class WatchingTheImage final : public Script {
 public:
  explicit WatchingTheImage(std::vector<std::pair<uint64_t, uint64_t>> shared)
      : shared_(std::move(shared)) {}
  void After(Machine& machine, Exit& exit) override {
    if (exit.cause != Cause::kPageState) return;
    for (const uint64_t gpa : machine.launched().pages) {
      bool shared = false;
      for (const auto& [begin, end] : shared_) {
        shared = shared || (gpa >= begin && gpa < end);
      }
      if (shared) continue;
      Act();
      if (!machine.rmp().Get(gpa).validated) {
        ADD_FAILURE() << std::hex << gpa << " was asked for";
      }
    }
  }

 private:
  const std::vector<std::pair<uint64_t, uint64_t>> shared_;
};

// The map's RAM beside and on each page that the guest has already: it takes
// all else, and once. A map that leaves such a page out does not cover the
// image.
TEST(HostileLaunchTest, MemoryMapsThatCoverWhatTheImageHas) {
  // Once the guest has all its memory.
  const BenchOptions base = {.stop_at = "measured: "};
  Bench honest(nullptr, base);
  ASSERT_EQ(honest.Run().end, "stopped");
  const std::vector<bool> wanted = Validated(honest.machine());
  const Launched& launched = honest.machine().launched();

  struct Cover {
    const char* name;
    uint64_t gpa, size;
  };
  const auto pages_of = [](const char* name, uint64_t pages) {
    return Cover{name, SymbolOf(name), pages * 4096};
  };
  const Cover ghcb = pages_of("_ZN4svsm12_GLOBAL__N_19ghcb_pageE", 1),
              files = pages_of("_ZN4svsm12_GLOBAL__N_112fw_cfg_pagesE", 65),
              processor =
                  pages_of("_ZN4svsm12_GLOBAL__N_115processor_pagesE", 33),
              channel = pages_of("_ZN4svsm12_GLOBAL__N_111proxy_pagesE", 33);
  const uint64_t first = SymbolOf("__image_start"),
                 last = SymbolOf("__image_end") - 4096;
  ASSERT_EQ(launched.pages.size(), (last - first) / 4096 + 1);
  const Cover covers[] = {
      {"the image", first, last + 4096 - first},
      {"its first page", first, 4096},
      {"its last page and on", last, 3 * kMiB},
      {"the secrets page", launched.secrets_page, 4096},
      {"the CPUID page", launched.cpuid_page, 4096},
      {"the map page", PlainGuest().plan().memory_map->gpa, 4096},
      {"the stack", SymbolOf("__stack_bottom"), 65536},
      ghcb,
      files,
      processor,
      channel,
  };
  for (const Cover& cover : covers) {
    SCOPED_TRACE(cover.name);
    const uint64_t begin = cover.gpa, end = cover.gpa + cover.size;
    const MemoryMapEntry below{0, begin, kMemory},
        at{begin, cover.size, kMemory}, above{end, kRam - end, kMemory};
    const auto run = [&base](Script* script,
                             const std::vector<MemoryMapEntry>& map) {
      BenchOptions options = base;
      options.machine = [map](MachineOptions& machine) {
        machine.launch.memory_map = map;
      };
      return std::make_unique<Bench>(script, options);
    };
    std::vector<std::pair<uint64_t, uint64_t>> shared;
    for (const Cover& area : {ghcb, files, processor, channel}) {
      shared.emplace_back(area.gpa, area.gpa + area.size);
    }
    WatchingTheImage script(shared);
    const auto bench = run(&script, {at, above, below});
    const Outcome outcome = bench->Run();
    EXPECT_TRUE(outcome.ok());
    EXPECT_EQ(outcome.end, "stopped") << outcome.ToString();
    EXPECT_GT(script.acted(), 0);
    EXPECT_TRUE(Validated(bench->machine()) == wanted);

    for (const auto& map :
         {std::vector{below, above},
          std::vector{below, above, {at.gpa, at.size, /*reserved*/ 1}}}) {
      const Outcome without = run(nullptr, map)->Run();
      EXPECT_TRUE(without.ok());
      EXPECT_EQ(without.end, "SL5") << without.ToString();
    }
    // On the honest map besides.
    EXPECT_EQ(run(nullptr, {{0, kRam, kMemory}, at})->Run().end, "SL3");
  }
}

TEST(HostileLaunchTest, MapPagesOfNonsenseDoNoHarm) {
  // Wraps, overlaps, the image is not in RAM, RAM that no PC has.
  const std::set<std::string> ends = {"SL2", "SL3", "SL5", "SL9"};
  for (uint64_t seed = 0; seed < 12; ++seed) {
    SCOPED_TRACE(seed);
    const Outcome outcome =
        RunGuest(nullptr, {.machine = [seed](MachineOptions& options) {
                   options.launch.edit_host_page =
                       [seed](sev::PageType type, MutablePageBytes page) {
                         if (type != sev::PageType::kUnmeasured) return;
                         SeededRandom random(seed);
                         if (seed == 0) {
                           memset(page.data(), 0xFF, page.size());
                         } else if (seed % 2 == 0) {
                           random.Fill(page);
                         } else {
                           // Nearly honest.
                           for (int i = 0; i < 3; ++i) {
                             page[random.Below(48)] ^=
                                 static_cast<uint8_t>(1 + random.Below(255));
                           }
                         }
                       };
                 }});
    EXPECT_TRUE(ends.contains(outcome.end)) << outcome.ToString();
  }
}

TEST(HostileLaunchTest, MemoryAbove4GIsTakenToo) {
  const Outcome outcome =
      RunGuest(nullptr, {.machine = [](MachineOptions& options) {
                 options.memory.above_4g = kBenchRam;
               }});
  EXPECT_EQ(outcome.end, "kernel") << outcome.ToString();
}

}  // namespace
}  // namespace hostile
