// SPDX-License-Identifier: Apache-2.0
//
// Addresses that image.ld, boot/entry.S and boot/snp_entry.S define. Only their
// addresses mean anything. None is const: clang leaves out what is written to
// an object that it is told never changes, and the stack is wiped through
// these.
#pragma once

#include <stdint.h>

extern "C" {
extern char __image_start[];
extern char __text_start[];
extern char __text_end[];
extern char __rodata_start[];
extern char __rodata_end[];
extern char __config_start[];
extern char __config_end[];
extern char __data_start[];
extern char __stack_guard[];
extern char __stack_bottom[];
extern char __stack_top[];
extern char __image_end[];
// Pages that an SNP launch fills (boot/snp_entry.S); unused by the PVH entry.
extern char __snp_secrets_page[];
extern char __snp_cpuid_page[];
extern char __snp_memory_map_page[];
}

namespace svsm {

inline uint64_t AddressOf(const void* symbol) {
  // EDGE: identity map; an address is the physical address.
  return reinterpret_cast<uint64_t>(symbol);
}

}  // namespace svsm
