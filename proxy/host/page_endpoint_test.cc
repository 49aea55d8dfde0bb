// SPDX-License-Identifier: Apache-2.0
#include "proxy/host/page_endpoint.h"

#include <array>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "gtest/gtest.h"
#include "proxy/frame.h"
#include "proxy/page_layout.h"
#include "proxy/reasons.h"
#include "proxy/registration.h"
#include "proxy/testing/loopback_machine.h"

namespace proxy::host {
namespace {

using Event = PageEndpoint::Event;
using testing::LoopbackMachine;

class PageEndpointTest : public ::testing::Test {
 protected:
  // The last event of the record's bytes.
  Event Register(uint32_t session = 1, uint64_t gpa = LoopbackMachine::kGpa) {
    Event last = Event::kNothing;
    for (const uint8_t byte : EncodeRegistration(
             {.gpa = gpa, .length = kSharedRangeSize, .session = session})) {
      last = endpoint_->Feed(byte);
    }
    return last;
  }
  base::Status SendFrame(base::Bytes body) {
    BASE_TRY(endpoint_->channel().Send(FrameType::kPing, body));
    return endpoint_->channel().Flush().status();
  }
  uint32_t Word(uint32_t offset) { return machine_.range().Load32(offset); }

  LoopbackMachine machine_;
  std::unique_ptr<PageEndpoint> endpoint_ =
      std::make_unique<PageEndpoint>(machine_.ram_path(), 7);
};

TEST_F(PageEndpointTest, AttachesOnceHoweverOftenTheRecordComes) {
  EXPECT_EQ(Register(), Event::kAttached);
  EXPECT_EQ(Word(page::kHostSession), 1u);
  EXPECT_EQ(Word(page::kHostRecordsSeen), 1u);
  EXPECT_EQ(Register(), Event::kDoorbell);
  EXPECT_EQ(Register(), Event::kDoorbell);
  EXPECT_EQ(Word(page::kHostRecordsSeen), 3u);
}

TEST_F(PageEndpointTest, ResetVmWithTheSameSessionNumberAttachesAnew) {
  ASSERT_EQ(Register(), Event::kAttached);
  machine_.range().Zero(0, kPageSize);
  EXPECT_EQ(Register(), Event::kAttached);
}

TEST_F(PageEndpointTest, PageInUseByADeadDaemonIsToldSo) {
  machine_.range().Store32(page::kToHostHead, 100);
  EXPECT_EQ(Register(), Event::kRejected);
  EXPECT_EQ(endpoint_->last_error().reason(), kSessionStale);
  EXPECT_EQ(Word(page::kHostStatus), kSessionStale.bits);
  EXPECT_EQ(Word(page::kHostSession), 1u);
  EXPECT_FALSE(endpoint_->attached());
}

TEST_F(PageEndpointTest, BadRegistrationLeavesTheSessionAlone) {
  ASSERT_EQ(Register(), Event::kAttached);
  EXPECT_EQ(Register(2, LoopbackMachine::kRamSize), Event::kRejected);
  EXPECT_EQ(endpoint_->last_error().reason(), kRangeOutsideRam);
  EXPECT_TRUE(endpoint_->attached());
}

TEST_F(PageEndpointTest, AsksForADoorbellBeforeItSleeps) {
  ASSERT_EQ(Register(), Event::kAttached);
  EXPECT_TRUE(*endpoint_->PrepareToSleep());
  EXPECT_EQ(Word(page::kBellWanted), 1u);
  // Asked once is enough, until one came.
  machine_.range().Store32(page::kBellsRung, 1);
  EXPECT_TRUE(*endpoint_->PrepareToSleep());
  EXPECT_EQ(Word(page::kBellWanted), 1u);
  EXPECT_EQ(endpoint_->Feed(kDoorbellByte), Event::kDoorbell);
  EXPECT_TRUE(*endpoint_->PrepareToSleep());
  EXPECT_EQ(Word(page::kBellWanted), 2u);
}

TEST_F(PageEndpointTest, DoesNotSleepOverBytes) {
  ASSERT_EQ(Register(), Event::kAttached);
  machine_.range().Store32(page::kToHostHead, 3);
  EXPECT_FALSE(*endpoint_->PrepareToSleep());
  machine_.range().Store32(page::kToHostHead, kRingSize + 1);
  EXPECT_EQ(endpoint_->PrepareToSleep().status().reason(), kRingIndexWild);
}

TEST_F(PageEndpointTest, SaysEachTimeThatItHasLooked) {
  ASSERT_EQ(Register(), Event::kAttached);
  EXPECT_EQ(Word(page::kHostLooks), 0u);
  EXPECT_TRUE(endpoint_->Look());
  EXPECT_TRUE(endpoint_->Look());
  EXPECT_EQ(Word(page::kHostLooks), 2u);
}

// A VM that was reset: its memory may be anything now, until it registers.
TEST_F(PageEndpointTest, LooksAtNoPageThatIsNoMoreAChannel) {
  ASSERT_EQ(Register(), Event::kAttached);
  for (const uint32_t session : {0u, 2u}) {
    machine_.range().Zero(0, kPageSize);
    machine_.range().Store32(page::kHostSession, session);
    machine_.range().Store32(page::kToHostHead, kRingSize + 1);
    EXPECT_FALSE(endpoint_->Look());
    EXPECT_TRUE(*endpoint_->PrepareToSleep());
    EXPECT_EQ(Word(page::kHostLooks), 0u);
    EXPECT_EQ(Word(page::kBellWanted), 0u);
  }
}

TEST_F(PageEndpointTest, WritesNothingThereEither) {
  constexpr uint8_t kByte[] = {1};
  for (const bool fine : {true, false}) {
    machine_.range().Zero(0, kPageSize);
    ASSERT_EQ(Register(), Event::kAttached);
    EXPECT_TRUE(endpoint_->StillOurs());
    machine_.range().Zero(0, kSharedRangeSize);
    EXPECT_FALSE(endpoint_->StillOurs());
    EXPECT_FALSE(endpoint_->Look());
    EXPECT_EQ(SendFrame(kByte).reason(), kNotConnected);
    EXPECT_EQ(endpoint_->channel().Receive().status().reason(), kNotConnected);
    endpoint_->Detach(fine ? base::Status()
                           : base::Status(base::Code::kUnavailable, kRamLost));
    EXPECT_FALSE(endpoint_->attached());
    for (uint32_t at = 0; at < kSharedRangeSize; at += 4) {
      ASSERT_EQ(Word(at), 0u) << at;
    }
  }
}

TEST_F(PageEndpointTest, DetachSaysWhyOrLetsGo) {
  ASSERT_EQ(Register(), Event::kAttached);
  endpoint_->Detach(base::Status(base::Code::kDataLoss, kRingIndexWild));
  EXPECT_EQ(Word(page::kHostStatus), kRingIndexWild.bits);
  // The same session again finds the reason still there.
  machine_.range().Store32(page::kToHostHead, 100);
  EXPECT_EQ(Register(), Event::kRejected);
  EXPECT_EQ(Word(page::kHostStatus), kRingIndexWild.bits);

  machine_.range().Zero(0, kPageSize);
  ASSERT_EQ(Register(2), Event::kAttached);
  endpoint_->Detach({});
  EXPECT_EQ(Word(page::kHostSession), 0u);
  EXPECT_EQ(endpoint_->Feed(kDoorbellByte), Event::kNothing);
}

TEST_F(PageEndpointTest, LostRamIsNoticed) {
  ASSERT_EQ(Register(), Event::kAttached);
  machine_.TruncateRam(4096);
  (void)endpoint_->channel().Receive();
  EXPECT_TRUE(endpoint_->lost());
  endpoint_->Detach(base::Status(base::Code::kUnavailable, kRamLost));
}

}  // namespace
}  // namespace proxy::host
