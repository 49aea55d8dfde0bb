// SPDX-License-Identifier: Apache-2.0
//
// Options that name keys of ID blocks.
#pragma once

#include <string>

#include "hosted/arguments.h"
#include "launch/signing_key.h"

namespace cli {

inline constexpr hosted::Option kPinFileOption = {
    "pin-file", "FILE", hosted::Option::Kind::kOptional,
    "file with the PIN of the keys' PKCS#11 token, in its first line"};
inline constexpr hosted::Option kPkcs11ModuleOption = {
    "pkcs11-module", "FILE", hosted::Option::Kind::kOptional,
    "the token's PKCS#11 library; else PKCS11_MODULE_PATH, or p11-kit's"};

// The key `name` (a PEM file or a pkcs11: URI), by these options.
inline launch::KeySource KeyNamed(const std::string& name,
                                  const hosted::Arguments& arguments) {
  return {.name = name,
          .pin_file = arguments.Value("pin-file"),
          .pkcs11_module = arguments.Value("pkcs11-module")};
}

}  // namespace cli
