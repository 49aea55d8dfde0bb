// SPDX-License-Identifier: Apache-2.0
//
// Frames from a hostile peer, in chunks of a size that the input chooses.
#include <string.h>

#include <algorithm>

#include "base/byte_stream.h"
#include "proxy/frame.h"
#include "tools/fuzz_seed.h"

namespace {

class Input final : public base::ByteStream {
 public:
  Input(base::Bytes bytes, size_t step) : rest_(bytes), step_(step) {}
  base::Result<size_t> Read(base::MutableBytes out) override {
    const size_t count = std::min({out.size(), rest_.size(), step_});
    std::copy_n(rest_.begin(), count, out.begin());
    rest_ = rest_.subspan(count);
    return count;
  }
  base::Result<size_t> Write(base::Bytes bytes) override {
    return bytes.size();
  }

 private:
  base::Bytes rest_;
  const size_t step_;
};

}  // namespace

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out, size_t) {
  if (index > 1) return 0;
  const uint32_t length = index == 0 ? 5 : 0;
  const auto header = proxy::EncodeFrameHeader(
      {.type = proxy::FrameType::kData, .length = length});
  out[0] = 3;
  memcpy(out + 1, header.data(), header.size());
  memset(out + 17, 0x55, length);
  memcpy(out + 17 + length, header.data(), header.size());
  return 1 + 16 + length + 16;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  Input input({data + 1, size - 1}, size_t{data[0]} + 1);
  proxy::FrameChannel frames(input);
  for (;;) {
    const auto frame = frames.Receive();
    if (!frame.ok() || !frame->has_value()) return 0;
    if ((*frame)->body.size() > proxy::kMaxFrameBody) __builtin_trap();
  }
}
