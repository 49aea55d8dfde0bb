// SPDX-License-Identifier: Apache-2.0
#include "svsm/boot/page_tables.h"

namespace svsm {
namespace {

bool Within(uint64_t address, uint64_t start, uint64_t end) {
  return address >= start && address < end;
}

// The access bits of one 4 KiB page; 0 for an unmapped one.
uint64_t AccessOf(const ImageLayout& image, uint64_t address) {
  if (address == 0 || address == image.stack_guard) return 0;
  if (Within(address, image.text_start, image.text_end)) return kPagePresent;
  if (Within(address, image.read_only_start, image.read_only_end)) {
    return kPagePresent | kPageNoExecute;
  }
  return kPagePresent | kPageWritable | kPageNoExecute;
}

}  // namespace

void BuildPageTables(const ImageLayout& image, uint64_t at,
                     uint64_t private_mask, PageTables& tables) {
  tables = {};
  const uint64_t link = kPagePresent | kPageWritable | private_mask;
  tables.root[0] = (at + offsetof(PageTables, pointers)) | link;
  uint64_t address = 0;
  for (size_t d = 0; d < PageTables::kDirectories; ++d) {
    tables.pointers[d] =
        (at + offsetof(PageTables, directories) + d * kPageSize) | link;
    for (uint64_t& entry : tables.directories[d]) {
      entry = address | kPagePresent | kPageWritable | kPageLarge |
              kPageNoExecute | private_mask;
      address += kLargePageSize;
    }
  }
  tables.pointers[PageTables::kDirectories] =
      (at + offsetof(PageTables, window)) | link;
  address = 0;
  for (size_t t = 0; t < PageTables::kFineTables; ++t) {
    tables.directories[0][t] =
        (at + offsetof(PageTables, fine) + t * kPageSize) | link;
    for (uint64_t& entry : tables.fine[t]) {
      const uint64_t access = AccessOf(image, address);
      entry = access == 0 ? 0 : address | access | private_mask;
      address += kPageSize;
    }
  }
}

}  // namespace svsm
