// SPDX-License-Identifier: Apache-2.0
#include "proxy/host/page_endpoint.h"

#include <utility>

#include "proxy/page_layout.h"
#include "proxy/reasons.h"

namespace proxy::host {
namespace {

using base::Code;
using base::Status;

// Writes what the guest looks at, the session last: with it all else counts.
void Answer(const SharedRange& range, uint32_t session, uint64_t generation,
            Status status) {
  range.Store32(page::kHostStatus, status.reason().bits);
  range.Store64(page::kHostGeneration, generation);
  range.Store32(page::kHostRecordsSeen, 1);
  range.Store32(page::kHostSession, session);
}

}  // namespace

PageEndpoint::PageEndpoint(std::string ram_path, uint64_t generation)
    : PageEndpoint(
          [path = std::move(ram_path)](const Registration& registration) {
            return MappedRange::Map(path, registration);
          },
          generation) {}

PageEndpoint::PageEndpoint(Mapper map, uint64_t generation)
    : map_(std::move(map)), generation_(generation) {}

PageEndpoint::Event PageEndpoint::Feed(uint8_t byte) {
  const auto event = parser_.Push(byte);
  if (!event.has_value()) return Event::kNothing;
  if (event->record.has_value()) return Attach(*event->record);
  bell_asked_ = false;
  return attached() ? Event::kDoorbell : Event::kNothing;
}

PageEndpoint::Event PageEndpoint::Attach(const RegistrationRecord& record) {
  const auto reject = [this](Status why) {
    last_error_ = why;
    return Event::kRejected;
  };
  const auto registration = ParseRegistration(record);
  if (!registration.ok()) return reject(registration.status());
  if (*registration == registration_ && StillOurs()) {
    mapped_->range().Store32(page::kHostRecordsSeen, ++records_seen_);
    bell_asked_ = false;
    return Event::kDoorbell;
  }
  auto mapped = map_(*registration);
  if (!mapped.ok()) return reject(mapped.status());
  const SharedRange& range = (*mapped)->range();
  // A guest that waits for its first answer has moved nothing. Anything else
  // is a session with a daemon that is no more: it cannot go on.
  if (range.Load32(page::kToHostHead) != 0 ||
      range.Load32(page::kToGuestTail) != 0 ||
      range.Load32(page::kBellsRung) != 0) {
    const Status stale(Code::kFailedPrecondition, kSessionStale);
    // Ended by us: the page already says why.
    if (range.Load32(page::kHostSession) != registration->session ||
        range.Load64(page::kHostGeneration) != generation_) {
      Answer(range, registration->session, generation_, stale);
    }
    return reject(stale);
  }
  mapped_ = *std::move(mapped);
  registration_ = *registration;
  to_host_.Reset(range, kToHostRing);
  to_guest_.Reset(range, kToGuestRing);
  range.Store32(page::kBellWanted, 0);
  bell_asked_ = false;
  records_seen_ = 1;
  channel_.Reset();
  Answer(range, registration_.session, generation_, Status());
  return Event::kAttached;
}

bool PageEndpoint::StillOurs() const {
  return attached() &&
         mapped_->range().Load32(page::kHostSession) == registration_.session;
}

bool PageEndpoint::Look() {
  if (!StillOurs()) return false;
  mapped_->range().Store32(page::kHostLooks, ++looks_);
  return true;
}

base::Result<bool> PageEndpoint::PrepareToSleep() {
  if (!StillOurs()) return true;
  const SharedRange& range = mapped_->range();
  if (!bell_asked_) {
    range.Store32(page::kBellWanted, range.Load32(page::kBellsRung) + 1);
    bell_asked_ = true;
  }
  // Our wish first, then the guest's index; the guest does it the other way
  // round (GuestPageTransport::RingIfWanted).
  FullFence();
  BASE_TRY_ASSIGN(const size_t available, to_host_.Available());
  return available == 0;
}

void PageEndpoint::Detach(Status why) {
  if (!attached()) return;
  if (!why.ok()) last_error_ = why;
  if (StillOurs()) {
    const SharedRange& range = mapped_->range();
    if (why.ok()) {
      range.Store32(page::kHostSession, 0);  // The last thing that we write.
    } else {
      range.Store32(page::kHostStatus, why.reason().bits);
    }
  }
  mapped_.reset();
}

base::Result<size_t> PageEndpoint::Read(base::MutableBytes out) {
  if (!StillOurs()) return Status(Code::kFailedPrecondition, kNotConnected);
  return to_host_.Read(out);
}

base::Result<size_t> PageEndpoint::Write(base::Bytes bytes) {
  if (!StillOurs()) return Status(Code::kFailedPrecondition, kNotConnected);
  return to_guest_.Write(bytes);
}

}  // namespace proxy::host
