// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "hosted/arguments.h"
#include "hosted/log.h"
#include "verifier/cli/commands.h"
#include "verifier/cli/common.h"
#include "verifier/server/identity.h"
#include "verifier/server/server.h"

namespace verifier {
namespace {

constexpr uint32_t kMaxSessionSeconds = 3600;
constexpr uint32_t kMaxSessions = 100000;

// `text` or, if empty, `fallback`; 0: not a number from 1 to max.
uint32_t Number(const std::string& text, uint32_t fallback, uint32_t max) {
  uint32_t number = 0;
  if (text.empty()) return fallback;
  if (!absl::SimpleAtoi(text, &number) || number > max) return 0;
  return number;
}

bool SplitAddress(const std::string& listen, ServerOptions& options) {
  const size_t colon = listen.rfind(':');
  uint32_t port = 0;
  if (colon == std::string::npos || colon == 0 ||
      !absl::SimpleAtoi(listen.substr(colon + 1), &port) || port > 65535) {
    return false;
  }
  options.address = listen.substr(0, colon);
  if (options.address.front() == '[' && options.address.back() == ']') {
    options.address = options.address.substr(1, options.address.size() - 2);
  }
  options.port = static_cast<uint16_t>(port);
  return true;
}

void PrintLine(std::string_view line) {
  printf("%.*s\n", static_cast<int>(line.size()), line.data());
  fflush(stdout);
}

}  // namespace

absl::Status Init(const Arguments& arguments) {
  const std::string folder = StateFolder(arguments);
  const auto store = Store::Create(folder);
  if (!store.ok()) return store.status();
  const absl::Status made = CreateIdentity(folder);
  if (!made.ok()) return made;
  const auto identity = LoadIdentity(folder);
  if (!identity.ok()) return identity.status();
  PrintLine(absl::StrCat("made ", folder, ":"));
  PrintLine("  master.key   protects the database; keep a copy offline");
  PrintLine("  tls.key      the server's key (P-384), and tls.crt");
  PrintLine("  verifier.db  policies, secrets (encrypted), audit log");
  PrintLine("AMD's roots are accepted. Guests pin this key:");
  PrintLine(PinOf(*identity));
  return absl::OkStatus();
}

// The store is only looked at: a pin of a state that nobody can serve from
// would go into images.
absl::Status ShowPin(const Arguments& arguments) {
  const auto store = OpenStore(arguments);
  if (!store.ok()) return store.status();
  const auto identity = LoadIdentity(StateFolder(arguments));
  if (!identity.ok()) return identity.status();
  PrintLine(PinOf(*identity));
  return absl::OkStatus();
}

absl::Status Serve(const Arguments& arguments) {
  // Whoever reads the log may go away; the server does not go with it.
  signal(SIGPIPE, SIG_IGN);
  ServerOptions options;
  options.allow_emulated = arguments.Has("allow-emulated");
  options.certificates = arguments.Value("certificates");
  options.handle_signals = true;
  hosted::Log log;
  options.log = [&log](std::string_view line) { log.Info(line); };
  const std::string listen =
      arguments.Has("listen") ? arguments.Value("listen") : "127.0.0.1:8443";
  if (!SplitAddress(listen, options)) {
    return hosted::UsageError("--listen wants ADDRESS:PORT");
  }
  const uint32_t sessions =
      Number(arguments.Value("max-sessions"),
             static_cast<uint32_t>(options.max_sessions), kMaxSessions);
  const uint32_t seconds =
      Number(arguments.Value("session-seconds"), 30, kMaxSessionSeconds);
  const uint32_t of_source = Number(
      arguments.Value("max-sessions-per-source"),
      static_cast<uint32_t>(options.max_sessions_per_source), kMaxSessions);
  const uint32_t request_seconds =
      Number(arguments.Value("request-seconds"), 10, kMaxSessionSeconds);
  if (sessions == 0 || of_source == 0 || seconds == 0 || request_seconds == 0) {
    return hosted::UsageError(
        "--max-sessions, --max-sessions-per-source, --session-seconds and "
        "--request-seconds want numbers over 0");
  }
  options.max_sessions = sessions;
  options.max_sessions_per_source = of_source;
  options.request_deadline = std::chrono::seconds(request_seconds);
  options.session_deadline = std::chrono::seconds(seconds);
  auto store = OpenStore(arguments);
  if (!store.ok()) return store.status();
  const auto identity = LoadIdentity(StateFolder(arguments));
  if (!identity.ok()) return identity.status();
  const std::string address = options.address;
  const auto server =
      Server::Start(std::move(options), *identity, *std::move(store));
  if (!server.ok()) return server.status();
  if (arguments.Has("allow-emulated")) {
    log.Line(hosted::Log::Level::kWarning,
             "EMULATED evidence is allowed: for demo and test only");
  }
  log.Info(absl::StrCat("listening on ",
                        address.find(':') != std::string::npos
                            ? absl::StrCat("[", address, "]")
                            : address,
                        ":", (*server)->port()));
  (*server)->Run();
  log.Info("stopped");
  return absl::OkStatus();
}

}  // namespace verifier
