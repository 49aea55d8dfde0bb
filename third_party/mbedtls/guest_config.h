// SPDX-License-Identifier: Apache-2.0
//
// Mbed TLS configuration for the bare-metal guest: no files, sockets, threads,
// clock or printf. The hooks are in svsm/runtime.
#pragma once
#include <stddef.h>

#include "third_party/mbedtls/common_config.h"

#ifdef __cplusplus
extern "C" {
#endif
void* guest_calloc(size_t n, size_t size);
void guest_free(void* p);
int guest_snprintf(char* s, size_t n, const char* format, ...);
#ifdef __cplusplus
}
#endif

#define MBEDTLS_PLATFORM_CALLOC_MACRO guest_calloc
#define MBEDTLS_PLATFORM_FREE_MACRO guest_free
#define MBEDTLS_PLATFORM_SNPRINTF_MACRO guest_snprintf
#define MBEDTLS_PLATFORM_NO_STD_FUNCTIONS
// No __udivti3: libgcc's is built with a red zone.
#define MBEDTLS_NO_UDBL_DIVISION
// AES-NI or nothing: no lookup tables, whatever CPUID says.
#define MBEDTLS_AES_USE_HARDWARE_ONLY
#define MBEDTLS_AES_ROM_TABLES
