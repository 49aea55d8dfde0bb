// SPDX-License-Identifier: Apache-2.0
//
// What the source files of Store share; not for others.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "verifier/trust_class.h"

namespace verifier {

// One data key for now; its id is in each secret's associated data, so that
// another can be added without touching the old rows.
inline constexpr std::string_view kDataKeyId = "1";

absl::Status RowTamperedWith(std::string_view what);

constexpr std::optional<TrustClass> ClassFrom(int64_t number) {
  switch (number) {
    case 0:
      return TrustClass::kHardware;
    case 1:
      return TrustClass::kEmulated;
    default:
      return std::nullopt;
  }
}

}  // namespace verifier
