// SPDX-License-Identifier: Apache-2.0
//
// What a fuzz target defines (tools/fuzz.bzl).
#pragma once

#include <stddef.h>
#include <stdint.h>

extern "C" {

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

// Optional. Writes well-formed input number `index` to `out` and returns its
// size; 0: there is no such input. The fixed loop mutates these.
size_t ForelockFuzzSeed(size_t index, uint8_t* out, size_t capacity)
    __attribute__((weak));
}
