// SPDX-License-Identifier: Apache-2.0
//
// forelock-proxy: the daemon beside QEMU. See README.md.
#include <signal.h>
#include <unistd.h>

#include <cstdint>
#include <random>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "asio.hpp"
#include "host-proxy/config.h"
#include "host-proxy/server.h"
#include "hosted/arguments.h"
#include "hosted/log.h"

namespace host_proxy {
namespace {

using hosted::Arguments;
using hosted::Log;
using Kind = hosted::Option::Kind;

uint64_t MakeGeneration() {
  std::random_device random;
  uint64_t generation = 0;
  while (generation == 0) {
    generation = (uint64_t{random()} << 32) | random();
  }
  return generation;
}

// A reload by habit, or a terminal that was closed: no VM loses its channel.
void IgnoreHangups(asio::signal_set& hangups, Log& log) {
  hangups.async_wait([&](asio::error_code error, int) {
    if (error) return;
    log.Info("SIGHUP: the configuration is read at the start only");
    IgnoreHangups(hangups, log);
  });
}

absl::Status Serve(const Config& config) {
  signal(SIGPIPE, SIG_IGN);
  Log log;
  asio::io_context io(1);  // one thread
  asio::signal_set hangups(io, SIGHUP);
  IgnoreHangups(hangups, log);
  Server server(io, config, MakeGeneration(),
                [&log](std::string_view line) { log.Info(line); });
  asio::signal_set signals(io, SIGTERM, SIGINT);
  signals.async_wait([&](asio::error_code error, int) {
    if (error) return;
    log.Info("shutting down");
    server.ShutDown();  // Waits for nothing.
    io.stop();
  });
  if (absl::Status status = server.Listen(); !status.ok()) return status;
  log.Info("ready");
  io.run();
  log.Close(Log::kPatience);
  // A name lookup may still hold the resolver's thread: do not wait for it.
  _exit(hosted::kExitOk);
}

absl::Status RunDaemon(const Arguments& arguments) {
  const auto config = LoadConfig(arguments.Value("config"));
  if (!config.ok()) return config.status();
  if (!arguments.Has("check")) return Serve(*config);
  absl::PrintF("configuration is good: %d VM(s)\n", config->vms.size());
  return absl::OkStatus();
}

constexpr hosted::Option kOptions[] = {
    {"config", "FILE", Kind::kRequired, "configuration file (TOML)"},
    {"check", "", Kind::kSwitch,
     "load the configuration, say whether it is good"},
};

constexpr hosted::Command kCommands[] = {
    {"", "", "relays between virtual machines and the verifiers they name",
     "Serves until SIGTERM, which each guest is told. Log lines go to standard "
     "output; one that nobody reads is dropped and counted.\n"
     "\n"
     "  forelock-proxy --config /etc/forelock/proxy.toml",
     kOptions, &RunDaemon},
};

}  // namespace
}  // namespace host_proxy

int main(int argc, char** argv) {
  return hosted::Run({.name = "forelock-proxy",
                      .summary = "forelock-proxy: the relay beside QEMU",
                      .commands = host_proxy::kCommands},
                     argc, argv);
}
