// SPDX-License-Identifier: Apache-2.0
//
// The chips that can be emulated, one a product line (and one more for the
// dense Genoas), with the firmware that each has: values as genuine ones show.
//
// Spec: AMD 57230 (VCEK Certificate and KDS Interface) rev. 1.0, tables of the
// certificates' extensions; AMD 56860 rev. 1.58, "TCB_VERSION".
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <string_view>

#include "sev/platform_info.h"
#include "sev/report.h"
#include "sev/tcb.h"

namespace psp {

struct ChipModel {
  std::string_view name;  // For --product.
  sev::Product product;
  std::string_view line;  // In names: ARK-Milan. Also a VLEK's product name.
  std::string_view vcek_product_name;
  sev::CpuidFms cpuid;
  sev::FirmwareVersion firmware;
  sev::Tcb tcb;
  size_t hardware_id_size;  // Of the certificate; a report's is zero-padded.
  uint8_t struct_version;   // Of the certificate's extensions.
  long serial_base;         // Of the ARK; its intermediates count from it.
  uint64_t platform_info;
  uint64_t mitigations;  // In version 5 reports.

  constexpr uint64_t raw_tcb() const { return sev::EncodeTcb(tcb, product); }
};

inline constexpr uint64_t kUsualPlatformInfo =
    sev::kPlatformInfoSmtEnabled | sev::kPlatformInfoEccEnabled |
    sev::kPlatformInfoAliasCheckComplete;

inline constexpr ChipModel kMilan = {
    .name = "milan",
    .product = sev::Product::kMilan,
    .line = "Milan",
    .vcek_product_name = "Milan-B0",
    .cpuid = {.family = 0x19, .model = 0x01, .stepping = 0x01},
    .firmware = {.build = 29, .minor = 55, .major = 1},
    .tcb = {.boot_loader = 4, .tee = 0, .snp = 24, .microcode = 219},
    .hardware_id_size = 64,
    .struct_version = 0,
    .serial_base = 0x10000,
    .platform_info = kUsualPlatformInfo,
    .mitigations = 0x0B};

inline constexpr ChipModel kGenoa = {
    .name = "genoa",
    .product = sev::Product::kGenoa,
    .line = "Genoa",
    .vcek_product_name = "Genoa",
    .cpuid = {.family = 0x19, .model = 0x11, .stepping = 0x01},
    .firmware = {.build = 49, .minor = 55, .major = 1},
    .tcb = {.boot_loader = 10, .tee = 0, .snp = 27, .microcode = 88},
    .hardware_id_size = 64,
    .struct_version = 0,
    .serial_base = 0x20000,
    .platform_info = kUsualPlatformInfo,
    .mitigations = 0x0B};

// Bergamo and Siena are Genoas to everything but CPUID.
inline constexpr ChipModel kSiena = {
    .name = "siena",
    .product = sev::Product::kGenoa,
    .line = "Genoa",
    .vcek_product_name = "Genoa",
    .cpuid = {.family = 0x19, .model = 0xA0, .stepping = 0x02},
    .firmware = {.build = 49, .minor = 55, .major = 1},
    .tcb = {.boot_loader = 10, .tee = 0, .snp = 27, .microcode = 30},
    .hardware_id_size = 64,
    .struct_version = 0,
    .serial_base = 0x20000,
    .platform_info = kUsualPlatformInfo,
    .mitigations = 0x0B};

inline constexpr ChipModel kTurin = {
    .name = "turin",
    .product = sev::Product::kTurin,
    .line = "Turin",
    .vcek_product_name = "Turin",
    .cpuid = {.family = 0x1A, .model = 0x02, .stepping = 0x01},
    .firmware = {.build = 65, .minor = 55, .major = 1},
    .tcb = {.fmc = 1, .boot_loader = 1, .tee = 1, .snp = 4, .microcode = 81},
    .hardware_id_size = 8,
    .struct_version = 1,
    .serial_base = 0x30000,
    // Bit 6 as genuine ones have it.
    .platform_info = kUsualPlatformInfo | uint64_t{1} << 6,
    .mitigations = 0x3F};

inline constexpr const ChipModel* kChipModels[] = {&kMilan, &kGenoa, &kSiena,
                                                   &kTurin};

// Null: there is none of that name.
constexpr const ChipModel* ChipModelNamed(std::string_view name) {
  for (const ChipModel* model : kChipModels) {
    if (model->name == name) return model;
  }
  return nullptr;
}

// CPUID Fn0000_0001_EAX, which packs a family above 15 and a model above 15.
constexpr uint32_t CpuidEax(const sev::CpuidFms& fms) {
  const uint32_t family = fms.family, model = fms.model;
  return (family - 0x0F) << 20 | (model >> 4) << 16 | 0x0Fu << 8 |
         (model & 0x0F) << 4 | fms.stepping;
}
static_assert(CpuidEax(kMilan.cpuid) == 0x00A00F11);
static_assert(CpuidEax(kTurin.cpuid) == 0x00B00F21);

}  // namespace psp
