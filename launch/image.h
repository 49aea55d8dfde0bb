// SPDX-License-Identifier: Apache-2.0
//
// A guest image and the configuration inside it (proto/config_section.h).
#pragma once

#include <stdint.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "proto/config.h"

namespace launch {

enum class Reconfigure : uint8_t { kRefuse, kAllow };

// Puts `config` into the `.config` section of the image in `file`, and reads it
// back as the guest will.
//   InvalidArgument: not a guest image, a broken rule of the configuration, or
//   it is configured already and `reconfigure` is kRefuse, or it sets a field
//   that the image's SVSM does not know (LA36).
//   NotFound: no .config section.
absl::Status ConfigureImage(base::MutableBytes file,
                            const proto::Config& config,
                            Reconfigure reconfigure);

// The level of configurations that the image's SVSM knows
// (proto/config_level.h).
//   InvalidArgument: not a guest image, or its note is not one.
absl::StatusOr<uint32_t> ConfigLevelOfImage(base::Bytes file);

// The configuration of an image.
//   NotFound: there is none yet, or no place for one.
absl::StatusOr<proto::Config> ConfigOfImage(base::Bytes file);

// The configuration inside a section of that layout (proto/config_section.h).
//   NotFound: it is empty. Else as the layout's and the configuration's rules.
absl::StatusOr<proto::Config> ConfigOfSection(base::Bytes section);

}  // namespace launch
