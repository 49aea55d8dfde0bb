// SPDX-License-Identifier: Apache-2.0
//
// The certificates for one report: from files and folders that the user names,
// and what is missing from the key service, if the user names one.
#pragma once

#include <cstdint>
#include <ctime>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "cli/authority_import.h"
#include "cli/kds.h"
#include "sev/product.h"
#include "sev/report.h"
#include "verifier/evidence/appraisal.h"
#include "verifier/evidence/authorities.h"
#include "verifier/evidence/bundle.h"
#include "verifier/evidence/endorsement.h"
#include "verifier/ossl/ossl.h"

namespace cli {

class CertificateSource {
 public:
  // Something that is no reason to stop: for standard error.
  using Note = std::function<void(std::string_view)>;

  // `pins`: the roots that must vouch for what is fetched, for it to be kept.
  explicit CertificateSource(Note note,
                             std::vector<verifier::ossl::Digest256> pins = {})
      : note_(std::move(note)), pins_(std::move(pins)) {}

  // A file's certificates must fit: one that does not parse, or belongs to
  // another chain, is judged with the rest and makes the report invalid. The
  // slots of a certificate table are places: what is in them is judged there,
  // unless another file fills the place. CL1, CL2.
  absl::Status AddFile(const std::string& path);
  // A certificate table that came with the report; `name` is for messages. The
  // table's own reasons: it does not parse.
  absl::Status AddTable(base::Bytes bytes, const std::string& name);
  // As AddFile, of a file that must hold a revocation list. CL1, CL2.
  absl::Status AddCrl(const std::string& path);
  // A folder is a store of many: what fits is taken, and what is fetched and
  // proves itself is put there. CL1; files that cannot be used are noted. It
  // need not be there.
  absl::Status AddFolder(const std::string& folder);

  // What is missing for `report`. `product`: if the report does not say it.
  // `crl_at`: with a revocation list, unless one of that time is there.
  absl::Status Fetch(const Kds& kds, const sev::UnverifiedReport& report,
                     std::optional<sev::Product> product,
                     std::optional<time_t> crl_at);

  // For `report`, if it is one. Valid until the next call of another function.
  verifier::CertificateSet Set(const sev::UnverifiedReport* report);
  const verifier::Authorities& authorities() const { return authorities_; }

  // What AddFile() could not use, as a failure of `certs_parse`: whoever names
  // a file wants it to count.
  void JudgeRefused(verifier::Appraisal& appraisal) const;

 private:
  using Der = std::vector<uint8_t>;
  struct Leaf {
    Der der;
    verifier::LeafFacts facts;
  };

  void KeepParts(base::Bytes bytes);
  void NoteUnused(const verifier::CertificateSet& set) const;
  absl::Status AddToStore(base::Bytes bytes, const std::string& name);
  verifier::CertificateSet TablePlaces(
      const sev::UnverifiedReport* report) const;
  const Leaf* StoredLeaf(const sev::UnverifiedReport& report) const;
  absl::StatusOr<Der> FetchVcek(const Kds& kds,
                                const sev::UnverifiedReport& report,
                                std::optional<sev::Product> product);
  absl::Status FetchAuthorities(const Kds& kds,
                                const verifier::CertificateSet& set,
                                std::optional<time_t> crl_at);
  bool HasCurrentCrl(sev::Product product, time_t at) const;
  AuthorityImport Vouchers(base::Bytes root) const;
  absl::Status SaveAuthorities(base::Bytes fetched, base::Bytes root);
  absl::Status SaveVcek(base::Bytes der, const sev::UnverifiedReport& report);

  Note note_;
  std::vector<verifier::ossl::Digest256> pins_;
  std::string folder_;  // The first one; empty: none.
  verifier::CertificateBundle bundle_;
  verifier::Authorities authorities_;
  std::vector<Leaf> leaves_;  // Of folders and of the key service.
  // Of files: why some were refused, and what the bundle may leave out of a
  // set.
  verifier::Findings refused_;
  std::vector<Der> intermediates_, roots_, crls_;
  std::vector<Der> tables_;  // Of files.
};

}  // namespace cli
