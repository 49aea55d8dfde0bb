// SPDX-License-Identifier: Apache-2.0
//
// A root key that somebody with the right to say so accepts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "verifier/ossl/ossl.h"
#include "verifier/trust_class.h"

namespace verifier {

struct AcceptedRoot {
  ossl::Digest256 sha256{};  // Of the certificate in DER.
  TrustClass trust_class = TrustClass::kHardware;
  std::string name;
  std::vector<uint8_t> der;  // Empty: must come with the evidence.
};

}  // namespace verifier
