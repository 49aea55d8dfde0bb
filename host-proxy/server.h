// SPDX-License-Identifier: Apache-2.0
//
// The daemon: a listening socket for each VM, one connection at a time on
// each. What goes wrong with one VM stays with it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "asio.hpp"
#include "host-proxy/config.h"
#include "host-proxy/connection.h"
#include "host-proxy/vm_log.h"

namespace host_proxy {

class Server {
 public:
  // `config` outlives the server; `generation` is not 0 and differs between
  // runs.
  Server(asio::io_context& io, const Config& config, uint64_t generation,
         const VmLog::Sink& sink);
  ~Server();

  // Listens on all sockets (mode 0600; a stale one is replaced).
  //   Unavailable: "HP5 ...: PATH: ...".
  absl::Status Listen();

  // Stops accepting and ends every session, telling the guests; then the
  // io_context runs out of work.
  void ShutDown();

 private:
  struct Vm;
  asio::awaitable<void> Accept(Vm& vm);

  asio::io_context& io_;
  const Config& config_;
  const uint64_t generation_;
  std::vector<std::unique_ptr<Vm>> vms_;
};

}  // namespace host_proxy
