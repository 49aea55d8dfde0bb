// SPDX-License-Identifier: Apache-2.0
#include "svsm/memory/e820_file.h"

#include "svsm/linux/reasons.h"

namespace svsm {

base::Result<size_t> ReadE820File(base::Bytes file,
                                  std::span<HostMapEntry> out) {
  using base::Code;
  using base::Status;
  if (file.empty() || file.size() % kE820FileEntrySize != 0) {
    return Status(Code::kDataLoss, kNoMemoryMap);
  }
  const size_t count = file.size() / kE820FileEntrySize;
  if (count > out.size()) {
    return Status(Code::kResourceExhausted, kTooManyRanges);
  }
  base::ByteReader in(file);
  for (HostMapEntry& entry : out.first(count)) {
    BASE_TRY_ASSIGN(entry.address, in.U64());
    BASE_TRY_ASSIGN(entry.size, in.U64());
    BASE_TRY_ASSIGN(entry.type, in.U32());
  }
  return count;
}

}  // namespace svsm
