// SPDX-License-Identifier: Apache-2.0
#include "svsm/platform/emulated_processor.h"

#include <stdint.h>
#include <string.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "gtest/gtest.h"
#include "proto/channel.h"
#include "proxy/frame.h"
#include "proxy/guest_transport.h"
#include "proxy/page_layout.h"
#include "proxy/testing/loopback_machine.h"
#include "proxy/testing/scripted_host.h"
#include "sev/secrets_page.h"
#include "svsm/reasons.h"

namespace svsm {
namespace {

namespace channel = proto::channel;
using proxy::FrameType;

class EmulatedProcessorTest : public testing::Test {
 protected:
  EmulatedProcessorTest() {
    machine_.read_back = proxy::kFirmwareReadBack;
    page_[0] = 3;  // version
    for (size_t i = 0; i < sev::kVmpckSize; ++i) {
      page_[sev::secrets_layout::Vmpck0::kOffset + i] =
          static_cast<uint8_t>(i + 1);
    }
    host_.on_frame = [this](const proxy::Frame& frame) {
      if (frame.type == FrameType::kFirmwareAttach) {
        host_.Send(FrameType::kFirmwareSecrets,
                   channel::FirmwareSecrets{page_});
      } else if (frame.type == FrameType::kFirmwareRequest && answers_) {
        host_.Send(FrameType::kFirmwareResponse, response_);
      }
    };
  }
  base::Instant Soon() { return machine_.In(5000); }

  std::array<uint8_t, sev::kSecretsPageSize> page_{};
  std::array<uint8_t, sev::kMessagePageSize> request_{};
  std::array<uint8_t, sev::kMessagePageSize> out_{};
  channel::FirmwareResponse response_;
  bool answers_ = true;
  proxy::testing::LoopbackMachine machine_;
  proxy::testing::ScriptedHost host_{machine_};
  proxy::GuestPageTransport transport_{machine_.range(), machine_,
                                       proxy::kFirmwareReadBack, machine_};
  std::unique_ptr<EmulatedProcessor> processor_ =
      std::make_unique<EmulatedProcessor>(transport_, machine_);
};

TEST_F(EmulatedProcessorTest, KeepsNoCopyOfTheKey) {
  const auto key = processor_->Attach(Soon());
  ASSERT_TRUE(key.ok());
  const base::Bytes memory(
      // EDGE: looks at the object's bytes, as the test in QEMU does at RAM.
      reinterpret_cast<const uint8_t*>(processor_.get()),
      sizeof(EmulatedProcessor));
  const auto bytes = key->RevealSecret();
  EXPECT_EQ(
      std::search(memory.begin(), memory.end(), bytes.begin(), bytes.end()),
      memory.end());
}

TEST_F(EmulatedProcessorTest, TakesTheKeyOutOfTheSecretsPage) {
  const auto key = processor_->Attach(Soon());
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(key->RevealSecret()[0], 1);
  EXPECT_EQ(key->RevealSecret()[31], 32);
}

TEST_F(EmulatedProcessorTest, APageWithoutAKeyIsRefused) {
  page_.fill(0);
  page_[0] = 3;
  EXPECT_EQ(processor_->Attach(Soon()).status().code(), base::Code::kDataLoss);
}

TEST_F(EmulatedProcessorTest, AbsenceHasItsOwnReason) {
  host_.stopped = true;
  EXPECT_EQ(processor_->Attach(Soon()).status(),
            base::Status(base::Code::kDeadlineExceeded, kProcessorAbsent));
}

TEST_F(EmulatedProcessorTest, ExchangesPages) {
  ASSERT_TRUE(processor_->Attach(Soon()).ok());
  std::array<uint8_t, sev::kMessagePageSize> answer;
  answer.fill(0x5A);
  response_.page = answer;
  const auto outcome = processor_->Exchange(request_, out_, Soon());
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(*outcome, 0u);
  EXPECT_EQ(out_, answer);
}

TEST_F(EmulatedProcessorTest, AnErrorLeavesTheResponseAlone) {
  ASSERT_TRUE(processor_->Attach(Soon()).ok());
  response_.exit_info_2 = uint64_t{2} << 32;
  out_.fill(0x11);
  const auto outcome = processor_->Exchange(request_, out_, Soon());
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(*outcome, uint64_t{2} << 32);
  EXPECT_EQ(out_[0], 0x11);
  EXPECT_EQ(out_[4095], 0x11);
}

TEST_F(EmulatedProcessorTest, SilenceEndsAtTheDeadline) {
  ASSERT_TRUE(processor_->Attach(Soon()).ok());
  answers_ = false;
  EXPECT_EQ(processor_->Exchange(request_, out_, Soon()).status(),
            base::Status(base::Code::kDeadlineExceeded, kProcessorAbsent));
}

TEST_F(EmulatedProcessorTest, CloseEmptiesTheSharedRange) {
  ASSERT_TRUE(processor_->Attach(Soon()).ok());
  processor_->Close(Soon());
  EXPECT_FALSE(host_.endpoint->attached());
  std::array<uint8_t, proxy::kPageSize> page;
  for (uint32_t at = 0; at < proxy::kSharedRangeSize; at += proxy::kPageSize) {
    machine_.range().CopyOut(at, page);
    EXPECT_TRUE(base::AllZero(page)) << at;
  }
}

}  // namespace
}  // namespace svsm
