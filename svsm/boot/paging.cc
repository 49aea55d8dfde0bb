// SPDX-License-Identifier: Apache-2.0
#include "svsm/boot/paging.h"

#include <stdint.h>

#include "svsm/boot/image_symbols.h"
#include "svsm/boot/page_tables.h"
#include "svsm/hw/cpu.h"
#include "svsm/platform/platform.h"

namespace svsm {
namespace {

constinit PageTables tables = {};

constexpr uint32_t kStructuredFeatures = 7;
constexpr uint32_t kSmepListed = 1 << 7;   // EBX
constexpr uint32_t kSmapListed = 1 << 20;  // EBX
constexpr uint64_t kCr4Smep = 1 << 20;
constexpr uint64_t kCr4Smap = 1 << 21;

}  // namespace

void InstallPageTables() {
  const ImageLayout image = {
      .text_start = AddressOf(__text_start),
      .text_end = AddressOf(__text_end),
      .read_only_start = AddressOf(__rodata_start),
      .read_only_end = AddressOf(__config_end),
      .stack_guard = AddressOf(__stack_guard),
  };
  const uint64_t mask = ThePlatform().encryption_mask();
  BuildPageTables(image, AddressOf(&tables), mask, tables);
  hw::WriteCr3(AddressOf(&tables) | mask);

  // No page is a user page, so these cost nothing and never hurt.
  if (ThePlatform().Cpuid(0, 0).eax < kStructuredFeatures) return;
  const uint32_t listed = ThePlatform().Cpuid(kStructuredFeatures, 0).ebx;
  uint64_t cr4 = hw::ReadCr4();
  if (listed & kSmepListed) cr4 |= kCr4Smep;
  if (listed & kSmapListed) cr4 |= kCr4Smap;
  hw::WriteCr4(cr4);
}

void MapShared(uint64_t address) {
  FineEntry(tables, address) &= ~ThePlatform().encryption_mask();
  hw::InvalidatePage(address);
}

void MapPrivate(uint64_t address) {
  FineEntry(tables, address) |= ThePlatform().encryption_mask();
  hw::InvalidatePage(address);
}

uint64_t MapWindow(uint64_t address) {
  OpenWindow(tables, address, ThePlatform().encryption_mask());
  hw::InvalidatePage(kWindow);
  return kWindow;
}

void UnmapWindow() {
  CloseWindow(tables);
  hw::InvalidatePage(kWindow);
}

}  // namespace svsm
