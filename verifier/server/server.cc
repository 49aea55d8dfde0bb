// SPDX-License-Identifier: Apache-2.0
#include "verifier/server/server.h"

#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <ctime>
#include <exception>
#include <optional>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "asio.hpp"
#include "asio/ssl.hpp"
#include "base/bytes.h"
#include "proto/attest.h"
#include "verifier/evidence/chain_cache.h"
#include "verifier/finding.h"
#include "verifier/reasons.h"
#include "verifier/server/peer_limits.h"
#include "verifier/server/watched_folder.h"
#include "verifier/session/session.h"

namespace verifier {
namespace {

using asio::ip::tcp;
using TlsStream = asio::ssl::stream<tcp::socket>;

constexpr std::chrono::milliseconds kLinger{1000};
// It stops every session, on the only thread.
constexpr std::chrono::milliseconds kDatabasePatience{250};
constexpr std::chrono::minutes kSummaryInterval{1};
constexpr size_t kCachedChains = 1024;

auto Into(std::error_code& error) {
  return asio::redirect_error(asio::use_awaitable, error);
}

class TlsExporter final : public KeyExporter {
 public:
  explicit TlsExporter(SSL* ssl) : ssl_(ssl) {}
  bool Export(std::string_view label, base::Bytes context,
              base::MutableBytes out) override {
    return SSL_export_keying_material(ssl_, out.data(), out.size(),
                                      label.data(), label.size(),
                                      context.data(), context.size(),
                                      /*use_context=*/1) == 1;
  }

 private:
  SSL* ssl_;
};

// Set on a connection once its peer sent a KeyUpdate, which the profile bans.
int KeyUpdateSlot() {
  static const int slot =
      SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return slot;
}

void OnTlsMessage(int is_write, int, int content_type, const void* data,
                  size_t size, SSL* ssl, void*) {
  if (is_write == 0 && content_type == SSL3_RT_HANDSHAKE && size > 0 &&
      *static_cast<const uint8_t*>(data) == SSL3_MT_KEY_UPDATE) {
    SSL_set_ex_data(ssl, KeyUpdateSlot(), ssl);
  }
}

// Whoever has one address of an IPv6 /64 has them all.
std::string SourceOf(asio::ip::address address) {
  if (address.is_v4()) return address.to_string();
  if (address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6())
        .to_string();
  }
  auto bytes = address.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), uint8_t{0});
  return asio::ip::address_v6(bytes).to_string();
}

}  // namespace

struct Server::State {
  State(ServerOptions server_options, asio::ssl::context ssl_context,
        std::unique_ptr<Store> server_store)
      : options(std::move(server_options)),
        counts(options.max_sessions, options.max_sessions_per_source),
        refusals(options.unproven_per_source, options.unproven_in_all),
        lines(options.unproven_per_source, options.unproven_in_all),
        tls(std::move(ssl_context)),
        store(std::move(server_store)),
        acceptor(io),
        signals(io),
        hangup(io),
        grace(io),
        summary(io) {}
  // Destroying io ends the coroutines that are left; nothing is to be stopped.
  ~State() { stopping = false; }

  // One connection; lives as long as its coroutine.
  struct Connection {
    Connection(tcp::socket socket, asio::ssl::context& tls)
        : stream(std::move(socket), tls), deadline(stream.get_executor()) {}
    void Close() {
      std::error_code ignored;
      stream.lowest_layer().close(ignored);
      deadline.cancel();
    }
    TlsStream stream;
    asio::steady_timer deadline;
    std::chrono::steady_clock::time_point accepted =
        std::chrono::steady_clock::now();
    bool late = false;
    std::string source;
    std::string peer;
  };

  // A connection's place among the open ones, however its coroutine ends.
  class Place {
   public:
    // Its source was admitted.
    Place(State& state, std::shared_ptr<Connection> connection)
        : state_(&state), connection_(std::move(connection)) {
      state_->open.insert(connection_.get());
    }
    ~Place() {
      if (!connection_) return;
      connection_->Close();
      state_->open.erase(connection_.get());
      state_->counts.Leave(connection_->source);
      if (state_->stopping && state_->open.empty()) state_->io.stop();
    }
    Place(Place&&) = default;
    Place& operator=(Place&&) = delete;
    const std::shared_ptr<Connection>& connection() const {
      return connection_;
    }

