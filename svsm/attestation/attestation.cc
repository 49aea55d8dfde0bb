// SPDX-License-Identifier: Apache-2.0
#include "svsm/attestation/attestation.h"

#include <algorithm>

#include "svsm/reasons.h"

namespace svsm {
namespace {

using attest::NativeSession;
using base::Code;
using base::Milliseconds;
using base::Result;
using base::Status;
using base::Step;

// For what is only polite: close_notify and closing the stream.
constexpr Milliseconds kGoodbye{500};

}  // namespace

Status Attestation::Run(const AttestationGoal& goal) {
  RetryPolicy policy;
  for (bool first = true;; first = false) {
    const AttemptResult result = Attempt(goal);
    CloseStream();
    // The boot's time ended in the middle of an attempt: how that ended says
    // nothing, the one before does.
    if (result.status.code() == Code::kDeadlineExceeded && !first &&
        clock_.Now() >= clock_.end()) {
      return result_.status;
    }
    result_ = result;
    if (!policy.ShouldRetry(result)) return result.status;
    const base::Instant next = clock_.Now() + policy.pause();
    if (next >= clock_.end()) return result.status;
    observer_.OnRetry(result);
    while (!clock_.Passed(next)) clock_.Relax();
  }
}

std::optional<BootPermit> Attestation::Permit() const {
  if (session_.phase() != NativeSession::Phase::kDone ||
      session_.outcome() != proto::Outcome::kGranted) {
    return std::nullopt;
  }
  return BootPermit();
}

AttemptResult Attestation::Attempt(const AttestationGoal& goal) {
  const Status status = Converse(goal);
  AttemptResult result{.status = status,
                       .outcome = session_.outcome(),
                       .processor_failed = evidence_.report_failed()};
  std::ranges::copy(session_.decision_id(), result.decision_id.begin());
  return result;
}

Status Attestation::Converse(const AttestationGoal& goal) {
  Wipe();
  BASE_TRY(OpenChannel(goal));
  BASE_TRY(client_.OpenStream(goal.endpoint, deadline_));
  BASE_TRY(Handshake(goal));
  observer_.OnConnected();
  return RunSession(goal);
}

Status Attestation::OpenChannel(const AttestationGoal& goal) {
  // A channel of an earlier attempt that still works is kept.
  if (!client_.connected() || !client_.Poll().ok()) {
    BASE_TRY(client_.Connect(goal.vm, clock_.Now() + goal.proxy_timeout));
    observer_.OnChannel();
  }
  // The verifier's time begins when there is a way to it.
  deadline_ = clock_.Now() + goal.verifier_timeout;
  return {};
}

// One turn of a loop that waits for the verifier.
Status Attestation::WaitTurn() {
  if (clock_.Passed(deadline_)) {
    return Status(Code::kDeadlineExceeded, kVerifierSilent);
  }
  clock_.Relax();
  return client_.Poll();
}

Status Attestation::Handshake(const AttestationGoal& goal) {
  BASE_TRY(tls_.Start(client_.stream(), rng_, goal.pins));
  for (;;) {
    BASE_TRY_ASSIGN(const Step step, tls_.Handshake());
    if (step == Step::kDone) return {};
    BASE_TRY(WaitTurn());
  }
}

Status Attestation::RunSession(const AttestationGoal& goal) {
  BASE_TRY(session_.Start(tls_, evidence_,
                          {.vm = goal.vm,
                           .secrets = goal.secrets,
                           .boot_manifest = goal.boot_manifest}));
  bool attested = false;
  for (;;) {
    BASE_TRY_ASSIGN(const Step step, session_.Advance());
    if (!attested &&
        session_.phase() >= NativeSession::Phase::kAwaitingVerdict) {
      attested = true;
      observer_.OnAttested();
    }
    if (step == Step::kDone) return {};
    BASE_TRY(WaitTurn());
  }
}

// Bounded and without consequences: the verdict is here, or there is none.
void Attestation::CloseStream() {
  if (!client_.connected()) return;
  const base::Instant deadline = clock_.Now() + kGoodbye;
  if (session_.phase() == NativeSession::Phase::kDone) {
    for (;;) {
      const Result<Step> step = tls_.Close();
      if (!step.ok() || *step == Step::kDone || clock_.Passed(deadline)) break;
      if (!client_.Poll().ok()) break;
      clock_.Relax();
    }
  }
  tls_.Wipe();
  client_.CloseStream(deadline);
}

void Attestation::Wipe() {
  session_.Wipe();
  tls_.Wipe();
}

}  // namespace svsm
