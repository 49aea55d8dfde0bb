// SPDX-License-Identifier: Apache-2.0
//
// policy explain: what a policy says about one report, and why.
#include <algorithm>
#include <ctime>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "cli/certificate_input.h"
#include "cli/files.h"
#include "cli/policy_commands.h"
#include "cli/policy_input.h"
#include "cli/report_input.h"
#include "hosted/status.h"
#include "hosted/text.h"
#include "nlohmann/json.hpp"
#include "sev/report.h"
#include "verifier/endorsements/accepted_root.h"
#include "verifier/endorsements/amd_roots.h"
#include "verifier/evidence/appraisal.h"
#include "verifier/evidence/checks.h"
#include "verifier/finding.h"
#include "verifier/policy/evaluate.h"
#include "verifier/policy/policy.h"
#include "verifier/reasons.h"
#include "verifier/trust_class.h"

namespace cli {
namespace {

using Json = nlohmann::ordered_json;
using verifier::Condition;
using verifier::Judgement;

struct Explanation {
  std::string policy;
  time_t at = 0;
  verifier::Appraisal appraisal;
  std::vector<Condition> conditions;
  std::vector<std::string> not_judged;
  int exit_code = hosted::kExitOk;
};

// AMD's, as a new store has them, and what the policy names: a server would
// need that by `roots add`.
std::vector<verifier::AcceptedRoot> RootsOf(const verifier::Policy& policy) {
  std::vector<verifier::AcceptedRoot> roots;
  for (const verifier::AmdRoot& root : verifier::AmdRoots()) {
    roots.push_back({.sha256 = root.sha256});
  }
  for (const auto& sha256 : policy.roots) {
    if (verifier::IsAmdRoot(sha256)) continue;
    roots.push_back(
        {.sha256 = sha256, .trust_class = verifier::TrustClass::kEmulated});
  }
  return roots;
}

absl::StatusOr<verifier::Appraisal> AppraiseReport(
    const hosted::Arguments& arguments, const verifier::Policy& policy,
    time_t at) {
  const auto bytes = ReadInput(arguments.Value("report"));
  if (!bytes.ok()) return bytes.status();
  const auto certificates = ReadCertificates(arguments);
  if (!certificates.ok()) return certificates.status();
  const auto report = sev::UnverifiedReport::FromBytes(*bytes);
  const auto roots = RootsOf(policy);
  verifier::Appraisal appraisal = verifier::Appraise({
      .report = *bytes,
      .endorsements = certificates->endorsements,
      .roots = roots,
      .now = at,
      .allowed_policy_bits = policy.guest_policy_bits,
      .allow_tcb_above_current = policy.tcb_above_current,
  });
  if (report.ok()) {
    NoteLeftOut(*certificates->endorsements,
                {.report = &*report, .roots = roots, .at = at},
                appraisal.selection);
  }
  return appraisal;
}

verifier::BootFacts FactsOf(const BootInput& boot) {
  const auto fact = [](const std::optional<BootFile>& file) {
    std::optional<verifier::BootFileFact> out;
    if (file) out = {.length = file->bytes.size(), .sha384 = file->sha384};
    return out;
  };
  verifier::BootFacts facts;
  facts.kernel = fact(boot.kernel);
  facts.initrd = fact(boot.initrd);
  facts.command_line = fact(boot.command_line);
  if (boot.acpi) {
    facts.acpi = *boot.acpi;
    facts.acpi_files = 1;
  }
  return facts;
}

verifier::Facts FactsOf(const hosted::Arguments& arguments,
                        const verifier::Appraisal& appraisal,
                        const BootInput& boot) {
  verifier::Facts facts;
  if (arguments.Has("vm")) facts.vm = arguments.Value("vm");
  facts.evidence = appraisal.facts;
  facts.allow_emulated = true;  // Said below.
  facts.boot = FactsOf(boot);
  return facts;
}

// A boot file that was not given is not one that is missing.
void ForgetWhatWasNotGiven(const BootInput& boot,
                           std::vector<Condition>& conditions) {
  const struct {
    std::string_view field;
    bool given;
  } rows[] = {{"boot.kernel", boot.kernel.has_value()},
              {"boot.initrd", boot.initrd.has_value()},
              {"boot.command_line", boot.command_line.has_value()},
              {"boot.acpi", boot.acpi.has_value() || boot.acpi_none}};
  for (Condition& condition : conditions) {
    for (const auto& row : rows) {
      if (condition.field != row.field || row.given ||
          condition.judgement == Judgement::kOff) {
        continue;
      }
      condition.judgement = Judgement::kUnknown;
      condition.seen = "nothing";
    }
  }
}

// Only what is missing makes a report unverifiable here, and certificates that
// are not there say nothing, neither for nor against.
bool LacksChain(const verifier::Appraisal& appraisal) {
  return appraisal.verdict == verifier::Verdict::kUnverifiable;
}

// What only a chain from the report to a root shows: also whose firmware it is,
// as the parts of a TCB are read by product.
void ForgetWhatNeedsAChain(std::vector<Condition>& conditions) {
  constexpr std::string_view kFields[] = {
      "roots", "products", "tcb_above_current", "signer.vlek", "signer.crl"};
  for (Condition& condition : conditions) {
    const bool needs_chain =
        std::ranges::find(kFields, condition.field) != std::end(kFields) ||
        condition.field.starts_with("minimum_tcb.");
    if (!needs_chain || condition.judgement == Judgement::kOff) continue;
    condition.judgement = Judgement::kUnknown;
    condition.seen = "nothing";
  }
}

// The part of the fixed core that is no line of the policy.
Condition JudgeVmpl(const verifier::Appraisal& appraisal) {
  Condition condition{.field = "vmpl",
                      .reason = verifier::kReportVmpl,
                      .seen = "nothing",
                      .allowed = "0"};
  if (!appraisal.facts.report) return condition;
  const uint32_t vmpl = appraisal.facts.report->vmpl();
  condition.judgement = vmpl == 0 ? Judgement::kPass : Judgement::kFail;
  condition.seen = absl::StrCat(vmpl);
  return condition;
}

void NameWhatIsNotJudged(const verifier::Policy& policy,
                         Explanation& explanation) {
  auto& out = explanation.not_judged;
  out.push_back(
      "that the report was made for a session: its report data binds it to "
      "one, and only the verifier of that session knows the value");
  for (const Condition& condition : explanation.conditions) {
    if (condition.judgement != Judgement::kUnknown) continue;
    if (condition.field == "vms") {
      out.push_back("vms: a report does not name its VM; give --vm");
    } else if (condition.field.starts_with("boot.")) {
      out.push_back(absl::StrCat(
          condition.field,
          ": comes in the session's boot manifest; give the file or digest"));
    }
  }
  if (LacksChain(explanation.appraisal)) {
    out.push_back(
        "what certificates show: roots, products, minimum_tcb and signer; give "
        "those that are missing");
  }
  out.push_back(
      "that the secrets which are asked for exist, and are of the class of the "
      "evidence");
  if (policy.emulated()) {
    out.push_back("that the server runs with --allow-emulated");
  }
}

bool AskedForInVain(const Condition& condition) {
  return condition.judgement == Judgement::kUnknown &&
         condition.field != "vms" && !condition.field.starts_with("boot.");
}

int ExitCodeOf(const Explanation& explanation) {
  const verifier::Verdict verdict = explanation.appraisal.verdict;
  if (verdict == verifier::Verdict::kInvalid) return hosted::kExitInvalid;
  for (const Condition& condition : explanation.conditions) {
    if (condition.judgement == Judgement::kFail) return hosted::kExitInvalid;
  }
  if (verdict == verifier::Verdict::kUnverifiable)
    return hosted::kExitUnverifiable;
  for (const Condition& condition : explanation.conditions) {
    if (AskedForInVain(condition)) return hosted::kExitUnverifiable;
  }
  return hosted::kExitOk;
}

// --- What is printed.

std::string_view DecisionOf(const Explanation& explanation) {
  switch (explanation.exit_code) {
    case hosted::kExitOk:
      return "not refused";
    case hosted::kExitInvalid:
      return "refused";
    default:
      return "unverifiable";
  }
}

std::string_view WordFor(Judgement judgement) {
  switch (judgement) {
    case Judgement::kOff:
      return "any";
    case Judgement::kPass:
      return "pass";
    case Judgement::kFail:
      return "FAIL";
    case Judgement::kUnknown:
      return "?";
  }
  __builtin_trap();
}

std::string Advice(base::Reason reason) {
  const hosted::ReasonText text = verifier::TextOf(reason);
  return absl::StrCat(verifier::ReasonCode(reason), " ", text.what, ". ",
                      text.advice);
}

void AppendCondition(const Condition& condition, std::string& out) {
  const bool off = condition.judgement == Judgement::kOff;
  const bool unknown = condition.judgement == Judgement::kUnknown;
  std::string line = absl::StrFormat(
      "  %-4s  %-44s %s", WordFor(condition.judgement), condition.field,
      off || unknown ? "" : hosted::Printable(condition.seen));
  absl::StripTrailingAsciiWhitespace(&line);
  absl::StrAppend(&out, line, "\n");
  if (condition.judgement == Judgement::kFail || unknown) {
    absl::StrAppend(
        &out, "        allowed: ", hosted::Printable(condition.allowed), "\n");
  }
  if (condition.judgement == Judgement::kFail) {
    absl::StrAppend(&out, "        ", Advice(condition.reason), "\n");
  }
}

std::string ToText(const Explanation& explanation) {
  const verifier::Appraisal& appraisal = explanation.appraisal;
  std::string out = absl::StrCat(
      "policy    ", explanation.policy, "\nevidence  ",
      NameOf(appraisal.verdict), " at ",
      absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromTimeT(explanation.at),
                       absl::UTCTimeZone()),
      "\n");
  for (const verifier::Finding& finding : appraisal.findings) {
    const hosted::ReasonText text = verifier::TextOf(finding.reason);
    absl::StrAppend(&out, "  ", verifier::ReasonCode(finding.reason), " ",
                    text.what, finding.detail.empty() ? "" : ": ",
                    hosted::Printable(finding.detail), "\n        ",
                    text.advice, "\n");
  }
  if (!appraisal.findings.empty()) {
    out += "  What stands below is what the report says, and is not proven.\n";
  }
  out += "\nconditions\n";
  for (const Condition& condition : explanation.conditions) {
    AppendCondition(condition, out);
  }
  out += "\nnot to be judged from this\n";
  for (const std::string& line : explanation.not_judged) {
    absl::StrAppend(&out, "  ", line, "\n");
  }
  absl::StrAppend(&out, "\ndecision  ", DecisionOf(explanation),
                  explanation.exit_code == hosted::kExitOk
                      ? ", as far as it can be judged from this"
                      : "",
                  "\n");
  return out;
}

std::string ToJson(const Explanation& explanation) {
  const verifier::Appraisal& appraisal = explanation.appraisal;
  Json json = {{"policy", explanation.policy},
               {"decision", DecisionOf(explanation)},
               {"evidence",
                {{"verdict", NameOf(appraisal.verdict)},
                 {"failing_checks", Json::array()},
                 {"reasons", Json::array()}}},
               {"conditions", Json::array()},
               {"not_judged", explanation.not_judged}};
  for (const verifier::Check check : verifier::FailingChecks(appraisal)) {
    json["evidence"]["failing_checks"].push_back(NameOf(check));
  }
  for (const verifier::Finding& finding : appraisal.findings) {
    json["evidence"]["reasons"].push_back(
        {{"reason", verifier::ReasonCode(finding.reason)},
         {"what", verifier::TextOf(finding.reason).what},
         {"detail", finding.detail}});
  }
  for (const Condition& condition : explanation.conditions) {
    const Judgement judgement = condition.judgement;
    Json entry = {{"field", condition.field},
                  {"result", judgement == Judgement::kFail ? "fail"
                             : judgement == Judgement::kUnknown
                                 ? "unknown"
                                 : std::string(WordFor(judgement))},
                  {"reason", verifier::ReasonCode(condition.reason)},
                  {"seen", condition.seen},
                  {"allowed", condition.allowed}};
    json["conditions"].push_back(std::move(entry));
  }
  return json.dump(2, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace

absl::StatusOr<int> PolicyExplain(const hosted::Arguments& arguments) {
  const auto at = TimeGiven(arguments);
  if (!at.ok()) return at.status();
  const auto boot = ParseBoot(arguments);
  if (!boot.ok()) return boot.status();
  const auto policy = LoadPolicy(arguments.Value("policy"));
  if (!policy.ok()) return policy.status();
  auto appraisal = AppraiseReport(arguments, *policy, *at);
  if (!appraisal.ok()) return appraisal.status();

  Explanation explanation{
      .policy = policy->name, .at = *at, .appraisal = *std::move(appraisal)};
  explanation.conditions = verifier::Judge(
      *policy, FactsOf(arguments, explanation.appraisal, *boot));
  ForgetWhatWasNotGiven(*boot, explanation.conditions);
  if (LacksChain(explanation.appraisal)) {
    ForgetWhatNeedsAChain(explanation.conditions);
  }
  explanation.conditions.push_back(JudgeVmpl(explanation.appraisal));
  NameWhatIsNotJudged(*policy, explanation);
  explanation.exit_code = ExitCodeOf(explanation);
  absl::PrintF(
      "%s", arguments.Has("json") ? ToJson(explanation) : ToText(explanation));
  return explanation.exit_code;
}

}  // namespace cli