   private:
    State* state_;
    std::shared_ptr<Connection> connection_;
  };

  asio::awaitable<void> Accept();
  void Admit(tcp::socket socket);
  asio::awaitable<void> Serve(Place place);
  asio::awaitable<void> Summarise();
  void LogDropped();
  void ReadFolderOnHangup();
  asio::awaitable<bool> Handshake(Connection& connection);
  // true: it ended as it should, and the peer may be told so.
  asio::awaitable<bool> Converse(std::shared_ptr<Connection> connection);
  asio::awaitable<void> Linger(std::shared_ptr<Connection> connection);
  asio::awaitable<bool> Receive(Connection& connection, Session& session,
                                std::vector<uint8_t>& body,
                                std::optional<Reply>& violation);
  asio::awaitable<bool> Send(Connection& connection, const Reply& reply);
  // Replaces the deadline that was there; counted from accept.
  void SetDeadline(const std::shared_ptr<Connection>& connection,
                   std::chrono::milliseconds deadline);
  void Stop();
  // Anybody can cause these lines.
  void Log(const Connection& connection, base::Reason reason,
           std::string_view detail) {
    if (!lines.Allow(connection.source, std::chrono::steady_clock::now())) {
      return;
    }
    options.log(absl::StrCat(
        connection.peer, ": ",
        Error(reason, absl::StatusCode::kUnknown, detail).message()));
  }
  // For co_spawn: what ends a coroutine that nobody waits for.
  auto LogException(std::string_view where) {
    return [this, where](std::exception_ptr exception) {
      if (!exception) return;
      try {
        std::rethrow_exception(exception);
      } catch (const std::exception& caught) {
        options.log(absl::StrCat(where, ": ", caught.what()));
      }
    };
  }

  ServerOptions options;
  // Before io, whose destructor ends coroutines that hold a Place.
  std::set<Connection*> open;
  SessionCounts counts;
  MinuteLimit refusals;
  MinuteLimit lines;
  bool stopping = false;
  asio::ssl::context tls;
  std::unique_ptr<Store> store;
  ChainCache chains{kCachedChains};
  std::optional<WatchedFolder> endorsements;
  asio::io_context io{1};
  tcp::acceptor acceptor;
  asio::signal_set signals;
  asio::signal_set hangup;
  asio::steady_timer grace;
  asio::steady_timer summary;
};

asio::awaitable<void> Server::State::Accept() {
  for (;;) {
    std::error_code error;
    tcp::socket socket = co_await acceptor.async_accept(Into(error));
    if (stopping) co_return;
    if (error == asio::error::operation_aborted) co_return;
    if (error) {
      // Out of descriptors, mostly: let some sessions end first.
      options.log(absl::StrCat("accept: ", error.message()));
      asio::steady_timer pause(io, std::chrono::milliseconds(100));
      co_await pause.async_wait(Into(error));
      continue;
    }
    Admit(std::move(socket));
  }
}

void Server::State::Admit(tcp::socket socket) {
  std::error_code error;
  auto connection = std::make_shared<Connection>(std::move(socket), tls);
  const auto remote = connection->stream.lowest_layer().remote_endpoint(error);
  if (error) return;
  connection->source = SourceOf(remote.address());
  connection->peer =
      absl::StrCat(remote.address().to_string(), ":", remote.port());
  switch (counts.Enter(connection->source)) {
    case SessionCounts::Admission::kAdmitted:
      break;
    case SessionCounts::Admission::kTooMany:
      Log(*connection, kTooManySessions, absl::StrCat(counts.open()));
      return;
    case SessionCounts::Admission::kTooManyOfSource:
      Log(*connection, kTooManyOfSource, connection->source);
      return;
  }
  Place place(*this, connection);
  SetDeadline(connection,
              std::min(options.request_deadline, options.session_deadline));
  asio::co_spawn(io, Serve(std::move(place)), LogException("session"));
}

