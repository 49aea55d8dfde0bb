// SPDX-License-Identifier: Apache-2.0
#include "launch/id_block.h"

#include <algorithm>
#include <span>

#include "base/bytes.h"
#include "sev/id_block.h"
#include "tools/fuzz_seed.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const base::Bytes input(data, size);
  if (size < sev::kIdBlockSize) return 0;
  const base::Bytes head = input.first(sev::kIdBlockSize);
  if (const auto block = sev::ParseIdBlock(head); block.ok()) {
    const auto again = sev::EncodeIdBlock(*block);
    if (!base::Equal(again, head)) __builtin_trap();
  }
  const auto auth = sev::ParseIdAuth(input.subspan(sev::kIdBlockSize));
  // Nobody can sign by flipping bits.
  if (auth.ok() && launch::VerifyIdAuth(head, *auth).ok()) __builtin_trap();
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  constexpr size_t kSize = sev::kIdBlockSize + sev::kIdAuthSize;
  if (index > 1 || capacity < kSize) return 0;
  std::fill_n(out, kSize, uint8_t{0});
  const auto block = sev::EncodeIdBlock({});
  std::ranges::copy(block, out);
  uint8_t* auth = out + sev::kIdBlockSize;
  auth[0] = 1;
  auth[sev::id_auth_layout::IdBlockSignature::kOffset] = 1;
  auth[sev::id_auth_layout::IdBlockSignature::kOffset + 72] = 1;
  auth[sev::id_auth_layout::IdKey::kOffset] = sev::kCurveP384;
  if (index == 1) {
    auth[4] = 1;
    auth[sev::id_auth_layout::AuthorKey::kOffset] = sev::kCurveP384;
  }
  return kSize;
}
