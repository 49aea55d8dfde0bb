// SPDX-License-Identifier: Apache-2.0
//
// A session between a LoopbackMachine's page and connections that the test
// plays.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/reasons.h"
#include "base/result.h"
#include "host-proxy/session.h"
#include "proto/channel.h"
#include "proxy/host/page_endpoint.h"
#include "proxy/reasons.h"
#include "proxy/testing/loopback_machine.h"

namespace host_proxy::testing {

class FakeBackend final : public SessionBackend {
 public:
  struct Peer {
    bool in_use = false;
    bool eof = false;
    bool reset = false;
    std::deque<uint8_t> to_guest;
    std::vector<uint8_t> from_guest;
    size_t room = SIZE_MAX;
  };

  bool Connect(size_t slot, base::Bytes endpoint) override {
    constexpr uint8_t kKnown[] = {'v'};
    if (!base::Equal(endpoint, kKnown)) return false;
    peers[slot] = Peer();
    peers[slot].in_use = true;
    return true;
  }
  base::Result<size_t> Read(size_t slot, base::MutableBytes out) override {
    Peer& peer = peers[slot];
    const size_t count = std::min(out.size(), peer.to_guest.size());
    std::copy_n(peer.to_guest.begin(), count, out.begin());
    peer.to_guest.erase(peer.to_guest.begin(),
                        peer.to_guest.begin() + static_cast<ptrdiff_t>(count));
    if (count == 0 && peer.eof) {
      return base::Status(base::Code::kUnavailable, base::kStreamClosed);
    }
    return count;
  }
  base::Result<size_t> Write(size_t slot, base::Bytes bytes) override {
    Peer& peer = peers[slot];
    if (peer.reset) {
      return base::Status(base::Code::kUnavailable, proxy::kStreamReset);
    }
    const size_t count = std::min(bytes.size(), peer.room);
    peer.room -= count;
    peer.from_guest.insert(peer.from_guest.end(), bytes.begin(),
                           bytes.begin() + static_cast<ptrdiff_t>(count));
    return count;
  }
  void Disconnect(size_t slot) override { peers[slot].in_use = false; }
  std::vector<uint8_t> Certificates(base::Bytes, uint64_t) override {
    return std::vector<uint8_t>(certificates_size, 0x30);
  }
  void OnProgress(const proto::channel::Progress&) override { ++progress; }
  void OnHello(base::Bytes) override { ++hellos; }

  std::array<Peer, kMaxStreams> peers;
  size_t certificates_size = 100;
  int progress = 0;
  int hellos = 0;
};

// The daemon's turn: what Connection does, without sockets.
class SessionHost {
 public:
  explicit SessionHost(proxy::testing::LoopbackMachine& machine)
      : machine_(machine),
        endpoint(machine.ram_path(), 7),
        session(endpoint.channel(), backend, "vm1", 7) {
    machine_.host_turn = [this] { Turn(); };
  }
  ~SessionHost() { machine_.host_turn = nullptr; }

  void Turn() {
    using Event = proxy::host::PageEndpoint::Event;
    while (!machine_.port().empty()) {
      const uint8_t byte = machine_.port().front();
      machine_.port().pop_front();
      if (endpoint.Feed(byte) == Event::kAttached) session.Reset();
    }
    if (endpoint.attached() && !endpoint.Look()) {
      session.Reset();
      endpoint.Detach({});
    }
    for (int i = 0; i < 1000 && endpoint.attached(); ++i) {
      if (connect_at_once) {
        for (size_t slot = 0; slot < kMaxStreams; ++slot) {
          if (backend.peers[slot].in_use) session.OnConnected(slot);
        }
      }
      const auto outcome = session.Step();
      if (!outcome.ok()) {
        last_error = outcome.status();
        session.Reset();
        endpoint.Detach(outcome.status());
        return;
      }
      if (*outcome == Session::Outcome::kFinished) {
        session.Reset();
        endpoint.Detach({});
        return;
      }
      if (*outcome == Session::Outcome::kProgress) continue;
      if (*outcome == Session::Outcome::kBlocked) return;
      const auto sleep = endpoint.PrepareToSleep();
      if (!sleep.ok() || *sleep) return;
    }
  }

  proxy::testing::LoopbackMachine& machine_;
  FakeBackend backend;
  proxy::host::PageEndpoint endpoint;
  Session session;
  base::Status last_error;
  bool connect_at_once = true;
};

}  // namespace host_proxy::testing
