// SPDX-License-Identifier: Apache-2.0
#include "host-proxy/connection.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/reasons.h"
#include "host-proxy/as_tuple.h"
#include "host-proxy/certificates.h"
#include "host-proxy/reasons.h"
#include "hosted/status.h"
#include "hosted/text.h"
#include "proxy/host/ram_file.h"
#include "proxy/reasons.h"

namespace host_proxy {
namespace {

using asio::ip::tcp;
using base::Code;
using base::Status;
using std::chrono::microseconds;
using Event = proxy::host::PageEndpoint::Event;

// After something moved, look into the ring this often before asking for a
// doorbell: what a guest sends in one go then costs it one exit.
constexpr int kPolls = 5;
constexpr microseconds kPollInterval{200};
// A guest that does not read is looked at again after this; doubled.
constexpr microseconds kFirstBlockedWait{500};
constexpr microseconds kLongestBlockedWait{50000};
constexpr microseconds kLookupPoll{10000};
// Folders read for one session; a guest has one chip and one TCB.
constexpr int kMostCertificateReads = 16;
// The guest's own limit is 256 bytes (docs/channel.md).
constexpr int kMostDrainReads = 16;

constexpr base::ReasonRow kChannelRows[] = {
    FORELOCK_PROXY_REASONS(BASE_REASON_ROW)};

// "PC22 the range lies outside guest RAM: DETAIL".
std::string Text(Status status, std::string_view detail = "") {
  return std::string(hosted::FromBase(kChannelRows, status, detail).message());
}

}  // namespace

Connection::Connection(Socket socket, const VmConfig& vm,
                       std::chrono::milliseconds connect_timeout,
                       uint64_t generation, std::shared_ptr<NameLookup> names,
                       VmLog& log)
    : socket_(std::move(socket)),
      vm_(vm),
      connect_timeout_(connect_timeout),
      names_(std::move(names)),
      log_(log),
      endpoint_(vm.ram, generation),
      session_(endpoint_.channel(), *this, vm.label, generation),
      wake_(socket_.get_executor()) {}

Connection::~Connection() = default;

void Connection::Start() {
  // The coroutines keep the connection alive until both have ended.
  asio::error_code ignored;
  socket_.non_blocking(true, ignored);
  Spawn(ReadPort());
  Spawn(Work());
}

void Connection::Spawn(asio::awaitable<void> coroutine) {
  asio::co_spawn(socket_.get_executor(), std::move(coroutine),
                 [self = shared_from_this()](const std::exception_ptr& error) {
                   if (error) self->Abandon(error);
                 });
}

void Connection::Abandon(const std::exception_ptr& error) {
  std::string what = "unknown";
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& thrown) {
    what = thrown.what();
  } catch (...) {
  }
  log_.Line(absl::StrCat("connection dropped: ", what));
  Stop();
}

void Connection::Stop() {
  if (stopped_) return;
  stopped_ = true;
  asio::error_code ignored;
  socket_.close(ignored);
  session_.Reset();
  endpoint_.Detach(Status(Code::kUnavailable, proxy::kProxyRefused));
  Notify();
}

void Connection::ShutDown() {
  if (stopped_) return;
  if (endpoint_.StillOurs()) {
    session_.AnnounceShutdown();
    log_.Line(absl::StrCat("ended by shutdown: ",
                           base::NameOf(proxy::kProxyShuttingDown).text));
    endpoint_.Detach(Status(Code::kUnavailable, proxy::kProxyShuttingDown));
  }
  Stop();
}

// --- The loop.

void Connection::Notify() {
  notified_ = true;
  wake_.cancel();
}

// Until Notify(), or `longest`.
asio::awaitable<void> Connection::Sleep(std::optional<microseconds> longest) {
  if (!notified_) {
    if (longest.has_value()) {
      wake_.expires_after(*longest);
    } else {
      wake_.expires_at(asio::steady_timer::time_point::max());
    }
    co_await wake_.async_wait(kToTuple);
  }
  notified_ = false;
}

asio::awaitable<void> Connection::Work() {
  while (!stopped_) {
    std::optional<microseconds> longest;
    if (Turn(longest)) {
      // Other VMs first.
      co_await asio::post(socket_.get_executor(), asio::use_awaitable);
    } else {
      co_await Sleep(longest);
    }
  }
}

