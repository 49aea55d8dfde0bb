// SPDX-License-Identifier: Apache-2.0
//
// Product: the processor lines with SEV-SNP. Each has its own ARK, and the
// line decides how a TCB_VERSION is taken apart.
//
// Spec: AMD 57230 rev. 1.00, "Product names"; families and models from AMD's
// processor programming references. Bergamo and Siena (family 19h, models A0h
// to AFh) are Genoa to the key service: same ARK, product name "Genoa".
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <optional>
#include <string_view>

namespace sev {

enum class Product : uint8_t { kMilan, kGenoa, kTurin };

inline constexpr Product kProducts[] = {Product::kMilan, Product::kGenoa,
                                        Product::kTurin};

// Family (combined), model (combined), stepping.
struct CpuidFms {
  uint8_t family, model, stepping;
  friend bool operator==(const CpuidFms&, const CpuidFms&) = default;
};

// As the key service spells it in URLs and in productName.
constexpr std::string_view NameOf(Product product) {
  switch (product) {
    case Product::kMilan:
      return "Milan";
    case Product::kGenoa:
      return "Genoa";
    case Product::kTurin:
      return "Turin";
  }
  __builtin_trap();
}

// Empty: a processor that this code does not know.
constexpr std::optional<Product> ProductOf(const CpuidFms& cpuid) {
  const unsigned model_high = cpuid.model >> 4;
  if (cpuid.family == 0x19) {
    if (model_high == 0x0) return Product::kMilan;
    if (model_high == 0x1 || model_high == 0xA) return Product::kGenoa;
  }
  if (cpuid.family == 0x1A && model_high <= 0x1) return Product::kTurin;
  return std::nullopt;
}

// The name people know the part by: "Bergamo/Siena" for Zen 4c.
constexpr std::string_view PartNameOf(const CpuidFms& cpuid) {
  const auto product = ProductOf(cpuid);
  if (!product) return "unknown";
  if (*product == Product::kGenoa && cpuid.model >> 4 == 0xA) {
    return "Bergamo/Siena";
  }
  return NameOf(*product);
}

// What productName starts with ("Milan-B0"); empty: another.
constexpr std::optional<Product> ProductOfName(std::string_view product_name) {
  const std::string_view line = product_name.substr(0, product_name.find('-'));
  for (const Product product : kProducts) {
    if (line == NameOf(product)) return product;
  }
  return std::nullopt;
}

// Bytes of the hardware id in a VCEK; CHIP_ID holds them first, then zeros.
constexpr size_t HardwareIdSize(Product product) {
  return product == Product::kTurin ? 8 : 64;
}

static_assert(ProductOf({0x19, 0x01, 1}) == Product::kMilan);
static_assert(ProductOf({0x19, 0xA0, 2}) == Product::kGenoa);
static_assert(ProductOf({0x1A, 0x11, 0}) == Product::kTurin);
static_assert(!ProductOf({0x19, 0x50, 0}) && !ProductOf({0x17, 0x31, 0}));
static_assert(ProductOfName("Milan-B0") == Product::kMilan);
static_assert(!ProductOfName("Milano"));

}  // namespace sev
