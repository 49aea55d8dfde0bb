// SPDX-License-Identifier: Apache-2.0
//
// Attestation: from "the boot files are measured" to a verdict. Opens the proxy
// channel, a stream to the verifier, TLS over it and the native session inside,
// and tries again where that may help (retry.h), until the end of the boot's
// time (base::Clock::EndAt).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <optional>
#include <span>

#include "attest/evidence_source.h"
#include "attest/native_session.h"
#include "attest/secret_set.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/rng.h"
#include "crypto/tls_client.h"
#include "proto/attest.h"
#include "proxy/client.h"
#include "svsm/attestation/retry.h"
#include "svsm/boot_permit.h"

namespace svsm {

// What the attestation wants. Everything pointed to outlives it.
struct AttestationGoal {
  base::Bytes vm;
  base::Bytes endpoint;
  std::span<const crypto::Pin> pins;
  std::span<const attest::WantedSecret> secrets;
  base::Bytes boot_manifest;  // serialised
  // Of each attempt:
  base::Milliseconds proxy_timeout{};     // for the proxy to answer
  base::Milliseconds verifier_timeout{};  // for everything after that
};

// Who is told how far it is.
class AttestationObserver {
 public:
  virtual void OnChannel() = 0;  // The proxy answers; again after a retry.
  virtual void OnConnected() = 0;
  virtual void OnAttested() = 0;
  virtual void OnRetry(const AttemptResult& why) = 0;

 protected:
  ~AttestationObserver() = default;
};

// 250 KiB: static storage.
class Attestation {
 public:
  // All outlive it.
  Attestation(proxy::Client& client, attest::EvidenceSource& evidence,
              crypto::Rng& rng, base::Clock& clock,
              AttestationObserver& observer)
      : client_(client),
        evidence_(evidence),
        rng_(rng),
        clock_(clock),
        observer_(observer) {}
  ~Attestation() { Wipe(); }
  Attestation(const Attestation&) = delete;
  Attestation& operator=(const Attestation&) = delete;

  // Ok: there is a verdict; see result(). Else the status of the last attempt,
  //   kDeadlineExceeded (kVerifierSilent) where it ran into a deadline.
  // Where the boot's time ends in the middle of an attempt, the one before it
  // counts, if there was one: its status, or its verdict, which is try_later.
  base::Status Run(const AttestationGoal& goal);

  // Of the attempt that Run() returned the status of.
  const AttemptResult& result() const { return result_; }

  // The last attempt's: the secrets and the boot counter if granted.
  const attest::NativeSession& session() const { return session_; }

  // Only after a granted verdict whose secrets are the ones asked for.
  std::optional<BootPermit> Permit() const;

  // Overwrites TLS and session, secrets included.
  void Wipe();

 private:
  // Remembers that no report could be had: then there is no key for another.
  class WatchedEvidence final : public attest::EvidenceSource {
   public:
    explicit WatchedEvidence(attest::EvidenceSource& source)
        : source_(source) {}
    base::Status GetReport(
        std::span<const uint8_t, 64> report_data,
        std::span<uint8_t, proto::kAttestReportSize> out) override {
      const base::Status status = source_.GetReport(report_data, out);
      if (!status.ok()) report_failed_ = true;
      return status;
    }
    base::Result<size_t> GetCertificates(base::Bytes report,
                                         base::MutableBytes out) override {
      return source_.GetCertificates(report, out);
    }
    bool report_failed() const { return report_failed_; }

   private:
    attest::EvidenceSource& source_;
    bool report_failed_ = false;
  };

  AttemptResult Attempt(const AttestationGoal& goal);
  base::Status Converse(const AttestationGoal& goal);
  base::Status OpenChannel(const AttestationGoal& goal);
  base::Status Handshake(const AttestationGoal& goal);
  base::Status RunSession(const AttestationGoal& goal);
  base::Status WaitTurn();
  void CloseStream();

  proxy::Client& client_;
  WatchedEvidence evidence_;
  crypto::Rng& rng_;
  base::Clock& clock_;
  AttestationObserver& observer_;
  base::Instant deadline_{};  // of this attempt
  AttemptResult result_;
  crypto::TlsClient tls_;
  attest::NativeSession session_;
};

}  // namespace svsm
