// SPDX-License-Identifier: Apache-2.0
//
// forelock-proxy: the daemon beside QEMU. See README.md.
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/flags/usage_config.h"
#include "absl/log/globals.h"
#include "absl/log/initialize.h"
#include "absl/log/log.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "asio.hpp"
#include "host-proxy/config.h"
#include "host-proxy/server.h"

ABSL_FLAG(std::string, config, "", "configuration file (TOML)");
ABSL_FLAG(bool, check, false, "load the configuration, say whether it is good");

namespace {

uint64_t MakeGeneration() {
  std::random_device random;
  uint64_t generation = 0;
  while (generation == 0) {
    generation = (uint64_t{random()} << 32) | random();
  }
  return generation;
}

void PrintLine(std::string_view line) {
  printf("%.*s\n", static_cast<int>(line.size()), line.data());
  fflush(stdout);
}

int Run(const host_proxy::Config& config) {
  signal(SIGPIPE, SIG_IGN);
  asio::io_context io(1);  // one thread
  host_proxy::Server server(io, config, MakeGeneration(), PrintLine);
  asio::signal_set signals(io, SIGTERM, SIGINT);
  signals.async_wait([&](asio::error_code error, int) {
    if (error) return;
    PrintLine("shutting down");
    server.ShutDown();  // Waits for nothing.
    io.stop();
  });
  if (const absl::Status status = server.Listen(); !status.ok()) {
    LOG(ERROR) << status.message();
    return 1;
  }
  PrintLine("ready");
  io.run();
  fflush(nullptr);
  // A name lookup may still hold the resolver's thread: do not wait for it.
  _exit(0);
}

}  // namespace

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "Relays between virtual machines and the verifiers that they name.\n"
      "  forelock-proxy --config /etc/forelock/proxy.toml");
  // By default --help looks for flags in a file called forelock-proxy.
  absl::FlagsUsageConfig help;
  help.contains_help_flags = [](std::string_view file) {
    return absl::EndsWith(file, "host-proxy/main.cc");
  };
  absl::SetFlagsUsageConfig(help);
  const std::vector<char*> rest = absl::ParseCommandLine(argc, argv);
  absl::InitializeLog();
  absl::SetStderrThreshold(absl::LogSeverityAtLeast::kInfo);
  if (rest.size() != 1 || absl::GetFlag(FLAGS_config).empty()) {
    LOG(ERROR) << "usage: forelock-proxy --config FILE [--check]";
    return 2;
  }
  const auto config = host_proxy::LoadConfig(absl::GetFlag(FLAGS_config));
  if (!config.ok()) {
    LOG(ERROR) << config.status().message();
    return 1;
  }
  if (absl::GetFlag(FLAGS_check)) {
    PrintLine("configuration is good: " + std::to_string(config->vms.size()) +
              " VM(s)");
    return 0;
  }
  return Run(*config);
}
