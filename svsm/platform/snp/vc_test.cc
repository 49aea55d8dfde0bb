// SPDX-License-Identifier: Apache-2.0
#include "svsm/platform/snp/vc.h"

#include <stdint.h>
#include <string.h>

#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "gtest/gtest.h"
#include "svsm/platform/snp/reasons.h"

namespace svsm {
namespace {

using base::Reason;
using base::Result;
using base::Status;
using Kind = VcInstruction::Kind;
using Code = std::vector<uint8_t>;

constexpr uint64_t kText = 0x200000;
constexpr uint64_t kCpuidExit = 0x72, kIoExit = 0x7B, kMsrExit = 0x7C;

class FakeBackend final : public VcBackend {
 public:
  Result<uint32_t> VcIn(uint16_t port, unsigned size) override {
    calls.push_back({1, port, size});
    if (!failure.ok()) return failure;
    return uint32_t{0xA1B2C3D4};
  }
  Status VcOut(uint16_t port, unsigned size, uint32_t value) override {
    calls.push_back({2, port, size, value});
    return failure;
  }
  Result<uint64_t> VcReadMsr(uint32_t msr) override {
    calls.push_back({3, msr});
    if (!failure.ok()) return failure;
    return uint64_t{0x1122334455667788};
  }
  Status VcWriteMsr(uint32_t msr, uint64_t value) override {
    calls.push_back({4, msr, value});
    return failure;
  }
  CpuidRegisters VcCpuid(uint32_t leaf, uint32_t subleaf) override {
    calls.push_back({5, leaf, subleaf});
    return {1, 2, 3, 4};
  }
  std::vector<std::vector<uint64_t>> calls;
  Status failure;
};

ExceptionFrame FrameAt(uint64_t rip, uint64_t error_code) {
  ExceptionFrame frame;
  memset(&frame, 0xEE, sizeof(frame));
  frame.rip = rip;
  frame.error_code = error_code;
  frame.vector = 29;
  return frame;
}

class VcTest : public testing::Test {
 protected:
  Reason Run(const Code& code, uint64_t error_code) {
    frame_.rip = kText;
    frame_.error_code = error_code;
    return EmulateVc(frame_, code, kText, backend_).reason();
  }
  ExceptionFrame frame_ = FrameAt(kText, 0);
  FakeBackend backend_;
};

TEST_F(VcTest, Cpuid) {
  frame_.rax = 0xFFFFFFFF8000001F;
  frame_.rcx = 0xFFFFFFFF00000002;
  ASSERT_EQ(Run({0x0F, 0xA2}, kCpuidExit), Reason());
  EXPECT_EQ(backend_.calls[0], (std::vector<uint64_t>{5, 0x8000001F, 2}));
  EXPECT_EQ(frame_.rax, 1u);
  EXPECT_EQ(frame_.rbx, 2u);
  EXPECT_EQ(frame_.rcx, 3u);
  EXPECT_EQ(frame_.rdx, 4u);
  EXPECT_EQ(frame_.rip, kText + 2);
}

struct PortCase {
  Code code;
  uint64_t call, port, size, rax;
};

TEST_F(VcTest, Ports) {
  const uint64_t old = 0x8899AABBCCDDEEFF;
  const PortCase cases[] = {
      {{0xE4, 0x21}, 1, 0x21, 1, 0x8899AABBCCDDEED4},
      {{0x66, 0xE5, 0x21}, 1, 0x21, 2, 0x8899AABBCCDDC3D4},
      {{0xE5, 0x21}, 1, 0x21, 4, 0xA1B2C3D4},
      {{0xEC}, 1, 0x3F8, 1, 0x8899AABBCCDDEED4},
      {{0x66, 0xED}, 1, 0x3F8, 2, 0x8899AABBCCDDC3D4},
      {{0xED}, 1, 0x3F8, 4, 0xA1B2C3D4},
      {{0xE6, 0x80}, 2, 0x80, 1, old},
      {{0x66, 0xE7, 0x80}, 2, 0x80, 2, old},
      {{0xE7, 0x80}, 2, 0x80, 4, old},
      {{0xEE}, 2, 0x3F8, 1, old},
      {{0x66, 0xEF}, 2, 0x3F8, 2, old},
      {{0xEF}, 2, 0x3F8, 4, old},
      // The prefix does not make a byte a word.
      {{0x66, 0xEC}, 1, 0x3F8, 1, 0x8899AABBCCDDEED4},
  };
  for (const PortCase& c : cases) {
    frame_.rax = old;
    frame_.rdx = 0xFFFFFFFFFFFF03F8;
    backend_.calls.clear();
    ASSERT_EQ(Run(c.code, kIoExit), Reason());
    ASSERT_EQ(backend_.calls.size(), 1u);
    EXPECT_EQ(backend_.calls[0][0], c.call);
    EXPECT_EQ(backend_.calls[0][1], c.port);
    EXPECT_EQ(backend_.calls[0][2], c.size);
    if (c.call == 2) {
      const uint64_t mask = c.size == 4   ? 0xFFFFFFFF
                            : c.size == 2 ? 0xFFFF
                                          : 0xFF;
      EXPECT_EQ(backend_.calls[0][3], old & mask);
    }
    EXPECT_EQ(frame_.rax, c.rax);
    EXPECT_EQ(frame_.rip, kText + c.code.size());
  }
}

TEST_F(VcTest, Msrs) {
  frame_.rcx = 0xFFFFFFFF00000010;
  ASSERT_EQ(Run({0x0F, 0x32}, kMsrExit), Reason());
  EXPECT_EQ(frame_.rax, 0x55667788u);
  EXPECT_EQ(frame_.rdx, 0x11223344u);
  frame_.rax = 0xFFFFFFFF00000001;
  frame_.rdx = 0xFFFFFFFF00000002;
  ASSERT_EQ(Run({0x0F, 0x30}, kMsrExit), Reason());
  EXPECT_EQ(backend_.calls[1],
            (std::vector<uint64_t>{4, 0x10, 0x0000000200000001}));
}

TEST_F(VcTest, MsrsThatTheCpuAnswersItself) {
  for (const uint64_t msr :
       {0xC0000080, 0xC0010130, 0xC0010131, 0xC0010134, 0xC001013F}) {
    frame_.rcx = msr;
    EXPECT_EQ(Run({0x0F, 0x32}, kMsrExit), kVcPrivateMsr);
    EXPECT_EQ(Run({0x0F, 0x30}, kMsrExit), kVcPrivateMsr);
  }
  EXPECT_TRUE(backend_.calls.empty());
}

TEST_F(VcTest, AnErrorCodeThatTheInstructionDoesNotRaise) {
  const Code codes[] = {
      {0x0F, 0xA2}, {0xEC}, {0xEE}, {0x0F, 0x32}, {0x0F, 0x30}};
  const uint64_t raised[] = {kCpuidExit, kIoExit, kIoExit, kMsrExit, kMsrExit};
  for (size_t i = 0; i < std::size(codes); ++i) {
    for (const uint64_t error : {kCpuidExit, kIoExit, kMsrExit}) {
      if (error == raised[i]) continue;
      const ExceptionFrame before = frame_;
      EXPECT_EQ(Run(codes[i], error), kVcMismatch);
      EXPECT_EQ(frame_.rax, before.rax);
      EXPECT_EQ(frame_.rip, kText);
    }
  }
  EXPECT_TRUE(backend_.calls.empty());
}

TEST_F(VcTest, ErrorCodesThatAreNotHandled) {
  for (uint64_t error = 0; error < 0x800; ++error) {
    if (error == kCpuidExit || error == kIoExit || error == kMsrExit) continue;
    EXPECT_EQ(Run({0x0F, 0xA2}, error),
              error == 0x404 ? kPageTakenAway : kVcUnexpected)
        << error;
  }
  EXPECT_EQ(Run({0x0F, 0xA2}, UINT64_MAX), kVcUnexpected);
  EXPECT_EQ(Run({0x0F, 0xA2}, uint64_t{1} << 32 | kCpuidExit), kVcUnexpected);
}

TEST_F(VcTest, OnlyTheTextIsRead) {
  const Code text = {0x0F, 0xA2};
  for (const uint64_t rip : {uint64_t{0}, kText - 1, kText + 2, UINT64_MAX}) {
    ExceptionFrame frame = FrameAt(rip, kCpuidExit);
    EXPECT_EQ(EmulateVc(frame, text, kText, backend_).reason(), kVcMismatch);
  }
  // An instruction that the end cuts off.
  for (const Code& cut :
       {Code{0x0F}, Code{0x66}, Code{0xE4}, Code{0x66, 0xE5}}) {
    EXPECT_EQ(Run(cut, kIoExit), kVcMismatch);
  }
}

TEST_F(VcTest, AFailureOfTheBackendLeavesTheFrame) {
  backend_.failure = Status(base::Code::kDataLoss, kGhcbUnanswered);
  frame_.rcx = 0x10;
  const ExceptionFrame before = frame_;
  for (const Code& code : {Code{0xEC}, Code{0xEE}}) {
    EXPECT_EQ(Run(code, kIoExit), kGhcbUnanswered);
    EXPECT_EQ(frame_.rax, before.rax);
    EXPECT_EQ(frame_.rip, kText);
  }
  EXPECT_EQ(Run({0x0F, 0x32}, kMsrExit), kGhcbUnanswered);
  EXPECT_EQ(frame_.rip, kText);
}

// Of all that begins with these bytes, nothing else is taken for one of ours.
TEST_F(VcTest, EveryOtherOpcodeIsRefused) {
  int known = 0;
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const Code code = {static_cast<uint8_t>(first),
                         static_cast<uint8_t>(second), 0x00};
      const auto out = DecodeVcInstruction(code);
      const bool port =
          (first >= 0xE4 && first <= 0xE7) || (first >= 0xEC && first <= 0xEF);
      const bool word = first == 0x66 && ((second >= 0xE4 && second <= 0xE7) ||
                                          (second >= 0xEC && second <= 0xEF));
      const bool two =
          first == 0x0F && (second == 0xA2 || second == 0x30 || second == 0x32);
      EXPECT_EQ(out.ok(), port || word || two) << first << " " << second;
      known += out.ok() ? 1 : 0;
    }
  }
  EXPECT_EQ(known, 8 * 256 + 8 + 3);
}

}  // namespace
}  // namespace svsm
