// SPDX-License-Identifier: Apache-2.0
//
// What is behind a guest's page channel, in this process: the proxy's own
// session and page endpoint, and connections to an Owner. Deterministic: it
// moves only when it is told to.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "host-proxy/session.h"
#include "proto/channel.h"
#include "proxy/host/page_endpoint.h"
#include "tests/hostile/owner.h"

namespace hostile {

class ChannelPeer final : private host_proxy::SessionBackend {
 public:
  // `owner` outlives it. `map` gives the guest's shared range.
  ChannelPeer(Owner& owner, proxy::host::PageEndpoint::Mapper map);

  // A byte that the guest wrote to the channel's port.
  void OnPortByte(uint8_t byte);
  // Does all there is to do.
  void Turn();

  // --- What happened.
  bool handshaken() const;                        // The newest connection.
  std::optional<proto::Outcome> outcome() const;  // of the newest verdict
  const std::vector<proto::channel::Phase>& phases() const { return phases_; }
  uint32_t reported_reason() const { return reported_reason_; }
  bool finished() const { return finished_; }
  int connections() const { return connections_made_; }
  int certificates_asked() const { return certificates_asked_; }
  base::Status last_error() const { return last_error_; }
  // Why the verifier refused, and what OpenSSL said.
  std::string Log() const;

  // What GetCertificates answers; the default is the right table.
  std::vector<uint8_t> certificates;
  // Endpoints cannot be reached.
  bool refuse_connections = false;
  // That many connections end when the guest's evidence comes.
  int drop_evidence = 0;

 private:
  bool Connect(size_t slot, base::Bytes endpoint) override;
  base::Result<size_t> Read(size_t slot, base::MutableBytes out) override;
  base::Result<size_t> Write(size_t slot, base::Bytes bytes) override;
  void Disconnect(size_t slot) override;
  std::vector<uint8_t> Certificates(base::Bytes chip_id, uint64_t tcb) override;
  void OnProgress(const proto::channel::Progress& progress) override;
  void OnHello(base::Bytes) override {}

  Owner& owner_;
  proxy::host::PageEndpoint endpoint_;
  host_proxy::Session session_;
  std::array<std::shared_ptr<OwnerConnection>, host_proxy::kMaxStreams> slots_;
  std::vector<std::shared_ptr<OwnerConnection>> connections_;
  int connections_made_ = 0;
  int certificates_asked_ = 0;
  std::vector<proto::channel::Phase> phases_;
  uint32_t reported_reason_ = 0;
  bool finished_ = false;
  base::Status last_error_;
};

}  // namespace hostile
