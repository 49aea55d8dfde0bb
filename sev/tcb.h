// SPDX-License-Identifier: Apache-2.0
//
// TCB_VERSION: which security version each part of the platform's firmware has.
//
// Spec: AMD 56860 rev. 1.58, "TCB_VERSION"; two layouts, one for Milan and
// Genoa (with Bergamo and Siena), one from Turin on. A raw 64-bit value can
// only be taken apart, or compared, once the product is known.
#pragma once

#include <stdint.h>

#include "sev/product.h"

namespace sev {

// Security patch levels. `fmc` exists on Turin only and is 0 elsewhere.
struct Tcb {
  uint8_t fmc = 0;
  uint8_t boot_loader = 0;
  uint8_t tee = 0;
  uint8_t snp = 0;
  uint8_t microcode = 0;
  friend constexpr bool operator==(const Tcb&, const Tcb&) = default;
};

// Bytes of the little-endian 64-bit value, lowest first:
//   Milan, Genoa: boot loader, TEE, 4 reserved, SNP, microcode
//   Turin:        FMC, boot loader, TEE, SNP, 3 reserved, microcode
constexpr uint8_t TcbByte(uint64_t raw, unsigned index) {
  return static_cast<uint8_t>((raw >> (8 * index)) & 0xFF);
}

constexpr Tcb DecodeTcb(uint64_t raw, Product product) {
  switch (product) {
    case Product::kMilan:
    case Product::kGenoa:
      return {.boot_loader = TcbByte(raw, 0),
              .tee = TcbByte(raw, 1),
              .snp = TcbByte(raw, 6),
              .microcode = TcbByte(raw, 7)};
    case Product::kTurin:
      return {.fmc = TcbByte(raw, 0),
              .boot_loader = TcbByte(raw, 1),
              .tee = TcbByte(raw, 2),
              .snp = TcbByte(raw, 3),
              .microcode = TcbByte(raw, 7)};
  }
  __builtin_trap();
}

constexpr uint64_t EncodeTcb(const Tcb& tcb, Product product) {
  const auto at = [](uint8_t byte, unsigned index) {
    return uint64_t{byte} << (8 * index);
  };
  switch (product) {
    case Product::kMilan:
    case Product::kGenoa:
      return at(tcb.boot_loader, 0) | at(tcb.tee, 1) | at(tcb.snp, 6) |
             at(tcb.microcode, 7);
    case Product::kTurin:
      return at(tcb.fmc, 0) | at(tcb.boot_loader, 1) | at(tcb.tee, 2) |
             at(tcb.snp, 3) | at(tcb.microcode, 7);
  }
  __builtin_trap();
}

// Every part at least as new. Not the same as comparing raw values.
constexpr bool AtLeast(const Tcb& tcb, const Tcb& minimum) {
  return tcb.fmc >= minimum.fmc && tcb.boot_loader >= minimum.boot_loader &&
         tcb.tee >= minimum.tee && tcb.snp >= minimum.snp &&
         tcb.microcode >= minimum.microcode;
}

static_assert(EncodeTcb(DecodeTcb(0xDB18000000000004, Product::kMilan),
                        Product::kMilan) == 0xDB18000000000004);
static_assert(EncodeTcb(DecodeTcb(0xDB00000018020401, Product::kTurin),
                        Product::kTurin) == 0xDB00000018020401);

}  // namespace sev