void Server::State::SetDeadline(const std::shared_ptr<Connection>& connection,
                                std::chrono::milliseconds deadline) {
  connection->deadline.expires_at(connection->accepted + deadline);
  connection->deadline.async_wait(
      [this, connection](const std::error_code& error) {
        if (error) return;
        connection->late = true;
        Log(*connection, kSessionDeadline, "");
        connection->Close();
      });
}

asio::awaitable<void> Server::State::Serve(Place place) {
  const std::shared_ptr<Connection> connection = place.connection();
  const bool connected = co_await Handshake(*connection);
  if (connected && co_await Converse(connection)) {
    co_await Linger(connection);
  }
}

void Server::State::LogDropped() {
  const uint64_t unrecorded = refusals.TakeDropped();
  const uint64_t unlogged = lines.TakeDropped();
  if (unrecorded + unlogged == 0) return;
  options.log(absl::StrCat("over the limits of a minute: ", unrecorded,
                           " refusals without genuine evidence not recorded, ",
                           unlogged, " lines not logged"));
}

void Server::State::ReadFolderOnHangup() {
  hangup.async_wait([this](const std::error_code& error, int) {
    if (error) return;
    if (endorsements) {
      endorsements->ReadAgain();
    } else {
      options.log("SIGHUP: there are no --certificates to read again");
    }
    ReadFolderOnHangup();
  });
}

asio::awaitable<void> Server::State::Summarise() {
  while (!stopping) {
    std::error_code error;
    summary.expires_after(kSummaryInterval);
    co_await summary.async_wait(Into(error));
    LogDropped();
  }
}

asio::awaitable<bool> Server::State::Handshake(Connection& connection) {
  std::error_code error;
  co_await connection.stream.async_handshake(TlsStream::server, Into(error));
  if (!error) co_return true;
  if (!connection.late) {
    const auto alert = static_cast<unsigned long>(error.value());
    Log(connection, kTlsFailed,
        absl::StrCat(error.message(), MeaningOfAlert(alert)));
  }
  co_return false;
}

// One message into `body`. A frame that breaks the rules is a `violation`.
asio::awaitable<bool> Server::State::Receive(Connection& connection,
                                             Session& session,
                                             std::vector<uint8_t>& body,
                                             std::optional<Reply>& violation) {
  std::error_code error;
  std::array<uint8_t, 4> prefix;
  co_await asio::async_read(connection.stream, asio::buffer(prefix),
                            Into(error));
  if (!error) {
    const uint32_t size = base::LoadLe<uint32_t>(prefix);
    if (size == 0 || size > proto::kMaxAttestMessage) {
      violation.emplace(
          session.OnViolation(kFrameTooLong, absl::StrCat(size, " bytes")));
      co_return true;
    }
    body.resize(size);
    co_await asio::async_read(connection.stream, asio::buffer(body),
                              Into(error));
  }
  if (SSL_get_ex_data(connection.stream.native_handle(), KeyUpdateSlot()) !=
      nullptr) {
    Log(connection, kTlsFailed, "KeyUpdate");
    co_return false;
  }
  if (error) {
    // After its verdict a guest may leave without a receipt.
    if (!connection.late && !session.decided()) {
      Log(connection, kPeerClosed, error.message());
    }
    co_return false;
  }
  co_return true;
}

asio::awaitable<bool> Server::State::Send(Connection& connection,
                                          const Reply& reply) {
  std::error_code error;
  std::array<uint8_t, 4> prefix;
  const base::Bytes bytes = reply.bytes();
  base::StoreLe<uint32_t>(static_cast<uint32_t>(bytes.size()), prefix);
  const std::array<asio::const_buffer, 2> buffers = {
      asio::buffer(prefix), asio::buffer(bytes.data(), bytes.size())};
  co_await asio::async_write(connection.stream, buffers, Into(error));
  co_return !error;
}

