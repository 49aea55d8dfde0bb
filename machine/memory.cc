// SPDX-License-Identifier: Apache-2.0
#include "machine/memory.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace machine {
namespace {

// Pages cost nothing until they are touched; file -1 is private to the process,
// so that a forked child has its own.
uint8_t* Map(uint64_t size, int file, uint64_t offset) {
  const int flags =
      file < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED;
  void* const bytes = mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, file,
                           static_cast<off_t>(offset));
  return bytes == MAP_FAILED ? nullptr : static_cast<uint8_t*>(bytes);
}

bool GrowTo(int file, uint64_t size) {
  struct stat status = {};
  if (fstat(file, &status) != 0) return false;
  return static_cast<uint64_t>(status.st_size) >= size ||
         ftruncate(file, static_cast<off_t>(size)) == 0;
}

// xorshift64. `state` is not 0.
void FillWithNoise(uint64_t state, base::MutableBytes page) {
  for (size_t at = 0; at < page.size(); at += sizeof(state)) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    memcpy(&page[at], &state, sizeof(state));
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<GuestMemory>> GuestMemory::Create(
    const MemoryLayout& layout) {
  if (layout.below_4g % kLargePageSize != 0 ||
      layout.above_4g % kLargePageSize != 0 || layout.rom % kPageSize != 0 ||
      layout.below_4g > kAbove4G || layout.rom > kAbove4G - layout.below_4g ||
      layout.above_4g > (uint64_t{1} << 40)) {
    return absl::InvalidArgumentError("guest memory sizes");
  }
  const int file = layout.shared_file;
  if (file >= 0 && !GrowTo(file, layout.below_4g + layout.above_4g)) {
    return absl::UnavailableError(
        absl::StrCat("the file of shared memory: ", strerror(errno)));
  }
  struct Wanted {
    uint64_t gpa, size;
    int file;
    uint64_t offset;
  };
  const Wanted all[] = {
      {0, layout.below_4g, file, 0},
      {kAbove4G - layout.rom, layout.rom, -1, 0},
      {kAbove4G, layout.above_4g, file, layout.below_4g},
  };
  std::unique_ptr<GuestMemory> memory(new GuestMemory);
  memory->noise_ = layout.noise;
  for (const Wanted& wanted : all) {
    if (wanted.size == 0) continue;
    MemoryRange& range = memory->ranges_[memory->count_++];
    range = {wanted.gpa, wanted.size, Map(wanted.size, -1, 0),
             Map(wanted.size, wanted.file, wanted.offset),
             Map(wanted.size, -1, 0)};
    if (range.private_bytes == nullptr || range.shared_bytes == nullptr ||
        range.ciphertext_bytes == nullptr) {
      return absl::UnavailableError(
          absl::StrCat("guest memory: ", strerror(errno)));
    }
  }
  return memory;
}

GuestMemory::~GuestMemory() {
  for (const MemoryRange& range : ranges()) {
    if (range.private_bytes != nullptr) munmap(range.private_bytes, range.size);
    if (range.shared_bytes != nullptr) munmap(range.shared_bytes, range.size);
    if (range.ciphertext_bytes != nullptr) {
      munmap(range.ciphertext_bytes, range.size);
    }
  }
}

const MemoryRange* GuestMemory::Find(uint64_t gpa, uint64_t size) const {
  for (const MemoryRange& range : ranges()) {
    if (gpa >= range.gpa && gpa - range.gpa < range.size &&
        size <= range.size - (gpa - range.gpa)) {
      return &range;
    }
  }
  return nullptr;
}

base::MutableBytes GuestMemory::Shared(uint64_t gpa, uint64_t size) const {
  const MemoryRange* const range = Find(gpa, size);
  if (range == nullptr) return {};
  return {range->shared_bytes + (gpa - range->gpa), size};
}

base::MutableBytes GuestMemory::Private(uint64_t gpa, uint64_t size) const {
  const MemoryRange* const range = Find(gpa, size);
  if (range == nullptr) return {};
  return {range->private_bytes + (gpa - range->gpa), size};
}

bool GuestMemory::IsRam(uint64_t gpa, uint64_t size) const {
  return Find(gpa, size) != nullptr;
}

void GuestMemory::Garble(uint64_t gpa) const {
  gpa -= gpa % kPageSize;
  // Never 0: the lowest 12 bits are neither gpa's nor noise's.
  FillWithNoise(gpa ^ noise_ << 12 ^ 0x9E3779B97F4A7C15,
                Private(gpa, kPageSize));
}

void GuestMemory::Encrypt(uint64_t gpa) const {
  gpa -= gpa % kPageSize;
  const MemoryRange* const range = Find(gpa, kPageSize);
  if (range == nullptr) return;
  FillWithNoise(gpa ^ 0xD1B54A32D192ED03,
                {range->ciphertext_bytes + (gpa - range->gpa), kPageSize});
}

}  // namespace machine
