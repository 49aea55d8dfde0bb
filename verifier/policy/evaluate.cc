// SPDX-License-Identifier: Apache-2.0
#include "verifier/policy/evaluate.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

// Long lists would drown the log; the policy itself has them all.
constexpr size_t kShownDigests = 4;

template <typename Digest>
bool Contains(const std::vector<Digest>& list, const Digest& digest) {
  return std::find(list.begin(), list.end(), digest) != list.end();
}

template <typename Digest>
std::string Allowed(std::string_view prefix, const std::vector<Digest>& list) {
  std::string text = "allowed";
  for (size_t i = 0; i < list.size() && i < kShownDigests; ++i) {
    absl::StrAppend(&text, i == 0 ? " " : ", ", prefix, ossl::Hex(list[i]));
  }
  if (list.size() > kShownDigests) {
    absl::StrAppend(&text, " and ", list.size() - kShownDigests, " more");
  }
  return text;
}

void CheckFile(const BootRule& rule, const std::optional<BootFileFact>& file,
               base::Reason reason, Findings& findings) {
  switch (rule.kind) {
    case BootRule::Kind::kAny:
      return;
    case BootRule::Kind::kNone:  // Parse refuses it here.
    case BootRule::Kind::kDigests:
      break;
  }
  if (file && Contains(rule.digests, file->sha384)) return;
  findings.push_back(
      {reason,
       absl::StrCat("seen ",
                    file ? absl::StrCat("sha384:", ossl::Hex(file->sha384),
                                        " (", file->length, " bytes)")
                         : "none",
                    ", ", Allowed("sha384:", rule.digests))});
}

void CheckAcpi(const BootRule& rule, const BootFacts& boot,
               Findings& findings) {
  const std::string seen =
      boot.acpi_files == 0 ? "seen none"
                           : absl::StrCat("seen sha384:", ossl::Hex(boot.acpi),
                                          " (", boot.acpi_files, " files)");
  switch (rule.kind) {
    case BootRule::Kind::kAny:
      return;
    case BootRule::Kind::kNone:
      if (boot.acpi_files != 0) {
        findings.push_back({kAcpiNotAllowed, seen + ", allowed none"});
      }
      return;
    case BootRule::Kind::kDigests:
      if (boot.acpi_files == 0 || !Contains(rule.digests, boot.acpi)) {
        findings.push_back(
            {kAcpiNotAllowed,
             absl::StrCat(seen, ", ", Allowed("sha384:", rule.digests))});
      }
      return;
  }
}

}  // namespace

Findings Evaluate(const Policy& policy, const Facts& facts) {
  Findings findings;
  if (!policy.SpeaksFor(facts.vm)) {
    findings.push_back(
        {kVmNotNamed, absl::StrCat(facts.vm, ", policy ", policy.name)});
  }
  if (!facts.root || !Contains(policy.roots, *facts.root)) {
    findings.push_back(
        {kRootNotNamed,
         absl::StrCat("seen ",
                      facts.root
                          ? absl::StrCat("sha256:", ossl::Hex(*facts.root))
                          : "none",
                      ", ", Allowed("sha256:", policy.roots))});
  }
  if (facts.emulated && (!facts.allow_emulated || !policy.emulated())) {
    findings.push_back(
        {kEmulatedNotAllowed,
         facts.allow_emulated
             ? absl::StrCat("policy ", policy.name, " is for AMD hardware")
             : "the server runs without --allow-emulated"});
  }
  if (!Contains(policy.measurements, facts.measurement)) {
    findings.push_back({kMeasurementNotAllowed,
                        absl::StrCat("seen ", ossl::Hex(facts.measurement),
                                     ", ", Allowed("", policy.measurements))});
  }
  const BootFacts& boot = facts.boot;
  CheckFile(policy.kernel, boot.kernel, kKernelNotAllowed, findings);
  CheckFile(policy.initrd, boot.initrd, kInitrdNotAllowed, findings);
  CheckFile(policy.command_line, boot.command_line, kCommandLineNotAllowed,
            findings);
  CheckAcpi(policy.acpi, boot, findings);
  return findings;
}

}  // namespace verifier
