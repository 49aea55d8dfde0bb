// SPDX-License-Identifier: Apache-2.0
//
// Import of ARKs, ASKs, ASVKs and revocation lists into a folder: only what a
// pinned root signed, is in date and is not revoked; if one is refused, nothing
// is written. So an import never makes a folder worse.
#pragma once

#include <ctime>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "verifier/endorsements/certificate.h"
#include "verifier/endorsements/crl.h"
#include "verifier/finding.h"
#include "verifier/ossl/ossl.h"

namespace verifier {

class Import {
 public:
  // `pins`: SHA-256 of the roots, in DER, that may vouch.
  explicit Import(std::vector<ossl::Digest256> pins) : pins_(std::move(pins)) {}

  // To be imported. `name` is for messages.
  //   kCertificateMalformed; kImportNotAuthority.
  absl::Status Add(base::Bytes bytes, const std::string& name);
  // What is in the folder: its pinned roots vouch too, its lists revoke. What
  // cannot be used is passed over.
  void AddKnown(base::Bytes bytes, const std::string& path);
  // Of every *.der and *.pem below `folder`.
  //   The file system's status; OK if there is no such folder.
  absl::Status AddKnownFolder(const std::string& folder);

  // kImportNotPinned, kImportNotSigned; a certificate's own reasons: not a CA,
  // out of date, revoked; kCrlStale. `now`: seconds since 1970, UTC.
  absl::Status Check(time_t now) const;

  struct Outcome {
    std::vector<std::string> written;  // Paths.
    std::vector<std::string> newer;    // Of lists that stayed: newer ones.
    // Of what was there and is revoked now, by the path it has now.
    std::vector<std::string> revoked;
    // Old and new path of what gave way.
    std::map<std::string, std::string> moved;
  };
  // After Check(). Each goes under its name below `folder`, in one step:
  // PRODUCT/ark.der, ask.der, asvk.der, crl.der. A list gives way to a newer
  // one. A certificate gives way only if it is revoked, out of date or not
  // signed, and moves to a name with some digits of its SHA-256; otherwise the
  // new one gets such a name.
  //   The file system's status.
  absl::StatusOr<Outcome> Write(const std::string& folder, time_t now) const;

  bool IsPinned(const Certificate& certificate) const;

  // What is wrong with one that is at hand, for people; empty: nothing.
  std::string FaultOf(const Certificate& certificate, time_t now) const;
  std::string FaultOf(const Crl& list, time_t now) const;

 private:
  struct Part {
    std::string name;  // For messages, or its path.
    std::vector<uint8_t> der;
    // One of them.
    std::optional<Certificate> certificate;
    std::shared_ptr<const Crl> list;
  };

  void AddRoot(const Certificate& certificate);
  const Certificate* RootOf(const Part& part, Findings& findings) const;
  // The newest of all that are at hand; null: none.
  const Crl* ListOf(const Certificate& root) const;
  absl::Status CheckPart(const Part& part, time_t now) const;
  std::string NameFor(const Part& part) const;
  absl::Status WriteCertificate(const Part& part, const std::string& stem,
                                time_t now, Outcome& outcome) const;
  absl::Status WriteList(const Part& part, const std::string& stem,
                         Outcome& outcome) const;

  std::vector<ossl::Digest256> pins_;
  std::vector<Part> parts_, known_;
  std::vector<Certificate> roots_;  // Pinned ones.
};

}  // namespace verifier
