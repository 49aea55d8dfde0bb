// SPDX-License-Identifier: Apache-2.0
//
// The session against a guest that does not keep the rules, frame by frame.
#include "host-proxy/session.h"

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "gtest/gtest.h"
#include "host-proxy/testing/session_fixture.h"
#include "proto/channel.h"
#include "proto/reasons.h"
#include "proxy/frame.h"
#include "proxy/frame_link.h"
#include "proxy/guest_transport.h"
#include "proxy/page_layout.h"
#include "proxy/reasons.h"
#include "proxy/testing/loopback_machine.h"

namespace host_proxy {
namespace {

namespace channel = proto::channel;
using proxy::FrameType;

base::Bytes B(std::string_view text) {
  // EDGE: characters as bytes.
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

class SessionTest : public ::testing::Test {
 protected:
  SessionTest() { Boot(); }

  void Boot() {
    transport_.emplace(machine_.range(), machine_, proxy::kProxyReadBack,
                       machine_);
    link_ = std::make_unique<proxy::FrameLink>(*transport_, machine_);
  }
  // Frames from the guest, as raw as it likes.
  template <typename T>
  void Send(FrameType type, const T& message) {
    ASSERT_TRUE(link_->SendMessage(type, message, machine_.In(1000)).ok());
    machine_.Relax();
  }
  proxy::FrameType Receive() {
    const auto frame = link_->Receive(machine_.In(1000));
    EXPECT_TRUE(frame.ok());
    return frame.ok() ? frame->type : FrameType::kHello;
  }
  void Greet(uint32_t credit = 32768) {
    ASSERT_TRUE(link_->Attach(machine_.In(1000)).ok());
    Send(FrameType::kHello,
         channel::Hello{1, 1, channel::kMaxBody, credit, B("vm")});
    ASSERT_EQ(Receive(), FrameType::kWelcome);
  }
  void Open(uint32_t stream = 1) {
    Send(FrameType::kOpen, channel::Open{stream, B("v")});
    ASSERT_EQ(Receive(), FrameType::kOpened);
  }

  proxy::testing::LoopbackMachine machine_;
  testing::SessionHost host_{machine_};
  std::optional<proxy::GuestPageTransport> transport_;
  std::unique_ptr<proxy::FrameLink> link_;
};

TEST_F(SessionTest, RulesOfTheChannelAreKept) {
  const struct {
    const char* what;
    base::Reason reason;
    std::function<void()> wild;
  } rows[] = {
      {"second Hello", proxy::kUnexpectedMessage,
       [&] {
         Send(FrameType::kHello, channel::Hello{1, 1, 4096, 1, B("vm")});
       }},
      {"Welcome", proxy::kUnexpectedMessage,
       [&] {
         Send(FrameType::kWelcome, channel::Welcome{1, 4096, 1, 1, B("v"), 7});
       }},
      {"Opened", proxy::kUnexpectedMessage,
       [&] { Send(FrameType::kOpened, channel::Opened{1}); }},
      {"Certificates", proxy::kUnexpectedMessage,
       [&] { Send(FrameType::kCertificates, channel::Certificates{}); }},
      {"firmware", proxy::kUnexpectedMessage,
       [&] { Send(FrameType::kFirmwareAttach, channel::FirmwareAttach{}); }},
      {"data for no stream", proxy::kUnexpectedMessage,
       [&] { Send(FrameType::kData, channel::Data{9, B("x")}); }},
      {"credit for no stream", proxy::kUnexpectedMessage,
       [&] { Send(FrameType::kCredit, channel::Credit{9, 1}); }},
      {"close of no stream", proxy::kUnexpectedMessage,
       [&] { Send(FrameType::kClose, channel::Close{9}); }},
      {"stream id again", proxy::kUnexpectedMessage,
       [&] { Send(FrameType::kOpen, channel::Open{1, B("v")}); }},
      {"endless credit", proxy::kCreditExceeded,
       [&] { Send(FrameType::kCredit, channel::Credit{1, UINT32_MAX}); }},
      {"bad field", proto::kChannelFieldInvalid,
       [&] { Send(FrameType::kData, channel::Data{1, {}}); }},
  };
  for (const auto& row : rows) {
    Boot();
    Greet();
    Open();
    row.wild();
    EXPECT_EQ(host_.last_error.reason(), row.reason) << row.what;
    EXPECT_FALSE(host_.endpoint.attached()) << row.what;
    EXPECT_FALSE(host_.backend.peers[0].in_use) << row.what;
  }
}

TEST_F(SessionTest, HelloComesFirst) {
  ASSERT_TRUE(link_->Attach(machine_.In(1000)).ok());
  Send(FrameType::kPing, channel::Ping{1});
  EXPECT_EQ(host_.last_error.reason(), proxy::kUnexpectedMessage);
}

TEST_F(SessionTest, NoCommonVersionIsToldToTheGuest) {
  ASSERT_TRUE(link_->Attach(machine_.In(1000)).ok());
  Send(FrameType::kHello, channel::Hello{2, 9, 4096, 1, B("vm")});
  EXPECT_EQ(link_->Receive(machine_.In(1000)).status().reason(),
            proxy::kNoCommonVersion);
}

TEST_F(SessionTest, MoreDataThanCreditEndsTheSession) {
  Greet();
  Open();
  host_.backend.peers[0].room = 0;
  const std::vector<uint8_t> half(kStreamCredit / 2, 1);
  Send(FrameType::kData, channel::Data{1, half});
  Send(FrameType::kData, channel::Data{1, half});
  EXPECT_TRUE(host_.last_error.ok());
  Send(FrameType::kData, channel::Data{1, B("x")});
  EXPECT_EQ(host_.last_error.reason(), proxy::kCreditExceeded);
}

TEST_F(SessionTest, CreditComesBackWhenTheConnectionTakesTheBytes) {
  Greet();
  Open();
  host_.backend.peers[0].room = 100;
  const std::vector<uint8_t> all(kStreamCredit - 100, 1);
  Send(FrameType::kData, channel::Data{1, all});
  EXPECT_TRUE(host_.session.WantsWrite(0));
  host_.backend.peers[0].room = SIZE_MAX;
  EXPECT_EQ(Receive(), FrameType::kCredit);
  EXPECT_FALSE(host_.session.WantsWrite(0));
  EXPECT_EQ(host_.backend.peers[0].from_guest, all);
}

TEST_F(SessionTest, TheGuestsCreditBoundsWhatIsRead) {
  Greet(/*credit=*/1000);
  Open();
  host_.backend.peers[0].to_guest.assign(5000, 2);
  EXPECT_EQ(Receive(), FrameType::kData);
  machine_.Relax();
  EXPECT_EQ(host_.backend.peers[0].to_guest.size(), 4000u);
  EXPECT_FALSE(host_.session.WantsRead(0));
  Send(FrameType::kCredit, channel::Credit{1, 500});
  EXPECT_EQ(Receive(), FrameType::kData);
  EXPECT_EQ(host_.backend.peers[0].to_guest.size(), 3500u);
}

TEST_F(SessionTest, StreamsAreLimitedAndFreedAgain) {
  Greet();
  for (uint32_t stream = 1; stream <= kMaxStreams; ++stream) Open(stream);
  Send(FrameType::kOpen, channel::Open{kMaxStreams + 1, B("v")});
  EXPECT_EQ(Receive(), FrameType::kRefused);
  Send(FrameType::kClose, channel::Close{1, channel::CloseReason::kDone});
  EXPECT_FALSE(host_.backend.peers[0].in_use);
  Open(kMaxStreams + 2);
}

TEST_F(SessionTest, UnknownEndpointIsRefused) {
  Greet();
  Send(FrameType::kOpen, channel::Open{1, B("elsewhere")});
  EXPECT_EQ(Receive(), FrameType::kRefused);
  Open(2);
}

TEST_F(SessionTest, LastBytesGoOutAfterTheGuestClosed) {
  Greet();
  Open();
  host_.backend.peers[0].room = 0;
  Send(FrameType::kData, channel::Data{1, B("receipt")});
  Send(FrameType::kClose, channel::Close{1, channel::CloseReason::kDone});
  EXPECT_TRUE(host_.backend.peers[0].in_use);
  host_.backend.peers[0].room = SIZE_MAX;
  host_.Turn();
  EXPECT_FALSE(host_.backend.peers[0].in_use);
  EXPECT_EQ(host_.backend.peers[0].from_guest.size(), 7u);
}

TEST_F(SessionTest, EndOfTheConnectionClosesTheStream) {
  Greet();
  Open();
  host_.backend.peers[0].to_guest.assign(10, 1);
  host_.backend.peers[0].eof = true;
  EXPECT_EQ(Receive(), FrameType::kData);
  EXPECT_EQ(Receive(), FrameType::kClose);
  // What the guest had sent by then is dropped, not an error.
  Send(FrameType::kData, channel::Data{1, B("late")});
  EXPECT_TRUE(host_.last_error.ok());
}

TEST_F(SessionTest, GuestThatDoesNotReadGetsNothingMoreButHarmsNobody) {
  Greet();
  // Far more answers than the ring holds.
  for (int i = 0; i < 40; ++i) {
    const std::array<uint8_t, channel::kChipIdSize> chip{};
    host_.backend.certificates_size = channel::kMaxCertificateTable;
    const auto sent =
        link_->SendMessage(FrameType::kGetCertificates,
                           channel::GetCertificates{chip, 1}, machine_.In(100));
    machine_.Relax();
    if (!sent.ok()) break;
  }
  EXPECT_TRUE(host_.last_error.ok());
  for (int i = 0; i < 40; ++i) EXPECT_EQ(Receive(), FrameType::kCertificates);
}

TEST_F(SessionTest, ClosingTheSessionLetsGoOfThePage) {
  Greet();
  Open();
  Send(FrameType::kClose, channel::Close{0, channel::CloseReason::kDone});
  EXPECT_FALSE(host_.endpoint.attached());
  EXPECT_FALSE(host_.backend.peers[0].in_use);
  EXPECT_TRUE(transport_->HostLetGo());
}

}  // namespace
}  // namespace host_proxy
