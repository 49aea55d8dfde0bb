// SPDX-License-Identifier: Apache-2.0
#include "cli/policy_commands.h"

#include <stdio.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/policy_from_image.h"
#include "cli/policy_input.h"
#include "hosted/text.h"
#include "verifier/finding.h"
#include "verifier/policy/policy.h"
#include "verifier/policy/warnings.h"
#include "verifier/reasons.h"

namespace cli {
namespace {

using Kind = hosted::Option::Kind;

// --- check

struct Loaded {
  std::string file;
  verifier::Policy policy;
};

// Two policies of one name, or for one secret path, do not load together.
int PrintConflicts(const std::vector<Loaded>& all) {
  int conflicts = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const std::string shared =
          verifier::SharedPath(all[j].policy, all[i].policy);
      std::string what;
      if (all[i].policy.name == all[j].policy.name) {
        what = absl::StrCat("both are named ", all[i].policy.name);
      } else if (!shared.empty()) {
        what = absl::StrCat(verifier::ReasonCode(verifier::kPolicyOverlap),
                            " both govern ", shared);
      } else {
        continue;
      }
      ++conflicts;
      absl::FPrintF(stderr, "%s and %s: %s\n", hosted::Printable(all[j].file),
                    hosted::Printable(all[i].file), what);
    }
  }
  return conflicts;
}

absl::StatusOr<int> Check(const hosted::Arguments& arguments) {
  std::vector<Loaded> all;
  int errors = 0;
  for (const std::string& file : arguments.positionals()) {
    auto policy = LoadPolicy(file);
    if (!policy.ok()) {
      ++errors;
      absl::FPrintF(stderr, "%s\n",
                    hosted::Printable(policy.status().message()));
      continue;
    }
    absl::PrintF("%s: loads: policy %s%s\n", hosted::Printable(file),
                 policy->name,
                 policy->emulated() ? " (EMULATED evidence only)" : "");
    for (const std::string& warning : verifier::WarningsOf(*policy)) {
      absl::PrintF("  warning: %s\n", warning);
    }
    all.push_back({file, *std::move(policy)});
  }
  errors += PrintConflicts(all);
  return errors == 0 ? hosted::kExitOk : hosted::kExitFailed;
}

// --- explain

constexpr hosted::Option kExplainOptions[] = {
    {"policy", "FILE", Kind::kRequired, "the policy"},
    {"report", "FILE", Kind::kRequired, "the report, of 1184 bytes"},
    {"certificates", "FILE|DIR", Kind::kRepeated,
     "certificates and revocation lists; of a folder what fits is taken"},
    {"vm", "NAME", Kind::kOptional, "the VM that asks"},
    kKernelOption,
    kInitrdOption,
    kCommandLineOption,
    kAcpiOption,
    {"at", "TIME", Kind::kOptional,
     "when to judge, as 2026-09-15T00:00:00Z; now if left out"},
    {"json", "", Kind::kSwitch, "one JSON object"},
};

constexpr hosted::ExitCode kExplainExitCodes[] = {
    {hosted::kExitOk, "nothing that can be judged refuses the report"},
    {hosted::kExitInvalid, "the report is invalid, or the policy refuses it"},
    {hosted::kExitUnverifiable, "what would prove the report is missing"},
};

constexpr hosted::Command kCommands[] = {
    {"policy check",
     "FILE...",
     "load policies, and say what they leave open",
     "Loads each FILE as a verifier would, and prints the first error of each "
     "with file, line, column and field. Files that load are held against each "
     "other: two policies for one secret path do not load together. Warnings "
     "name what a policy leaves open; they do not change the exit code.",
     {},
     &Check},
    {"policy explain", "", "say what a policy decides about a report, and why",
     "Appraises the report under AMD's roots and those that the policy names, "
     "then prints "
     "every condition of the policy with what was seen: pass, FAIL, any (the "
     "policy leaves it open) or ? (not known here). A report alone does not "
     "show for which session it was made, nor the boot files, nor the VM's "
     "name: what could not be judged is listed. With --vm and the boot files "
     "those lines are judged too.",
     kExplainOptions, &PolicyExplain, kExplainExitCodes},
    {"policy from-image", "IMAGE...",
     "print a policy to start from, for the images of one VM",
     "Prints a commented policy: the VM and the launch digest of each IMAGE "
     "on the platform that it is configured for, "
     "the processors Genoa and Turin, a host that has SMT off and has checked "
     "its memory for aliases, minimum firmware "
     "versions, VLEK refused, a revocation list required. Where the owner has "
     "to decide it says EDIT. Milan is added by hand, if at all: see "
     "docs/limitations.md.",
     kFromImageOptions, &PolicyFromImage},
};

}  // namespace

std::span<const hosted::Command> PolicyCommands() { return kCommands; }

}  // namespace cli
