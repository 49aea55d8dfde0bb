// SPDX-License-Identifier: Apache-2.0
//
// BootPermit: proof that a kernel may start (promise P7). Leave() takes one,
// and only these make it:
//   * Attestation::Permit(): the verifier's verdict is "granted", and its
//     secrets are the ones asked for;
//   * PermitWithoutSecrets(): the measured configuration lets exactly these
//     boot files start without a verdict.
#pragma once

#include <optional>

namespace attest {
struct BootManifest;
}
namespace proto {
struct Config;
}

namespace svsm {

// Says that a configuration is the measured one of this image, and a manifest
// that of the files this boot has read. Only the boot sequence can say so: with
// a manifest and a configuration of somebody's own there is no permit.
class ThisBoot {
 public:
  // Not `= default`, as below.
  ThisBoot(const ThisBoot&) noexcept {}
  ThisBoot& operator=(const ThisBoot&) = delete;

 private:
  friend class BootSequence;
  friend class BootPermitForTests;

  ThisBoot() {}
};

class [[nodiscard]] BootPermit {
 public:
  // Not `= default`: a trivially copyable class could be had by std::bit_cast.
  BootPermit(BootPermit&&) noexcept {}
  BootPermit& operator=(BootPermit&&) noexcept { return *this; }

 private:
  friend class Attestation;
  friend std::optional<BootPermit> PermitWithoutSecrets(
      ThisBoot, const attest::BootManifest& manifest,
      const proto::Config& config);
  // svsm/testing/boot_permit_for_tests.h, a testonly target: no image has it.
  friend class BootPermitForTests;

  BootPermit() = default;
};

}  // namespace svsm
