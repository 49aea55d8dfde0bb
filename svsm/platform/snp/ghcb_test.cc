// SPDX-License-Identifier: Apache-2.0
#include "svsm/platform/snp/ghcb.h"

#include <stdint.h>

#include "base/result.h"
#include "gtest/gtest.h"
#include "sev/ghcb.h"
#include "svsm/platform/snp/fake_hypervisor.h"
#include "svsm/platform/snp/reasons.h"

namespace svsm {
namespace {

namespace f = sev::ghcb_layout;
using base::Reason;

class GhcbTest : public testing::Test {
 protected:
  FakeHypervisor host_;
  Ghcb ghcb_{host_, host_.page()};

  Reason InReason() { return ghcb_.In(0x3FD, 1).status().reason(); }
  Reason OutReason() { return ghcb_.Out(0x3F8, 1, 'x').reason(); }
  Reason ReadReason() { return ghcb_.ReadMsr(0x10).status().reason(); }
  Reason WriteReason() { return ghcb_.WriteMsr(0x10, 1).reason(); }
};

TEST_F(GhcbTest, PortsAreSentAsTheSpecificationHasThem) {
  EXPECT_TRUE(ghcb_.Out(0x3F8, 1, 0x141).ok());
  EXPECT_TRUE(ghcb_.Out(0x604, 2, 0x2000).ok());
  EXPECT_TRUE(ghcb_.Out(0x518, 4, 0xDEADBEEF).ok());
  host_.in_value = 0xAABBCCDD;
  EXPECT_EQ(*ghcb_.In(0x3FD, 1), 0xDDu);
  EXPECT_EQ(*ghcb_.In(0x3FD, 2), 0xCCDDu);
  EXPECT_EQ(*ghcb_.In(0x3FD, 4), 0xAABBCCDDu);
  // APM volume 2, 15.10.2: port, 64-bit addresses, size, direction.
  ASSERT_EQ(host_.ports.size(), 6u);
  EXPECT_EQ(host_.ports[0].info, 0x03F80210u);
  EXPECT_EQ(host_.ports[1].info, 0x06040220u);
  EXPECT_EQ(host_.ports[2].info, 0x05180240u);
  EXPECT_EQ(host_.ports[2].rax, 0xDEADBEEFu);
  EXPECT_EQ(host_.ports[3].info, 0x03FD0211u);
}

TEST_F(GhcbTest, TheValidBitmapHasWhatTheRequestSetsAndNoMore) {
  uint64_t bitmap[2] = {};
  host_.page_lie = [&] {
    bitmap[0] = host_.page().Load64(f::ValidBitmap::kOffset);
    bitmap[1] = host_.page().Load64(f::ValidBitmap::kOffset + 8);
    EXPECT_EQ(host_.page().Load64(0xFF8), uint64_t{2} << 16);
    return false;
  };
  constexpr uint64_t kExit = uint64_t{7} << (0x390 / 8 - 64);
  EXPECT_TRUE(ghcb_.WriteMsr(0x10, 1).ok());
  EXPECT_EQ(bitmap[0], uint64_t{1} << (0x1F8 / 8));
  EXPECT_EQ(bitmap[1], kExit | uint64_t{1} << (0x308 / 8 - 64) |
                           uint64_t{1} << (0x310 / 8 - 64));
  // Nothing stays from before.
  EXPECT_TRUE(ghcb_.In(0x3FD, 1).ok());
  EXPECT_EQ(bitmap[0], 0u);
  EXPECT_EQ(bitmap[1], kExit);
}

TEST_F(GhcbTest, Msrs) {
  EXPECT_TRUE(ghcb_.WriteMsr(0x10, 0x1122334455667788).ok());
  EXPECT_EQ(host_.msr_value, 0x1122334455667788u);
  EXPECT_EQ(*ghcb_.ReadMsr(0x10), 0x1122334455667788u);
}

TEST_F(GhcbTest, AnAnswerThatIsNeverWritten) {
  host_.page_lie = [] { return true; };
  EXPECT_EQ(InReason(), kGhcbUnanswered);
  EXPECT_EQ(OutReason(), kGhcbUnanswered);
  EXPECT_EQ(ReadReason(), kGhcbUnanswered);
  EXPECT_EQ(WriteReason(), kGhcbUnanswered);
  EXPECT_EQ(ghcb_.GuestRequest(0x5000, 0x6000).status().reason(),
            kGhcbUnanswered);
  EXPECT_EQ(
      ghcb_.ExtendedGuestRequest(0x5000, 0x6000, 0x7000, 4).status().reason(),
      kGhcbUnanswered);
}

TEST_F(GhcbTest, AnMsrThatTheHostRefusesIsNotOneThatItForgot) {
  host_.page_lie = [&] {
    host_.Done(1, 0x80000B0D);  // #GP
    return true;
  };
  EXPECT_EQ(WriteReason(), kGhcbException);
}

TEST_F(GhcbTest, ARegisterThatIsNotMarkedValid) {
  host_.page_lie = [&] {
    host_.ClearValid();
    host_.Done();
    return true;
  };
  EXPECT_EQ(InReason(), kGhcbUnanswered);
  EXPECT_EQ(ReadReason(), kGhcbUnanswered);
  host_.page_lie = [&] {
    host_.ClearValid();
    host_.Put<f::Rax>(1);
    host_.Done();
    return true;
  };
  EXPECT_EQ(ReadReason(), kGhcbUnanswered);
  EXPECT_EQ(InReason(), Reason());
}

TEST_F(GhcbTest, ResultsOtherThanDone) {
  for (uint64_t result = 0; result < 300; ++result) {
    // The upper half is reserved.
    host_.page_lie = [&] {
      host_.Put<f::Rax>(0);
      host_.Put<f::Rdx>(0);
      host_.Done(result | uint64_t{5} << 32, 0x8000000D);
      return true;
    };
    const Reason expected = result == 0   ? Reason()
                            : result == 1 ? kGhcbException
                            : result == 2 ? kGhcbRefused
                                          : kGhcbUnknownResult;
    EXPECT_EQ(InReason(), expected) << result;
    EXPECT_EQ(OutReason(), expected) << result;
    EXPECT_EQ(ReadReason(), expected) << result;
    EXPECT_EQ(WriteReason(), expected) << result;
  }
}

TEST_F(GhcbTest, GuestRequests) {
  host_.page_lie = [&] {
    EXPECT_EQ(host_.Get<f::SwExitCode>(), 0x80000012u);
    EXPECT_EQ(host_.Get<f::SwExitInfo1>(), 0x5000u);
    EXPECT_EQ(host_.Get<f::SwExitInfo2>(), 0x6000u);
    EXPECT_TRUE(host_.Valid<f::Rax>() && host_.Valid<f::Rbx>());
    EXPECT_EQ(host_.Get<f::Rax>(), 0x7000u);
    EXPECT_EQ(host_.Get<f::Rbx>(), 4u);
    host_.Put<f::Rbx>(9);
    host_.Done(0, uint64_t{1} << 32);
    return true;
  };
  const auto extended = ghcb_.ExtendedGuestRequest(0x5000, 0x6000, 0x7000, 4);
  ASSERT_TRUE(extended.ok());
  EXPECT_EQ(extended->result, 0u);
  EXPECT_EQ(extended->exit_info_2, uint64_t{1} << 32);
  EXPECT_EQ(extended->rbx, 9u);

  // Not supported: an answer, for the caller to judge.
  host_.page_lie = [&] {
    host_.ClearValid();
    host_.page().Store64(f::Rbx::kOffset, 77);
    host_.Done(2, 5);
    return true;
  };
  const auto plain = ghcb_.GuestRequest(0x5000, 0x6000);
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->result, 2u);
  EXPECT_EQ(plain->rbx, 0u);

