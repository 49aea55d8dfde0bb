// SPDX-License-Identifier: Apache-2.0
#include "proxy/ring.h"

#include <algorithm>

#include "proxy/reasons.h"

namespace proxy {
namespace {

static_assert((kRingSize & (kRingSize - 1)) == 0);
constexpr uint32_t kMask = kRingSize - 1;

base::Status Wild() {
  return base::Status(base::Code::kDataLoss, kRingIndexWild);
}

}  // namespace

void RingWriter::Reset(const SharedRange& range, const RingPlace& place) {
  range_ = range;
  place_ = place;
  head_ = 0;
  tail_seen_ = 0;
  range_.Store32(place_.head, 0);
}

base::Result<size_t> RingWriter::Write(base::Bytes bytes) {
  const uint32_t tail = range_.Load32(place_.tail);
  // Forward only, and never past what was written; both wrap alike.
  if (tail - tail_seen_ > head_ - tail_seen_) return Wild();
  tail_seen_ = tail;
  const uint32_t room = kRingSize - (head_ - tail);
  const auto size = static_cast<uint32_t>(std::min<size_t>(bytes.size(), room));
  if (size == 0) return size_t{0};
  const uint32_t at = head_ & kMask;
  const uint32_t first = std::min(size, kRingSize - at);
  range_.CopyIn(place_.data + at, bytes.first(first));
  range_.CopyIn(place_.data, bytes.subspan(first, size - first));
  head_ += size;
  range_.Store32(place_.head, head_);
  return size_t{size};
}

void RingReader::Reset(const SharedRange& range, const RingPlace& place) {
  range_ = range;
  place_ = place;
  tail_ = 0;
  head_seen_ = 0;
  range_.Store32(place_.tail, 0);
}

base::Result<size_t> RingReader::Available() {
  const uint32_t head = range_.Load32(place_.head);
  // Forward only, and never past what the ring holds.
  if (head - tail_ > kRingSize || head - tail_ < head_seen_ - tail_) {
    return Wild();
  }
  head_seen_ = head;
  return size_t{head - tail_};
}

base::Result<size_t> RingReader::Read(base::MutableBytes out) {
  BASE_TRY_ASSIGN(const size_t available, Available());
  const auto size =
      static_cast<uint32_t>(std::min<size_t>(out.size(), available));
  if (size == 0) return size_t{0};
  const uint32_t at = tail_ & kMask;
  const uint32_t first = std::min(size, kRingSize - at);
  range_.CopyOut(place_.data + at, out.first(first));
  range_.CopyOut(place_.data, out.subspan(first, size - first));
  tail_ += size;
  range_.Store32(place_.tail, tail_);
  return size_t{size};
}

}  // namespace proxy
