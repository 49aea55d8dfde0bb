// SPDX-License-Identifier: Apache-2.0
//
// Import of ARKs, ASKs, ASVKs and revocation lists into a folder: only what a
// pinned root vouches for, all of it or nothing.
#pragma once

#include <ctime>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "verifier/evidence/certificate.h"
#include "verifier/evidence/crl.h"
#include "verifier/ossl/ossl.h"

namespace cli {

struct Authority {
  std::vector<uint8_t> der;
  // Exactly one of them.
  std::optional<verifier::Certificate> certificate;
  std::optional<verifier::Crl> crl;
};

class AuthorityImport {
 public:
  explicit AuthorityImport(std::vector<verifier::ossl::Digest256> pins)
      : pins_(std::move(pins)) {}

  // To be imported. CL5, CL27.
  absl::Status Add(base::Bytes bytes, const std::string& name);
  // Roots that are in the folder already: they vouch, and stay. Others are
  // passed over.
  void AddKnown(base::Bytes bytes);
  void AddKnown(const verifier::Certificate& certificate);

  // CL25, CL26; the verifier's reasons: not a CA, expired.
  absl::Status Check(time_t now) const;

  struct Outcome {
    std::vector<std::string> written;  // Paths.
    std::vector<std::string> newer;    // Of lists that stayed: newer ones.
  };
  // Writes each under the name that our tools look for. What is there under
  // that name and is another stays: then the name has some digits of the
  // SHA-256. A list gives way to another, unless the same root signed it and it
  // is newer. CL3.
  absl::StatusOr<Outcome> Write(const std::string& folder) const;

  bool IsPinned(const verifier::Certificate& certificate) const;
  // Whether a pinned root signed this authority.
  bool VouchFor(const verifier::Certificate& authority) const;

 private:
  const verifier::Certificate* RootOf(const Authority& authority,
                                      verifier::Findings& findings) const;
  bool IsNewerList(base::Bytes there, const Authority& authority) const;
  std::string NameFor(const Authority& authority) const;

  std::vector<verifier::ossl::Digest256> pins_;
  std::vector<Authority> authorities_;
  std::vector<verifier::Certificate> roots_;  // Pinned ones.
};

// "ARK", "ASK", "ASVK", "VCEK", "VLEK"; empty: none of them by its name.
std::string_view KindOf(const verifier::Certificate& certificate);

}  // namespace cli
