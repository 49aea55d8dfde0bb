// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "cli/describe_igvm.h"
#include "launch/igvm/read_write.h"
#include "launch/igvm/sample_file.h"
#include "tools/fuzz_seed.h"

// Whatever the file has, what is printed of it is printable ASCII.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 24) return 0;
  std::vector<uint8_t> bytes(data, data + size);
  const std::span<uint8_t> all(bytes);
  const auto headers = base::LoadLe<uint32_t>(all.subspan(12).first<4>());
  base::StoreLe(static_cast<uint32_t>(size), all.subspan(16).first<4>());
  base::StoreLe(uint32_t{0}, all.subspan(20).first<4>());
  if (headers <= size - 24) {
    base::StoreLe(igvm::Crc32(all.first(24 + headers)),
                  all.subspan(20).first<4>());
  }
  const auto file = igvm::Read(bytes);
  if (!file.ok()) return 0;
  for (size_t i = 0; i < file->headers.size(); ++i) {
    std::string text = cli::HeaderJson(i, file->headers[i]).dump();
    const base::Bytes dumped = cli::DataOf(file->headers[i]);
    text += cli::HexDump(dumped.first(std::min<size_t>(dumped.size(), 40)), 0);
    for (const char c : text) {
      if (c != '\n' && (c < 0x20 || c > 0x7E)) __builtin_trap();
    }
  }
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  if (index > 0) return 0;
  const auto bytes = igvm::Write(igvm::SampleFile().WithoutPages());
  if (!bytes.ok() || bytes->size() > capacity) return 0;
  std::copy(bytes->begin(), bytes->end(), out);
  return bytes->size();
}
