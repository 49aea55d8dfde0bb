// SPDX-License-Identifier: Apache-2.0
//
// Levels of the measured configuration (proto/config.proto, "The rule for new
// fields"): which fields an SVSM knows, and which ones a configuration sets.
//
// An image says its level in an ELF note: name "Forelock\0", type 2, descriptor
// a little-endian u32. It lies in a PT_NOTE segment inside the read-only data,
// so it is measured like these. An image without the note has level 1.
#pragma once

#include <stdint.h>

#include <iterator>
#include <optional>
#include <string_view>

#include "base/time.h"
#include "proto/config.h"

namespace proto {

inline constexpr uint32_t kConfigLevelNoteType = 2;
// The highest level of a field below.
inline constexpr uint32_t kConfigLevel = 2;

struct ConfigField {
  std::string_view name;  // as in the owner's file
  uint32_t level = 1;
  // Whether it is to be written. The default is left out, so that an SVSM that
  // does not know the field takes the configuration. What it does then is the
  // same, or lacks no more than a limit for liveness.
  bool (*is_set)(const Config&) = nullptr;
};

// Every field above level 1, oldest first.
inline constexpr ConfigField kConfigFields[] = {
    // The default, 3 minutes, is new with level 2: an SVSM of level 1 has no
    // limit for a boot, only for each wait.
    {"deadlines.boot_ms", 2,
     [](const Config& config) {
       return config.boot_deadline != base::Milliseconds{kDefaultBootMs};
     }},
};

static_assert(std::end(kConfigFields)[-1].level == kConfigLevel);

// A field of `config` that an SVSM of that level would refuse.
inline std::optional<ConfigField> FieldAboveLevel(const Config& config,
                                                  uint32_t level) {
  for (const ConfigField& field : kConfigFields) {
    if (field.level > level && field.is_set(config)) return field;
  }
  return std::nullopt;
}

}  // namespace proto
