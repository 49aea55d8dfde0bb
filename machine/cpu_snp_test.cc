// SPDX-License-Identifier: Apache-2.0
//
// What SNP adds: the C-bit, the RMP's violations, #VC, the instructions, and
// what a hostile host can do to a running guest.
#include "gtest/gtest.h"
#include "machine/cpu.h"
#include "machine/cpu_for_tests.h"

namespace machine::testing {
namespace {

constexpr auto k4K = RmpPageSize::k4K;
constexpr auto k2M = RmpPageSize::k2M;

// --- Instructions.

TEST_F(TestCpu, PvalidateAcceptsOnce) {
  ASSERT_TRUE(rmp_.AssignPrivate(kPage, k4K));
  for (const uint64_t unchanged : {0, 1}) {
    Load("pvalidate");
    Set(Gpr::kRax, kPage);
    Set(Gpr::kRdx, 1);
    RunToHalt();
    EXPECT_EQ(rax(), sev::kRmpSuccess);
    EXPECT_EQ(rbx(), unchanged);
  }
  EXPECT_EQ(rmp_.validated_twice(), 1u);
}

TEST_F(TestCpu, PvalidateOfLargePages) {
  const auto pvalidate = [&](uint64_t gpa, uint64_t size) {
    Load("pvalidate");
    Set(Gpr::kRax, gpa);
    Set(Gpr::kRcx, size);
    Set(Gpr::kRdx, 1);
    RunToHalt();
    return rax();
  };
  ASSERT_TRUE(rmp_.AssignPrivate(kLarge, k2M));
  EXPECT_EQ(pvalidate(kLarge, 1), sev::kRmpSuccess);
  EXPECT_TRUE(rmp_.Get(kLarge + 0x1FF000).validated);

  for (uint64_t at = 0; at < kLargePageSize; at += kPageSize) {
    ASSERT_TRUE(rmp_.AssignPrivate(kLarge + at, k4K));
  }
  EXPECT_EQ(pvalidate(kLarge, 1), sev::kRmpFailSizeMismatch);

  // The other way round the hypervisor smashes the entry, unseen by the guest.
  ASSERT_TRUE(rmp_.AssignPrivate(kLarge, k2M));
  EXPECT_EQ(pvalidate(kLarge + 0x5000, 0), sev::kRmpSuccess);
  EXPECT_TRUE(rmp_.Get(kLarge + 0x5000).validated);
  EXPECT_FALSE(rmp_.Get(kLarge + 0x6000).validated);
}

TEST_F(TestCpu, PvalidateOfWhatIsNotTheGuestsStops) {
  Load("pvalidate");
  Set(Gpr::kRax, kPage);
  Set(Gpr::kRdx, 1);
  ExpectViolation(Rule::kNotAssigned, kPage);

  Load("pvalidate");
  Set(Gpr::kRax, kSharedWindow + kData);
  Set(Gpr::kRdx, 1);
  ExpectViolation(Rule::kSharedInstruction, kData);
}

TEST_F(TestCpu, PvalidateOfAnUnmappedPageFaults) {
  MapCustom(1, 0);
  Load("pvalidate");
  Set(Gpr::kRax, kCustom + 0x1000);
  Set(Gpr::kRdx, 1);
  SkipOnTrap(4);
  RunToHalt();
  EXPECT_EQ(LastTrap().vector, 14u);
  EXPECT_EQ(LastTrap().cr2, kCustom + 0x1000);
}

TEST_F(TestCpu, ALoopOfPvalidateReachesTheLastPage) {
  constexpr uint64_t kEnd = kMemorySize;
  for (uint64_t gpa = kLarge; gpa < kEnd; gpa += kPageSize) {
    ASSERT_TRUE(rmp_.AssignPrivate(gpa, k4K));
  }
  Load("pvalidate_many");
  Set(Gpr::kRax, kLarge);
  Set(Gpr::kRsi, kEnd);
  Set(Gpr::kRdx, 1);
  RunToHalt();
  EXPECT_EQ(rbx(), 0u);
  EXPECT_TRUE(rmp_.Get(kEnd - 1).validated);
}

TEST_F(TestCpu, RmpadjustLimitsAnotherVmpl) {
  Load("rmpadjust");
  Set(Gpr::kRax, kData);
  Set(Gpr::kRdx, 2 | uint64_t{sev::kVmplRead} << 8);
  RunToHalt();
  EXPECT_EQ(rax(), sev::kRmpSuccess);
  // VMPL2 needs its code and its tables too.
  for (uint64_t gpa = 0; gpa < kLaunched; gpa += kPageSize) {
    if (gpa != kData) rmp_.Rmpadjust(gpa, k4K, 2 | 0xF00, 0);
  }
  Load("load", /*vmpl=*/2);
  Set(Gpr::kRsi, kData);
  RunToHalt();
  // With the translation in the TLB, and without.
  for (const char* const routine : {"store", "load_store"}) {
    Load(routine, /*vmpl=*/2);
    Set(Gpr::kRsi, kData);
    ExpectViolation(Rule::kVmplPermission, kData);
  }
}

TEST_F(TestCpu, OnlyVmpl0Validates) {
  for (uint64_t gpa = 0; gpa < kLaunched; gpa += kPageSize) {
    rmp_.Rmpadjust(gpa, k4K, 1 | 0xF00, 0);
  }
  ASSERT_TRUE(rmp_.AssignPrivate(kPage, k4K));
  Load("pvalidate", /*vmpl=*/1);
  Set(Gpr::kRax, kPage);
  Set(Gpr::kRdx, 1);
  RunToHalt();
  EXPECT_EQ(rax(), sev::kRmpFailPermission);
}

// --- Private and shared.

TEST_F(TestCpu, SharedAccessesReachTheOtherBacking) {
  SetShared64(kPage, 0x1111);
  SetPrivate64(kPage, 0x2222);
  Load("load");
  Set(Gpr::kRsi, kSharedWindow + kPage);
  RunToHalt();
  EXPECT_EQ(rax(), 0x1111u);
  Load("store");
  Set(Gpr::kRsi, kSharedWindow + kPage);
  Set(Gpr::kRax, 0x3333);
  RunToHalt();
  EXPECT_EQ(Shared64(kPage), 0x3333u);
  EXPECT_EQ(Private64(kPage), 0x2222u);
}

TEST_F(TestCpu, PrivatePagesStayPrivate) {
  SetPrivate64(kData, 0x5EC4E7);
  SetShared64(kData, 0x1111);
  Load("store");
  Set(Gpr::kRsi, kSharedWindow + kData + 8);
  ExpectViolation(Rule::kSharedWrite, kData + 8);
  EXPECT_EQ(Shared64(kData + 8), 0u);
  Load("locked_add");  // It reads, too.
  Set(Gpr::kRsi, kSharedWindow + kData);
  ExpectViolation(Rule::kSharedWrite, kData);
}

TEST_F(TestCpu, AViolationNamesItsPlace) {
  Load("load_store");
  Set(Gpr::kRsi, kSharedWindow + kData);
  const StopReason reason = Run();
  EXPECT_EQ(reason.rip, Symbol("load_store") + 3);
  EXPECT_EQ(reason.fault.gva, kSharedWindow + kData);
  EXPECT_FALSE(reason.fault.c_bit);
  EXPECT_EQ(reason.fault.access, Access::kWrite);
  EXPECT_NE(last_.find("load_store+0x3"), std::string::npos) << last_;
}

TEST_F(TestCpu, UnassignedPagesAreNotPrivate) {
  Load("load");
  Set(Gpr::kRsi, kPage);
  ExpectViolation(Rule::kNotAssigned, kPage);
  Load("call");
  Set(Gpr::kRsi, kPage);
  ExpectViolation(Rule::kNotAssigned, kPage);
  // Fetches are private whatever the C-bit says.
  Load("call");
  Set(Gpr::kRsi, kSharedWindow + kPage);
  ExpectViolation(Rule::kNotAssigned, kPage);
}

TEST_F(TestCpu, PageTablesArePrivatePagesToo) {
  MapCustom(0, kData | kCBit | 3);
  rmp_.MakeShared(kTables + 0x6000, k4K);
  Load("load");
  Set(Gpr::kRsi, kCustom);
  ExpectViolation(Rule::kNotAssigned, kTables + 0x6000);
}

TEST_F(TestCpu, CodeIsFetchedPrivatelyThroughASharedMapping) {
  memory_->Private(kData, 1)[0] = 0xC3;  // ret
  memory_->Shared(kData, 1)[0] = 0xF4;   // hlt
  Load("call");
  Set(Gpr::kRsi, kSharedWindow + kData);
  RunToHalt();
  EXPECT_EQ(rbx(), 1u);
}

TEST_F(TestCpu, NotValidatedPagesRaiseVc) {
  ASSERT_TRUE(rmp_.AssignPrivate(kPage, k4K));
  Load("load");
  Set(Gpr::kRsi, kPage + 0x18);
  SkipOnTrap(3);
  RunToHalt();
  EXPECT_EQ(LastTrap().vector, 29u);
  EXPECT_EQ(LastTrap().error, sev::kExitPageNotValidated);
  EXPECT_EQ(LastTrap().cr2, kPage + 0x18);
}

TEST_F(TestCpu, ReassignedPagesHoldGarbage) {
  SetPrivate64(kPage, 0x5EC4E7);
  ASSERT_TRUE(rmp_.AssignPrivate(kPage, k4K));
  ASSERT_EQ(rmp_.Pvalidate(kPage, k4K, true, 0), RmpResult{});
  Load("load");
  Set(Gpr::kRsi, kPage);
  RunToHalt();
  EXPECT_NE(rax(), 0x5EC4E7u);
  EXPECT_NE(rax(), 0u);
}

TEST_F(TestCpu, ReassignedCodeIsNotRunAsItWas) {
  memory_->Private(kPage, 1)[0] = 0xC3;
  ASSERT_TRUE(rmp_.LaunchPage(kPage));
  Load("call");
  Set(Gpr::kRsi, kPage);
  RunToHalt();
  EXPECT_EQ(rbx(), 1u);
  ASSERT_TRUE(rmp_.AssignPrivate(kPage, k4K));
  ASSERT_EQ(rmp_.Pvalidate(kPage, k4K, true, 0), RmpResult{});
  Load("call");
  Set(Gpr::kRsi, kPage);
  Set(Gpr::kRbx, 0);
  for (int vector : {6, 13, 14}) MakeGate(vector, Symbol("spin"));
  events_.on_pause = [](Cpu& cpu) { cpu.Stop("garbage faults"); };
  Run();
  EXPECT_NE(memory_->Private(kPage, 1)[0], 0xC3);
  EXPECT_EQ(rbx(), 0u) << last_;
}

// --- #VC.

struct VcCase {
  const char* routine;
  uint64_t length;  // of the instruction
  uint64_t error_code;
};

class VcTest : public TestCpu, public ::testing::WithParamInterface<VcCase> {};

TEST_P(VcTest, GoesThroughTheGuestsIdt) {
  Load(GetParam().routine);
  Set(Gpr::kRcx, 0x1B);  // the APIC base, for the MSR cases
  SkipOnTrap(GetParam().length);
  RunToHalt();
  const Trap trap = LastTrap();
  EXPECT_EQ(trap.count, 1u);
  EXPECT_EQ(trap.vector, 29u);
  EXPECT_EQ(trap.error, GetParam().error_code);
  EXPECT_GE(trap.rip, Symbol(GetParam().routine));
  EXPECT_LE(trap.rip, Symbol(GetParam().routine) + 5);
  EXPECT_EQ(cpu_->gpr(Gpr::kRsp), kStackTop);
}

INSTANTIATE_TEST_SUITE_P(
    All, VcTest,
    ::testing::Values(VcCase{"cpuid", 2, sev::kExitCpuid},
                      VcCase{"out", 1, sev::kExitIoio},
                      VcCase{"out_immediate", 2, sev::kExitIoio},
                      VcCase{"in", 2, sev::kExitIoio},
                      VcCase{"rdmsr", 2, sev::kExitMsr},
                      VcCase{"wrmsr", 2, sev::kExitMsr},
                      VcCase{"vmmcall", 3, 0x81}, VcCase{"wbinvd", 2, 0x89}));

TEST_F(TestCpu, VcUsesItsIst) {
  MakeGate(29, Symbol("stub29"), /*ist=*/1);
  Load("cpuid");
  SkipOnTrap(2);
  RunToHalt();
  // 6 quadwords of the frame, vector, saved RAX.
  EXPECT_EQ(LastTrap().rsp, kIstTop - 8 * 8);
}

// --- MSRs and VMGEXIT.

TEST_F(TestCpu, SevStatusFollowsFromTheVmsa) {
  Load("rdmsr");
  Set(Gpr::kRcx, sev::kSevStatusMsr);
  RunToHalt();
  EXPECT_EQ(rax(), 7u);
  Load("wrmsr");
  Set(Gpr::kRcx, sev::kSevStatusMsr);
  SkipOnTrap(2);
  RunToHalt();
  EXPECT_EQ(LastTrap().vector, 13u);
}

TEST_F(TestCpu, ClearingSvmeStops) {
  for (const uint64_t svme : {uint64_t{0}, sev::kEferSvme}) {
    Load("wrmsr");
    Set(Gpr::kRcx, 0xC0000080);
    Set(Gpr::kRax, 0xD01 | svme);
    if (svme != 0) {
      RunToHalt();
      continue;
    }
    const StopReason reason = Run();
    EXPECT_EQ(reason.kind, StopKind::kViolation) << last_;
    EXPECT_EQ(reason.fault.rule, Rule::kNone);
    EXPECT_EQ(reason.text, "the guest cleared EFER.SVME");
    EXPECT_EQ(reason.rip, Symbol("wrmsr"));
  }
}

TEST_F(TestCpu, VmgexitShowsTheMsrAndTakesTheAnswer) {
  for (const bool long_mode : {true, false}) {
    uint64_t seen = 0;
    events_.on_vmgexit = [&](Cpu& cpu) {
      seen = cpu.ghcb_msr();
      cpu.set_ghcb_msr(0x0002000133000001);
    };
    if (long_mode) {
      Load("vmgexit");
      cpu_->set_ghcb_msr(2);
      RunToHalt();
      EXPECT_EQ(cpu_->ghcb_msr(), 0x0002000133000001u);
      EXPECT_EQ(rbx(), 1u);
    } else {
      cpu_->LoadVmsa(Vmsa(Symbol("vmgexit32"), /*long_mode=*/false));
      RunToHalt();
      EXPECT_EQ(rax(), 0x33000001u);
      EXPECT_EQ(cpu_->gpr(Gpr::kRdx), 0x20001u);
      EXPECT_EQ(rbx(), 1u);
    }
    EXPECT_EQ(seen, 2u);
  }
}

TEST_F(TestCpu, StopsInsideAnExitAndGoesOn) {
  events_.on_vmgexit = [](Cpu& cpu) { cpu.Stop("terminated"); };
  Load("vmgexit");
  const StopReason reason = Run();
  EXPECT_EQ(reason.kind, StopKind::kRequested);
  EXPECT_EQ(reason.text, "terminated");
  EXPECT_EQ(reason.rip, Symbol("vmgexit") + 4);
  RunToHalt();
  EXPECT_EQ(rbx(), 1u);
}

// --- A hostile host.

TEST_F(TestCpu, APageTakenAwayIsNoticed) {
  Load("spin_until");
  Set(Gpr::kRsi, kData);
  Set(Gpr::kRax, 1);
  SkipOnTrap(0);
  MakeGate(29, Symbol("busy"));
  int pauses = 0;
  events_.on_pause = [&](Cpu& cpu) {
    ++pauses;
    if (pauses == 3) cpu.rmp().AssignPrivate(kData, k4K);
  };
  const StopReason reason = cpu_->Run({.instructions = 1000});
  EXPECT_EQ(reason.kind, StopKind::kInstructionLimit) << reason.ToString();
  EXPECT_EQ(pauses, 3);
  EXPECT_EQ(reason.rip, Symbol("busy"));
  EXPECT_EQ(Private64(cpu_->gpr(Gpr::kRsp)), sev::kExitPageNotValidated);
}

TEST_F(TestCpu, ASharedPageChangesBetweenTwoReads) {
  SetShared64(kPage, 1);
  int accesses = 0;
  events_.on_watched = [&](Cpu&, const WatchedAccess& access) {
    EXPECT_EQ(access.gpa, kPage);
    EXPECT_EQ(access.access, Access::kRead);
    EXPECT_FALSE(access.c_bit);
    EXPECT_EQ(access.rip, Symbol("fetch_twice") + (accesses == 0 ? 0u : 3u));
    SetShared64(kPage, static_cast<uint64_t>(++accesses) * 100);
  };
  cpu_->Watch(kPage, kPageSize);
  Load("fetch_twice");
  Set(Gpr::kRsi, kSharedWindow + kPage);
  RunToHalt();
  EXPECT_EQ(accesses, 2);
  EXPECT_EQ(rax(), 100u);
  EXPECT_EQ(rbx(), 200u);

  cpu_->UnwatchAll();
  Load("fetch_twice");
  Set(Gpr::kRsi, kSharedWindow + kPage);
  RunToHalt();
  EXPECT_EQ(accesses, 2);
}

TEST_F(TestCpu, WatchesWritesAndCopiesToo) {
  std::vector<Access> accesses;
  events_.on_watched = [&](Cpu&, const WatchedAccess& access) {
    accesses.push_back(access.access);
  };
  cpu_->Watch(kPage + 0x100, 8);  // all of its page
  Load("copy");
  Set(Gpr::kRsi, kData);
  Set(Gpr::kRdi, kSharedWindow + kPage);
  Set(Gpr::kRcx, 3);
  SetPrivate64(kData + 16, 0x77);
  RunToHalt();
  EXPECT_EQ(accesses, std::vector<Access>(3, Access::kWrite));
  EXPECT_EQ(Shared64(kPage + 16), 0x77u);

  accesses.clear();
  Load("locked_add");
  Set(Gpr::kRsi, kSharedWindow + kPage + 16);
  Set(Gpr::kRax, 1);
  RunToHalt();
  EXPECT_EQ(rax(), 0x77u);
  EXPECT_EQ(rbx(), 0x78u);
  EXPECT_GE(accesses.size(), 2u);
}

TEST_F(TestCpu, WatchesWhateverIsSharedAndSaysHowMuch) {
  std::vector<WatchedAccess> accesses;
  events_.on_watched = [&](Cpu&, const WatchedAccess& access) {
    accesses.push_back(access);
  };
  for (const bool watch : {true, false}) {
    watch ? cpu_->WatchShared() : cpu_->UnwatchAll();
    Load("copy");
    Set(Gpr::kRsi, kData);  // private
    Set(Gpr::kRdi, kSharedWindow + kPage);
    Set(Gpr::kRcx, 2);
    RunToHalt();
    ASSERT_EQ(accesses.size(), 2u);
  }
  EXPECT_EQ(accesses[1].gpa, kPage + accesses[1].size);
}

TEST_F(TestCpu, APageRevokedAtTheAccessItself) {
  cpu_->Watch(kData, kPageSize);
  events_.on_watched = [](Cpu& cpu, const WatchedAccess&) {
    cpu.rmp().MakeShared(kData, k4K);
  };
  Load("load");
  Set(Gpr::kRsi, kData);
  ExpectViolation(Rule::kNotAssigned, kData);
}

TEST_F(TestCpu, TheHostMayMendAFault) {
  events_.on_fault = [](Cpu& cpu, const NestedFault& fault) {
    EXPECT_EQ(fault.rule, Rule::kNotAssigned);
    cpu.rmp().AssignPrivate(fault.gpa & ~uint64_t{4095}, k4K);
    return true;
  };
  Load("load");
  Set(Gpr::kRsi, kPage);
  SkipOnTrap(3);
  RunToHalt();
  EXPECT_EQ(LastTrap().error, sev::kExitPageNotValidated);
}

TEST_F(TestCpu, ASecondCpuFindsTheFlagTaken) {
  TestEvents second_events;
  std::unique_ptr<Cpu> second = NewCpu(second_events);
  Load("entry_flag");
  Set(Gpr::kRsi, kData);
  // In the middle of the first one's life.
  int pauses = 0;
  events_.on_pause = [&](Cpu& cpu) {
    if (++pauses != 5) return;
    second->LoadVmsa(Vmsa(Symbol("entry_flag"), /*long_mode=*/true));
    second->set_gpr(Gpr::kRsi, kData);
    EXPECT_EQ(second->Run().kind, StopKind::kHalted);
    EXPECT_EQ(second->gpr(Gpr::kRbx), 0x0BADu);
    cpu.Stop("seen");
  };
  const StopReason reason = Run();
  EXPECT_EQ(reason.text, "seen") << last_;
  EXPECT_EQ(pauses, 5);
}

TEST_F(TestCpu, TwoCpusTakeTurns) {
  std::unique_ptr<Cpu> second = NewCpu(events_);
  Load("hash_like");
  Set(Gpr::kRcx, 5000);
  second->LoadVmsa(Vmsa(Symbol("hash_like"), /*long_mode=*/true));
  second->set_gpr(Gpr::kRcx, 5000);
  int turns = 0;
  bool first_done = false, second_done = false;
  while (!first_done || !second_done) {
    ++turns;
    if (!first_done) {
      first_done = cpu_->Run({.instructions = 1000}).kind == StopKind::kHalted;
    }
    if (!second_done) {
      second_done =
          second->Run({.instructions = 777}).kind == StopKind::kHalted;
    }
    ASSERT_LT(turns, 100);
  }
  EXPECT_EQ(rax(), second->gpr(Gpr::kRax));
  EXPECT_EQ(cpu_->instructions(), second->instructions());
}

}  // namespace
}  // namespace machine::testing
