// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace verifier {

// The first byte of a certificate or CRL in DER, and of no PEM.
inline constexpr uint8_t kDerSequence = 0x30;

// The DER in `bytes`, which are DER or one PEM block of `label`
// ("CERTIFICATE"), with white space at most after it; empty: neither.
std::vector<uint8_t> DerOf(base::Bytes bytes, std::string_view label);

}  // namespace verifier
