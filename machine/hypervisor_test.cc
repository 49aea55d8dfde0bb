// SPDX-License-Identifier: Apache-2.0
#include "machine/hypervisor.h"

#include <string.h>

#include <utility>

#include "gtest/gtest.h"
#include "machine/devices.h"
#include "machine/fake_host_view.h"
#include "psp/testing.h"

namespace machine {
namespace {

namespace g = sev::ghcb_layout;

class HypervisorTest : public testing::Test {
 protected:
  static constexpr uint64_t kGhcb = 0x4000, kRequest = 0x5000,
                            kResponse = 0x6000, kTable = 0x8000;

  HypervisorTest() {
    options_.cpuid = MakeCpuidTable(psp::kMilan);
    options_.certificates.assign(5000, 0xCE);
    hypervisor_.emplace(options_, memory_, ports_, firmware_);
    firmware_.Launch(sev::LaunchDigest{});
  }

  uint64_t Msr(uint64_t request) {
    exit_ = Exit{.msr = request};
    ending_ = hypervisor_->Identify(exit_);
    if (!ending_) ending_ = hypervisor_->Serve(exit_);
    return exit_.msr;
  }
  GhcbPage Ghcb() {
    return GhcbPage(memory_.Shared(kGhcb, kPageSize).first<kPageSize>());
  }
  // Writes a request into the page, as a guest of version 2 does.
  GhcbPage Prepare(uint64_t code, uint64_t info1, uint64_t info2) {
    if (hypervisor_->registered_ghcb() == 0) Msr(kGhcb | 0x012);
    GhcbPage ghcb = Ghcb();
    memset(ghcb.bytes().data(), 0, kPageSize);
    sev::PutLe<uint16_t, g::ProtocolVersion>(2, ghcb.bytes());
    ghcb.Set<g::SwExitCode>(code);
    ghcb.Set<g::SwExitInfo1>(info1);
    ghcb.Set<g::SwExitInfo2>(info2);
    return ghcb;
  }
  void Go() { Msr(kGhcb); }
  uint64_t info1() { return Ghcb().Get<g::SwExitInfo1>(); }
  uint64_t info2() { return Ghcb().Get<g::SwExitInfo2>(); }

