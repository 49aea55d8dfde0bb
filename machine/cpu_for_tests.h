// SPDX-License-Identifier: Apache-2.0
//
// TestCpu: a Cpu with 16 MiB, the payload of payload/payload.S in it, and page
// tables, IDT and GDT that the test can still change before it runs a routine.
#pragma once

#include <stdint.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "gtest/gtest.h"
#include "launch/elf.h"
#include "machine/cpu.h"
#include "sev/ghcb.h"
#include "sev/vmsa.h"

namespace machine::testing {

inline constexpr uint64_t kMiB = uint64_t{1} << 20;
inline constexpr uint64_t kMemorySize = 16 * kMiB;
inline constexpr uint64_t kCBit = uint64_t{1} << 51;
inline constexpr uint64_t kNoExecute = uint64_t{1} << 63;
// Everything below is launched, except kPage: it is assigned to nobody.
inline constexpr uint64_t kLaunched = 2 * kMiB;
inline constexpr uint64_t kIdt = 0x10000;
inline constexpr uint64_t kTss = 0x12000;
inline constexpr uint64_t kGdt = 0x13000;
inline constexpr uint64_t kTables = 0x20000;
inline constexpr uint64_t kStackTop = 0x90000;
inline constexpr uint64_t kIstTop = 0xA0000;
inline constexpr uint64_t kData = 0xB0000;
// Guest physical memory that nobody has assigned, and its virtual addresses:
// the same with C=1, kSharedWindow more with C=0.
inline constexpr uint64_t kPage = 0x300000;
inline constexpr uint64_t kLarge = 4 * kMiB;
inline constexpr uint64_t kSharedWindow = 0x40000000;
// A page of virtual addresses whose entries the test writes itself.
inline constexpr uint64_t kCustom = 0x80000000;

// Records what happened; tests put functions where they want more.
class TestEvents : public CpuEvents {
 public:
  std::function<void(Cpu&)> on_vmgexit = [](Cpu&) {};
  std::function<void(Cpu&)> on_pause = [](Cpu&) {};
  std::function<void(Cpu&)> on_count = [](Cpu&) {};
  std::function<void(Cpu&, const WatchedAccess&)> on_watched =
      [](Cpu&, const WatchedAccess&) {};
  std::function<bool(Cpu&, const NestedFault&)> on_fault;
  std::function<void(uint64_t)> on_fetch = [](uint64_t) {};
  std::function<void(const NestedFault&)> on_ciphertext =
      [](const NestedFault&) {};
  std::vector<uint64_t> cr3_writes;
  std::vector<uint64_t> fetched;

  void OnVmgexit(Cpu& cpu) override { on_vmgexit(cpu); }
  void OnPause(Cpu& cpu) override { on_pause(cpu); }
  void OnCount(Cpu& cpu) override { on_count(cpu); }
  void OnWriteCr3(Cpu&, uint64_t value) override {
    cr3_writes.push_back(value);
  }
  void OnFetchPage(Cpu&, uint64_t gpa) override {
    fetched.push_back(gpa);
    on_fetch(gpa);
  }
  void OnWatchedAccess(Cpu& cpu, const WatchedAccess& access) override {
    on_watched(cpu, access);
  }
  void OnCiphertextRead(Cpu&, const NestedFault& fault) override {
    on_ciphertext(fault);
  }
  bool OnNestedFault(Cpu& cpu, const NestedFault& fault) override {
    return on_fault ? on_fault(cpu, fault)
                    : CpuEvents::OnNestedFault(cpu, fault);
  }
};

struct Trap {
  uint64_t count = 0, vector = 0, error = 0, rip = 0, cr2 = 0, rsp = 0;
};

class TestCpu : public ::testing::Test {
 protected:
  TestCpu() {
    const char* const path = getenv("PAYLOAD");
    std::ifstream in(path == nullptr ? "" : path, std::ios::binary);
    payload_.assign(std::istreambuf_iterator<char>(in), {});
    const auto elf = launch::Elf::Parse(payload_);
    EXPECT_TRUE(elf.ok()) << elf.status();
    symbols_ = *SymbolTable::FromElf(payload_);
    for (const auto& segment : elf->segments()) {
      std::ranges::copy(
          segment.file_bytes,
          memory_->Private(segment.physical_address, 4096).begin());
    }
    for (uint64_t gpa = 0; gpa < kLaunched; gpa += kPageSize) {
      rmp_.LaunchPage(gpa);
    }
    MakeTables();
    MakeDescriptors();
    cpu_ = NewCpu(events_);
  }

