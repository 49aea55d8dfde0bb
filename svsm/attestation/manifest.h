// SPDX-License-Identifier: Apache-2.0
//
// From the loader's boot files to the boot manifest that is attested, and the
// comparison with the digests that the measured configuration may demand.
#pragma once

#include <optional>

#include "attest/boot_manifest.h"
#include "base/result.h"
#include "proto/config.h"
#include "svsm/boot_permit.h"
#include "svsm/linux/boot_files.h"

namespace svsm {

// The manifest of what LoadBootFiles() copied.
//   kInvalidArgument: a name that a manifest cannot hold; a bug.
base::Result<attest::BootManifest> MakeManifest(const BootFiles& files);

// kPermissionDenied (kBootNotExpected): any of the four digests differs. With
// Acpi::kNone there is no ACPI digest to compare.
base::Status CheckExpected(const attest::BootManifest& manifest,
                           const proto::ExpectedBoot& expected,
                           proto::Acpi acpi);

// For a boot without a verdict: only if the configuration says
// boot-without-secrets and CheckExpected() passes.
std::optional<BootPermit> PermitWithoutSecrets(
    ThisBoot, const attest::BootManifest& manifest,
    const proto::Config& config);

}  // namespace svsm
