// SPDX-License-Identifier: Apache-2.0
//
// A QEMU command line of which only the machine is wanted: its board, memory
// size, CPUs and devices, in their slots. What would reach out of it (sockets,
// networks, disks, monitors, windows, files of RAM) is replaced by what does
// not, without a change of a device.
//
// Source: QEMU 7.2 qemu-options.hx.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace cli {

struct QuietQemu {
  std::vector<std::string> words;  // Program name and arguments.
  // The line was one for SEV-SNP. What is left is that machine without it:
  // SMM is off, as under SNP, and the image has to come by -bios.
  bool snp = false;
};

// What to start in the image's place: `elf` for -kernel, `rom` for -bios.
struct QuietImage {
  std::string elf, rom;
};

// UsageError(): `words` is no line that starts an image: no -kernel, no -bios,
// no IGVM file, or no serial port to hear the guest by.
absl::StatusOr<QuietQemu> MakeQuiet(std::span<const std::string> words,
                                    const QuietImage& image);

}  // namespace cli
