// SPDX-License-Identifier: Apache-2.0
#include "cli/roots/prepare_command.h"

#include <ctime>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "cli/error.h"
#include "cli/files.h"
#include "cli/reasons.h"
#include "cli/report_commands.h"
#include "cli/roots/roots_prepare.h"
#include "hosted/text.h"
#include "verifier/endorsements/accepted_root.h"
#include "verifier/endorsements/endorsements.h"
#include "verifier/endorsements/folder.h"
#include "verifier/provision/prepared_chains.h"

namespace cli {
namespace {

using Kind = hosted::Option::Kind;

constexpr hosted::Option kPrepareOptions[] = {
    {"to", "DIR", Kind::kOptional, "write here; else into the first folder"},
    {"chip", "ID", Kind::kRepeated,
     "of VCEKs only this chip's: the report's chip id, or a Turin's 16 digits"},
    kRootOption,
};

// What of a folder is of no use is said; a file that was named must be of use.
absl::Status AddAll(std::span<const std::string> paths,
                    verifier::Endorsements& all) {
  for (const std::string& path : paths) {
    if (IsFolder(path)) {
      const absl::Status added =
          verifier::AddFolder(path, all, [&](const absl::Status& unusable) {
            absl::FPrintF(stderr, "passed over: %s\n",
                          hosted::Printable(unusable.message()));
          });
      if (!added.ok()) {
        return Error(kFileUnreadable, added.message(), added.code());
      }
      continue;
    }
    const auto bytes = ReadInput(path);
    if (!bytes.ok()) return bytes.status();
    const absl::Status added = all.Add(*bytes, {.name = path});
    if (!added.ok()) return Error(kNotCertificates, path);
  }
  return absl::OkStatus();
}

absl::Status Prepare(const hosted::Arguments& arguments) {
  const auto pins = PinsGiven(arguments);
  if (!pins.ok()) return pins.status();
  std::vector<verifier::AcceptedRoot> roots;
  for (const auto& pin : *pins) roots.push_back({.sha256 = pin});
  PrepareRequest request = {.to = arguments.Value("to"), .chips = {}};
  for (const std::string& hex : arguments.Values("chip")) {
    const auto chip = ChipIdOf(hex);
    if (!chip.ok()) return chip.status();
    request.chips.insert(*chip);
  }
  for (const std::string& path : arguments.positionals()) {
    if (request.to.empty() && IsFolder(path)) request.to = path;
  }
  if (request.to.empty()) {
    return hosted::UsageError("no folder among the files: --to says where");
  }
  verifier::Endorsements all;
  const absl::Status added = AddAll(arguments.positionals(), all);
  if (!added.ok()) return added;
  return PrepareRoots(request,
                      verifier::ChooseChains(all, roots, time(nullptr)));
}

constexpr hosted::Command kCommands[] = {
    {"roots prepare", "PATH...",
     "make the files that a host sends to its guests",
     "Looks at all certificates and revocation lists in files and folders\n"
     "(*.der, *.pem at any depth, whatever they are called). For each chip\n"
     "and TCB of which a VCEK is there, and each provider and TCB of a VLEK,\n"
     "it writes one file for forelock-proxy:\n"
     "\n"
     "  vcek-CHIPID-TCB.certs, vlek-CSPID-TCB.certs\n"
     "\n"
     "with the leaf, the ASK or ASVK that signed it, the ARK, and the newest\n"
     "list if it is current: a GHCB certificate table of at most 12 KiB. What\n"
     "is revoked, out of date or not signed by an accepted root is never in\n"
     "it. In a name, what is no letter, digit, '.', '_' or '-' is %XX.\n"
     "\n"
     "A leaf for which nothing fits is named, the rest is written, and the\n"
     "exit code is 1. A file that is there already gives way in one step.",
     kPrepareOptions, &Prepare},
};

}  // namespace

std::span<const hosted::Command> PrepareCommands() { return kCommands; }

}  // namespace cli
