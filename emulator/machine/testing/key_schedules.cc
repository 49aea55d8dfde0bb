// SPDX-License-Identifier: Apache-2.0
#include "emulator/machine/testing/key_schedules.h"

#include <stdint.h>

#include <algorithm>
#include <array>

namespace emulator::machine::testing {
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

}  // namespace

std::vector<KeySchedule> FindKeySchedules(base::Bytes memory) {
  struct Kind {
    int key_bits;
    size_t words, total;
  };
  constexpr Kind kKinds[] = {{128, 4, 44}, {256, 8, 60}};
  std::vector<KeySchedule> found;
  for (size_t at = 0; at + 4 * kKinds[0].total <= memory.size(); at += 4) {
    const uint8_t* const bytes = memory.data() + at;
    for (const Kind& kind : kKinds) {
      // Nearly all of memory ends here: the first byte of the first new word.
      const size_t first = 4 * kind.words;
      if (at + first < memory.size() &&
          bytes[first] == (bytes[0] ^ kSbox[bytes[first - 3]] ^ 1) &&
          at + 4 * kind.total <= memory.size() &&
          IsSchedule(bytes, kind.words, kind.total)) {
        found.push_back({at, kind.key_bits});
      }
    }
  }
  return found;
}

}  // namespace emulator::machine::testing
