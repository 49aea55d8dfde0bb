// SPDX-License-Identifier: Apache-2.0
#include "tests/hostile/channel_peer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/reasons.h"
#include "proxy/reasons.h"
#include "verifier/testing/evidence_maker.h"

namespace hostile {
namespace {

using Event = proxy::host::PageEndpoint::Event;
using Outcome = host_proxy::Session::Outcome;

constexpr uint64_t kGeneration = 7;
// More than any honest session needs in one turn.
constexpr int kStepsInATurn = 1000;
constexpr size_t kKeptConnections = 8;

}  // namespace

ChannelPeer::ChannelPeer(Owner& owner, proxy::host::PageEndpoint::Mapper map)
    : certificates(
          verifier::testing::PackTable(verifier::testing::GoodCertificates())),
      owner_(owner),
      endpoint_(std::move(map), kGeneration),
      session_(endpoint_.channel(), *this, "vm1", kGeneration) {}

void ChannelPeer::OnPortByte(uint8_t byte) {
  if (endpoint_.Feed(byte) == Event::kAttached) session_.Reset();
}

void ChannelPeer::Turn() {
  const auto end = [this](base::Status why) {
    session_.Reset();
    endpoint_.Detach(why);
  };
  if (endpoint_.attached() && !endpoint_.Look()) end({});
  for (int i = 0; i < kStepsInATurn && endpoint_.attached(); ++i) {
    for (size_t slot = 0; slot < slots_.size(); ++slot) {
      if (slots_[slot] != nullptr) session_.OnConnected(slot);
    }
    const auto outcome = session_.Step();
    if (!outcome.ok()) {
      last_error_ = outcome.status();
      end(outcome.status());
      return;
    }
    if (*outcome == Outcome::kFinished) {
      finished_ = true;
      end({});
      return;
    }
    if (*outcome == Outcome::kProgress) continue;
    if (*outcome == Outcome::kBlocked) return;
    const auto asleep = endpoint_.PrepareToSleep();
    if (!asleep.ok()) {
      last_error_ = asleep.status();
      end(asleep.status());
      return;
    }
    if (*asleep) return;
  }
}

bool ChannelPeer::handshaken() const {
  return !connections_.empty() && connections_.back()->handshaken();
}

std::optional<proto::Outcome> ChannelPeer::outcome() const {
  for (size_t i = connections_.size(); i > 0; --i) {
    if (connections_[i - 1]->outcome()) return connections_[i - 1]->outcome();
  }
  return std::nullopt;
}

std::string ChannelPeer::Log() const {
  std::string text;
  for (const auto& connection : connections_) {
    for (const std::string& line : connection->log()) {
      absl::StrAppend(&text, line, "\n");
    }
  }
  if (!last_error_.ok()) {
    absl::StrAppend(&text, "channel: ", base::NameOf(last_error_.reason()).text,
                    "\n");
  }
  return text;
}

bool ChannelPeer::Connect(size_t slot, base::Bytes endpoint) {
  const std::string_view known = "verifier";
  if (refuse_connections ||
      !base::Equal(endpoint, verifier::ossl::AsBytes(known))) {
    return false;
  }
  slots_[slot] = std::make_shared<OwnerConnection>(owner_);
  if (drop_evidence > 0) {
    --drop_evidence;
    slots_[slot]->DropAtMessage(2);
  }
  connections_.push_back(slots_[slot]);
  if (connections_.size() > kKeptConnections) {
    connections_.erase(connections_.begin());
  }
  ++connections_made_;
  return true;
}

base::Result<size_t> ChannelPeer::Read(size_t slot, base::MutableBytes out) {
  if (slots_[slot]->finished()) {
    return base::Status(base::Code::kUnavailable, base::kStreamClosed);
  }
  return slots_[slot]->Read(out);
}

base::Result<size_t> ChannelPeer::Write(size_t slot, base::Bytes bytes) {
  slots_[slot]->Write(bytes);
  return bytes.size();
}

void ChannelPeer::Disconnect(size_t slot) { slots_[slot].reset(); }

std::vector<uint8_t> ChannelPeer::Certificates(base::Bytes, uint64_t) {
  ++certificates_asked_;
  return certificates;
}

void ChannelPeer::OnProgress(const proto::channel::Progress& progress) {
  phases_.push_back(progress.phase);
  if (progress.reason != 0) reported_reason_ = progress.reason;
}

}  // namespace hostile
