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
#include "emulator/machine/cpu.h"
#include "emulator/machine/testing/bench.h"
#include "emulator/machine/testing/scripts.h"
#include "emulator/machine/testing/seeded_random.h"
#include "gtest/gtest.h"
#include "proto/launch_note.h"
#include "sev/ghcb.h"
#include "sev/vmsa.h"

namespace emulator::machine::testing {
namespace {

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
  const Outcome outcome =
      RunGuest(nullptr, {.guest = &guest, .allow = {.other_image = true}});
  // At its first read of memory that is not the guest's (an #NPF to the host),
  // before it asked anybody for anything.
  EXPECT_EQ(outcome.end, "violation") << outcome.ToString();
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

// No VMSA says so: but if one did, nothing gets out.
TEST(HostileLaunchTest, ASecondCpuElsewhereGetsNothingOut) {
  const uint64_t exits = RunGuest().exits;
  const uint64_t entry = SymbolOf("ForelockSnpEntry");
  std::vector<uint64_t> places = {SymbolOf("ForelockEntry"), 0x1000};
  for (uint64_t step = 1; step <= 6; ++step)
    places.push_back(entry + 11 * step);
  for (const uint64_t place : places) {
    SCOPED_TRACE(place);
    SecondCpu script(exits - 60, place);
    const Outcome outcome =
        Bench(&script, {.allow = {.shutdown = true, .violation = true}}).Run();
    for (const std::string& complaint : outcome.complaints) {
      // Whoever ended the VM, the first CPU could wipe nothing. All else
      // counts.
      EXPECT_NE(complaint.find("in private memory"), std::string::npos)
          << complaint;
    }
  }
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

// The map's RAM over, beside and across each page that the guest has already.
TEST(HostileLaunchTest, MemoryMapsThatCoverWhatTheImageHas) {
  const Guest& guest = PlainGuest();
  Bench bench(nullptr);
  const Launched& launched = bench.machine().launched();
  const uint64_t first = launched.pages.front(), last = launched.pages.back();
  std::vector<std::pair<std::string, MemoryMapEntry>> covers = {
      {"the image", {first, last + 4096 - first, kMemory}},
      {"its first page", {first, 4096, kMemory}},
      {"its last page and on", {last, 3 * kMiB, kMemory}},
      {"the secrets page", {launched.secrets_page, 4096, kMemory}},
      {"the CPUID page", {launched.cpuid_page, 4096, kMemory}},
      {"the map page", {guest.plan().memory_map->gpa, 4096, kMemory}},
      {"the stack", {SymbolOf("__stack_bottom"), 65536, kMemory}},
  };
  for (const auto& [name, entry] : covers) {
    SCOPED_TRACE(name);
    // Alone, and besides an honest map.
    EXPECT_NE(RunWithMap({entry}).end, "kernel");
    RunWithMap({{0, kRam, kMemory}, entry});
    RunWithMap({entry, {0, kRam, kMemory}});
  }
}

TEST(HostileLaunchTest, MapPagesOfNonsenseDoNoHarm) {
  for (uint64_t seed = 0; seed < 12; ++seed) {
    SCOPED_TRACE(seed);
    RunGuest(nullptr,
             {.machine =
                  [seed](MachineOptions& options) {
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
                  },
              .allow = {.violation = true}});
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
}  // namespace emulator::machine::testing
