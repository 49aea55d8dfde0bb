// SPDX-License-Identifier: Apache-2.0
#include "psp/service.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "hosted/text.h"
#include "proto/channel.h"
#include "proxy/reasons.h"
#include "psp/error.h"
#include "psp/reasons.h"

namespace psp {
namespace {

using base::Code;
using base::Status;
using proxy::FrameType;

constexpr int kFramesPerTurn = 16;

}  // namespace

FirmwareService::FirmwareService(const Hierarchy& hierarchy, Options options)
    : options_(std::move(options)),
      firmware_(hierarchy, options_.fault, options_.platform),
      endpoint_(options_.ram_path, options_.generation) {}

void FirmwareService::Log(std::string_view text) const {
  if (options_.log) options_.log(text);
}

void FirmwareService::Connected() {
  may_attach_ = true;
  launched_ = false;
}

FirmwareService::Next FirmwareService::Feed(base::Bytes from_qemu) {
  using Event = proxy::host::PageEndpoint::Event;
  for (const uint8_t byte : from_qemu) {
    switch (endpoint_.Feed(byte)) {
      case Event::kNothing:
      case Event::kDoorbell:
        break;
      case Event::kAttached:
        launched_ = false;
        Log(absl::StrFormat("channel registered at 0x%x",
                            endpoint_.registration().gpa));
        break;
      case Event::kRejected:
        Log(absl::StrCat("registration refused: ",
                         base::NameOf(endpoint_.last_error().reason()).text));
        break;
    }
  }
  return Serve();
}

FirmwareService::Next FirmwareService::Serve() {
  close_ = false;
  const Next next = ServeFrames();
  if (endpoint_.lost()) {
    Log("the RAM file shrank under the channel");
    endpoint_.Detach(Status(Code::kUnavailable, proxy::kRamFileUnusable));
  }
  return next;
}

FirmwareService::Next FirmwareService::ServeFrames() {
  const auto end_session = [this](Status why) {
    if (endpoint_.attached() && !endpoint_.StillOurs() && !endpoint_.lost()) {
      Log("session dropped: its page is no channel any more");
    } else {
      Log(absl::StrCat("session ended: ", base::NameOf(why.reason()).text));
    }
    endpoint_.Detach(why);
    return Next::kSleep;
  };
  if (endpoint_.attached() && !endpoint_.Look()) {
    return endpoint_.lost() ? Next::kSleep : end_session({});
  }
  for (int i = 0; i < kFramesPerTurn; ++i) {
    if (!endpoint_.attached()) return Next::kSleep;
    const auto flushed = endpoint_.channel().Flush();
    if (!flushed.ok()) return end_session(flushed.status());
    if (*flushed == base::Step::kWaiting) return Next::kPoll;
    const auto frame = endpoint_.channel().Receive();
    if (!frame.ok()) return end_session(frame.status());
    if (!frame->has_value()) {
      const auto asleep = endpoint_.PrepareToSleep();
      if (!asleep.ok()) return end_session(asleep.status());
      if (*asleep) return Next::kSleep;
      continue;
    }
    const Status handled = Handle(**frame);
    if (!handled.ok()) return end_session(handled);
    if (close_) return Next::kClose;
  }
  return Next::kAgain;
}

Status FirmwareService::Handle(const proxy::Frame& frame) {
  switch (frame.type) {
    case FrameType::kFirmwareAttach:
      return Attach();
    case FrameType::kFirmwareRequest:
      return Request(frame.body);
    case FrameType::kClose:  // The guest takes its page back.
      Log("the guest closed the channel");
      endpoint_.Detach({});
      return {};
    default:
      return Status(Code::kDataLoss, proxy::kUnexpectedMessage);
  }
}

Status FirmwareService::Attach() {
  if (!may_attach_) {
    return Status(Code::kFailedPrecondition, kAlreadyLaunched);
  }
  const auto measurement = options_.measure();
  if (!measurement.ok()) {
    Log(Error(kImageUnmeasurable, measurement.status().message()).message());
    return Status(Code::kUnavailable, kImageUnmeasurable);
  }
  may_attach_ = false;
  firmware_.Launch(*measurement);
  launched_ = true;
  requests_ = 0;
  if (options_.on_vmpck0) {
    const absl::Status told = options_.on_vmpck0(firmware_.vmpck0_for_tests());
    if (!told.ok()) {
      Log(told.message());
      return Status(Code::kUnavailable, kDumpUnusable);
    }
  }
  Log(absl::StrCat("EMULATED launch, new keys, measurement ",
                   hosted::Hex(*measurement)));
  auto page = firmware_.SecretsPage();
  const Status sent =
      SendMessage(endpoint_.channel(), FrameType::kFirmwareSecrets,
                  proto::channel::FirmwareSecrets{.page = page});
  base::SecureZero(page.data(), page.size());
  return sent;
}

Status FirmwareService::Request(base::Bytes body) {
  proto::channel::Arena arena;
  BASE_TRY_ASSIGN(
      const auto request,
      proto::channel::Decode<proto::channel::FirmwareRequest>(body, arena));
  if (!launched_) return Status(Code::kFailedPrecondition, kNotLaunched);
  const Firmware::Reply reply =
      firmware_.Request(request.page.first<sev::kMessagePageSize>());
  Log(absl::StrFormat("guest request %d: exit_info_2 0x%x", ++requests_,
                      reply.exit_info_2));
  switch (reply.delivery) {
    case Firmware::Delivery::kSilent:
      return {};
    case Firmware::Delivery::kClose:
      close_ = true;
      return {};
    case Firmware::Delivery::kAnswer:
      break;
  }
  proto::channel::FirmwareResponse response;
  response.exit_info_2 = reply.exit_info_2;
  if (reply.exit_info_2 == 0) response.page = reply.page;
  return SendMessage(endpoint_.channel(), FrameType::kFirmwareResponse,
                     response);
}

}  // namespace psp
