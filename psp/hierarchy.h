// SPDX-License-Identifier: Apache-2.0
//
// The key hierarchy of one emulated chip: ARK -> ASK -> VCEK and, where asked
// for, ARK -> ASVK -> VLEK, as AMD has them (AMD 56860 rev. 1.58, "Key
// Management"; 57230 rev. 1.0).
//
// Made on each installation and never anywhere else: no key of it is committed,
// packaged or reused. On disk:
//   DIR/private/{ark,ask,vcek}.pem   0600 in a 0700 folder
//   DIR/private/chip                 the model; next line: the VLEK's CSP_ID
//   DIR/public/{ark,ask,crl}.der, vcek-<chip id>-<reported TCB>.{der,certs}
// and with a VLEK also
//   DIR/private/{asvk,vlek}.pem
//   DIR/public/asvk.der, vlek-<CSP_ID>-<reported TCB>.{der,certs}
// A .certs file is the leaf's certificate table with its whole chain: what the
// proxy answers GetCertificates with from DIR/public.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "hosted/openssl/openssl.h"
#include "psp/certificates.h"
#include "psp/chip_model.h"
#include "sev/report.h"
#include "sev/tcb.h"

namespace psp {

// Of the model that is the default.
inline constexpr uint64_t kEmulatedRawTcb = kMilan.raw_tcb();
inline constexpr sev::CpuidFms kEmulatedCpuid = kMilan.cpuid;

struct HierarchyOptions {
  const ChipModel* model = &kMilan;
  // "CN=" and a name of at most 64 letters, digits, dots and hyphens: with a
  // VLEK of that provider. Empty: without one.
  std::string csp_id;
};

class Hierarchy {
 public:
  // Two or three RSA-4096 keys: a second or two.
  //   InvalidArgument: a CSP_ID of another form.
  static absl::StatusOr<Hierarchy> Generate(
      const HierarchyOptions& options = {});

  // As Generate() and saves it, unless `dir` already has a hierarchy: then that
  // is loaded, and `*created` is false. Tables that it lacks are made.
  //   FailedPrecondition: `dir` has one with other options.
  static absl::StatusOr<Hierarchy> Init(const std::string& dir, bool* created,
                                        const HierarchyOptions& options = {});

  //   NotFound: `dir` has no hierarchy.
  static absl::StatusOr<Hierarchy> Load(const std::string& dir);

  const ChipModel& model() const { return *options_.model; }
  bool has_vlek() const { return !options_.csp_id.empty(); }
  const std::string& csp_id() const { return options_.csp_id; }

  // The names that the files of DIR/public have.
  std::string VcekFileName() const;
  std::string VlekFileName() const;

  const Der& ark() const { return ark_.der; }
  const Der& ask() const { return ask_.der; }
  const Der& vcek() const { return vcek_.der; }
  const Der& crl() const { return crl_; }
  // Empty without a VLEK.
  const Der& asvk() const { return asvk_.der; }
  const Der& vlek() const { return vlek_.der; }
  // SHA-512 of the VCEK's SubjectPublicKeyInfo, as much of it as the model's
  // hardware id has: random, and nothing to store.
  const ChipId& chip_id() const { return chip_id_; }

  EVP_PKEY* ark_key() const { return ark_.key.get(); }
  EVP_PKEY* ask_key() const { return ask_.key.get(); }
  EVP_PKEY* asvk_key() const { return asvk_.key.get(); }
  EVP_PKEY* vcek_key() const { return vcek_.key.get(); }
  EVP_PKEY* vlek_key() const { return vlek_.key.get(); }

 private:
  // A certificate, with its key and the names of their files.
  struct Identity {
    hosted::openssl::PkeyPtr key;
    Der der;
  };
  struct Member {
    std::string key_name, der_name;
    Identity* identity;
  };

  explicit Hierarchy(HierarchyOptions options) : options_(std::move(options)) {}
  // All that the options ask for.
  std::vector<Member> Members();
  absl::Status Certify();
  absl::Status Save(const std::string& dir);
  absl::Status SaveTables(const std::string& dir) const;
  absl::Status DeriveChipId();

  HierarchyOptions options_;
  Identity ark_, ask_, asvk_, vcek_, vlek_;
  Der crl_;
  ChipId chip_id_{};
};

// A P-384 key, as VCEKs are. Null: OpenSSL failed.
hosted::openssl::PkeyPtr NewP384Key();
// An RSA-4096 key, as authorities have. Null: OpenSSL failed.
hosted::openssl::PkeyPtr NewAuthorityKey();

}  // namespace psp
