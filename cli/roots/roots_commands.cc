// SPDX-License-Identifier: Apache-2.0
#include "cli/roots/roots_commands.h"

#include <stdlib.h>

#include <ctime>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "cli/error.h"
#include "cli/files.h"
#include "cli/reasons.h"
#include "cli/report_commands.h"
#include "hosted/status.h"
#include "hosted/text.h"
#include "verifier/endorsements/endorsements.h"
#include "verifier/endorsements/import.h"
#include "verifier/endorsements/split.h"
#include "verifier/reasons.h"

namespace cli {
namespace {

using Kind = hosted::Option::Kind;
using verifier::Certificate;

constexpr hosted::Option kImportOptions[] = {
    {"to", "DIR", Kind::kOptional,
     "the folder; else $XDG_DATA_HOME/forelock/certificates"},
    kRootOption,
};
constexpr hosted::Option kListOptions[] = {kRootOption};

absl::StatusOr<std::string> DefaultFolder() {
  const char* data = getenv("XDG_DATA_HOME");
  // The specification: a relative path is to be ignored.
  if (data != nullptr && data[0] == '/') {
    return absl::StrCat(data, "/forelock/certificates");
  }
  const char* home = getenv("HOME");
  if (home == nullptr || home[0] != '/') {
    return hosted::UsageError(
        "neither $XDG_DATA_HOME nor $HOME; name the folder");
  }
  return absl::StrCat(home, "/.local/share/forelock/certificates");
}

absl::Status AddFiles(std::span<const std::string> paths,
                      verifier::Import& import) {
  for (const std::string& path : paths) {
    const auto bytes = ReadInput(path);
    if (!bytes.ok()) return bytes.status();
    const absl::Status added = import.Add(*bytes, path);
    if (hosted::Is(added, verifier::kCertificateMalformed)) {
      return Error(kNotCertificates, hosted::DetailOf(added));
    }
    if (!added.ok()) return added;
  }
  return absl::OkStatus();
}

void PrintOutcome(const verifier::Import::Outcome& outcome,
                  const std::string& folder) {
  for (const std::string& path : outcome.written) {
    absl::PrintF("wrote %s\n", path);
  }
  for (const std::string& path : outcome.newer) {
    absl::PrintF("kept %s: it is newer\n", path);
  }
  for (const std::string& path : outcome.revoked) {
    absl::PrintF("revoked: %s\n", hosted::Printable(path));
  }
  if (outcome.written.empty() && outcome.newer.empty()) {
    absl::PrintF("%s has all of this already\n", hosted::Printable(folder));
  }
}

absl::Status ImportFiles(const hosted::Arguments& arguments) {
  auto pins = PinsGiven(arguments);
  if (!pins.ok()) return pins.status();
  absl::StatusOr<std::string> folder = arguments.Value("to");
  if (folder->empty()) folder = DefaultFolder();
  if (!folder.ok()) return folder.status();
  verifier::Import import(*std::move(pins));
  const absl::Status added = AddFiles(arguments.positionals(), import);
  if (!added.ok()) return added;
  const absl::Status known = import.AddKnownFolder(*folder);
  if (!known.ok()) return Error(kFileUnreadable, known.message());
  const time_t now = time(nullptr);
  const absl::Status good = import.Check(now);
  if (!good.ok()) return good;
  const auto outcome = import.Write(*folder, now);
  if (!outcome.ok()) {
    return Error(kFileUnwritable, outcome.status().message());
  }
  PrintOutcome(*outcome, *folder);
  return absl::OkStatus();
}

std::string Day(const std::optional<time_t>& time) {
  if (!time) return "?";
  return absl::FormatTime("%Y-%m-%d", absl::FromTimeT(*time),
                          absl::UTCTimeZone());
}

// " REVOKED BY LIST 10"; what is wrong with it stands out.
std::string Mark(const std::string& fault) {
  return fault.empty() ? "" : absl::StrCat(" ", absl::AsciiStrToUpper(fault));
}

void PrintCertificate(const Certificate& certificate,
                      const verifier::Import& folder, time_t now) {
  const std::string_view kind = KindOf(certificate);
  absl::PrintF("  %-5s%-18s %s to %s  sha256:%s%s%s\n",
               kind.empty() ? "?" : kind,
               hosted::Printable(certificate.SubjectName()),
               Day(certificate.not_before()), Day(certificate.not_after()),
               verifier::ossl::Hex(certificate.sha256()),
               kind == "ARK" && folder.IsPinned(certificate) ? " pinned" : "",
               Mark(folder.FaultOf(certificate, now)));
}

absl::Status List(const hosted::Arguments& arguments) {
  auto pins = PinsGiven(arguments);
  if (!pins.ok()) return pins.status();
  absl::StatusOr<std::string> folder = DefaultFolder();
  if (!arguments.positionals().empty()) folder = arguments.positional(0);
  if (!folder.ok()) return folder.status();
  verifier::Import content(*std::move(pins));
  const absl::Status known = content.AddKnownFolder(*folder);
  if (!known.ok()) return Error(kFileUnreadable, known.message());
  const auto paths = CertificateFiles(*folder);
  if (!paths.ok()) return paths.status();
  const time_t now = time(nullptr);
  for (const std::string& path : *paths) {
    absl::PrintF("%s\n", hosted::Printable(path));
    const auto bytes = ReadInput(path);
    if (!bytes.ok()) return bytes.status();
    const auto parts = verifier::SplitCertificates(*bytes);
    if (!parts.ok()) {
      absl::PrintF("  %s\n", Error(kNotCertificates, "").message());
      continue;
    }
    for (const auto& der : parts->certificates) {
      const auto certificate = Certificate::Parse(der);
      if (certificate) PrintCertificate(*certificate, content, now);
    }
    for (const auto& der : parts->crls) {
      const auto crl = verifier::Crl::Parse(der);
      if (!crl) continue;
      absl::PrintF("  CRL  number %-11d %s to %s  sha256:%s%s\n", crl->number(),
                   Day(crl->this_update()), Day(crl->next_update()),
                   verifier::ossl::Hex(crl->sha256()),
                   Mark(content.FaultOf(*crl, now)));
    }
  }
  return absl::OkStatus();
}

constexpr hosted::Command kCommands[] = {
    {"roots import", "FILE...",
     "check AMD's certificates and lists, and store them",
     "Takes ARK, ASK and ASVK certificates and revocation lists (DER, PEM,\n"
     "several of either). The ARK must be AMD's, or the one of --root-sha256;\n"
     "it may be in the folder already. Everything else must be signed by it, "
     "in\n"
     "date, and revoked neither by a list among the files nor by one in the\n"
     "folder. If one file is refused, nothing is written.\n"
     "\n"
     "The folder is for --certificates of this program and of the daemons.",
     kImportOptions, &ImportFiles},
    {"roots list", "[DIR]", "list the stored certificates and lists",
     "Prints each file of the folder and what is in it, with what is wrong "
     "with\n"
     "it: revoked, out of date, superseded, not signed. Without DIR, of\n"
     "$XDG_DATA_HOME/forelock/certificates.",
     kListOptions, &List},
};

}  // namespace

std::span<const hosted::Command> RootsCommands() { return kCommands; }

}  // namespace cli
