// SPDX-License-Identifier: Apache-2.0
//
// Plain cpio archives (newc) and boot configurations, for host tests.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <string>
#include <string_view>
#include <vector>

namespace boot {

// Appends one entry of `size` bytes; header, name and contents end at
// multiples of 4.
inline void AddCpioEntry(std::vector<uint8_t>& out, std::string_view name,
                         uint32_t mode, size_t size,
                         std::string_view magic = "070701") {
  const auto text = [&](std::string_view part) {
    out.insert(out.end(), part.begin(), part.end());
  };
  const auto pad = [&] { out.resize((out.size() + 3) / 4 * 4); };
  text(magic);
  for (int field = 0; field < 13; ++field) {
    uint32_t value = 0;
    if (field == 1) value = mode;
    if (field == 6) value = static_cast<uint32_t>(size);
    if (field == 11) value = static_cast<uint32_t>(name.size() + 1);
    for (int shift = 28; shift >= 0; shift -= 4) {
      out.push_back(
          static_cast<uint8_t>("0123456789abcdef"[(value >> shift) & 15]));
    }
  }
  text(name);
  out.push_back(0);
  pad();
  out.insert(out.end(), size, 'x');
  pad();
}

// A folder, a file of `size` bytes and the trailer.
inline std::vector<uint8_t> FakeCpio(size_t size = 5000) {
  std::vector<uint8_t> out;
  AddCpioEntry(out, "kernel", 040755, 0);
  AddCpioEntry(out, "kernel/file", 0100644, size);
  AddCpioEntry(out, "TRAILER!!!", 0, 0);
  return out;
}

// As Linux's tools/bootconfig appends it.
inline std::string BootconfigTrailer(std::string_view text) {
  uint32_t sum = 0;
  for (const char c : text) sum += static_cast<uint8_t>(c);
  std::string out(text);
  for (const uint32_t word : {static_cast<uint32_t>(text.size()), sum}) {
    for (int i = 0; i < 4; ++i) {
      out += static_cast<char>(word >> (8 * i) & 0xFF);
    }
  }
  return out + "#BOOTCONFIG\n";
}

}  // namespace boot
