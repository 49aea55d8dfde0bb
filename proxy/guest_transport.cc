// SPDX-License-Identifier: Apache-2.0
#include "proxy/guest_transport.h"

#include <algorithm>

#include "proxy/page_layout.h"
#include "proxy/reasons.h"

namespace proxy {
namespace {

using base::Code;
using base::Status;

constexpr uint64_t kNanosecondsPerMs = 1000000;
constexpr uint64_t kFirstBackOffMs = 250;
constexpr uint64_t kLongestBackOffMs = 8000;
// So many of the last registrations are spread over the time that is left.
constexpr uint32_t kSpread = 3;

static_assert(kMaxUnansweredRegistrations * kRegistrationSize + 2 <=
              kMaxUnansweredBytes);

// The host's word for why it ended the session. Anything but a reason of this
// module would be a free choice of what the guest prints.
Status HostSays(uint32_t bits) {
  const base::Reason reason = base::Reason::FromBits(bits);
  if (reason.tag0() == 'P' && reason.tag1() == 'C' && reason.number() != 0 &&
      reason.number() <= kProxyRefused.number()) {
    return Status(Code::kUnavailable, reason);
  }
  return Status(Code::kUnavailable, kProxyRefused);
}

}  // namespace

GuestPageTransport::GuestPageTransport(const SharedRange& range,
                                       Doorbell& doorbell, uint8_t read_back,
                                       base::Clock& clock)
    : range_(range),
      doorbell_(doorbell),
      clock_(clock),
      read_back_(read_back) {}

Status GuestPageTransport::Start(base::Instant deadline) {
  attached_ = false;
  if (doorbell_.ReadBack() != read_back_) {
    return Status(Code::kFailedPrecondition, kNoDoorbell);
  }
  if (range_.size != kSharedRangeSize || range_.gpa % kPageSize != 0 ||
      range_.gpa > kSharedRangeLimit - kSharedRangeSize) {
    return Status(Code::kInvalidArgument, kSharedRangeInvalid);
  }
  // Any number but 0 and the last one; the clock makes it differ from those of
  // boots before, too.
  auto session = static_cast<uint32_t>(static_cast<uint64_t>(clock_.Now()));
  while (session == 0 || session == registration_.session) ++session;
  registration_ = {
      .gpa = range_.gpa, .length = range_.size, .session = session};

  broken_ = {};
  range_.Zero(0, kPageSize);
  to_host_.Reset(range_, kToHostRing);
  to_guest_.Reset(range_, kToGuestRing);
  bells_rung_ = 0;
  records_sent_ = 0;
  records_seen_ = 0;
  deadline_ = deadline;
  SendRegistration();
  return {};
}

void GuestPageTransport::SendRegistration() {
  // Not reset by Start(): a stopped daemon has read none of the last session's.
  if (unanswered_ >= kMaxUnansweredRegistrations) return;
  FullFence();
  for (const uint8_t byte : EncodeRegistration(registration_)) {
    doorbell_.Write(byte);
  }
  ++unanswered_;
  ++records_sent_;
  port_writes_ += kRegistrationSize;
  registration_writes_ += kRegistrationSize;

  const base::Instant now = clock_.Now();
  uint64_t wait = std::min(kLongestBackOffMs,
                           kFirstBackOffMs << std::min(records_sent_ - 1, 8u));
  const uint32_t left = kMaxUnansweredRegistrations - unanswered_;
  if (left <= kSpread && now < deadline_) {
    const uint64_t rest =
        (static_cast<uint64_t>(deadline_) - static_cast<uint64_t>(now)) /
        kNanosecondsPerMs;
    wait = std::max(wait, rest / (left + 1));
  }
  next_registration_ = now + base::Milliseconds{wait};
}

base::Result<base::Step> GuestPageTransport::Advance() {
  if (!broken_.ok()) return broken_;
  if (attached_) return base::Step::kDone;
  if (range_.Load32(page::kHostSession) == registration_.session) {
    unanswered_ = 0;
    records_seen_ = range_.Load32(page::kHostRecordsSeen);
    if (const uint32_t status = range_.Load32(page::kHostStatus); status != 0) {
      broken_ = HostSays(status);
      return broken_;
    }
    generation_ = range_.Load64(page::kHostGeneration);
    attached_ = true;
    return base::Step::kDone;
  }
  if (clock_.Passed(deadline_)) {
    broken_ = Status(Code::kDeadlineExceeded, kProxyAbsent);
    return broken_;
  }
  if (clock_.Passed(next_registration_)) SendRegistration();
  return base::Step::kWaiting;
}

// Another daemon (or none of ours) has written the page.
Status GuestPageTransport::CheckSameDaemon() {
  if (!broken_.ok()) return broken_;
  if (!attached_) return Status(Code::kFailedPrecondition, kNotConnected);
  if (range_.Load32(page::kHostSession) != registration_.session ||
      range_.Load64(page::kHostGeneration) != generation_) {
    unanswered_ = 0;
    broken_ = Status(Code::kUnavailable, kProxyRestarted);
  }
  return broken_;
}

Status GuestPageTransport::CheckStatus() {
  if (const uint32_t status = range_.Load32(page::kHostStatus); status != 0) {
    broken_ = HostSays(status);
  }
  return broken_;
}

base::Result<size_t> GuestPageTransport::Read(base::MutableBytes out) {
  BASE_TRY(CheckSameDaemon());
  const auto count = to_guest_.Read(out);
  if (!count.ok()) {
    broken_ = count.status();
    return count;
  }
  // What the host sent before it ended the session counts first.
  if (*count == 0) BASE_TRY(CheckStatus());
  return count;
}

base::Result<size_t> GuestPageTransport::Write(base::Bytes bytes) {
  BASE_TRY(CheckSameDaemon());
  BASE_TRY(CheckStatus());
  const auto count = to_host_.Write(bytes);
  if (!count.ok()) {
    broken_ = count.status();
    return count;
  }
  RingIfWanted();
  return count;
}

void GuestPageTransport::RingIfWanted() {
  // Our index first, then the host's wish; the host does it the other way
  // round. So one of us sees the other's store.
  FullFence();
  if (range_.Load32(page::kBellWanted) != bells_rung_ + 1) return;
  ++bells_rung_;
  range_.Store32(page::kBellsRung, bells_rung_);
  FullFence();
  doorbell_.Write(kDoorbellByte);
  ++port_writes_;
}

void GuestPageTransport::Probe() {
  if (attached_ && broken_.ok()) SendRegistration();
}

bool GuestPageTransport::ProbeAnswered() {
  const uint32_t seen = range_.Load32(page::kHostRecordsSeen);
  if (seen != records_seen_) {
    records_seen_ = seen;
    unanswered_ = 0;
  }
  return unanswered_ == 0;
}

bool GuestPageTransport::HostLetGo() const {
  return range_.Load32(page::kHostSession) != registration_.session;
}

void GuestPageTransport::Scrub() {
  attached_ = false;
  broken_ = Status(Code::kFailedPrecondition, kNotConnected);
  range_.Zero(0, range_.size);
}

}  // namespace proxy
