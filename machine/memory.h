// SPDX-License-Identifier: Apache-2.0
//
// GuestMemory: what lies behind guest physical addresses, twice: as the guest
// sees it through C=1 (private) and as everybody sees it through C=0 (shared).
//
// Two backings instead of encryption. The host's side of the machine may touch
// only Shared(); Private() is for what the secure processor does (launch) and
// for the judge of a test. Which of the two a page currently is, says Rmp. A
// third one has what C=0 reads of a private page give.
#pragma once

#include <stdint.h>

#include <array>
#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "base/bytes.h"

namespace machine {

inline constexpr uint64_t kPageSize = 4096;
inline constexpr uint64_t kLargePageSize = uint64_t{2} << 20;
inline constexpr uint64_t kAbove4G = uint64_t{4} << 30;

struct MemoryLayout {
  uint64_t below_4g = 0;  // bytes from address 0, a multiple of 2 MiB
  uint64_t above_4g = 0;  // bytes from address 4 GiB, a multiple of 2 MiB
  uint64_t rom = 0;       // bytes that end at 4 GiB, a multiple of 4 KiB
  // The shared backing of [0, below_4g) and then of the memory above 4 GiB, as
  // in QEMU's memory-backend-file; grown if it is shorter. The caller keeps it.
  // -1: anonymous, copied on fork().
  int shared_file = -1;
  // Chooses the bytes that Garble() writes.
  uint64_t noise = 0;
};

// A range of guest physical memory and its backings.
struct MemoryRange {
  uint64_t gpa = 0;
  uint64_t size = 0;
  uint8_t* private_bytes = nullptr;
  uint8_t* shared_bytes = nullptr;
  uint8_t* ciphertext_bytes = nullptr;
};

class GuestMemory {
 public:
  //   InvalidArgument: sizes that are no multiples, or overlap. Unavailable:
  //   the system gives no memory, or cannot map the file.
  static absl::StatusOr<std::unique_ptr<GuestMemory>> Create(
      const MemoryLayout& layout);
  ~GuestMemory();
  GuestMemory(const GuestMemory&) = delete;
  GuestMemory& operator=(const GuestMemory&) = delete;

  // Empty unless all of [gpa, gpa + size) is in one range.
  base::MutableBytes Shared(uint64_t gpa, uint64_t size) const;
  base::MutableBytes Private(uint64_t gpa, uint64_t size) const;
  bool IsRam(uint64_t gpa, uint64_t size) const;

  // Overwrites a private page with what reading another key's ciphertext gives:
  // bytes that nobody chose (but the same ones in each run with one
  // MemoryLayout::noise).
  void Garble(uint64_t gpa) const;
  // Makes the page's ciphertext: bytes that say nothing of what is in the
  // private page, other ones than Garble()'s, and the same in each run.
  void Encrypt(uint64_t gpa) const;

  // In ascending address; those of size 0 are not among them.
  std::span<const MemoryRange> ranges() const {
    return std::span(ranges_).first(count_);
  }

 private:
  GuestMemory() = default;
  const MemoryRange* Find(uint64_t gpa, uint64_t size) const;

  std::array<MemoryRange, 3> ranges_ = {};
  size_t count_ = 0;
  uint64_t noise_ = 0;
};

}  // namespace machine