asio::awaitable<bool> Server::State::Converse(
    std::shared_ptr<Connection> connection) {
  TlsExporter exporter(connection->stream.native_handle());
  SessionOptions session_options;
  session_options.allow_emulated = options.allow_emulated;
  session_options.peer = connection->peer;
  session_options.now_ms = [] { return absl::ToUnixMillis(absl::Now()); };
  if (endorsements) session_options.endorsements = endorsements->Current();
  session_options.cache = &chains;
  session_options.log = options.log;
  session_options.record_unproven = [this, &connection] {
    return refusals.Allow(connection->source, std::chrono::steady_clock::now());
  };
  Session session(*store, exporter, std::move(session_options));
  std::vector<uint8_t> body;
  bool requested = false;
  while (!session.done()) {
    std::optional<Reply> reply;
    if (!co_await Receive(*connection, session, body, reply)) co_return false;
    if (!reply) reply.emplace(session.OnMessage(body));
    if (!requested && session.requested() && !connection->late) {
      requested = true;
      SetDeadline(connection, options.session_deadline);
    }
    if (!reply->bytes().empty() && !co_await Send(*connection, *reply)) {
      co_return false;
    }
  }
  co_return true;
}

// Says goodbye, and waits a little for the peer's: closing at once on bytes
// that were not read would reset the connection, and the verdict with it.
asio::awaitable<void> Server::State::Linger(
    std::shared_ptr<Connection> connection) {
  connection->deadline.expires_after(kLinger);
  connection->deadline.async_wait([connection](const std::error_code& error) {
    if (!error) connection->Close();
  });
  std::error_code ignored;
  co_await connection->stream.async_shutdown(Into(ignored));
}

void Server::State::Stop() {
  if (stopping) return;
  stopping = true;
  std::error_code ignored;
  acceptor.close(ignored);
  signals.cancel(ignored);
  hangup.cancel(ignored);
  summary.cancel();
  LogDropped();
  if (open.empty()) {
    io.stop();
    return;
  }
  options.log(absl::StrCat("stopping; ", open.size(), " sessions are open"));
  grace.expires_after(options.shutdown_grace);
  grace.async_wait([this](const std::error_code& error) {
    if (error) return;
    for (Connection* connection : open) {
      connection->late = true;
      Log(*connection, kShuttingDown, "");
      connection->Close();
    }
  });
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::~Server() = default;

absl::StatusOr<std::unique_ptr<Server>> Server::Start(
    ServerOptions options, const Identity& identity,
    std::unique_ptr<Store> store) {
  ossl::SslCtxPtr context = MakeServerContext(identity);
  if (!context) {
    return Error(kTlsFailed, absl::StatusCode::kInternal, ossl::TakeError());
  }
  store->LimitWaiting(kDatabasePatience);
  SSL_CTX_set_msg_callback(context.get(), OnTlsMessage);
  auto state = std::make_unique<State>(std::move(options),
                                       asio::ssl::context(context.release()),
                                       std::move(store));
  if (!state->options.certificates.empty()) {
    auto folder = WatchedFolder::Open(state->options.certificates,
                                      state->options.certificates_interval,
                                      state->options.log);
    if (!folder.ok()) return folder.status();
    state->endorsements = *std::move(folder);
  }
  std::error_code error;
  const auto address = asio::ip::make_address(state->options.address, error);
  const tcp::endpoint endpoint(address, state->options.port);
  if (!error) state->acceptor.open(endpoint.protocol(), error);
  if (!error) {
    state->acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  }
  if (!error) state->acceptor.bind(endpoint, error);
  if (!error)
    state->acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return absl::UnavailableError(absl::StrCat(state->options.address, ":",
                                               state->options.port, ": ",
                                               error.message()));
  }
  if (state->options.handle_signals) {
    state->signals.add(SIGTERM);
    state->signals.add(SIGINT);
    state->signals.async_wait(
        [raw = state.get()](const std::error_code& failed, int) {
          if (!failed) raw->Stop();
        });
    state->hangup.add(SIGHUP);
    state->ReadFolderOnHangup();
  }
  asio::co_spawn(state->io, state->Accept(), [raw = state.get()](auto error) {
    // A server that accepts nobody must not look like one that does.
    raw->LogException("accept")(error);
    if (error) raw->Stop();
  });
  asio::co_spawn(state->io, state->Summarise(), state->LogException("summary"));
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

uint16_t Server::port() const {
  return state_->acceptor.local_endpoint().port();
}

void Server::Run() { state_->io.run(); }

void Server::Stop() {
  asio::post(state_->io, [raw = state_.get()] { raw->Stop(); });
}

}  // namespace verifier