  FakeHostView memory_{1 << 20};
  PortBus ports_;
  psp::Firmware firmware_{psp::TestHierarchy()};
  HypervisorOptions options_;
  std::optional<Hypervisor> hypervisor_;
  Exit exit_;
  std::optional<Ending> ending_;
};

TEST_F(HypervisorTest, MsrProtocol) {
  EXPECT_EQ(Msr(0x002), uint64_t{2} << 48 | uint64_t{1} << 32 | 51u << 24 | 1);
  EXPECT_EQ(exit_.cause, Cause::kSevInfo);
  EXPECT_EQ(Msr(0x080), 0x3081u);
  EXPECT_EQ(Msr(0x010), 0xFFFFFFFFFFFFF011u);
  EXPECT_EQ(Msr(kGhcb | 0x012), kGhcb | 0x013);
  EXPECT_EQ(exit_.cause, Cause::kGhcbRegistration);
  EXPECT_EQ(Msr(uint64_t{0x8000001F} << 32 | 1u << 30 | 0x004),
            uint64_t{51 | 1 << 6} << 32 | 1u << 30 | 0x005);
  EXPECT_EQ(Msr(0x777), 0x777u);
  EXPECT_FALSE(ending_.has_value());
}

TEST_F(HypervisorTest, Termination) {
  Msr(0x100 | 0x7u << 12 | 0x23u << 16);
  ASSERT_TRUE(ending_.has_value());
  EXPECT_EQ(ending_->kind, Ending::Kind::kTerminated);
  EXPECT_EQ(ending_->reason_set, 7);
  EXPECT_EQ(ending_->reason_code, 0x23);
  Prepare(sev::kExitTerminate, 0x231, 0);
  Go();
  ASSERT_TRUE(ending_.has_value());
  EXPECT_EQ(ending_->reason_set, 1);
  EXPECT_EQ(ending_->reason_code, 0x23);
}

TEST_F(HypervisorTest, AGhcbThatIsPrivateOrUnregisteredEndsTheRun) {
  Go();
  ASSERT_TRUE(ending_.has_value());
  EXPECT_EQ(ending_->kind, Ending::Kind::kViolation);
  Prepare(sev::kExitFeatures, 0, 0);
  memory_.MakePrivate(kGhcb, kPageSize, false);
  Go();
  ASSERT_TRUE(ending_.has_value());
  EXPECT_EQ(ending_->kind, Ending::Kind::kViolation);
}

// KVM does not look at it: OVMF's SEC leaves 0 there, and so does Linux.
TEST_F(HypervisorTest, AnyVersionIsServed) {
  for (const uint16_t version : {0, 1, 3, 0xFFFF}) {
    GhcbPage ghcb = Prepare(sev::kExitFeatures, 0, 0);
    sev::PutLe<uint16_t, g::ProtocolVersion>(version, ghcb.bytes());
    Go();
    ASSERT_FALSE(ending_.has_value()) << version;
    EXPECT_EQ(info1(), 0u);
    EXPECT_EQ(info2(), options_.features);
  }
}

TEST_F(HypervisorTest, PortsByTheGhcbPage) {
  std::string text;
  Uart16550 uart([&](char c) { text.push_back(c); });
  ports_.Add(kCom1, Uart16550::kPorts, uart);
  GhcbPage ghcb =
      Prepare(sev::kExitIoio, uint64_t{kCom1} << 16 | sev::kIoioSize8, 0);
  ghcb.Set<g::Rax>(0x1234567841);
  Go();
  EXPECT_EQ(text, "A");
  EXPECT_EQ(exit_.cause, Cause::kConsole);
  EXPECT_EQ(info1(), 0u);
  EXPECT_TRUE(Ghcb().Valid<g::Rax>());
  // What is not read stays as the guest gave it, as on KVM.
  Prepare(sev::kExitIoio,
          uint64_t{0x80} << 16 | sev::kIoioSize16 | sev::kIoioIn, 0)
      .Set<g::Rax>(0x12345678);
  Go();
  EXPECT_EQ(Ghcb().Get<g::Rax>(), 0x1234FFFFu);
  EXPECT_EQ(exit_.cause, Cause::kOtherPort);
}

TEST_F(HypervisorTest, AMissingFieldIsMalformed) {
  Prepare(sev::kExitIoio, uint64_t{0x80} << 16 | sev::kIoioSize8, 0);
  Go();
  EXPECT_EQ(info1(), sev::kExitResultMalformed);
  EXPECT_EQ(info2(), sev::kMalformedMissingInput);
  Prepare(0x4242, 0, 0);
  Go();
  EXPECT_EQ(info2(), sev::kMalformedInvalidEvent);
  GhcbPage ghcb = Prepare(sev::kExitFeatures, 0, 0);
  sev::PutLe<uint32_t, g::Usage>(1, ghcb.bytes());
  Go();
  EXPECT_EQ(info2(), sev::kMalformedUsage);
  Prepare(sev::kExitGuestRequest, kRequest, kRequest);
  Go();
  EXPECT_EQ(info2(), sev::kMalformedMissingInput);
}

TEST_F(HypervisorTest, TheAnswerClearsTheBitmapFirst) {
  GhcbPage ghcb = Prepare(sev::kExitFeatures, 0, 0);
  ghcb.Set<g::SwScratch>(1);
  Go();
  EXPECT_FALSE(Ghcb().Valid<g::SwScratch>());
  EXPECT_FALSE(Ghcb().Valid<g::SwExitCode>());
  EXPECT_TRUE(Ghcb().Valid<g::SwExitInfo2>());
  EXPECT_EQ(info2(), 3u);
}

TEST_F(HypervisorTest, CpuidAndMsr) {
  GhcbPage ghcb = Prepare(sev::kExitCpuid, 0, 0);
  ghcb.Set<g::Rax>(0x80000001);
  ghcb.Set<g::Rcx>(0);
  Go();
  EXPECT_EQ(Ghcb().Get<g::Rax>(), psp::CpuidEax(psp::kMilan.cpuid));
  Prepare(sev::kExitMsr, 0, 0).Set<g::Rcx>(0x1B);
  Go();
  EXPECT_EQ(Ghcb().Get<g::Rax>(), 0xFEE00900u);
  Prepare(sev::kExitMsr, 0, 0).Set<g::Rcx>(0x777);
  Go();
  EXPECT_EQ(info1(), sev::kExitResultException);
  EXPECT_EQ(info2(), 0x8000030Du);
  GhcbPage write = Prepare(sev::kExitMsr, 1, 0);
  write.Set<g::Rcx>(0x2FF);
  write.Set<g::Rax>(0xC06);
  write.Set<g::Rdx>(0);
  Go();
  EXPECT_EQ(info1(), 0u);
  Prepare(sev::kExitMsr, 0, 0).Set<g::Rcx>(0x2FF);
  Go();
  EXPECT_EQ(Ghcb().Get<g::Rax>(), 0xC06u);
}

// What CPUID's MCE and MCA promise.
TEST_F(HypervisorTest, MachineCheckMsrs) {
  const auto read = [&](uint64_t msr) {
    Prepare(sev::kExitMsr, 0, 0).Set<g::Rcx>(msr);
    Go();
    EXPECT_EQ(info1(), 0u) << msr;
    return Ghcb().Get<g::Rdx>() << 32 | Ghcb().Get<g::Rax>();
  };
  const auto write = [&](uint64_t msr, uint64_t value) {
    GhcbPage ghcb = Prepare(sev::kExitMsr, 1, 0);
    ghcb.Set<g::Rcx>(msr);
    ghcb.Set<g::Rax>(value & 0xFFFFFFFF);
    ghcb.Set<g::Rdx>(value >> 32);
    Go();
    return info1() == 0;
  };
  constexpr uint64_t kOnes = ~uint64_t{0};
  const sev::CpuidValues leaf1 = LookUp(options_.cpuid, 1, 0);
  ASSERT_NE(leaf1.edx & 1 << 7, 0u);
  ASSERT_NE(leaf1.edx & 1 << 14, 0u);
  EXPECT_EQ(read(0x179), 0x0100010Au);
  EXPECT_EQ(read(0x17A), 0u);
  EXPECT_EQ(read(0x17B), kOnes);
  const uint64_t banks = read(0x179) & 0xFF;
  for (uint64_t bank = 0; bank < banks; ++bank) {
    EXPECT_EQ(read(0x400 + 4 * bank), kOnes);
    EXPECT_EQ(read(0x401 + 4 * bank), 0u);
    EXPECT_TRUE(write(0x400 + 4 * bank, 0));
    EXPECT_EQ(read(0x400 + 4 * bank), 0u);
    EXPECT_FALSE(write(0x400 + 4 * bank, 2));
    EXPECT_TRUE(write(0x401 + 4 * bank, 0));
    EXPECT_FALSE(write(0x401 + 4 * bank, 1));
    EXPECT_TRUE(write(0x402 + 4 * bank, 0x1234));
    EXPECT_EQ(read(0x402 + 4 * bank), 0x1234u);
  }
  EXPECT_FALSE(write(0x179, 0));
  EXPECT_TRUE(write(0x17A, 5));
  EXPECT_EQ(read(0x17A), 5u);
  EXPECT_FALSE(write(0x17B, 5));
  EXPECT_TRUE(write(0x17B, 0));
  EXPECT_EQ(read(0x17B), 0u);
  EXPECT_FALSE(write(0x400 + 4 * banks, 0));
}

TEST_F(HypervisorTest, StringIoGoesThroughTheScratchArea) {
  std::string text;
  Uart16550 uart([&](char c) { text.push_back(c); });
  ports_.Add(kCom1, Uart16550::kPorts, uart);
  const auto prepare = [&](uint64_t info1, uint64_t count, uint64_t at = 0) {
    GhcbPage ghcb = Prepare(sev::kExitIoio, info1 | sev::kIoioString, count);
    ghcb.Set<g::SwScratch>(kGhcb + g::SharedBuffer::kOffset + at);
    return sev::FieldOf<g::SharedBuffer>(ghcb.bytes());
  };
  constexpr uint64_t kOut8 =
      uint64_t{kCom1} << 16 | sev::kIoioSize8 | sev::kIoioRep;
  memcpy(prepare(kOut8, 5).data(), "helloworld", 10);
  Go();
  EXPECT_EQ(info1(), 0u);
  EXPECT_EQ(text, "hello");
  EXPECT_EQ(exit_.cause, Cause::kConsole);

  constexpr uint64_t kIn16 =
      uint64_t{0x80} << 16 | sev::kIoioSize16 | sev::kIoioIn | sev::kIoioRep;
  prepare(kIn16, 3);
  Go();
  EXPECT_EQ(info1(), 0u);
  const auto buffer = sev::FieldOf<g::SharedBuffer>(Ghcb().bytes());
  for (size_t i = 0; i < 8; ++i) EXPECT_EQ(buffer[i], i < 6 ? 0xFF : 0) << i;

  // Nothing to do; up to the buffer's end; beyond it; a product that overflows.
  constexpr size_t kRoom = g::SharedBuffer::kSize;
  text.clear();
  for (const auto& [count, good] : {std::pair<uint64_t, bool>{0, true},
                                    {kRoom, true},
                                    {kRoom + 1, false},
                                    {uint64_t{1} << 63, false},
                                    {~uint64_t{0}, false}}) {
    prepare(kOut8, count);
    Go();
    EXPECT_EQ(info1() == 0, good) << count;
    if (!good) {
      EXPECT_EQ(info2(), sev::kMalformedScratchArea);
    }
  }
  EXPECT_EQ(text.size(), kRoom);
  prepare(kIn16, 2, kRoom - 3);
  Go();
  EXPECT_EQ(info2(), sev::kMalformedScratchArea);
}

TEST_F(HypervisorTest, PageStateChangeWantsItsScratchInsideTheBuffer) {
  GhcbPage ghcb = Prepare(sev::kExitPageStateChange, 0, 0);
  ghcb.Set<g::SwScratch>(kGhcb + g::SharedBuffer::kOffset);
  const auto buffer = sev::FieldOf<g::SharedBuffer>(ghcb.bytes());
  base::StoreLe<uint64_t>(
      sev::MakePscEntry(0x10000, sev::PageOperation::kPrivate, false),
      buffer.subspan<8, 8>());
  Go();
  EXPECT_EQ(info2(), 0u);
  EXPECT_TRUE(memory_.is_private.contains(0x10000));
  for (const uint64_t scratch : {kRequest, kGhcb, kGhcb + 0xFF0 - 7}) {
    Prepare(sev::kExitPageStateChange, 0, 0).Set<g::SwScratch>(scratch);
    Go();
    EXPECT_EQ(info2(), sev::kMalformedScratchArea) << scratch;
  }
}

TEST_F(HypervisorTest, InstructionsWithNothingToDo) {
  Prepare(0x89, 0, 0);
  Go();
  EXPECT_EQ(info1(), 0u);
  EXPECT_EQ(exit_.cause, Cause::kInstruction);
  Prepare(0x37, 0, 0);  // Without RAX.
  Go();
  EXPECT_EQ(info2(), sev::kMalformedMissingInput);
}

TEST_F(HypervisorTest, ApCreationIsForCpusThatThereAre) {
  const auto create = [&](uint64_t info1, bool rax) {
    GhcbPage ghcb = Prepare(sev::kExitApCreation, info1, 0x7000);
    if (rax) ghcb.Set<g::Rax>(1);
    Go();
    EXPECT_EQ(exit_.cause, Cause::kApCreation);
    return info2();
  };
  constexpr uint64_t kApic1 = uint64_t{1} << 32;
  EXPECT_EQ(create(kApic1 | 1, false), sev::kMalformedMissingInput);
  EXPECT_EQ(create(kApic1 | 1, true), sev::kMalformedInvalidInput);
  EXPECT_EQ(create(kApic1 | 2, false), sev::kMalformedInvalidInput);
  EXPECT_EQ(create(3, true), sev::kMalformedInvalidInput);
  EXPECT_EQ(info1(), sev::kExitResultMalformed);
  EXPECT_FALSE(ending_.has_value());
  create(1, true);
  ASSERT_TRUE(ending_.has_value());
  EXPECT_EQ(ending_->kind, Ending::Kind::kViolation);
}

TEST_F(HypervisorTest, MmioReachesTheLocalApicAndNothingElse) {
  const auto mmio = [&](uint64_t code, uint64_t gpa, uint64_t size,
                        uint32_t value) {
    GhcbPage ghcb = Prepare(code, gpa, size);
    ghcb.Set<g::SwScratch>(kGhcb + g::SharedBuffer::kOffset);
    const auto data = sev::FieldOf<g::SharedBuffer>(ghcb.bytes()).first<4>();
    base::StoreLe<uint32_t>(value, data);
    Go();
    return base::LoadLe<uint32_t>(std::span<const uint8_t, 4>(data));
  };
  EXPECT_EQ(mmio(0x80000001, 0xFEE00030, 4, 0), 0x00050014u);
  mmio(0x80000002, 0xFEE000F0, 4, 0x1FF);
  EXPECT_EQ(mmio(0x80000001, 0xFEE000F0, 4, 0), 0x1FFu);
  EXPECT_EQ(mmio(0x80000001, 0xFEC00000, 4, 0), 0xFFFFFFFF);
  EXPECT_EQ(exit_.cause, Cause::kMmio);
  mmio(0x80000001, 0xFEC00000, 9, 0);
  EXPECT_EQ(info2(), sev::kMalformedInvalidInput);
  Prepare(0x80000001, 0xFEE00030, 4).Set<g::SwScratch>(kGhcb + 0xFF0 - 3);
  Go();
  EXPECT_EQ(info2(), sev::kMalformedScratchArea);
}

// --- Guest requests.

TEST_F(HypervisorTest, GuestRequestReachesTheFirmware) {
  Prepare(sev::kExitGuestRequest, kRequest, kResponse);
  Go();  // A page of zeros is no message.
  EXPECT_NE(info2(), 0u);
  EXPECT_EQ(info2() >> 32, 0u);
  EXPECT_EQ(exit_.cause, Cause::kGuestRequest);
  memory_.MakePrivate(kResponse, kPageSize, false);
  Prepare(sev::kExitGuestRequest, kRequest, kResponse);
  Go();
  ASSERT_TRUE(ending_.has_value());
}

TEST_F(HypervisorTest, ExtendedRequestWantsItsBufferNamed) {
  const auto go = [&](bool rax, bool rbx) {
    GhcbPage ghcb =
        Prepare(sev::kExitExtendedGuestRequest, kRequest, kResponse);
    if (rax) ghcb.Set<g::Rax>(0);
    if (rbx) ghcb.Set<g::Rbx>(0);
    Go();
    EXPECT_FALSE(ending_.has_value());
    return std::pair(info1(), info2());
  };
  hypervisor_->options().certificates.clear();
  const std::pair invalid(uint64_t{sev::kExitResultMalformed},
                          sev::kMalformedInvalidInput);
  EXPECT_NE(go(false, false), invalid);  // Only reports have certificates.
  memory_.Shared(kRequest, kPageSize)[sev::message_layout::Type::kOffset] =
      static_cast<uint8_t>(sev::MessageType::kReportRequest);
  EXPECT_EQ(go(true, false), invalid);
  EXPECT_EQ(go(false, true), invalid);
  EXPECT_NE(go(true, true), invalid);
}

TEST_F(HypervisorTest, ExtendedRequestTellsHowManyPagesItWants) {
  memory_.Shared(kRequest, kPageSize)[sev::message_layout::Type::kOffset] =
      static_cast<uint8_t>(sev::MessageType::kReportRequest);
  const auto prepare = [&](uint64_t pages) {
    GhcbPage ghcb =
        Prepare(sev::kExitExtendedGuestRequest, kRequest, kResponse);
    ghcb.Set<g::Rax>(kTable);
    ghcb.Set<g::Rbx>(pages);
    Go();
  };
  prepare(1);
  EXPECT_EQ(info2(), uint64_t{1} << 32);
  EXPECT_EQ(Ghcb().Get<g::Rbx>(), 2u);
  EXPECT_EQ(memory_.Shared(kTable, 1)[0], 0);
  prepare(2);
  EXPECT_EQ(info2() >> 32, 0u);
  EXPECT_EQ(memory_.Shared(kTable, 5000)[4999], 0xCE);
  hypervisor_->options().certificates.clear();
  prepare(1);
  EXPECT_EQ(memory_.Shared(kTable, 24)[23], 0);
}

}  // namespace
}  // namespace machine