bool Connection::Turn(std::optional<microseconds>& longest) {
  if (!endpoint_.attached()) return false;
  if (!endpoint_.Look() && !endpoint_.lost()) {
    End(Status());  // The connection waits for the next registration.
    return false;
  }
  const auto outcome = session_.Step();
  if (endpoint_.lost()) {
    End(Status(Code::kUnavailable, proxy::kRamLost));
    return false;
  }
  if (!outcome.ok()) {
    End(outcome.status());
    return false;
  }
  switch (*outcome) {
    case Session::Outcome::kFinished:
      Finish();
      return endpoint_.attached();
    case Session::Outcome::kProgress:
      polls_left_ = kPolls;
      blocked_wait_ = kFirstBlockedWait;
      return true;
    case Session::Outcome::kBlocked:
      blocked_wait_ = std::min(blocked_wait_ * 2, kLongestBlockedWait);
      longest = blocked_wait_;
      return false;
    case Session::Outcome::kIdle:
      break;
  }
  ArmSockets();
  if (polls_left_ > 0) {
    --polls_left_;
    longest = kPollInterval;
    return false;
  }
  const auto sleep = endpoint_.PrepareToSleep();
  if (!sleep.ok()) {
    End(sleep.status());
    return false;
  }
  longest = proxy::host::kLookAgain;
  return !*sleep;
}

void Connection::End(Status why) {
  if (endpoint_.attached() && !endpoint_.StillOurs() && !endpoint_.lost()) {
    log_.Line("session dropped: its page is no channel any more");
  } else if (!why.ok()) {
    log_.Line(absl::StrCat("session ended: ", Text(why)));
  }
  session_.Reset();
  endpoint_.Detach(why);
}

// --- The port.

asio::awaitable<void> Connection::ReadPort() {
  std::array<uint8_t, 256> bytes;
  while (!stopped_) {
    const auto [error, count] =
        co_await socket_.async_read_some(asio::buffer(bytes), kToTuple);
    if (error) break;
    Feed(base::Bytes(bytes).first(count));
  }
  if (!stopped_) log_.Line("QEMU disconnected");
  Stop();
}

void Connection::LogRejected(Status why) {
  log_.Line(absl::StrCat("registration rejected: ",
                         Text(why, why.reason() == proxy::kRamFileUnusable
                                       ? proxy::host::WhyUnusable(vm_.ram)
                                       : "")));
}

bool Connection::Feed(base::Bytes bytes) {
  bool attached = false;
  bool wake = false;
  for (const uint8_t byte : bytes) {
    switch (endpoint_.Feed(byte)) {
      case Event::kNothing:
        break;
      case Event::kDoorbell:
        wake = true;
        break;
      case Event::kAttached:
        session_.Reset();
        certificate_reads_ = 0;
        blocked_wait_ = kFirstBlockedWait;
        attached = true;
        wake = true;
        break;
      case Event::kRejected:
        LogRejected(endpoint_.last_error());
        break;
    }
  }
  if (wake) Notify();
  return attached;
}

// The guest takes its page back. What it had rung before must not bring us back
// to it (PageEndpoint::Detach), so the port has to be empty first.
void Connection::Finish() {
  std::array<uint8_t, 256> bytes;
  for (int i = 0; i < kMostDrainReads; ++i) {
    asio::error_code error;
    const size_t count = socket_.read_some(asio::buffer(bytes), error);
    if (error || count == 0) {
      End(Status());
      return;
    }
    if (Feed(base::Bytes(bytes).first(count))) return;  // A reset VM's.
  }
  End(Status());
  log_.Line("QEMU writes without end after Close: connection dropped");
  Stop();
}

// --- The streams' sockets.

bool Connection::Connect(size_t slot, base::Bytes endpoint) {
  const std::string_view name = hosted::AsText(endpoint);  // A checked one.
  const auto found = vm_.endpoints.find(name);
  if (found == vm_.endpoints.end()) {
    log_.Line(absl::StrCat("refused endpoint '", name,
                           "': ", base::NameOf(proxy::kEndpointUnknown).text,
                           " not in its configuration"));
    return false;
  }
  const uint64_t attempt = ++slots_[slot].attempt;
  Spawn(RunConnect(slot, attempt, found->second));
  return true;
}

void Connection::FailConnect(size_t slot, uint64_t attempt, base::Reason reason,
                             const Endpoint& endpoint,
                             const std::string& detail) {
  if (slots_[slot].attempt != attempt) return;
  log_.Line(absl::StrCat("cannot connect to ", endpoint.host, ":",
                         endpoint.port, ": ", base::NameOf(reason).text, " ",
                         detail));
  ++slots_[slot].attempt;  // What is under way still is of no more use.
  slots_[slot].socket.reset();
  slots_[slot].lookup_wait.reset();
  session_.OnConnectFailed(slot);
  Notify();
}

asio::awaitable<std::optional<NameLookup::Answer>> Connection::FindAddresses(
    size_t slot, uint64_t attempt, const std::string& host) {
  asio::error_code is_a_name;
  const auto address = asio::ip::make_address(host, is_a_name);
  if (!is_a_name) co_return NameLookup::Answer{{}, {address}};
  Slot& here = slots_[slot];
  for (;;) {
    auto answer = names_->Ask(host);
    if (answer.has_value()) co_return answer;
    here.lookup_wait = std::make_unique<asio::steady_timer>(
        socket_.get_executor(), kLookupPoll);
    co_await here.lookup_wait->async_wait(kToTuple);
    if (here.attempt != attempt) co_return std::nullopt;
  }
}

