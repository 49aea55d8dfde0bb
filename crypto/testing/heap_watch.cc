// SPDX-License-Identifier: Apache-2.0
#include "crypto/testing/heap_watch.h"

#include <stdint.h>
#include <stdlib.h>

#include "mbedtls/platform.h"

namespace crypto::testing {
namespace {

constexpr size_t kHeader = 16;  // keeps malloc's alignment

size_t g_now = 0;
size_t g_peak = 0;
size_t g_allocations = 0;
size_t g_limit = SIZE_MAX;

void* Calloc(size_t count, size_t size) {
  if (g_allocations >= g_limit) return nullptr;
  ++g_allocations;
  const size_t bytes = count * size;
  auto* block = static_cast<char*>(calloc(1, bytes + kHeader));
  if (block == nullptr) return nullptr;
  *reinterpret_cast<size_t*>(block) = bytes;
  g_now += bytes;
  if (g_now > g_peak) g_peak = g_now;
  return block + kHeader;
}

void Free(void* pointer) {
  if (pointer == nullptr) return;
  char* block = static_cast<char*>(pointer) - kHeader;
  g_now -= *reinterpret_cast<size_t*>(block);
  free(block);
}

}  // namespace

HeapWatch::HeapWatch() {
  g_now = g_peak = g_allocations = 0;
  g_limit = SIZE_MAX;
  mbedtls_platform_set_calloc_free(&Calloc, &Free);
}
HeapWatch::~HeapWatch() { mbedtls_platform_set_calloc_free(&calloc, &free); }

size_t HeapWatch::now() const { return g_now; }
size_t HeapWatch::peak() const { return g_peak; }
size_t HeapWatch::allocations() const { return g_allocations; }
void HeapWatch::FailAfter(size_t allocations) { g_limit = allocations; }

}  // namespace crypto::testing
