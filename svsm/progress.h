// SPDX-License-Identifier: Apache-2.0
//
// Progress: tells the two operators how far a boot is: the console's lines, and
// messages over the proxy channel once there is one. What was reached before
// that is sent when the channel comes up, with the time it was reached at.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <array>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "proto/attest.h"
#include "proto/channel.h"
#include "proxy/client.h"
#include "svsm/attestation/retry.h"
#include "svsm/console/line.h"

namespace svsm {

class Progress {
 public:
  explicit Progress(base::Clock& clock) : clock_(clock) {}

  // From now on `client`, when connected, carries messages.
  void UseChannel(proxy::Client& client) { client_ = &client; }
  // Sends what was reached before there was a channel. Call on each connection.
  void ChannelIsUp();

  // "[time] <line>" on the console, and the phase to the proxy.
  void Reached(proto::channel::Phase phase, const Line& line);
  // "[time] <line>" on the console only.
  void Note(const Line& line);
  void Retrying(const AttemptResult& why);

  void Refused(proto::Outcome outcome, base::Bytes decision_id);
  // To the proxy only: panic/fail.cc prints.
  void Failed(base::Status why);

 private:
  struct Passed {
    proto::channel::Phase phase;
    uint64_t elapsed_us;
  };
  void Send(const proto::channel::Progress& message);
  uint64_t ElapsedMicroseconds();

  base::Clock& clock_;
  proxy::Client* client_ = nullptr;
  std::array<Passed, 4> waiting_{};  // for a channel
  size_t waiting_count_ = 0;
};

}  // namespace svsm
