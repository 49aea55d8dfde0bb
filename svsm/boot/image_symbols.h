// SPDX-License-Identifier: Apache-2.0
//
// Addresses that image.ld, boot/entry.S and boot/snp_entry.S define. Only their
// addresses mean anything.
#pragma once

#include <stdint.h>

extern "C" {
extern const char __image_start[];
extern const char __text_start[];
extern const char __text_end[];
extern const char __rodata_start[];
extern const char __rodata_end[];
extern const char __config_start[];
extern const char __config_end[];
extern const char __data_start[];
extern const char __stack_guard[];
extern const char __stack_bottom[];
extern const char __stack_top[];
extern const char __image_end[];
// Pages that an SNP launch fills (boot/snp_entry.S); unused by the PVH entry.
extern char __snp_secrets_page[];
extern const char __snp_cpuid_page[];
extern const char __snp_memory_map_page[];
}

namespace svsm {

inline uint64_t AddressOf(const void* symbol) {
  // EDGE: identity map; an address is the physical address.
  return reinterpret_cast<uint64_t>(symbol);
}

}  // namespace svsm
