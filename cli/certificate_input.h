// SPDX-License-Identifier: Apache-2.0
//
// Certificates and lists that a command line names, as endorsements.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hosted/arguments.h"
#include "verifier/endorsements/endorsements.h"

namespace cli {

struct CertificateInput {
  std::shared_ptr<verifier::Endorsements> endorsements;
  std::string folder;  // The first one that was named; empty: none.
};

// Of --certificates (files are given, folders store many) and --crl. What in a
// folder cannot be used is noted on standard error. With --kds a folder need
// not be there.
//   CL1, CL2; CL5 for a --crl without a list.
absl::StatusOr<CertificateInput> ReadCertificates(
    const hosted::Arguments& arguments);

// On standard error: of what was passed over, what somebody may have meant to
// be used.
void NoteLeftOut(const verifier::Endorsements& endorsements,
                 const verifier::EndorsementQuery& query,
                 const verifier::Selection& selection);

// "forelock: note: ...".
void Note(std::string_view text);

}  // namespace cli