  std::unique_ptr<Cpu> NewCpu(CpuEvents& events, int phys_bits = 48) {
    auto cpu = Cpu::Create(*memory_, rmp_, events,
                           {.phys_bits = phys_bits, .symbols = &symbols_});
    EXPECT_TRUE(cpu.ok()) << cpu.status();
    return cpu.ok() ? *std::move(cpu) : nullptr;
  }

  uint64_t Symbol(std::string_view name) const {
    const uint64_t address = symbols_.AddressOf(name);
    EXPECT_NE(address, 0u) << name;
    return address;
  }

  uint64_t Private64(uint64_t gpa) const {
    return base::LoadLe<uint64_t>(memory_->Private(gpa, 8).first<8>());
  }
  void SetPrivate64(uint64_t gpa, uint64_t value) {
    base::StoreLe(value, memory_->Private(gpa, 8).first<8>());
  }
  uint64_t Shared64(uint64_t gpa) const {
    return base::LoadLe<uint64_t>(memory_->Shared(gpa, 8).first<8>());
  }
  void SetShared64(uint64_t gpa, uint64_t value) {
    base::StoreLe(value, memory_->Shared(gpa, 8).first<8>());
  }
  // The entry that maps kCustom + 4096 * index.
  void MapCustom(size_t index, uint64_t entry) {
    SetPrivate64(kTables + 0x6000 + 8 * index, entry);
  }

  // A VMSA for 32-bit flat code, paging off, or for 64-bit code on kTables.
  static std::array<uint8_t, sev::kVmsaSize> Vmsa(uint64_t rip, bool long_mode,
                                                  uint8_t vmpl = 0) {
    namespace v = sev::vmsa_layout;
    std::array<uint8_t, sev::kVmsaSize> bytes = {};
    const std::span<uint8_t, sev::kVmsaSize> out(bytes);
    const auto segment = [&]<typename F>(uint16_t selector, uint16_t attributes,
                                         uint32_t limit, uint64_t base = 0) {
      namespace part = sev::vmsa_segment_layout;
      const auto field = sev::FieldOf<F>(out);
      sev::PutLe<uint16_t, part::Selector>(selector, field);
      sev::PutLe<uint16_t, part::Attributes>(attributes, field);
      sev::PutLe<uint32_t, part::Limit>(limit, field);
      sev::PutLe<uint64_t, part::Base>(base, field);
    };
    segment.operator()<v::Cs>(8, long_mode ? 0xA9B : 0xC9B, 0xFFFFFFFF);
    segment.operator()<v::Ss>(0x10, 0xC93, 0xFFFFFFFF);
    segment.operator()<v::Ds>(0x10, 0xC93, 0xFFFFFFFF);
    segment.operator()<v::Es>(0x10, 0xC93, 0xFFFFFFFF);
    segment.operator()<v::Fs>(0x10, 0xC93, 0xFFFFFFFF);
    segment.operator()<v::Gs>(0x10, 0xC93, 0xFFFFFFFF);
    segment.operator()<v::Tr>(0x18, 0x8B, 0x67, kTss);
    segment.operator()<v::Gdtr>(0, 0, 23, kGdt);
    segment.operator()<v::Idtr>(0, 0, 0xFFF, kIdt);
    const auto put = [&]<typename F>(uint64_t value) {
      sev::PutLe<uint64_t, F>(value, out);
    };
    put.operator()<v::Cr0>(long_mode ? 0x80010033 : 0x31);
    put.operator()<v::Cr4>(long_mode ? 0x660 : 0x40);
    put.operator()<v::Cr3>(long_mode ? kTables | kCBit : 0);
    put.operator()<v::Efer>(sev::kEferSvme | (long_mode ? 0xD00 : 0));
    put.operator()<v::Rflags>(2);
    put.operator()<v::Rip>(rip);
    put.operator()<v::Rsp>(kStackTop);
    put.operator()<v::SevFeatures>(sev::kSevFeatureSnp);
    sev::PutLe<uint32_t, v::Mxcsr>(0x1F80, out);
    sev::PutLe<uint8_t, v::Vmpl>(vmpl, out);
    return bytes;
  }

