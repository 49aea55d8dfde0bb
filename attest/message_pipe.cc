// SPDX-License-Identifier: Apache-2.0
#include "attest/message_pipe.h"

#include "attest/reasons.h"

namespace attest {

using base::Bytes;
using base::Code;
using base::MutableBytes;
using base::Result;
using base::Status;
using base::Step;

void MessageSender::Start(Bytes body) {
  base::StoreLe(static_cast<uint32_t>(body.size()), std::span(prefix_));
  body_ = body;
  sent_ = 0;
}

Result<Step> MessageSender::Advance(base::ByteStream& stream) {
  while (sent_ < prefix_.size() + body_.size()) {
    const Bytes rest = sent_ < prefix_.size()
                           ? Bytes(prefix_).subspan(sent_)
                           : body_.subspan(sent_ - prefix_.size());
    BASE_TRY_ASSIGN(const size_t taken, stream.Write(rest));
    if (taken == 0) return Step::kWaiting;
    sent_ += taken;
  }
  return Step::kDone;
}

void MessageReceiver::Start(MutableBytes buffer) {
  buffer_ = buffer;
  received_ = 0;
  size_ = 0;
}

Result<Step> MessageReceiver::Advance(base::ByteStream& stream) {
  for (;;) {
    MutableBytes place;
    if (received_ < prefix_.size()) {
      place = MutableBytes(prefix_).subspan(received_);
    } else {
      if (received_ == prefix_.size()) {
        size_ = base::LoadLe<uint32_t>(std::span<const uint8_t, 4>(prefix_));
        if (size_ == 0 || size_ > buffer_.size()) {
          size_ = 0;
          return Status(Code::kDataLoss, kMessageLength);
        }
      }
      const size_t have = received_ - prefix_.size();
      if (have == size_) return Step::kDone;
      place = buffer_.subspan(have, size_ - have);
    }
    BASE_TRY_ASSIGN(const size_t got, stream.Read(place));
    if (got == 0) return Step::kWaiting;
    received_ += got;
  }
}

}  // namespace attest
