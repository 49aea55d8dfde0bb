// SPDX-License-Identifier: Apache-2.0
//
// Server: TCP, TLS and framing around verifier/session. Keeps no state but the
// connections that are open; one thread.
//
// Whoever reaches the port may talk to it, so what a peer can use up before it
// has shown genuine evidence is bounded: sessions in all and of one source
// address, a short time to the request and a longer one to the close, and the
// refusals and lines that are written down for it each minute. A source is an
// IPv4 address or an IPv6 /64. Enough sources can still take all the sessions;
// that keeps others from booting, and nothing else.
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
  // Guests behind one proxy share its address.
  size_t max_sessions_per_source = 32;
  // From accept: to a well-formed request, and to the close.
  std::chrono::milliseconds request_deadline{10000};
  std::chrono::milliseconds session_deadline{30000};
  // Refusals without genuine evidence that are recorded, and lines about broken
  // connections that are logged, each minute. The rest are counted.
  size_t unproven_per_source = 10;
  size_t unproven_in_all = 100;
  // After Stop, sessions that are open may still end by themselves.
  std::chrono::milliseconds shutdown_grace{5000};
  // A folder of imported certificates and revocation lists; empty: none. Read
  // at the start, and before a session if the folder has changed; looked at no
  // more often than this.
  std::string certificates;
  std::chrono::milliseconds certificates_interval{10000};
  // Stop on SIGTERM and SIGINT; read `certificates` again on SIGHUP.
  bool handle_signals = false;
  std::function<void(std::string_view)> log = [](std::string_view) {};
};

class Server {
 public:
  // Listens when this returns. Unavailable: the address cannot be used. VS19:
  // nor can the certificates.
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
