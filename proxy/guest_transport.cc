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
// So many of the last registrations are spread evenly.
constexpr uint32_t kSpread = 4;
// What the last registration leaves for the boot itself.
constexpr uint64_t kLastTryMs = 5000;

static_assert(kRegistrationsPerBoot * kRegistrationSize + kBellsPerBoot <=
              kPortBytesPerBoot);
static_assert(kRegistrationsPerBoot > kSpread);

// What a host may say: why a daemon ends a session. All other reasons of this
// module are what a guest finds out by itself.
constexpr base::Reason kWordsOfTheHost[] = {
    kFrameBadMagic,     kFrameBadChecksum,  kFrameTooLong,   kRingIndexWild,
    kProxyShuttingDown, kUnexpectedMessage, kCreditExceeded, kNoCommonVersion,
    kFrameBadFlags,     kFrameUnknownType,  kSessionStale,
};

// The host's word for why it ended the session. Anything else would be a free
// choice of what the guest prints.
Status HostSays(uint32_t bits) {
  const base::Reason said = base::Reason::FromBits(bits);
  for (const base::Reason reason : kWordsOfTheHost) {
    if (!(said == reason)) continue;
    // Another session would end the same way.
    return Status(reason == kNoCommonVersion ? Code::kFailedPrecondition
                                             : Code::kUnavailable,
                  reason);
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
  deadline_ = deadline;
  if (waiting_) {
    broken_ = {};
    return {};
  }
  if (registrations_ == kRegistrationsPerBoot) {
    const base::Reason why = broken_.ok() ? kProxyAbsent : broken_.reason();
    return Status(Code::kResourceExhausted, why);
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
  waiting_ = true;
  SendRegistration();
  return {};
}

void GuestPageTransport::SendRegistration() {
  if (registrations_ == kRegistrationsPerBoot) return;
  FullFence();
  for (const uint8_t byte : EncodeRegistration(registration_)) {
    doorbell_.Write(byte);
  }
  ++registrations_;
  port_writes_ += kRegistrationSize;
  registration_writes_ += kRegistrationSize;
  next_registration_ = clock_.Now() + PauseAfterRegistration();
}

// Doubling, so that a daemon that is back soon is found soon; the last ones
// evenly, so that one that was away for long waits for its share only.
base::Milliseconds GuestPageTransport::PauseAfterRegistration() {
  const base::Instant now = clock_.Now();
  const base::Instant end =
      spread_until_ == base::Instant{} ? deadline_ : spread_until_;
  const uint32_t left = kRegistrationsPerBoot - registrations_;
  if (now >= end || left == 0) return base::Milliseconds{kFirstBackOffMs};
  uint64_t rest = (static_cast<uint64_t>(end) - static_cast<uint64_t>(now)) /
                  kNanosecondsPerMs;
  rest -= std::min(kLastTryMs, rest / 8);
  const uint64_t parts = left <= kSpread ? left : (uint64_t{1} << left) - 1;
  return base::Milliseconds{std::max(kFirstBackOffMs, rest / parts)};
}

base::Result<base::Step> GuestPageTransport::Advance() {
  if (!broken_.ok()) return broken_;
  if (attached_) return base::Step::kDone;
  if (range_.Load32(page::kHostSession) == registration_.session) {
    waiting_ = false;
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
  // Then the host looks by its timer.
  if (bells_ == kBellsPerBoot) return;
  // Our index first, then the host's wish; the host does it the other way
  // round. So one of us sees the other's store.
  FullFence();
  if (range_.Load32(page::kBellWanted) != bells_rung_ + 1) return;
  ++bells_rung_;
  range_.Store32(page::kBellsRung, bells_rung_);
  FullFence();
  doorbell_.Write(kDoorbellByte);
  ++bells_;
  ++port_writes_;
}

bool GuestPageTransport::HostLooked() {
  const uint32_t looks = range_.Load32(page::kHostLooks);
  if (looks == looks_seen_) return false;
  looks_seen_ = looks;
  return true;
}

bool GuestPageTransport::HostLetGo() const {
  return range_.Load32(page::kHostSession) != registration_.session;
}

void GuestPageTransport::Scrub() {
  attached_ = false;
  waiting_ = false;
  broken_ = Status(Code::kFailedPrecondition, kNotConnected);
  range_.Zero(0, range_.size);
}

}  // namespace proxy
