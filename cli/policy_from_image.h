// SPDX-License-Identifier: Apache-2.0
//
// `forelock policy from-image`: a policy to start from.
#pragma once

#include "absl/status/status.h"
#include "cli/key_input.h"
#include "cli/policy_input.h"
#include "hosted/arguments.h"

namespace cli {

inline constexpr hosted::Option kFromImageOptions[] = {
    kKernelOption,
    kInitrdOption,
    kCommandLineOption,
    kAcpiOption,
    {"id-key", "KEY", hosted::Option::Kind::kOptional,
     "allow what this key signed, in place of these images alone"},
    {"author-key", "KEY", hosted::Option::Kind::kOptional,
     "and only if this key signed the ID key"},
    {"svn", "N", hosted::Option::Kind::kOptional,
     "with --id-key: the lowest GUEST_SVN allowed; 0 if left out"},
    kPinFileOption,
    kPkcs11ModuleOption,
    {"emulated", "", hosted::Option::Kind::kSwitch,
     "for emulated guests, which are not protected; needs --root-sha256"},
    {"root-sha256", "HEX", hosted::Option::Kind::kOptional,
     "SHA-256 of the emulated processor's root certificate in DER"},
    {"product", "milan|genoa|turin", hosted::Option::Kind::kOptional,
     "what the emulated processor says it is; milan if left out"},
};

absl::Status PolicyFromImage(const hosted::Arguments& arguments);

}  // namespace cli
