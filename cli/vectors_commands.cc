// SPDX-License-Identifier: Apache-2.0
#include "cli/vectors_commands.h"

#include <stdio.h>

#include <string>

#include "absl/status/statusor.h"
#include "cli/launch_judges.h"
#include "verifier/conformance/run.h"

namespace cli {
namespace {

using Kind = hosted::Option::Kind;

constexpr hosted::Option kOptions[] = {
    {"only", "ID", Kind::kOptional, "only the entry of this id"},
    {"kind", "KIND", Kind::kOptional, "only entries of this kind"},
    {"json", "", Kind::kSwitch, "one JSON object instead of lines"},
};

constexpr hosted::ExitCode kExitCodes[] = {
    {hosted::kExitOk, "every entry gave what is expected"},
    {hosted::kExitInvalid, "an entry did not, or could not be judged"},
};

absl::StatusOr<int> Vectors(const hosted::Arguments& arguments) {
  const auto results = verifier::conformance::RunVectors(
      arguments.positional(0),
      {.id = arguments.Value("only"), .kind = arguments.Value("kind")},
      LaunchJudges());
  if (!results.ok()) return results.status();
  const std::string text =
      arguments.Has("json") ? JsonOf(*results) : TextOf(*results);
  fputs(text.c_str(), stdout);
  return AllAsExpected(*results) ? hosted::kExitOk : hosted::kExitInvalid;
}

constexpr hosted::Command kCommands[] = {
    {.name = "vectors",
     .positional = "DIR",
     .summary = "run a folder of evidence vectors",
     .description =
         "Reads DIR/manifest.json, judges every entry from the bytes of its "
         "files at its own time, and compares the verdict with the expected "
         "one, which is no part of the judging. Prints one line an entry: id, "
         "verdict (valid, invalid, unverifiable; error: not judged), failing "
         "checks or \"-\", and whether that is as expected; then a summary.\n"
         "\n"
         "Every file must have the SHA-256 that the manifest names. Entries "
         "with a trust anchor of their own are judged under the manifest's "
         "test roots, all others under AMD's, which are part of this program.",
     .options = kOptions,
     .run = &Vectors,
     .exit_codes = kExitCodes},
};

}  // namespace

std::span<const hosted::Command> VectorsCommands() { return kCommands; }

}  // namespace cli
