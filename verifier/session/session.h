// SPDX-License-Identifier: Apache-2.0
//
// Session: the verifier's side of one attestation, over message bodies that
// somebody else decrypts and frames. It knows neither sockets nor TLS, so the
// server and the tests run the same.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret_buffer.h"
#include "proto/attest.h"
#include "verifier/endorsements/endorsements.h"
#include "verifier/evidence/chain_cache.h"
#include "verifier/session/decide.h"
#include "verifier/store/store.h"

namespace verifier {

// Names the TLS session: RFC 8446, 7.5.
class KeyExporter {
 public:
  virtual ~KeyExporter() = default;
  // false: there is no session to name.
  virtual bool Export(std::string_view label, base::Bytes context,
                      base::MutableBytes out) = 0;
};

struct SessionOptions {
  bool allow_emulated = false;
  std::string peer;  // For the log.
  std::function<int64_t()> now_ms;
  // For what evidence comes without; may be null, as may the cache, which
  // outlives the session.
  std::shared_ptr<const Endorsements> endorsements;
  ChainCache* cache = nullptr;
  // One line for each decision; never a reason's detail.
  std::function<void(std::string_view)> log;
  // May one more refusal be recorded and logged, although the peer has shown no
  // genuine evidence? If not it still gets a verdict and a decision id.
  std::function<bool()> record_unproven = [] { return true; };
};

// A message body to send. Wiped: it may hold secrets.
class Reply {
 public:
  Reply() = default;
  explicit Reply(std::vector<uint8_t> bytes) : bytes_(std::move(bytes)) {}
  ~Reply() {
    if (!bytes_.empty()) base::SecureZero(bytes_.data(), bytes_.size());
  }
  Reply(Reply&&) = default;
  Reply& operator=(Reply&&) = delete;
  base::Bytes bytes() const { return bytes_; }

 private:
  std::vector<uint8_t> bytes_;
};

class Session {
 public:
  // All three outlive the session.
  Session(Store& store, KeyExporter& exporter, SessionOptions options);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // What to send for one message of the guest; empty: nothing.
  Reply OnMessage(base::Bytes body);
  // The framing or TLS broke its rules: a verdict, unless one was given.
  Reply OnViolation(base::Reason reason, std::string_view detail);

  // Nothing more is expected: close after sending.
  bool done() const { return state_ == State::kDone; }
  // A well-formed request came.
  bool requested() const { return !challenge_.empty(); }
  // A verdict was given, of whatever outcome.
  bool decided() const { return decided_; }

 private:
  enum class State { kRequest, kEvidence, kReceipt, kDone };

  Reply OnRequest(base::Bytes body);
  Reply OnEvidence(base::Bytes body);
  void OnReceipt(base::Bytes body);
  Reply Refuse(proto::Outcome outcome, Finding finding);
  // Commits, then encodes: nothing leaves before the record is on disk.
  Reply Conclude(Decision decision);
  Committed CommitOrTryLater(Decision& decision);
  Reply EncodeVerdict(const Decision& decision, const Committed& committed);
  void Log(const Decision& decision);

  Store& store_;
  KeyExporter& exporter_;
  SessionOptions options_;
  State state_ = State::kRequest;
  bool decided_ = false;
  bool recorded_ = false;
  std::string vm_;
  std::vector<std::string> paths_;
  std::vector<uint8_t> request_;    // As received.
  std::vector<uint8_t> challenge_;  // As sent.
  std::array<uint8_t, proto::kAttestNonceSize> nonce_{};
  DecisionId decision_id_{};
};

}  // namespace verifier
