// SPDX-License-Identifier: Apache-2.0
//
// Authorities: ARK, ASK, ASVK certificates and CRLs that were imported, for
// evidence that comes without them. Public data that proves itself: whoever
// writes the folder can only make evidence fail, not pass.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "verifier/evidence/certificate.h"
#include "verifier/evidence/crl.h"
#include "verifier/ossl/ossl.h"

namespace verifier {

class Authorities {
 public:
  Authorities() = default;

  // Every *.der and *.pem below `folder`, told apart by content; a VCEK or VLEK
  // among them is passed over. NotFound: no such folder. InvalidArgument: a
  // file that is none of these, with its name.
  static absl::StatusOr<Authorities> Load(const std::string& folder);

  // DER, PEM, several of either, or CRLs.
  absl::Status Add(base::Bytes bytes, const std::string& name);

  // Changes with the set of files: part of the chain cache's key.
  const ossl::Digest256& generation() const { return generation_; }

  // By subject; AMD has issued several of one name.
  std::vector<const Certificate*> IssuersOf(const Certificate& subject) const;
  // The newest that this root signed, by CRL number; null: none.
  const Crl* CrlOf(const Certificate& root) const;

  const std::vector<Certificate>& certificates() const { return certificates_; }
  const std::vector<Crl>& crls() const { return crls_; }

 private:
  void Extend(const ossl::Digest256& sha256);

  std::vector<Certificate> certificates_;
  std::vector<Crl> crls_;
  ossl::Digest256 generation_{};
};

}  // namespace verifier
