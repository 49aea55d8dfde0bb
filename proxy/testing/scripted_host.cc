// SPDX-License-Identifier: Apache-2.0
#include "proxy/testing/scripted_host.h"

#include <string_view>

#include "base/bytes.h"

namespace proxy::testing {
namespace {

namespace channel = proto::channel;

// A turn is a millisecond.
constexpr int kTurnsToALook = int{host::kLookAgain.count()};

base::Bytes Label() {
  static constexpr uint8_t kLabel[] = {'v', 'm', '1'};
  return kLabel;
}

}  // namespace

ScriptedHost::ScriptedHost(LoopbackMachine& machine, uint64_t generation)
    : machine_(machine) {
  welcome = {.version = 1,
             .max_body = channel::kMaxBody,
             .receive_credit = 16 * 1024,
             .max_streams = 1,
             .label = Label(),
             .generation = generation};
  Restart(generation);
  machine_.host_turn = [this] { Turn(); };
}

void ScriptedHost::Restart(uint64_t generation) {
  endpoint =
      std::make_unique<host::PageEndpoint>(machine_.ram_path(), generation);
  welcome.generation = generation;
  machine_.port().clear();
  asleep_ = true;
}

void ScriptedHost::Turn() {
  if (stopped) return;
  using Event = host::PageEndpoint::Event;
  while (!machine_.port().empty()) {
    const uint8_t byte = machine_.port().front();
    machine_.port().pop_front();
    const Event event = endpoint->Feed(byte);
    if (event == Event::kAttached) ++attached;
    if (event == Event::kRejected) ++rejected;
    asleep_ = false;
  }
  if (++turns_ % kTurnsToALook == 0) asleep_ = false;
  if (asleep_ || !endpoint->attached()) return;
  if (!endpoint->Look()) {
    endpoint->Detach({});
    return;
  }
  for (;;) {
    const auto frame = endpoint->channel().Receive();
    if (!frame.ok()) {
      last_error = frame.status();
      endpoint->Detach(frame.status());
      return;
    }
    if (!frame->has_value()) break;
    Handle(**frame);
    if (!endpoint->attached()) return;
  }
  if (!endpoint->channel().Flush().ok()) return;
  const auto sleep = endpoint->PrepareToSleep();
  asleep_ = sleep.ok() && *sleep;
  if (asleep_) ++sleeps;
}

void ScriptedHost::Handle(const Frame& frame) {
  static channel::Arena arena;
  arena.Reset();
  if (frame.type == FrameType::kHello && answer_hello) {
    Send(FrameType::kWelcome, welcome);
    return;
  }
  if (frame.type == FrameType::kClose) {
    const auto close = channel::Decode<channel::Close>(frame.body, arena);
    if (close.ok() && close->stream == 0) endpoint->Detach({});
    return;
  }
  if (echo && frame.type == FrameType::kOpen) {
    const auto open = channel::Decode<channel::Open>(frame.body, arena);
    if (open.ok()) Send(FrameType::kOpened, channel::Opened{open->stream});
    return;
  }
  if (echo && frame.type == FrameType::kData) {
    const auto data = channel::Decode<channel::Data>(frame.body, arena);
    if (!data.ok()) return;
    const auto size = static_cast<uint32_t>(data->payload.size());
    Send(FrameType::kData, *data);
    Send(FrameType::kCredit, channel::Credit{data->stream, size});
    return;
  }
  if (on_frame) on_frame(frame);
}

}  // namespace proxy::testing
