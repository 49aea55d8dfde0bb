// SPDX-License-Identifier: Apache-2.0
#include "proxy/shared_range.h"

namespace proxy {
namespace {

// A bug in this module, never the peer's doing.
void CheckInside(const SharedRange& range, uint32_t offset, size_t size) {
  if (offset > range.size || size > range.size - offset) __builtin_trap();
}

template <typename T>
volatile T* WordAt(const SharedRange& range, uint32_t offset) {
  CheckInside(range, offset, sizeof(T));
  if (offset % sizeof(T) != 0) __builtin_trap();
  // EDGE: base is page-aligned and offset a multiple of the size, so the word
  // is aligned; x86-64 loads and stores it at once. volatile: the other side
  // changes it.
  return reinterpret_cast<volatile T*>(range.base + offset);
}

}  // namespace

uint32_t SharedRange::Load32(uint32_t offset) const {
  return __atomic_load_n(WordAt<uint32_t>(*this, offset), __ATOMIC_ACQUIRE);
}
uint64_t SharedRange::Load64(uint32_t offset) const {
  return __atomic_load_n(WordAt<uint64_t>(*this, offset), __ATOMIC_ACQUIRE);
}
void SharedRange::Store32(uint32_t offset, uint32_t value) const {
  __atomic_store_n(WordAt<uint32_t>(*this, offset), value, __ATOMIC_RELEASE);
}
void SharedRange::Store64(uint32_t offset, uint64_t value) const {
  __atomic_store_n(WordAt<uint64_t>(*this, offset), value, __ATOMIC_RELEASE);
}

// The three below: volatile, so that each byte is read or written exactly once
// and memcpy cannot be put in their place.
void SharedRange::CopyIn(uint32_t offset, base::Bytes bytes) const {
  CheckInside(*this, offset, bytes.size());
  for (size_t i = 0; i < bytes.size(); ++i) base[offset + i] = bytes[i];
}
void SharedRange::CopyOut(uint32_t offset, base::MutableBytes bytes) const {
  CheckInside(*this, offset, bytes.size());
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = base[offset + i];
}
void SharedRange::Zero(uint32_t offset, uint32_t length) const {
  if (length % sizeof(uint64_t) != 0) __builtin_trap();
  for (uint32_t i = 0; i < length; i += sizeof(uint64_t)) {
    *WordAt<uint64_t>(*this, offset + i) = 0;
  }
}

}  // namespace proxy
