// SPDX-License-Identifier: Apache-2.0
//
// The host's side in a test: reads the port of a LoopbackMachine as a daemon
// would, sleeps when there is nothing to do, and gives each frame to the test.
#pragma once

#include <stdint.h>

#include <functional>
#include <memory>

#include "proto/channel.h"
#include "proxy/frame.h"
#include "proxy/host/page_endpoint.h"
#include "proxy/testing/loopback_machine.h"

namespace proxy::testing {

class ScriptedHost {
 public:
  explicit ScriptedHost(LoopbackMachine& machine, uint64_t generation = 7);
  ~ScriptedHost() { machine_.host_turn = nullptr; }

  // The daemon dies and another one starts.
  void Restart(uint64_t generation);

  template <typename Message>
  void Send(FrameType type, const Message& message) {
    last_send = SendMessage(endpoint->channel(), type, message);
  }
  void Turn();

  LoopbackMachine& machine_;
  std::unique_ptr<host::PageEndpoint> endpoint;
  // Gets every frame but those answered below.
  std::function<void(const Frame&)> on_frame;
  bool stopped = false;      // reads neither port nor ring
  bool answer_hello = true;  // with a Welcome of `welcome`
  bool echo = true;          // opens every stream and sends its data back
  proto::channel::Welcome welcome;
  base::Status last_send;
  base::Status last_error;
  int attached = 0;
  int rejected = 0;
  int sleeps = 0;

 private:
  void Handle(const Frame& frame);
  bool asleep_ = true;
  int turns_ = 0;
};

}  // namespace proxy::testing
