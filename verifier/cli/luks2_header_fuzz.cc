// SPDX-License-Identifier: Apache-2.0
//
// The JSON area of an otherwise good header.
#include "verifier/cli/luks2_header.h"

#include <string.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "tools/fuzz_seed.h"

namespace {

constexpr size_t kMetadata = 16384;
constexpr size_t kJsonAt = 4096;
constexpr std::string_view kSeed =
    R"({"keyslots":{"0":{"priority":2,"kdf":{"type":"argon2id","memory":65}}},)"
    R"("segments":{"0":{"type":"crypt","offset":"1048576","size":"dynamic",)"
    R"("encryption":"aes-xts-plain64"}},"config":{"keyslots_size":"262144"}})";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<uint8_t> bytes(kMetadata);
  constexpr uint8_t kStart[] = {'L', 'U', 'K', 'S', 0xBA, 0xBE, 0, 2};
  memcpy(bytes.data(), kStart, sizeof kStart);
  base::StoreBe<uint64_t>(kMetadata, std::span(bytes).subspan<8, 8>());
  if (size > 0) {
    memcpy(bytes.data() + kJsonAt, data, std::min(size, kMetadata - kJsonAt));
  }
  const auto header = verifier::ParseLuks2Header(bytes);
  if (header.ok() && (header->length > verifier::kMaxLuks2Header ||
                      header->length <= 2 * kMetadata)) {
    __builtin_trap();
  }
  // And as a whole: the binary header too.
  (void)verifier::ParseLuks2Header(base::Bytes(data, size));
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  if (index > 0 || kSeed.size() > capacity) return 0;
  memcpy(out, kSeed.data(), kSeed.size());
  return kSeed.size();
}
