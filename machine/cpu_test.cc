// SPDX-License-Identifier: Apache-2.0
//
// Modes, exceptions, injection, counting.
#include "machine/cpu.h"

#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/str_format.h"
#include "gtest/gtest.h"
#include "machine/cpu_for_tests.h"

namespace machine::testing {
namespace {

TEST_F(TestCpu, EntersLongModeWithTheCBit) {
  cpu_->LoadVmsa(Vmsa(Symbol("entry32"), /*long_mode=*/false));
  Set(Gpr::kRsi, kTables);
  RunToHalt();
  EXPECT_EQ(rax(), kTables | kCBit);
  EXPECT_EQ(rbx() & 0xD00, 0xD00u);  // NXE, LMA, LME
  EXPECT_TRUE(cpu_->long_mode());
  ASSERT_EQ(events_.cr3_writes.size(), 2u);
  EXPECT_EQ(events_.cr3_writes[1], kTables | kCBit);
}

TEST_F(TestCpu, ReadsWritesAndReportsWhatItFetched) {
  Load("store_load");
  Set(Gpr::kRax, 0x1122334455667788);
  Set(Gpr::kRsi, kData + 1);
  Set(Gpr::kRdi, kData);
  RunToHalt();
  EXPECT_EQ(rbx(), 0x2233445566778800u);
  EXPECT_EQ(Private64(kData + 1), 0x1122334455667788u);
  EXPECT_EQ(events_.fetched, std::vector<uint64_t>{Symbol("store_load")});
}

TEST_F(TestCpu, SeesTheCodeOfAPageThatAFetchEventMapped) {
  constexpr uint64_t kOther = kData + 0x1000;
  MapCustom(0, kData | kCBit | 3);
  events_.on_fetch = [&](uint64_t gpa) {
    if (gpa == kData) MapCustom(0, kOther | kCBit | 3);
  };
  Load("patch");
  Set(Gpr::kRsi, kCustom);
  Set(Gpr::kRdi, kOther);
  Set(Gpr::kRbx, 0xC300000001B8);  // mov eax, 1; ret
  Set(Gpr::kRcx, 0xC300000002B8);  // mov eax, 2; ret
  RunToHalt();
  EXPECT_EQ(rbx(), 1u);
  EXPECT_EQ(rax(), 2u);
  EXPECT_EQ(events_.fetched.back(), kOther);
}

TEST_F(TestCpu, RunsTheCodeThatStandsThereNow) {
  MapCustom(0, kData | kCBit | 3);
  // Written before the page is known to hold code, and after, under the same
  // address and another.
  for (const uint64_t by : {kData, kCustom}) {
    SCOPED_TRACE(by);
    Load("patch");
    Set(Gpr::kRsi, kData);
    Set(Gpr::kRdi, by);
    Set(Gpr::kRax, 0);
    Set(Gpr::kRbx, 0xC311B0);  // mov $0x11, %al; ret
    Set(Gpr::kRcx, 0xC322B0);
    RunToHalt();
    EXPECT_EQ(rbx(), 0x11u);
    EXPECT_EQ(rax(), 0x22u);
    cpu_ = NewCpu(events_);
  }
}

// The second change of code that was run already, by either address.
TEST_F(TestCpu, RunsWhatWasWrittenAgain) {
  MapCustom(0, kData | kCBit | 3);
  for (const uint64_t by : {kData, kCustom}) {
    SCOPED_TRACE(by);
    Load("patch_twice");
    Set(Gpr::kRsi, kData);
    Set(Gpr::kRdi, by);
    Set(Gpr::kRax, 0);
    Set(Gpr::kRbx, 0xC311B0);  // mov $0x11, %al; ret
    Set(Gpr::kRcx, 0xC322B0);
    Set(Gpr::kRdx, 0xC333B0);
    RunToHalt();
    EXPECT_EQ(rbx(), 0x22u);
    EXPECT_EQ(rax(), 0x33u);
    cpu_ = NewCpu(events_);
  }
}

TEST_F(TestCpu, DeliversUndefinedOpcodeAndReturns) {
  Load("undefined");
  SkipOnTrap(2);
  RunToHalt();
  const Trap trap = LastTrap();
  EXPECT_EQ(trap.count, 1u);
  EXPECT_EQ(trap.vector, 6u);
  EXPECT_EQ(trap.rip, Symbol("undefined"));
}

TEST_F(TestCpu, BreakpointReturnsBehindIt) {
  Load("breakpoint");
  RunToHalt();
  EXPECT_EQ(LastTrap().vector, 3u);
  EXPECT_EQ(rbx(), 1u);
}

TEST_F(TestCpu, ASecondProtectionFaultIsNotADoubleFault) {
  Load("protection_fault");
  SkipOnTrap(3);
  RunToHalt();
  EXPECT_EQ(LastTrap().count, 2u);
  EXPECT_EQ(LastTrap().vector, 13u);
}

struct PageFaultCase {
  const char* routine;
  uint64_t entry;
  uint64_t error_code;
};

class PageFaultTest : public TestCpu,
                      public ::testing::WithParamInterface<PageFaultCase> {};

TEST_P(PageFaultTest, TellsWhy) {
  MapCustom(0, GetParam().entry);
  Load(GetParam().routine);
  Set(Gpr::kRsi, kCustom + 0x10);
  SkipOnTrap(3);
  if (GetParam().error_code & 0x10) {
    // A call's fault is at its target: back to the caller, by hand.
    events_.on_count = [this](Cpu& cpu) {
      cpu.Stop(std::to_string(LastTrap().count));
    };
    MakeGate(14, Symbol("spin"));
    events_.on_pause = [](Cpu& cpu) { cpu.Stop("in the handler"); };
    EXPECT_EQ(Run().kind, StopKind::kRequested) << last_;
    EXPECT_EQ(Private64(cpu_->gpr(Gpr::kRsp)), GetParam().error_code);
    EXPECT_EQ(Private64(cpu_->gpr(Gpr::kRsp) + 8), kCustom + 0x10);
    return;
  }
  RunToHalt();
  EXPECT_EQ(LastTrap().vector, 14u);
  EXPECT_EQ(LastTrap().error, GetParam().error_code);
  EXPECT_EQ(LastTrap().cr2, kCustom + 0x10);
}

INSTANTIATE_TEST_SUITE_P(
    All, PageFaultTest,
    ::testing::Values(
        PageFaultCase{"load", 0, 0}, PageFaultCase{"store", 0, 2},
        PageFaultCase{"store", kData | kCBit | 1, 3},
        PageFaultCase{"call", kData | kCBit | kNoExecute | 1, 0x11},
        PageFaultCase{"call", 0, 0x10},
        // Another position of the C-bit than the processor's: reserved.
        PageFaultCase{"load", kData | uint64_t{1} << 50 | 1, 9},
        PageFaultCase{"load", kData | kCBit | uint64_t{1} << 48 | 1, 9}));

TEST_F(TestCpu, AWrongCBitOnAWideProcessorIsAnAddress) {
  cpu_ = NewCpu(events_, /*phys_bits=*/52);
  MapCustom(0, kData | uint64_t{1} << 50 | 1);
  Load("load");
  Set(Gpr::kRsi, kCustom);
  SkipOnTrap(3);
  RunToHalt();
  // C=0 and no memory there: the hypervisor would emulate a device.
  EXPECT_EQ(LastTrap().vector, 29u);
  EXPECT_EQ(LastTrap().error, 0x400u);
}

TEST_F(TestCpu, SetsAccessedAndDirty) {
  constexpr uint64_t kAccessed = 0x20, kDirty = 0x40;
  const uint64_t entry = kTables + 0x6000;
  MapCustom(0, kData | kCBit | 3);
  Load("load");
  Set(Gpr::kRsi, kCustom);
  RunToHalt();
  EXPECT_EQ(Private64(entry), kData | kCBit | 3 | kAccessed);
  MapCustom(0, kData | kCBit | 3);
  Load("load_store");
  Set(Gpr::kRsi, kCustom);
  RunToHalt();
  EXPECT_EQ(Private64(entry), kData | kCBit | 3 | kAccessed | kDirty);
}

TEST_F(TestCpu, ABadCr3IsAProtectionFault) {
  for (const uint64_t bad : {uint64_t{1} << 50, uint64_t{1} << 48}) {
    Load("write_cr3");
    Set(Gpr::kRax, kTables | bad);
    SkipOnTrap(3);
    RunToHalt();
    EXPECT_EQ(LastTrap().vector, 13u);
    EXPECT_EQ(rbx(), kTables | kCBit);
  }
  EXPECT_TRUE(events_.cr3_writes.empty());

  // Without the C-bit it is fine: tables are private all the same.
  Load("write_cr3");
  Set(Gpr::kRax, kTables);
  RunToHalt();
  EXPECT_EQ(rbx(), kTables);
}

TEST_F(TestCpu, DoubleFaultUsesItsOwnStack) {
  MakeGate(6, Symbol("stub6"));
  MakeGate(14, Symbol("stub14"));
  MakeGate(8, Symbol("spin"), /*ist=*/1);
  Load("undefined");
  Set(Gpr::kRsp, 0x123450000);  // nothing is mapped there
  events_.on_pause = [](Cpu& cpu) { cpu.Stop("in the #DF handler"); };
  EXPECT_EQ(Run().kind, StopKind::kRequested) << last_;
  EXPECT_EQ(cpu_->gpr(Gpr::kRsp), kIstTop - 48);
}

TEST_F(TestCpu, TripleFaultStops) {
  Load("undefined");
  for (const int vector : {6, 8, 11, 13}) {
    SetPrivate64(kIdt + 16 * static_cast<uint64_t>(vector), 0);
  }
  const StopReason reason = Run();
  EXPECT_EQ(reason.kind, StopKind::kTripleFault) << last_;
  // Where it began.
  EXPECT_NE(reason.text.find(
                absl::StrFormat("vector 6 at %#x (0f 0b", Symbol("undefined"))),
            std::string::npos)
      << last_;
}

TEST_F(TestCpu, InjectsWithAndWithoutErrorCode) {
  Load("spin");
  int pauses = 0;
  events_.on_pause = [&](Cpu& cpu) {
    ++pauses;
    if (pauses == 2) cpu.Inject({.vector = 2});
    if (pauses == 5) cpu.Inject({.vector = 29, .error_code = 0x72});
    if (pauses == 7) cpu.Inject({.vector = 64});
    if (pauses == 6) {
      EXPECT_EQ(LastTrap().vector, 29u);
      EXPECT_EQ(LastTrap().error, 0x72u);
    }
    if (pauses == 9) cpu.Stop("enough");
  };
  EXPECT_EQ(Run().kind, StopKind::kRequested) << last_;
  EXPECT_EQ(LastTrap().count, 3u);
  EXPECT_EQ(LastTrap().vector, 64u);
  EXPECT_EQ(LastTrap().error, ~uint64_t{0});
  // Where it interrupted, the stack is as it was.
  EXPECT_EQ(cpu_->gpr(Gpr::kRsp), kStackTop);
}

TEST_F(TestCpu, InjectsBeforeTheFirstInstruction) {
  Load("breakpoint");
  cpu_->Inject({.vector = 64});
  RunToHalt();
  EXPECT_EQ(LastTrap().count, 2u);
}

TEST_F(TestCpu, StopsAtLimitsAndGoesOn) {
  Load("hash_like");
  Set(Gpr::kRcx, 100000);
  EXPECT_EQ(cpu_->Run({.instructions = 1000}).kind,
            StopKind::kInstructionLimit);
  const uint64_t then = cpu_->instructions();
  EXPECT_GE(then, 1000u);
  EXPECT_LT(then, 1200u);
  RunToHalt();
  EXPECT_EQ(cpu_->instructions(), 500001u);

  Load("busy");
  EXPECT_EQ(cpu_->Run({.wall_clock = std::chrono::milliseconds(5)}).kind,
            StopKind::kTimeLimit);
}

TEST_F(TestCpu, CountsEachInstructionOnce) {
  Load("count");
  Set(Gpr::kRcx, 7);
  SkipOnTrap(2);
  RunToHalt();
  EXPECT_EQ(LastTrap().count, 1u);
  // 18 are the handler's.
  EXPECT_EQ(cpu_->instructions(), 10u + 3 * 7 + 18);
}

TEST_F(TestCpu, NotifiesAtACount) {
  Load("hash_like");
  Set(Gpr::kRcx, 1000);
  uint64_t at = 0;
  events_.on_count = [&](Cpu& cpu) {
    at = cpu.instructions();
    cpu.Stop("there");
  };
  cpu_->NotifyAt(777);
  EXPECT_EQ(Run().kind, StopKind::kRequested) << last_;
  EXPECT_GE(at, 777u);
  EXPECT_LT(at, 790u);
}

// More translated code than there is room for: stores need the most.
TEST_F(TestCpu, AFullTranslationBufferIsFlushed) {
  constexpr uint64_t kCode = 0x110000, kStores = 0x20000;
  constexpr std::array<uint8_t, 5> kStore = {0x48, 0x89, 0x44, 0x24, 0x80};
  const base::MutableBytes code =
      memory_->Private(kCode, kStores * kStore.size() + 1);
  for (size_t i = 0; i < kStores; ++i) {  // movq %rax, -128(%rsp)
    std::ranges::copy(kStore, code.subspan(i * kStore.size()).begin());
  }
  code.back() = 0xC3;  // ret
  for (int round = 0; round < 3; ++round) {
    Load("call");
    Set(Gpr::kRsi, kCode);
    const uint64_t before = cpu_->instructions();
    RunToHalt();
    EXPECT_EQ(rbx(), 1u);
    EXPECT_EQ(cpu_->instructions() - before, kStores + 4);
  }
}

// A fork in the middle of a run is a snapshot: neither side sees the other.
TEST_F(TestCpu, GoesOnInAForkedChild) {
  Load("copy");
  Set(Gpr::kRsi, kData);
  Set(Gpr::kRdi, kData + 0x1000);
  Set(Gpr::kRcx, 0x100);
  SetPrivate64(kData + 8 * 0xFF, 1);
  pid_t child = -1;
  events_.on_count = [&](Cpu&) {
    child = fork();
    if (child == 0) SetPrivate64(kData + 8 * 0xFF, 2);
  };
  cpu_->NotifyAt(50);
  const bool halted = cpu_->Run().kind == StopKind::kHalted;
  const uint64_t last = Private64(kData + 0x1000 + 8 * 0xFF);
  if (child == 0) _exit(halted && last == 2 ? 0 : 1);
  ASSERT_GT(child, 0);
  EXPECT_TRUE(halted);
  EXPECT_EQ(last, 1u);
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(TestCpu, RandomAndTimeAreTheMachines) {
  Load("random");
  RunToHalt();
  EXPECT_EQ(rbx(), 1u);
  EXPECT_EQ(rax(), 0xE220A8397B1DCDAFu);  // splitmix64 of seed 0
  EXPECT_NE(cpu_->gpr(Gpr::kRcx), rax());
  Load("time");
  RunToHalt();
  EXPECT_LT(rax(), 100u);
}

TEST_F(TestCpu, VectorInstructionsStopTheRun) {
  Load("vector_move");
  const StopReason reason = Run();
  EXPECT_EQ(reason.kind, StopKind::kUnsupported) << last_;
  EXPECT_EQ(reason.rip, Symbol("vector_move") + 5);
  EXPECT_EQ(rbx(), 1u);

  Load("vector_not_reached");
  RunToHalt();
  EXPECT_EQ(rbx(), 3u);

  Load("general_vex");
  Set(Gpr::kRax, 0xFF);
  Set(Gpr::kRdx, 0x0F);
  RunToHalt();
  EXPECT_EQ(rax(), 0xF0u);
}

TEST_F(TestCpu, WhatTheEngineLacksIsNamed) {
  Load("cache_line_zero");
  StopReason reason = Run();
  EXPECT_EQ(reason.kind, StopKind::kUnsupported) << last_;
  EXPECT_EQ(reason.text.find("this engine cannot run CLZERO (0f 01 fc f4 "), 0u)
      << last_;
  EXPECT_EQ(reason.rip, Symbol("cache_line_zero") + 5);
  EXPECT_EQ(rbx(), 1u);

  Load("shift_without_osfxsr");
  reason = Run();
  EXPECT_EQ(reason.kind, StopKind::kUnsupported) << last_;
  EXPECT_NE(reason.text.find("SHLX"), std::string::npos) << last_;

  Load("vector_move");
  EXPECT_NE(Run().text.find("this engine cannot run VEX"), std::string::npos)
      << last_;
}

TEST_F(TestCpu, CryptoInstructionsGiveWhatTheHostsGive) {
  for (uint64_t i = 0; i < 16; ++i) {
    memory_->Private(kData + i, 1)[0] = static_cast<uint8_t>(i + 1);
  }
  Load("crypto");
  Set(Gpr::kRsi, kData);
  Set(Gpr::kRdi, kData + 0x100);
  RunToHalt();
  const auto in = memory_->Private(kData, 16);
  std::array<uint8_t, 16> out;
  asm("movdqu %1, %%xmm0\n movdqa %%xmm0, %%xmm1\n aesenc %%xmm1, %%xmm0\n"
      "aeskeygenassist $1, %%xmm0, %%xmm2\n pxor %%xmm2, %%xmm0\n"
      "movdqa %%xmm0, %%xmm1\n pclmulqdq $0x11, %%xmm1, %%xmm0\n"
      "movdqu %%xmm0, %0"
      : "=m"(out)
      : "m"(*in.first<16>().data()), "m"(in)
      : "xmm0", "xmm1", "xmm2", "memory");
  EXPECT_TRUE(base::Equal(memory_->Private(kData + 0x100, 16), out));
}

TEST_F(TestCpu, BacktracesNameFunctions) {
  MapCustom(0, kData | kCBit | 1);
  rmp_.MakeShared(kData, RmpPageSize::k4K);
  Load("load");
  SetPrivate64(kStackTop - 0x20, kStackTop);
  SetPrivate64(kStackTop - 0x18, Symbol("call") + 2);
  Set(Gpr::kRbp, kStackTop - 0x20);
  Set(Gpr::kRsi, kCustom);
  const StopReason reason = Run();
  ASSERT_GE(reason.backtrace.size(), 2u) << last_;
  EXPECT_TRUE(reason.backtrace[0].text.starts_with("load+0x0"));
  EXPECT_TRUE(reason.backtrace[1].text.starts_with("call+0x2"));
}

}  // namespace
}  // namespace machine::testing
