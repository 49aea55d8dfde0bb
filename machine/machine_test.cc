// SPDX-License-Identifier: Apache-2.0
//
// The machine around guests of a few instructions; the image has
// //tests/snp and tests/hostile.
#include "machine/machine.h"

#include <initializer_list>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "launch/vmsa.h"
#include "psp/testing.h"
#include "sev/vmsa.h"

namespace machine {
namespace {

constexpr uint64_t kCode = 0x100000;

// EAX to the GHCB MSR, then VMGEXIT, in 32-bit code.
constexpr uint8_t kExit[] = {
    0x31, 0xD2,                    // xor edx, edx
    0xB9, 0x30, 0x01, 0x01, 0xC0,  // mov ecx, 0xC0010130
    0x0F, 0x30,                    // wrmsr
    0xF3, 0x0F, 0x01, 0xD9,        // rep vmmcall
};

class Program {
 public:
  Program& Bytes(std::span<const uint8_t> bytes) {
    code_.insert(code_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  Program& Bytes(std::initializer_list<uint8_t> bytes) {
    code_.insert(code_.end(), bytes);
    return *this;
  }
  Program& Exit(uint32_t request) {
    Bytes({0xB8});  // mov eax, request
    for (int shift = 0; shift < 32; shift += 8) {
      code_.push_back(static_cast<uint8_t>(request >> shift));
    }
    code_.insert(code_.end(), std::begin(kExit), std::end(kExit));
    return *this;
  }
  std::vector<uint8_t> Page() const {
    std::vector<uint8_t> page = code_;
    page.resize(4096, 0xF4);  // hlt
    return page;
  }

 private:
  std::vector<uint8_t> code_;
};

class MachineTest : public testing::Test {
 protected:
  MachineTest() {
    options_.memory.below_4g = 4 << 20;
    options_.hierarchy = &psp::TestHierarchy();
    options_.limits.instructions = 1'000'000;
  }
  MachineResult Run(const Program& program) {
    const auto vmsa = launch::FlatStartVmsa(kCode);
    options_.plan.pages = {
        {.gpa = kCode,
         .type = sev::PageType::kNormal,
         .contents = program.Page()},
        {.gpa = sev::kKvmVmsaGpa,
         .type = sev::PageType::kVmsa,
         .contents = std::vector<uint8_t>(vmsa.begin(), vmsa.end())}};
    auto machine = Machine::Create(options_);
    EXPECT_TRUE(machine.ok()) << machine.status();
    if (!machine.ok()) return {};
    machine_ = *std::move(machine);
    return machine_->Run();
  }

  MachineOptions options_;
  std::unique_ptr<Machine> machine_;
};

TEST_F(MachineTest, AGuestTerminates) {
  const MachineResult result = Run(Program().Exit(0x100 | 7 << 12 | 9 << 16));
  EXPECT_EQ(result.ending.kind, Ending::Kind::kTerminated)
      << result.ending.text;
  EXPECT_EQ(result.ending.reason_set, 7);
  EXPECT_EQ(result.ending.reason_code, 9);
  EXPECT_EQ(machine_->trace().count(Cause::kTermination), 1u);
}

TEST_F(MachineTest, AnswersComeBackInTheMsr) {
  // SEV info, then RDMSR, and the answer's low half as termination: bits 23:16
  // are clear, 15:12 too, so only the C-bit's place shows that it came.
  const MachineResult result = Run(Program()
                                       .Exit(0x002)
                                       .Bytes({0x0F, 0x32})        // rdmsr
                                       .Bytes({0xC1, 0xE8, 0x08})  // shr eax, 8
                                       .Bytes({0x25, 0, 0, 0xFF, 0})
                                       .Bytes({0x0D, 0, 1, 0, 0})
                                       .Bytes({0x31, 0xD2, 0x0F, 0x30})
                                       .Bytes({0xF3, 0x0F, 0x01, 0xD9}));
  EXPECT_EQ(result.ending.kind, Ending::Kind::kTerminated)
      << result.ending.text;
  EXPECT_EQ(result.ending.reason_code, kCbitPosition);
  EXPECT_EQ(machine_->trace().count(Cause::kSevInfo), 1u);
  EXPECT_EQ(machine_->trace().budget_exits(), 2u);
}

TEST_F(MachineTest, AHaltedGuestEndsTheRun) {
  EXPECT_EQ(Run(Program()).ending.kind, Ending::Kind::kHalted);
}

// PVALIDATE of 4 KiB at EAX; EBX: CF.
constexpr uint8_t kPvalidate[] = {
    0x31, 0xC9,                 // xor ecx, ecx
    0xBA, 1,    0,    0,    0,  // mov edx, 1
    0xF2, 0x0F, 0x01, 0xFF,     // pvalidate
    0x0F, 0x92, 0xC3,           // setc bl
};
constexpr uint8_t kLoad[] = {0xA1, 0, 0, 0x20, 0};
constexpr uint8_t kAddress[] = {0xB8, 0, 0, 0x20, 0};

TEST_F(MachineTest, RamIsPrivateFromTheStart) {
  // mov eax, 0x200000; pvalidate; mov eax, [0x200000]
  for (const Assigning assigning :
       {Assigning::kOnTouch, Assigning::kAtStartIn4K, Assigning::kAtStart}) {
    options_.assigning = assigning;
    const MachineResult result =
        Run(Program().Bytes(kAddress).Bytes(kPvalidate).Bytes(kLoad));
    EXPECT_EQ(result.ending.kind, Ending::Kind::kHalted) << result.ending.text;
    EXPECT_EQ(machine_->cpu().gpr(Gpr::kRbx), 0u);
    EXPECT_TRUE(machine_->rmp().Get(0x200000).validated);
    // Nobody wrote it: noise, as under another key, and no zeros.
    EXPECT_NE(machine_->cpu().gpr(Gpr::kRax), 0u);
    const bool at_start = assigning != Assigning::kOnTouch;
    EXPECT_EQ(machine_->rmp().Get(0x300000).assigned, at_start);
  }
}

TEST_F(MachineTest, WhatIsNotValidatedFaultsInTheGuest) {
  // #VC, and there is no IDT.
  const MachineResult result = Run(Program().Bytes(kLoad));
  EXPECT_EQ(result.ending.kind, Ending::Kind::kShutdown) << result.ending.text;
  EXPECT_TRUE(machine_->rmp().Get(0x200000).assigned);
}

TEST_F(MachineTest, AHostThatAssignsOnRequestOnlyEndsTheRun) {
  options_.assigning = Assigning::kOnRequest;
  for (const Program& program :
       {Program().Bytes(kLoad), Program().Bytes(kAddress).Bytes(kPvalidate)}) {
    const MachineResult result = Run(program);
    EXPECT_EQ(result.ending.kind, Ending::Kind::kViolation)
        << result.ending.text;
    EXPECT_EQ(result.stop.fault.rule, Rule::kNotAssigned);
  }
}

TEST_F(MachineTest, ASharedPageStaysSoWhenItIsTouched) {
  // Page state change to shared, then PVALIDATE.
  Program program;
  program
      .Bytes({0xB8, 0x14, 0, 0x20, 0})               // mov eax, 0x200014
      .Bytes({0xBA, 0, 0, 0x20, 0})                  // mov edx, 2 << 52 - 32
      .Bytes({0xB9, 0x30, 0x01, 0x01, 0xC0})         // mov ecx, 0xC0010130
      .Bytes({0x0F, 0x30, 0xF3, 0x0F, 0x01, 0xD9});  // wrmsr; vmgexit
  const MachineResult result = Run(program.Bytes(kAddress).Bytes(kPvalidate));
  EXPECT_EQ(result.ending.kind, Ending::Kind::kViolation) << result.ending.text;
  EXPECT_TRUE(machine_->rmp().Get(0x200000).shared);
}

TEST_F(MachineTest, NothingIsAssignedWhereNoRamIs) {
  // Video memory.
  const MachineResult result = Run(Program().Bytes({0xA1, 0, 0, 0x0A, 0}));
  EXPECT_EQ(result.ending.kind, Ending::Kind::kViolation) << result.ending.text;
}

TEST_F(MachineTest, AnEndlessGuestMeetsItsLimit) {
  EXPECT_EQ(Run(Program().Bytes({0xEB, 0xFE})).ending.kind,
            Ending::Kind::kStopped);
}

class Script final : public ExitHook {
 public:
  Verdict Before(Machine&, Exit& exit) override {
    causes.push_back(exit.cause);
    return verdict;
  }
  void After(Machine&, Exit& exit) override {
    if (change != 0) exit.msr = change;
    ++after;
  }
  Verdict verdict = Verdict::kContinue;
  uint64_t change = 0;
  int after = 0;
  std::vector<Cause> causes;
};

TEST_F(MachineTest, AHookSeesAndChangesExits) {
  Script script;
  options_.hook = &script;
  const Program twice = Program().Exit(0x080).Bytes({0x0F, 0x32}).Exit(0x100);
  Run(twice);
  EXPECT_EQ(script.causes,
            (std::vector{Cause::kFeatures, Cause::kTermination}));
  EXPECT_EQ(script.after, 1);  // The guest does not go on after the second.

  script = Script();
  script.change = 0x12345081;
  Run(Program().Exit(0x080).Bytes({0xF4}));
  EXPECT_EQ(machine_->cpu().ghcb_msr(), 0x12345081u);

  script = Script();
  script.verdict = ExitHook::Verdict::kHandled;
  Run(Program().Exit(0x100).Bytes({0xF4}));
  EXPECT_EQ(machine_->cpu().ghcb_msr(), 0x100u);

  script = Script();
  script.verdict = ExitHook::Verdict::kStop;
  EXPECT_EQ(Run(Program().Exit(0x100)).ending.kind, Ending::Kind::kStopped);
}

TEST_F(MachineTest, RandomnessFollowsTheSeed) {
  const auto random = [&](uint64_t seed) {
    options_.seed = seed;
    Run(Program().Bytes({0x0F, 0xC7, 0xF0}));  // rdrand eax
    return machine_->cpu().gpr(Gpr::kRax);
  };
  EXPECT_EQ(random(1), random(1));
  EXPECT_NE(random(1), random(2));
}

TEST_F(MachineTest, HostMemoryOperationsFollowTheTable) {
  Run(Program());
  HostView& host = machine_->host();
  EXPECT_TRUE(host.Shared(kCode, 4096).empty());
  EXPECT_FALSE(host.Shared(0x200000, 4096).empty());
  host.MakePrivate(0x200000, kLargePageSize, true);
  EXPECT_TRUE(machine_->rmp().Get(0x200000).large);
  EXPECT_FALSE(machine_->rmp().Get(0x200000).validated);
  host.MakeShared(0x201000, 4096);
  EXPECT_FALSE(host.Shared(0x201000, 4096).empty());
  EXPECT_TRUE(host.Shared(0x200000, 0x2000).empty());
  // A validated page stays so.
  host.MakePrivate(kCode, 4096, false);
  EXPECT_TRUE(machine_->rmp().Get(kCode).validated);
}

}  // namespace
}  // namespace machine
