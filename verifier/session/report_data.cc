// SPDX-License-Identifier: Apache-2.0
#include "verifier/session/report_data.h"

namespace verifier {
namespace {

constexpr char kPrefix[] = "forelock report data v1";  // With its NUL.

template <typename T>
std::array<uint8_t, sizeof(T)> Le(T value) {
  std::array<uint8_t, sizeof(T)> out;
  base::StoreLe<T>(value, out);
  return out;
}

}  // namespace

ossl::Digest512 ReportData(
    std::span<const uint8_t, kSessionBindingSize> binding, base::Bytes request,
    base::Bytes challenge, base::Bytes boot_manifest) {
  const ossl::Digest384 transcript =
      ossl::Sha384()
          .Update(Le(static_cast<uint32_t>(request.size())))
          .Update(request)
          .Update(Le(static_cast<uint32_t>(challenge.size())))
          .Update(challenge)
          .Finish();
  return ossl::Sha512()
      .Update(ossl::AsBytes({kPrefix, sizeof kPrefix}))
      .Update(binding)
      .Update(transcript)
      .Update(ossl::Sha384::Of(boot_manifest))
      .Finish();
}

ossl::Digest384 AcpiDigest(const proto::BootManifest& manifest) {
  ossl::Sha384 hash;
  for (const proto::BootFile& file : manifest.acpi) {
    hash.Update(Le(static_cast<uint32_t>(file.name.size())))
        .Update(file.name)
        .Update(Le(file.length))
        .Update(file.sha384);
  }
  return hash.Finish();
}

}  // namespace verifier
