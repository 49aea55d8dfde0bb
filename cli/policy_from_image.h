// SPDX-License-Identifier: Apache-2.0
//
// `forelock policy from-image`: a policy to start from.
#pragma once

#include "absl/status/status.h"
#include "cli/arguments.h"
#include "cli/key_input.h"
#include "cli/policy_input.h"

namespace cli {

inline constexpr Option kFromImageOptions[] = {
    kKernelOption,
    kInitrdOption,
    kCommandLineOption,
    kAcpiOption,
    {"id-key", "KEY", Option::Kind::kOptional,
     "allow what this key signed, in place of these images alone"},
    {"author-key", "KEY", Option::Kind::kOptional,
     "and only if this key signed the ID key"},
    {"svn", "N", Option::Kind::kOptional,
     "with --id-key: the lowest GUEST_SVN allowed; 0 if left out"},
    kPinFileOption,
    kPkcs11ModuleOption,
    {"emulated", "", Option::Kind::kSwitch,
     "for emulated guests, which are not protected; needs --root-sha256"},
    {"root-sha256", "HEX", Option::Kind::kOptional,
     "SHA-256 of the emulated processor's root certificate in DER"},
    {"product", "milan|genoa|turin", Option::Kind::kOptional,
     "what the emulated processor says it is; milan if left out"},
};

absl::Status PolicyFromImage(const Arguments& arguments);

}  // namespace cli
