// SPDX-License-Identifier: Apache-2.0
//
// A file with the headers of a bzImage, for host tests.
#pragma once

#include <stdint.h>
#include <string.h>

#include <vector>

namespace boot {

template <typename T>
void Poke(std::vector<uint8_t>& bytes, size_t offset, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) {
    bytes.at(offset + i) = static_cast<uint8_t>(uint64_t{value} >> (8 * i));
  }
}

// The field values of Debian's 6.1.0-56-cloud-amd64, but small.
inline std::vector<uint8_t> FakeKernel(size_t payload = 0x2000) {
  std::vector<uint8_t> file(40 * 512 + payload);
  Poke<uint8_t>(file, 0x1F1, 39);
  Poke<uint32_t>(file, 0x1F4, static_cast<uint32_t>(payload / 16));
  Poke<uint16_t>(file, 0x1FE, 0xAA55);
  Poke<uint16_t>(file, 0x200, 0x6AEB);
  Poke<uint32_t>(file, 0x202, 0x53726448);
  Poke<uint16_t>(file, 0x206, 0x020F);
  Poke<uint8_t>(file, 0x211, 1);
  Poke<uint32_t>(file, 0x22C, 0x7FFFFFFF);
  Poke<uint32_t>(file, 0x230, 0x200000);
  Poke<uint8_t>(file, 0x234, 1);
  Poke<uint16_t>(file, 0x236, 0x7F);
  Poke<uint32_t>(file, 0x238, 2047);
  Poke<uint64_t>(file, 0x258, 0x1000000);
  Poke<uint32_t>(file, 0x260, 0x400000);
  for (size_t i = 40 * 512; i < file.size(); ++i) {
    file[i] = static_cast<uint8_t>(i * 7 + i / 256);
  }
  return file;
}

}  // namespace boot
