// SPDX-License-Identifier: Apache-2.0
//
// NativeSession: the guest's side of one attestation (design section 5), from
// Request to Receipt, over a channel whose handshake is done.
//
// It trusts the channel to end at the owner's verifier, and nothing else. It
// never waits, except in EvidenceSource; deadlines are the caller's. About
// 200 KiB inline: give it static storage.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <array>
#include <span>

#include "attest/evidence_source.h"
#include "attest/message_pipe.h"
#include "attest/secret_set.h"
#include "base/byte_stream.h"
#include "base/bytes.h"
#include "base/result.h"
#include "crypto/secure_channel.h"
#include "proto/arena.h"
#include "proto/attest.h"

namespace attest {

// What a session asks for. Everything pointed to must outlive the session.
struct SessionRequest {
  base::Bytes vm;
  std::span<const WantedSecret> secrets;
  base::Bytes boot_manifest;  // serialised, attest/boot_manifest.h
};

class NativeSession {
 public:
  enum class Phase : uint8_t {
    kIdle,
    kSendingRequest,
    kAwaitingChallenge,
    kSendingEvidence,
    kAwaitingVerdict,  // attested: the evidence is with the channel
    kSendingReceipt,
    kDone,
    kFailed,
  };

  NativeSession() = default;
  ~NativeSession() { Wipe(); }
  NativeSession(const NativeSession&) = delete;
  NativeSession& operator=(const NativeSession&) = delete;

  // `channel` and `evidence` must outlive the session.
  //   kInvalidArgument: a name, count or size that may not be sent.
  base::Status Start(crypto::SecureChannel& channel, EvidenceSource& evidence,
                     const SessionRequest& request);

  // Call until kDone, then read outcome(). An error ends the session; later
  // calls repeat it, and no secret is kept.
  //   kDataLoss: the peer broke the protocol, or the report is not for us.
  //   kUnauthenticated (kReport...): the report is not the one asked for.
  //   kSecret... (attest/reasons.h): granted, but not what was asked for.
  //   Errors of the channel and of the evidence source.
  base::Result<base::Step> Advance();

  Phase phase() const { return phase_; }
  // Once phase() is kSendingReceipt or kDone.
  proto::Outcome outcome() const { return outcome_; }
  // Zero until a verdict is here; then valid after a failure too.
  std::span<const uint8_t, proto::kDecisionIdSize> decision_id() const {
    return decision_id_;
  }
  uint64_t boot_counter() const { return boot_counter_; }

  // Empty unless kDone and kGranted.
  const SecretSet& secrets() const { return secrets_; }
  SecretSet& secrets() { return secrets_; }

  // Overwrites everything, secrets too.
  void Wipe();

 private:
  base::Result<base::Step> Run();
  base::Status OnChallenge();
  base::Status MakeEvidence(const proto::AttestChallenge& challenge);
  base::Status CheckReport(std::span<const uint8_t, 64> report_data) const;
  void OnVerdict();
  base::Status TakeVerdict();

  crypto::SecureChannel* channel_ = nullptr;
  EvidenceSource* evidence_ = nullptr;
  SessionRequest request_;
  Phase phase_ = Phase::kIdle;
  base::Status error_;    // With kFailed.
  base::Status verdict_;  // What came of the verdict, while the receipt leaves.
  proto::Outcome outcome_ = proto::Outcome::kProtocolError;
  std::array<uint8_t, proto::kDecisionIdSize> decision_id_ = {};
  uint64_t boot_counter_ = 0;
  MessageSender sender_;
  MessageReceiver receiver_;
  SecretSet secrets_;

  // As sent; the transcript covers it.
  std::array<uint8_t, proto::kMaxAttestRequest> sent_request_ = {};
  size_t sent_request_size_ = 0;
  std::array<uint8_t, proto::kAttestReportSize> report_ = {};
  std::array<uint8_t, proto::kMaxCertificates> certificates_ = {};
  // The message on its way, in or out.
  std::array<uint8_t, proto::kMaxAttestMessage> buffer_ = {};
  proto::AttestArena arena_;
};

}  // namespace attest
