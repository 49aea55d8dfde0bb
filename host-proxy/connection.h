// SPDX-License-Identifier: Apache-2.0
//
// One connection from one QEMU: its port bytes, the page behind it, and the
// sockets of its streams. Lives in one thread, on one io_context; everything
// that wakes it (port bytes, socket readiness, a finished connect) leads to
// the one loop in Work().
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <vector>

#include "asio.hpp"
#include "base/bytes.h"
#include "base/result.h"
#include "host-proxy/config.h"
#include "host-proxy/name_lookup.h"
#include "host-proxy/session.h"
#include "host-proxy/vm_log.h"
#include "proto/channel.h"
#include "proxy/host/page_endpoint.h"

namespace host_proxy {

class Connection final : public std::enable_shared_from_this<Connection>,
                         private SessionBackend {
 public:
  using Socket = asio::local::stream_protocol::socket;

  // `vm` and `log` outlive the connection.
  Connection(Socket socket, const VmConfig& vm,
             std::chrono::milliseconds connect_timeout, uint64_t generation,
             std::shared_ptr<NameLookup> names, VmLog& log);
  ~Connection();

  void Start();
  // Ends it soon: QEMU is gone, or another connection takes its place.
  void Stop();
  // As Stop(), after telling the guest that the daemon ends.
  void ShutDown();

 private:
  // A connection of a stream. A new number with each attempt, so that late
  // completions of an old one are known.
  struct Slot {
    std::optional<asio::ip::tcp::socket> socket;
    std::unique_ptr<asio::steady_timer> lookup_wait;
    uint64_t attempt = 0;
    bool waiting_read = false;
    bool waiting_write = false;
  };

  asio::awaitable<void> ReadPort();
  asio::awaitable<void> Work();
  asio::awaitable<void> RunConnect(size_t slot, uint64_t attempt,
                                   Endpoint endpoint);
  // Nothing if `attempt` is over.
  asio::awaitable<std::optional<NameLookup::Answer>> FindAddresses(
      size_t slot, uint64_t attempt, const std::string& host);
  asio::awaitable<void> Sleep(std::optional<std::chrono::microseconds> longest);
  // True: a new session began.
  bool Feed(base::Bytes bytes);
  void LogRejected(base::Status why);
  void Finish();
  // One coroutine of this connection; what it throws ends this connection only.
  void Spawn(asio::awaitable<void> coroutine);
  void Abandon(const std::exception_ptr& error);
  void Notify();
  void End(base::Status why);
  void FailConnect(size_t slot, uint64_t attempt, base::Reason reason,
                   const Endpoint& endpoint, const std::string& detail);
  void ArmSockets();
  // False: nothing more can be done without waiting.
  bool Turn(std::optional<std::chrono::microseconds>& longest);

  bool Connect(size_t slot, base::Bytes endpoint) override;
  base::Result<size_t> Read(size_t slot, base::MutableBytes out) override;
  base::Result<size_t> Write(size_t slot, base::Bytes bytes) override;
  void Disconnect(size_t slot) override;
  std::vector<uint8_t> Certificates(base::Bytes chip_id, uint64_t tcb) override;
  void OnProgress(const proto::channel::Progress& progress) override;
  void OnHello(base::Bytes vm) override;

  Socket socket_;
  const VmConfig& vm_;
  const std::chrono::milliseconds connect_timeout_;
  const std::shared_ptr<NameLookup> names_;
  VmLog& log_;
  proxy::host::PageEndpoint endpoint_;
  Session session_;
  std::array<Slot, kMaxStreams> slots_;
  asio::steady_timer wake_;
  int certificate_reads_ = 0;
  bool notified_ = false;
  bool stopped_ = false;
  int polls_left_ = 0;
  std::chrono::microseconds blocked_wait_{0};
};

}  // namespace host_proxy
