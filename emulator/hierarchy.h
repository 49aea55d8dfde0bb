// SPDX-License-Identifier: Apache-2.0
//
// The key hierarchy of one emulated chip: ARK -> ASK -> VCEK, as AMD has them
// (AMD 56860 rev. 1.58, "Key Management"; 57230 rev. 1.0).
//
// Made on each installation and never anywhere else: no key of it is committed,
// packaged or reused. On disk:
//   DIR/private/{ark,ask,vcek}.pem   0600 in a 0700 folder
//   DIR/public/{ark,ask}.der, vcek-<chip id>-<reported TCB>.der
// DIR/public is what the proxy answers GetCertificates from.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "emulator/certificates.h"
#include "emulator/openssl.h"
#include "sev/report.h"
#include "sev/tcb.h"

namespace emulator {

// The emulated chip. A Milan with firmware 1.55.29.
inline constexpr sev::Tcb kEmulatedTcb = {
    .boot_loader = 4, .tee = 0, .snp = 24, .microcode = 219};
inline constexpr uint64_t kEmulatedRawTcb =
    sev::EncodeTcb(kEmulatedTcb, sev::Product::kMilan);
inline constexpr sev::CpuidFms kEmulatedCpuid = {
    .family = 0x19, .model = 0x01, .stepping = 0x01};
inline constexpr sev::FirmwareVersion kEmulatedFirmware = {
    .build = 29, .minor = 55, .major = 1};

class Hierarchy {
 public:
  // Two RSA-4096 keys: 1 to 10 seconds of both CPUs.
  static absl::StatusOr<Hierarchy> Generate();

  // As Generate() and saves it, unless `dir` already has a hierarchy: then that
  // is loaded, and `*created` is false.
  static absl::StatusOr<Hierarchy> Init(const std::string& dir, bool* created);

  //   NotFound: `dir` has no hierarchy.
  static absl::StatusOr<Hierarchy> Load(const std::string& dir);

  // The names that the files of DIR/public have.
  std::string VcekFileName() const;

  const Der& ark() const { return ark_; }
  const Der& ask() const { return ask_; }
  const Der& vcek() const { return vcek_; }
  // SHA-512 of the VCEK's SubjectPublicKeyInfo: random, and nothing to store.
  const ChipId& chip_id() const { return chip_id_; }
  EVP_PKEY* vcek_key() const { return vcek_key_.get(); }

 private:
  Hierarchy() = default;
  absl::Status Save(const std::string& dir) const;
  absl::Status DeriveChipId();

  EvpPkey ark_key_, ask_key_, vcek_key_;
  Der ark_, ask_, vcek_;
  ChipId chip_id_{};
};

}  // namespace emulator
