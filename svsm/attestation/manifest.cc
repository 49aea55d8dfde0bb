// SPDX-License-Identifier: Apache-2.0
#include "svsm/attestation/manifest.h"

#include "base/bytes.h"
#include "svsm/reasons.h"

namespace svsm {
namespace {

attest::BootFileDigest DigestOf(const BootFile& file) {
  attest::BootFileDigest digest;
  digest.length = file.length;
  digest.sha384 = file.sha384;
  return digest;
}

}  // namespace

base::Result<attest::BootManifest> MakeManifest(const BootFiles& files) {
  attest::BootManifest manifest;
  manifest.kernel = DigestOf(files.kernel);
  manifest.initrd = DigestOf(files.initrd);
  manifest.command_line = DigestOf(files.cmdline);
  for (const BootFile& file : files.acpi) {
    if (!file.present()) continue;
    attest::BootFileDigest digest = DigestOf(file);
    BASE_TRY(digest.SetName(base::AsBytes(file.name)));
    BASE_TRY(manifest.acpi.Add(digest));
  }
  return manifest;
}

base::Status CheckExpected(const attest::BootManifest& manifest,
                           const proto::ExpectedBoot& expected,
                           proto::Acpi acpi) {
  const bool same =
      manifest.kernel.sha384 == expected.kernel &&
      manifest.initrd.sha384 == expected.initrd &&
      manifest.command_line.sha384 == expected.command_line &&
      (acpi == proto::Acpi::kNone ? manifest.acpi.empty()
                                  : AcpiDigest(manifest) == expected.acpi);
  if (same) return {};
  return base::Status(base::Code::kPermissionDenied, kBootNotExpected);
}

std::optional<BootPermit> PermitWithoutSecrets(
    ThisBoot, const attest::BootManifest& manifest,
    const proto::Config& config) {
  if (config.on_failure != proto::OnFailure::kBootWithoutSecrets ||
      !config.expected_boot.has_value() ||
      !CheckExpected(manifest, *config.expected_boot, config.acpi).ok()) {
    return std::nullopt;
  }
  return BootPermit();
}

}  // namespace svsm
