// SPDX-License-Identifier: Apache-2.0
//
// Addresses that image.ld and boot/entry.S define. Only their addresses mean
// anything.
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
}

namespace svsm {

inline uint64_t AddressOf(const void* symbol) {
  // EDGE: identity map; an address is the physical address.
  return reinterpret_cast<uint64_t>(symbol);
}

}  // namespace svsm
