// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "launch/igvm/igvm.h"
#include "launch/igvm/read_write.h"
#include "launch/igvm/sample_file.h"
#include "tools/fuzz_seed.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 24) return 0;
  // With the right checksum, or hardly any input would come further.
  std::vector<uint8_t> bytes(data, data + size);
  const std::span<uint8_t> all(bytes);
  const auto begin = base::LoadLe<uint32_t>(all.subspan(8).first<4>());
  const auto headers = base::LoadLe<uint32_t>(all.subspan(12).first<4>());
  const size_t fixed = bytes[4] == 2 ? 32 : 24;
  if (begin >= fixed && begin <= size && headers <= size - begin &&
      fixed <= size) {
    base::StoreLe(uint32_t{0}, all.subspan(20).first<4>());
    uint32_t crc = igvm::Crc32(all.first(fixed));
    crc = igvm::Crc32(all.subspan(begin, headers), crc);
    base::StoreLe(crc, all.subspan(20).first<4>());
  }
  base::StoreLe(static_cast<uint32_t>(size), all.subspan(16).first<4>());

  const auto file = igvm::Read(bytes);
  if (!file.ok()) return 0;
  // What was read can be written, and then reads as the same bytes again.
  const auto written = igvm::Write(*file);
  if (!written.ok()) __builtin_trap();
  const auto again = igvm::Read(*written);
  if (!again.ok() || again->headers.size() != file->headers.size()) {
    __builtin_trap();
  }
  const auto twice = igvm::Write(*again);
  if (!twice.ok() || *twice != *written) __builtin_trap();
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  if (index > 1) return 0;
  igvm::SampleFile sample;
  sample.file.version = static_cast<uint32_t>(index) + 1;
  const auto bytes = igvm::Write(sample.WithoutPages());
  if (!bytes.ok() || bytes->size() > capacity) return 0;
  std::copy(bytes->begin(), bytes->end(), out);
  return bytes->size();
}
