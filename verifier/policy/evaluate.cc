// SPDX-License-Identifier: Apache-2.0
#include "verifier/policy/evaluate.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "verifier/policy/condition_list.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

template <typename Digest>
bool Contains(const std::vector<Digest>& list, const Digest& digest) {
  return std::find(list.begin(), list.end(), digest) != list.end();
}

std::string Digest384Text(const ossl::Digest384& digest) {
  return absl::StrCat("sha384:", ossl::Hex(digest));
}

void JudgeFile(const BootRule& rule, std::string_view field,
               const std::optional<BootFacts>& boot,
               std::optional<BootFileFact> BootFacts::* which,
               base::Reason reason, ConditionList& out) {
  if (rule.kind == BootRule::Kind::kAny) return out.Off(field, reason);
  const std::string allowed = Listed(rule.digests, Digest384Text);
  if (!boot) return out.Unknown(field, reason, allowed);
  const std::optional<BootFileFact>& file = (*boot).*which;
  // Parse refuses kNone here; then nothing is allowed.
  const bool pass = rule.kind == BootRule::Kind::kDigests && file &&
                    Contains(rule.digests, file->sha384);
  out.Add(field, reason, pass,
          file ? absl::StrCat(Digest384Text(file->sha384), " (", file->length,
                              " bytes)")
               : "none",
          allowed);
}

void JudgeAcpi(const BootRule& rule, const std::optional<BootFacts>& boot,
               ConditionList& out) {
  constexpr std::string_view kField = "boot.acpi";
  if (rule.kind == BootRule::Kind::kAny) {
    return out.Off(kField, kAcpiNotAllowed);
  }
  const bool none = rule.kind == BootRule::Kind::kNone;
  const std::string allowed =
      none ? "none" : Listed(rule.digests, Digest384Text);
  if (!boot) return out.Unknown(kField, kAcpiNotAllowed, allowed);
  const bool has_files = boot->acpi_files != 0;
  out.Add(kField, kAcpiNotAllowed,
          none ? !has_files : has_files && Contains(rule.digests, boot->acpi),
          has_files ? Digest384Text(boot->acpi) : "none", allowed);
}

void JudgeRequest(const Policy& policy, const Facts& facts,
                  ConditionList& out) {
  const std::string vms =
      Listed(policy.vms, [](const std::string& vm) { return vm; });
  if (facts.vm) {
    out.Add("vms", kVmNotNamed, policy.SpeaksFor(*facts.vm), *facts.vm, vms);
  } else {
    out.Unknown("vms", kVmNotNamed, vms);
  }
  const auto text = [](const ossl::Digest256& root) {
    return absl::StrCat("sha256:", ossl::Hex(root));
  };
  out.Add("roots", kRootNotNamed,
          facts.evidence.root && Contains(policy.roots, *facts.evidence.root),
          facts.evidence.root ? text(*facts.evidence.root) : "none accepted",
          Listed(policy.roots, text));
  if (!facts.evidence.emulated()) return;
  out.Add("roots", kEmulatedNotAllowed,
          facts.allow_emulated && policy.emulated(), "EMULATED evidence",
          facts.allow_emulated
              ? absl::StrCat("only AMD hardware by policy ", policy.name)
              : "nothing emulated: the server runs without --allow-emulated");
}

}  // namespace

std::vector<Condition> Judge(const Policy& policy, const Facts& facts) {
  ConditionList out;
  if (policy.outdated) {
    out.Add("version", kPolicyVersion, false,
            absl::StrCat("1 in policy ", policy.name), "2");
    return std::move(out).Take();
  }
  JudgeRequest(policy, facts, out);
  JudgeReport(policy, facts, out);
  JudgeFile(policy.kernel, "boot.kernel", facts.boot, &BootFacts::kernel,
            kKernelNotAllowed, out);
  JudgeFile(policy.initrd, "boot.initrd", facts.boot, &BootFacts::initrd,
            kInitrdNotAllowed, out);
  JudgeFile(policy.command_line, "boot.command_line", facts.boot,
            &BootFacts::command_line, kCommandLineNotAllowed, out);
  JudgeAcpi(policy.acpi, facts.boot, out);
  return std::move(out).Take();
}

std::string Describe(const Condition& condition) {
  return absl::StrCat(condition.field, ": seen ", condition.seen, ", allowed ",
                      condition.allowed);
}

Findings Evaluate(const Policy& policy, const Facts& facts) {
  Findings findings;
  for (const Condition& condition : Judge(policy, facts)) {
    switch (condition.judgement) {
      case Judgement::kOff:
      case Judgement::kPass:
        break;
      case Judgement::kFail:
      case Judgement::kUnknown:
        findings.push_back({condition.reason, Describe(condition)});
    }
  }
  return findings;
}

}  // namespace verifier