asio::awaitable<void> Connection::RunConnect(size_t slot, uint64_t attempt,
                                             Endpoint endpoint) {
  Slot& here = slots_[slot];
  if (here.attempt != attempt) co_return;
  const auto executor = socket_.get_executor();
  // Fires on its own: getaddrinfo cannot be interrupted, only left behind.
  asio::steady_timer deadline(executor, connect_timeout_);
  deadline.async_wait([self = shared_from_this(), slot, attempt,
                       endpoint](asio::error_code error) {
    if (!error) {
      self->FailConnect(slot, attempt, kEndpointDeadline, endpoint,
                        "no answer before the deadline");
    }
  });

  const auto found = co_await FindAddresses(slot, attempt, endpoint.host);
  if (!found.has_value()) co_return;
  if (found->error) {
    FailConnect(slot, attempt, kEndpointNotResolved, endpoint,
                found->error.message());
    co_return;
  }

  asio::error_code last = asio::error::host_not_found;
  for (const asio::ip::address& address : found->addresses) {
    here.socket.emplace(executor);
    const auto [error] = co_await here.socket->async_connect(
        tcp::endpoint(address, endpoint.port), kToTuple);
    if (here.attempt != attempt) co_return;
    if (!error) {
      asio::error_code ignored;
      here.socket->non_blocking(true, ignored);
      here.socket->set_option(tcp::no_delay(true), ignored);
      session_.OnConnected(slot);
      Notify();
      co_return;
    }
    last = error;
  }
  FailConnect(slot, attempt, kEndpointNotConnected, endpoint, last.message());
}

void Connection::Disconnect(size_t slot) {
  Slot& here = slots_[slot];
  ++here.attempt;
  here.waiting_read = false;
  here.waiting_write = false;
  here.lookup_wait.reset();
  here.socket.reset();
}

base::Result<size_t> Connection::Read(size_t slot, base::MutableBytes out) {
  asio::error_code error;
  const size_t count = slots_[slot].socket->read_some(
      asio::buffer(out.data(), out.size()), error);
  if (error == asio::error::would_block) return size_t{0};
  if (error == asio::error::eof) {
    return Status(Code::kUnavailable, base::kStreamClosed);
  }
  if (error) return Status(Code::kUnavailable, proxy::kStreamReset);
  return count;
}

base::Result<size_t> Connection::Write(size_t slot, base::Bytes bytes) {
  asio::error_code error;
  const size_t count = slots_[slot].socket->write_some(
      asio::buffer(bytes.data(), bytes.size()), error);
  if (error == asio::error::would_block) return size_t{0};
  if (error) return Status(Code::kUnavailable, proxy::kStreamReset);
  return count;
}

// Waits for what the session can use: nothing else may wake the loop.
void Connection::ArmSockets() {
  for (size_t slot = 0; slot < kMaxStreams; ++slot) {
    Slot& here = slots_[slot];
    const auto arm = [&](bool wanted, bool Slot::* waiting,
                         tcp::socket::wait_type type) {
      if (!wanted || here.*waiting || !here.socket.has_value()) return;
      here.*waiting = true;
      here.socket->async_wait(type, [self = shared_from_this(), slot, waiting,
                                     attempt = here.attempt](asio::error_code) {
        if (self->slots_[slot].attempt != attempt) return;
        self->slots_[slot].*waiting = false;
        self->Notify();
      });
    };
    arm(session_.WantsRead(slot), &Slot::waiting_read, tcp::socket::wait_read);
    arm(session_.WantsWrite(slot), &Slot::waiting_write,
        tcp::socket::wait_write);
  }
}

// --- What the guest asks and tells.

std::vector<uint8_t> Connection::Certificates(base::Bytes chip_id,
                                              uint64_t tcb) {
  if (vm_.certificates.empty()) return {};
  if (certificate_reads_ >= kMostCertificateReads) {
    log_.Line("asks for too many certificates");
    return {};
  }
  ++certificate_reads_;
  auto file = LoadCertificates(vm_.certificates, chip_id, tcb);
  if (!file.ok()) {
    log_.Line(file.status().message());
    return {};
  }
  if (!file->note.empty()) log_.Line(file->note);
  return std::move(file->bytes);
}

void Connection::OnProgress(const proto::channel::Progress& progress) {
  log_.Line(FormatProgress(progress));
}

void Connection::OnHello(base::Bytes vm) {
  // A checked name: printable.
  log_.Line(absl::StrCat("connected, says it is ", hosted::AsText(vm)));
}

}  // namespace host_proxy
