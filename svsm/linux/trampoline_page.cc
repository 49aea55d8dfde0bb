// SPDX-License-Identifier: Apache-2.0
#include "svsm/linux/trampoline_page.h"

#include <string.h>

namespace svsm {
namespace {

using base::Status;

// [amd/vol2] 4.8: flat, present, accessed; 64-bit code read/execute, and data
// read/write.
constexpr uint64_t kCodeDescriptor = 0x00AF9B000000FFFF;
constexpr uint64_t kDataDescriptor = 0x00CF93000000FFFF;
constexpr uint16_t kGdtLimit = 4 * 8 - 1;

// [amd/vol2] 5.4.1.
constexpr uint64_t kPresentWritable = 0x3;
constexpr uint64_t kLargePage = 0x80;
constexpr size_t kEntries = 512;
constexpr uint64_t k2MiB = uint64_t{2} << 20;
constexpr size_t kDirectories = 4;

template <typename T>
void Put(std::span<uint8_t> out, size_t offset, T value) {
  base::StoreLe(value, out.subspan(offset).template first<sizeof(T)>());
}

}  // namespace

Status WriteTrampolineData(std::span<const Range> wipes, uint64_t address,
                           uint64_t entry, uint64_t zero_page,
                           std::span<uint8_t, kTrampolineSize> out) {
  memset(out.data(), 0, out.size());
  Put(out, FORELOCK_TRAMPOLINE_GDT + FORELOCK_BOOT_CS, kCodeDescriptor);
  Put(out, FORELOCK_TRAMPOLINE_GDT + FORELOCK_BOOT_DS, kDataDescriptor);
  Put(out, FORELOCK_TRAMPOLINE_GDTR, kGdtLimit);
  Put(out, FORELOCK_TRAMPOLINE_GDTR + 2, address + FORELOCK_TRAMPOLINE_GDT);
  Put(out, FORELOCK_TRAMPOLINE_ENTRY, entry);
  Put(out, FORELOCK_TRAMPOLINE_ZERO_PAGE, zero_page);

  // Leaves a zero pair, and the stack.
  constexpr size_t kListEnd = FORELOCK_TRAMPOLINE_STACK - 16 - 16;
  size_t at = FORELOCK_TRAMPOLINE_RANGES;
  for (const Range wipe : wipes) {
    if (at + 16 > kListEnd) {
      return Status(base::Code::kResourceExhausted, kTooManyWipes);
    }
    Put(out, at, wipe.begin);
    Put(out, at + 8, wipe.size() / 8);
    at += 16;
  }
  return {};
}

void WritePageTables(uint64_t address, uint64_t mask,
                     std::span<uint8_t, kPageTablesSize> out) {
  memset(out.data(), 0, out.size());
  const uint64_t pointers = address + kPageSize;
  const uint64_t directories = pointers + kPageSize;
  Put(out, 0, pointers | mask | kPresentWritable);
  for (size_t i = 0; i < kDirectories; ++i) {
    Put(out, kPageSize + 8 * i,
        (directories + i * kPageSize) | mask | kPresentWritable);
  }
  for (size_t i = 0; i < kDirectories * kEntries; ++i) {
    Put(out, 2 * kPageSize + 8 * i,
        (i * k2MiB) | mask | kPresentWritable | kLargePage);
  }
}

}  // namespace svsm
