// SPDX-License-Identifier: Apache-2.0
//
// MemoryPipe: two ByteStreams, joined in memory, that can be slow, small,
// closed, broken or changed on the way.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <algorithm>
#include <deque>
#include <functional>

#include "base/byte_stream.h"
#include "base/bytes.h"
#include "base/reasons.h"
#include "base/result.h"

namespace base::testing {

class MemoryPipe {
 public:
  class End final : public ByteStream {
   public:
    End() = default;

    Result<size_t> Read(MutableBytes out) override {
      if (!broken_.ok()) return broken_;
      if (in_->bytes.empty() && in_->closed) {
        return Status(Code::kUnavailable, kStreamClosed);
      }
      const size_t size = std::min({out.size(), in_->bytes.size(), chunk_});
      std::copy_n(in_->bytes.begin(), size, out.begin());
      in_->bytes.erase(in_->bytes.begin(),
                       in_->bytes.begin() + static_cast<ptrdiff_t>(size));
      return size;
    }

    Result<size_t> Write(Bytes bytes) override {
      if (!broken_.ok()) return broken_;
      if (out_->closed) return Status(Code::kUnavailable, kStreamClosed);
      const size_t room = capacity_ - std::min(capacity_, out_->bytes.size());
      const size_t size = std::min({bytes.size(), room, chunk_});
      for (size_t i = 0; i < size; ++i) {
        uint8_t byte = bytes[i];
        if (change_) byte = change_(written_, byte);
        ++written_;
        out_->bytes.push_back(byte);
      }
      return size;
    }

    // At most this many bytes in one Read() or Write().
    void set_chunk(size_t bytes) { chunk_ = bytes; }
    // At most this many written bytes may wait for the other end.
    void set_capacity(size_t bytes) { capacity_ = bytes; }
    // No more bytes will come from this end.
    void Close() { out_->closed = true; }
    // Every later call gives `status`.
    void Break(Status status) { broken_ = status; }
    // Sees each byte that is written, with its position, and replaces it.
    void set_change(std::function<uint8_t(size_t, uint8_t)> change) {
      change_ = std::move(change);
    }
    size_t written() const { return written_; }  // bytes, ever
    size_t waiting() const { return in_->bytes.size(); }

   private:
    friend class MemoryPipe;
    struct Direction {
      std::deque<uint8_t> bytes;
      bool closed = false;
    };
    Direction* in_ = nullptr;
    Direction* out_ = nullptr;
    size_t chunk_ = SIZE_MAX;
    size_t capacity_ = SIZE_MAX;
    size_t written_ = 0;
    Status broken_;
    std::function<uint8_t(size_t, uint8_t)> change_;
  };

  MemoryPipe() {
    a.in_ = b.out_ = &to_a_;
    a.out_ = b.in_ = &to_b_;
  }

  End a;
  End b;

 private:
  End::Direction to_a_;
  End::Direction to_b_;
};

}  // namespace base::testing
