// SPDX-License-Identifier: Apache-2.0
//
// Server: TCP, TLS and framing around verifier/session. Keeps no state but the
// connections that are open; one thread.
//
// A connection has one deadline for everything, from accept to close, and there
// are never more than max_sessions: a peer can waste its own connection only.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "verifier/server/identity.h"
#include "verifier/store/store.h"

namespace verifier {

struct ServerOptions {
  std::string address = "127.0.0.1";  // An IP address.
  uint16_t port = 0;                  // 0: any.
  bool allow_emulated = false;
  size_t max_sessions = 256;
  std::chrono::milliseconds session_deadline{30000};
  // After Stop, sessions that are open may still end by themselves.
  std::chrono::milliseconds shutdown_grace{5000};
  // Stop on SIGTERM and SIGINT.
  bool handle_signals = false;
  std::function<void(std::string_view)> log = [](std::string_view) {};
};

class Server {
 public:
  // Listens when this returns. Unavailable: the address cannot be used.
  static absl::StatusOr<std::unique_ptr<Server>> Start(
      ServerOptions options, const Identity& identity,
      std::unique_ptr<Store> store);
  ~Server();

  uint16_t port() const;

  // Serves until Stop, then until the last session has ended.
  void Run();
  // Any thread.
  void Stop();

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace verifier