  // Starts `routine` in 64-bit mode; registers are set by the test in between.
  void Load(std::string_view routine, uint8_t vmpl = 0) {
    cpu_->LoadVmsa(Vmsa(Symbol(routine), /*long_mode=*/true, vmpl));
  }
  // How far the trap handler moves RIP on.
  void SkipOnTrap(uint64_t bytes) { cpu_->set_gpr(Gpr::kR15, bytes); }
  StopReason Run() {
    StopReason reason = cpu_->Run({.wall_clock = std::chrono::minutes(1)});
    last_ = reason.ToString();
    return reason;
  }
  // Runs to HLT.
  void RunToHalt() { EXPECT_EQ(Run().kind, StopKind::kHalted) << last_; }
  void ExpectViolation(Rule rule, uint64_t gpa) {
    const StopReason reason = Run();
    EXPECT_EQ(reason.kind, StopKind::kViolation) << last_;
    EXPECT_EQ(reason.fault.rule, rule) << last_;
    EXPECT_EQ(reason.fault.gpa, gpa) << last_;
  }

  Trap LastTrap() const {
    return {Private64(Symbol("trap_count")), Private64(Symbol("trap_vector")),
            Private64(Symbol("trap_error")), Private64(Symbol("trap_rip")),
            Private64(Symbol("trap_cr2")),   Private64(Symbol("trap_rsp"))};
  }
  uint64_t rax() const { return cpu_->gpr(Gpr::kRax); }
  uint64_t rbx() const { return cpu_->gpr(Gpr::kRbx); }
  void Set(Gpr which, uint64_t value) { cpu_->set_gpr(which, value); }

  void MakeGate(int vector, uint64_t handler, int ist = 0) {
    SetPrivate64(kIdt + 16 * static_cast<uint64_t>(vector),
                 (handler & 0xFFFF) | uint64_t{8} << 16 |
                     static_cast<uint64_t>(ist) << 32 | uint64_t{0x8E} << 40 |
                     (handler >> 16 & 0xFFFF) << 48);
    SetPrivate64(kIdt + 16 * static_cast<uint64_t>(vector) + 8, handler >> 32);
  }

  std::unique_ptr<GuestMemory> memory_ =
      *GuestMemory::Create({.below_4g = kMemorySize});
  Rmp rmp_{*memory_};
  TestEvents events_;
  SymbolTable symbols_;
  std::unique_ptr<Cpu> cpu_;
  std::string last_;

 private:
  void MakeTables() {
    constexpr uint64_t kTable = kCBit | 7, kLeaf = kCBit | 0x83;
    const auto at = [](uint64_t table, uint64_t index) {
      return kTables + table * 0x1000 + index * 8;
    };
    SetPrivate64(at(0, 0), (kTables + 0x1000) | kTable);  // PML4
    SetPrivate64(at(1, 0), (kTables + 0x2000) | kTable);  // C=1
    SetPrivate64(at(1, 1), (kTables + 0x4000) | kTable);  // C=0
    SetPrivate64(at(1, 2), (kTables + 0x5000) | kTable);  // kCustom
    for (uint64_t i = 0; i < kMemorySize / kLargePageSize; ++i) {
      SetPrivate64(at(2, i), i * kLargePageSize | kLeaf);
      SetPrivate64(at(4, i), i * kLargePageSize | (kLeaf & ~kCBit));
    }
    SetPrivate64(at(5, 0), (kTables + 0x6000) | kTable);
  }

  void MakeDescriptors() {
    for (const int vector : {2, 3, 6, 8, 13, 14, 29, 64}) {
      MakeGate(vector, Symbol("stub" + std::to_string(vector)));
    }
    SetPrivate64(kTss + 36, kIstTop);  // IST1
    SetPrivate64(kGdt + 8, 0x00AF9B000000FFFF);
    SetPrivate64(kGdt + 16, 0x00CF93000000FFFF);
  }

  std::vector<uint8_t> payload_;
};

}  // namespace machine::testing
