// SPDX-License-Identifier: Apache-2.0
//
// CertificateBundle: certificates in any order and form, sorted into the places
// of a chain by their names. For people's files; evidence of a session, and any
// certificate table, has places already.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/bytes.h"
#include "verifier/evidence/appraisal.h"

namespace verifier {

class CertificateBundle {
 public:
  // `name` is for messages. InvalidArgument: not certificates, one that is
  // neither leaf, intermediate nor root of AMD by its name, or another leaf
  // than one already there.
  absl::Status Add(base::Bytes bytes, const std::string& name);

  // The leaf; the intermediate that signed it, or else one of the right name;
  // so for the root; the CRL of that root. What is not there stays empty. Valid
  // until the next Add().
  CertificateSet Set() const;

  bool has_leaf() const { return !leaf_.empty(); }

 private:
  absl::Status AddCertificate(base::Bytes der, const std::string& name);

  std::vector<uint8_t> leaf_;
  std::vector<std::vector<uint8_t>> intermediates_, roots_, crls_;
};

}  // namespace verifier