  host_.page_lie = [&] {
    host_.Done(1, 0x8000000D);
    return true;
  };
  EXPECT_EQ(ghcb_.GuestRequest(0x5000, 0x6000).status().reason(),
            kGhcbException);
}

TEST_F(GhcbTest, NoRequestInsideAnother) {
  Reason inner;
  host_.page_lie = [&] {
    inner = OutReason();
    return false;
  };
  EXPECT_TRUE(ghcb_.Out(0x3F8, 1, 'x').ok());
  EXPECT_EQ(inner, kGhcbBusy);
  EXPECT_EQ(host_.page_exits, 1u);
}

// Every field that the host can write holds junk: no answer is made of it.
TEST_F(GhcbTest, JunkInThePageDoesNothing) {
  for (uint32_t fill = 0; fill < 256; ++fill) {
    host_.page_lie = [&] {
      for (uint32_t i = 0; i < sev::kGhcbSize; i += 8) {
        host_.page().Store64(i, fill * uint64_t{0x0101010101010101});
      }
      return true;
    };
    const auto value = ghcb_.In(0x3FD, 1);
    if (value.ok()) {
      // All zero bits are not a valid RAX; nothing else is a result of 0.
      ADD_FAILURE() << fill;
    }
  }
}

}  // namespace
}  // namespace svsm
