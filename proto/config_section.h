// SPDX-License-Identifier: Apache-2.0
//
// The `.config` section of a guest image: where the measured configuration
// lies. All zero as built; `forelock image configure` fills it in; the launch
// digest covers it, as it is part of a PT_LOAD segment.
//
//   0  magic "FLCONFIG"
//   8  size of the configuration in bytes, little-endian, 32 bits
//   12 zero, 32 bits
//   16 the configuration (proto/config.proto), then zeros to the end
//
// Shared by svsm/ (reads it from its own memory) and launch/ (in the ELF file).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <array>

#include "base/bytes.h"
#include "base/result.h"

namespace proto {

inline constexpr char kConfigSectionName[] = ".config";
inline constexpr size_t kConfigSectionSize = 16384;
inline constexpr size_t kConfigHeaderSize = 16;
inline constexpr size_t kConfigMaxSize = kConfigSectionSize - kConfigHeaderSize;
inline constexpr std::array<uint8_t, 8> kConfigMagic = {'F', 'L', 'C', 'O',
                                                        'N', 'F', 'I', 'G'};

// The serialised configuration inside a section; valid as long as the section.
//   kNotFound: the section is all zero: an image that was never configured.
//   kDataLoss: wrong section size, magic or reserved word, a size of 0 or over
//              kConfigMaxSize, or bytes after the configuration.
base::Result<base::Bytes> ConfigInSection(base::Bytes section);

// Fills the whole section.
//   kInvalidArgument: wrong section size. kResourceExhausted: config too long.
base::Status FillConfigSection(base::Bytes config, base::MutableBytes section);

}  // namespace proto
