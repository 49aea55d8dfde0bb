// SPDX-License-Identifier: Apache-2.0
#include "tests/hostile/key_schedules.h"

#include <stdint.h>
#include <string.h>

#include <algorithm>
#include <array>

namespace hostile {
namespace {

constexpr uint8_t Double(uint8_t value) {
  return static_cast<uint8_t>(value << 1 ^ ((value & 0x80) != 0 ? 0x1B : 0));
}

// FIPS 197, 5.1.1: the inverse in GF(2^8), then the affine map. 3 generates the
// field, and its inverse is 0xF6.
constexpr std::array<uint8_t, 256> MakeSbox() {
  std::array<uint8_t, 256> box{};
  uint8_t value = 1;
  uint8_t inverse = 1;
  do {
    value = static_cast<uint8_t>(value ^ Double(value));
    for (const int shift : {1, 2, 4}) {
      inverse = static_cast<uint8_t>(inverse ^ inverse << shift);
    }
    if ((inverse & 0x80) != 0) inverse ^= 0x09;
    const auto turned = [&](int by) {
      return static_cast<uint8_t>(inverse << by | inverse >> (8 - by));
    };
    box[value] = static_cast<uint8_t>(inverse ^ turned(1) ^ turned(2) ^
                                      turned(3) ^ turned(4) ^ 0x63);
  } while (value != 1);
  box[0] = 0x63;
  return box;
}
constexpr std::array<uint8_t, 256> kSbox = MakeSbox();
static_assert(kSbox[0x53] == 0xED && kSbox[0x01] == 0x7C);

// `words`: of the key; `total`: of the schedule.
bool IsSchedule(const uint8_t* bytes, size_t words, size_t total) {
  uint8_t round = 1;
  for (size_t i = words; i < total; ++i) {
    std::array<uint8_t, 4> word;
    std::copy_n(bytes + 4 * (i - 1), 4, word.begin());
    if (i % words == 0) {
      std::rotate(word.begin(), word.begin() + 1, word.end());
      for (uint8_t& byte : word) byte = kSbox[byte];
      word[0] ^= round;
      round = Double(round);
    } else if (words > 6 && i % words == 4) {
      for (uint8_t& byte : word) byte = kSbox[byte];
    }
    for (size_t k = 0; k < 4; ++k) {
      if (bytes[4 * i + k] != (bytes[4 * (i - words) + k] ^ word[k])) {
        return false;
      }
    }
  }
  return true;
}

uint32_t WordAt(const uint8_t* bytes, size_t index) {
  uint32_t word;
  memcpy(&word, bytes + 4 * index, sizeof(word));
  return word;
}

struct Kind {
  int key_bits;
  size_t words, total;
};
constexpr Kind kKinds[] = {{128, 4, 44}, {256, 8, 60}};

// Whether a schedule of this kind may begin here: its second new word is the
// sum of two, without the S-box. Nearly all of memory ends here, so the
// compiler must be able to look at many words at once.
template <size_t kWords>
bool MayBegin(const uint8_t* bytes) {
  return WordAt(bytes, kWords + 1) ==
         (WordAt(bytes, 1) ^ WordAt(bytes, kWords));
}

// Whether one may begin at any of the `count` words from `bytes` on.
bool AnyMayBegin(const uint8_t* bytes, size_t count) {
  uint32_t any = 0;
  uint32_t bits = 0;
  for (size_t i = 0; i < count; ++i) {
    any |= static_cast<uint32_t>(MayBegin<4>(bytes + 4 * i)) |
           static_cast<uint32_t>(MayBegin<8>(bytes + 4 * i));
    // The S-box makes something else of zeros: nine words of them begin none.
    bits |= WordAt(bytes, i) | WordAt(bytes, i + 8);
  }
  return any != 0 && bits != 0;
}

}  // namespace

std::vector<KeySchedule> FindKeySchedules(base::Bytes memory) {
  constexpr size_t kBlock = 32;                      // words
  constexpr size_t kShortest = 4 * kKinds[0].total;  // bytes; MayBegin reads 40
  std::vector<KeySchedule> found;
  if (memory.size() < kShortest) return found;
  // Those at which the shorter kind has room.
  const size_t words = (memory.size() - kShortest) / 4 + 1;
  for (size_t word = 0; word < words; word += kBlock) {
    const size_t count = std::min(kBlock, words - word);
    if (!AnyMayBegin(memory.data() + 4 * word, count)) continue;
    for (size_t at = 4 * word; at < 4 * (word + count); at += 4) {
      for (const Kind& kind : kKinds) {
        if (at + 4 * kind.total <= memory.size() &&
            IsSchedule(memory.data() + at, kind.words, kind.total)) {
          found.push_back({at, kind.key_bits});
        }
      }
    }
  }
  return found;
}

}  // namespace hostile
