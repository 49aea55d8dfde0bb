// SPDX-License-Identifier: Apache-2.0
//
// Whether evidence comes from hardware or from an emulation, which proves
// nothing. Roots have a class, secrets have one, and neither ever changes it.
#pragma once

#include <cstdint>
#include <string_view>

namespace verifier {

enum class TrustClass : uint8_t { kHardware = 0, kEmulated = 1 };

constexpr std::string_view NameOf(TrustClass trust_class) {
  return trust_class == TrustClass::kEmulated ? "EMULATED" : "hardware";
}

}  // namespace verifier
