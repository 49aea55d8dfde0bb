// SPDX-License-Identifier: Apache-2.0
#include "host-proxy/server.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <exception>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "host-proxy/as_tuple.h"
#include "host-proxy/error.h"
#include "host-proxy/name_lookup.h"
#include "host-proxy/reasons.h"

namespace host_proxy {
namespace {

using Protocol = asio::local::stream_protocol;

absl::Status Unusable(const std::string& path, const std::string& why) {
  return Error(kSocketUnusable, absl::StrCat(path, ": ", why),
               absl::StatusCode::kUnavailable);
}

// Removes a socket that nobody listens on any more, and nothing else.
absl::Status RemoveStale(asio::io_context& io, const std::string& path) {
  struct stat status = {};
  if (lstat(path.c_str(), &status) != 0) return absl::OkStatus();
  if (!S_ISSOCK(status.st_mode)) {
    return Unusable(path, "something else than a socket is there");
  }
  Protocol::socket probe(io);
  asio::error_code error;
  probe.open(Protocol(), error);
  // A listener whose queue is full would keep us waiting.
  if (!error) probe.native_non_blocking(true, error);
  if (error) return Unusable(path, error.message());
  const Protocol::endpoint address(path);
  const int connected = connect(probe.native_handle(), address.data(),
                                static_cast<socklen_t>(address.size()));
  if (connected == 0 || errno == EAGAIN) {
    return Unusable(path, "another process listens on it");
  }
  if (errno != ECONNREFUSED) return Unusable(path, strerror(errno));
  unlink(path.c_str());
  return absl::OkStatus();
}

}  // namespace

struct Server::Vm {
  Vm(asio::io_context& io, const VmConfig& vm_config, const VmLog::Sink& sink)
      : config(vm_config),
        log(vm_config.label, sink),
        acceptor(io),
        names(std::make_shared<NameLookup>(SystemResolve(io))) {}
  const VmConfig& config;
  VmLog log;
  Protocol::acceptor acceptor;
  const std::shared_ptr<NameLookup> names;  // Outlives QEMU's connections.
  std::weak_ptr<Connection> current;
};

Server::Server(asio::io_context& io, const Config& config, uint64_t generation,
               const VmLog::Sink& sink)
    : io_(io), config_(config), generation_(generation) {
  for (const VmConfig& vm : config_.vms) {
    vms_.push_back(std::make_unique<Vm>(io_, vm, sink));
  }
}

Server::~Server() = default;

absl::Status Server::Listen() {
  for (const auto& vm : vms_) {
    const std::string& path = vm->config.socket;
    if (auto status = RemoveStale(io_, path); !status.ok()) return status;
    asio::error_code error;
    vm->acceptor.open(Protocol(), error);
    // The mode of the socket from its first moment on.
    const mode_t old_mask = umask(0177);
    if (!error) vm->acceptor.bind(Protocol::endpoint(path), error);
    umask(old_mask);
    if (!error) {
      vm->acceptor.listen(asio::socket_base::max_listen_connections, error);
    }
    if (error) return Unusable(path, error.message());
    vm->log.Line(absl::StrCat("listening on ", path));
    asio::co_spawn(io_, Accept(*vm),
                   [&log = vm->log](std::exception_ptr error) {
                     if (error) log.Line("no longer accepts connections");
                   });
  }
  return absl::OkStatus();
}

asio::awaitable<void> Server::Accept(Vm& vm) {
  while (vm.acceptor.is_open()) {
    auto [error, socket] = co_await vm.acceptor.async_accept(kToTuple);
    if (!vm.acceptor.is_open()) co_return;
    if (error) {
      // Out of file descriptors, for one: go on when there may be some again.
      vm.log.Line(absl::StrCat("cannot accept: ", error.message()));
      asio::steady_timer pause(io_, std::chrono::seconds(1));
      co_await pause.async_wait(kToTuple);
      continue;
    }
    // QEMU connects anew only when it has lost the old connection.
    if (const auto old = vm.current.lock()) old->Stop();
    try {
      const auto connection = std::make_shared<Connection>(
          std::move(socket), vm.config, config_.connect_timeout, generation_,
          vm.names, vm.log);
      vm.current = connection;
      connection->Start();
    } catch (const std::exception& error) {
      vm.log.Line(absl::StrCat("cannot serve: ", error.what()));
    }
  }
}

void Server::ShutDown() {
  for (const auto& vm : vms_) {
    if (!vm->acceptor.is_open()) continue;
    asio::error_code ignored;
    vm->acceptor.close(ignored);
    unlink(vm->config.socket.c_str());
    if (const auto connection = vm->current.lock()) connection->ShutDown();
  }
}

}  // namespace host_proxy
