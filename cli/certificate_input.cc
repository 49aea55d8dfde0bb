// SPDX-License-Identifier: Apache-2.0
#include "cli/certificate_input.h"

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/error.h"
#include "cli/files.h"
#include "cli/reasons.h"
#include "hosted/status.h"
#include "hosted/text.h"
#include "verifier/endorsements/folder.h"
#include "verifier/endorsements/split.h"

namespace cli {
namespace {

using verifier::Claim;
using verifier::Unfit;

absl::Status AddFile(const std::string& path, verifier::Endorsements& to) {
  const auto bytes = ReadInput(path);
  if (!bytes.ok()) return bytes.status();
  // What it cannot use of a given file it keeps, and the verdict has it.
  to.Add(*bytes, {.name = path, .claim = Claim::kGiven}).IgnoreError();
  return absl::OkStatus();
}

absl::Status AddList(const std::string& path, verifier::Endorsements& to) {
  const auto bytes = ReadInput(path);
  if (!bytes.ok()) return bytes.status();
  const auto parts = verifier::SplitCertificates(*bytes);
  if (!parts.ok() || parts->crls.empty()) {
    return Error(kNotCertificates, absl::StrCat(path, ": no revocation list"));
  }
  to.Add(*bytes, {.name = path, .claim = Claim::kGiven}).IgnoreError();
  return absl::OkStatus();
}

absl::Status AddFolderOf(const std::string& path, verifier::Endorsements& to) {
  if (!Exists(path)) return absl::OkStatus();
  const absl::Status added =
      verifier::AddFolder(path, to, [](const absl::Status& unusable) {
        Note(Error(kNotCertificates, hosted::DetailOf(unusable)).message());
      });
  return added.ok() ? added : Error(kFileUnreadable, added.message());
}

// Certificates of other chips and chains are what folders are full of.
bool IsWorthANote(const verifier::PassedOver& passed, bool has_leaf) {
  if (passed.claim == Claim::kGiven) return true;
  switch (passed.why) {
    case Unfit::kAnotherKind:
    case Unfit::kAnotherChip:
    case Unfit::kSuperseded:
      return false;
    case Unfit::kAnotherTcb:
      return !has_leaf;
    default:
      return true;
  }
}

}  // namespace

void Note(std::string_view text) {
  absl::FPrintF(stderr, "forelock: note: %s\n", hosted::Printable(text));
}

absl::StatusOr<CertificateInput> ReadCertificates(
    const hosted::Arguments& arguments) {
  CertificateInput input = {
      .endorsements = std::make_shared<verifier::Endorsements>(), .folder = ""};
  verifier::Endorsements& to = *input.endorsements;
  for (const std::string& path : arguments.Values("certificates")) {
    const bool is_folder =
        IsFolder(path) || (arguments.Has("kds") && !Exists(path));
    if (is_folder && input.folder.empty()) input.folder = path;
    const absl::Status added =
        is_folder ? AddFolderOf(path, to) : AddFile(path, to);
    if (!added.ok()) return added;
  }
  for (const std::string& path : arguments.Values("crl")) {
    const absl::Status added = AddList(path, to);
    if (!added.ok()) return added;
  }
  return input;
}

void NoteLeftOut(const verifier::Endorsements& endorsements,
                 const verifier::EndorsementQuery& query,
                 const verifier::Selection& selection) {
  const bool has_leaf = selection.leaf != nullptr;
  for (const verifier::PassedOver& passed :
       endorsements.LeftOut(query, selection)) {
    if (!IsWorthANote(passed, has_leaf)) continue;
    Note(absl::StrCat(passed.source, ": ", passed.what,
                      " is not used: ", TextOf(passed.why)));
  }
}

}  // namespace cli
