// SPDX-License-Identifier: Apache-2.0
#include "verifier/session/decide.h"

#include <string.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "verifier/evidence/evidence.h"
#include "verifier/policy/evaluate.h"
#include "verifier/reasons.h"
#include "verifier/session/report_data.h"

namespace verifier {
namespace {

BootFileFact FactFrom(const proto::BootFile& file) {
  BootFileFact fact{.length = file.length};
  memcpy(fact.sha384.data(), file.sha384.data(), fact.sha384.size());
  return fact;
}

BootFacts FactsFrom(const proto::BootManifest& boot) {
  BootFacts facts;
  facts.kernel = FactFrom(boot.kernel);
  facts.initrd = FactFrom(boot.initrd);
  facts.command_line = FactFrom(boot.command_line);
  facts.acpi_files = boot.acpi.size();
  facts.acpi = AcpiDigest(boot);
  return facts;
}

// Bits that every governing policy names.
uint64_t AllowedPolicyBits(const Snapshot& snapshot) {
  if (snapshot.policies.empty()) return 0;
  uint64_t bits = ~uint64_t{0};
  for (const auto& [name, policy] : snapshot.policies) {
    bits &= policy.guest_policy_bits;
  }
  return bits;
}

bool AllowsTcbAboveCurrent(const Snapshot& snapshot) {
  return !snapshot.policies.empty() &&
         std::ranges::all_of(snapshot.policies, [](const auto& each) {
           return each.second.tcb_above_current;
         });
}

// Does each path exist, may this VM have it, is it of the evidence's class?
void CheckPaths(const Question& question, const Snapshot& snapshot,
                const EvidenceResult& evidence, Findings& findings) {
  // Without a path there is no governor but the VM's name. All policies that
  // speak for it have to be satisfied: none can be left out by asking for less.
  if (snapshot.paths.empty() && snapshot.policies.empty()) {
    findings.push_back(
        {kNoGoverningPolicy,
         absl::StrCat("no secret was asked for, and no policy names ",
                      question.vm, " in vms")});
  }
  for (const Snapshot::Path& path : snapshot.paths) {
    const auto policy = snapshot.policies.find(path.policy);
    if (path.policy.empty() || policy == snapshot.policies.end()) {
      findings.push_back({kNoGoverningPolicy, path.path});
    } else if (!policy->second.Gives(question.vm, path.path)) {
      findings.push_back(
          {kPathNotOfVm, absl::StrCat(path.path, " to ", question.vm,
                                      ", policy ", path.policy)});
    }
    if (!path.secret) {
      findings.push_back({kSecretUnknown, path.path});
    } else if (evidence.appraisal.facts.root &&
               path.secret->trust_class !=
                   evidence.appraisal.facts.trust_class) {
      findings.push_back(
          {kSecretClass,
           absl::StrCat(path.path, " is ", NameOf(path.secret->trust_class),
                        ", the evidence ",
                        NameOf(evidence.appraisal.facts.trust_class))});
    }
  }
}

// Whether evidence that is refused anyway lacks what `reason` is about: the
// reason is not the policy's, and would send its owner to the wrong place.
bool FollowsFrom(const EvidenceResult& evidence, base::Reason reason) {
  const AppraisalFacts& facts = evidence.appraisal.facts;
  if (evidence.findings.empty()) return false;
  if (reason == kRootNotNamed || reason == kCrlNotChecked) return !facts.root;
  if (reason == kProductNotAllowed) return !facts.product;
  return reason == kVlekNotAllowed && !facts.signer;
}

Findings CheckPolicies(const Question& question, const Snapshot& snapshot,
                       const EvidenceResult& evidence) {
  Findings findings;
  CheckPaths(question, snapshot, evidence, findings);
  const Appraisal& appraisal = evidence.appraisal;
  if (!appraisal.facts.report || !question.boot) return findings;
  const Facts facts = {.vm = question.vm,
                       .evidence = appraisal.facts,
                       .allow_emulated = question.allow_emulated,
                       .boot = FactsFrom(*question.boot)};
  for (const auto& [name, policy] : snapshot.policies) {
    for (Finding& finding : Evaluate(policy, facts)) {
      if (FollowsFrom(evidence, finding.reason)) continue;
      if (snapshot.policies.size() > 1) {
        finding.detail = absl::StrCat("policy ", name, ": ", finding.detail);
      }
      findings.push_back(std::move(finding));
    }
  }
  return findings;
}

void Append(Findings from, Findings& to) {
  for (Finding& finding : from) to.push_back(std::move(finding));
}

// All secrets or none.
absl::Status OpenSecrets(const VerifiedReport& verified,
                         const Snapshot& snapshot, Store& store,
                         Decision& decision) {
  for (const Snapshot::Path& path : snapshot.paths) {
    auto value = store.OpenSecret(verified, *path.secret);
    if (!value.ok()) {
      decision.secrets.clear();
      return value.status();
    }
    decision.secrets.push_back({path.path, *std::move(value)});
  }
  return absl::OkStatus();
}

}  // namespace

Decision Decide(const Question& question, Store& store) {
  Decision decision;
  decision.outcome = proto::Outcome::kTryLater;
  decision.detail.boot = question.boot;
  const auto snapshot = store.TakeSnapshot(question.vm, question.paths);
  if (!snapshot.ok()) {
    decision.detail.findings.push_back(FindingFrom(snapshot.status()));
    return decision;
  }
  decision.generation = snapshot->generation;
  for (const Snapshot::Path& path : snapshot->paths) {
    decision.detail.asked.push_back({path.path, path.policy});
  }
  if (snapshot->paths.empty()) {
    for (const auto& [name, policy] : snapshot->policies) {
      decision.detail.asked.push_back({"", name});
    }
  }

  EvidenceResult evidence = VerifyEvidence(
      {.report = question.report,
       .certificates = question.certificates,
       .report_data = question.report_data,
       .roots = snapshot->roots,
       .allowed_policy_bits = AllowedPolicyBits(*snapshot),
       .allow_tcb_above_current = AllowsTcbAboveCurrent(*snapshot),
       .now = static_cast<time_t>(question.now_ms / 1000),
       .endorsements = question.endorsements,
       .cache = question.cache});
  decision.emulated = evidence.appraisal.facts.emulated();
  // A test key proves nothing to a server that accepts none.
  decision.genuine =
      evidence.genuine && (!decision.emulated || question.allow_emulated);
  decision.detail.evidence = evidence.appraisal.facts;
  if (!question.boot) {
    evidence.findings.push_back({kBootManifestMalformed, ""});
  }
  Findings policy = CheckPolicies(question, *snapshot, evidence);
  const bool authorised = policy.empty();
  const bool valid = evidence.findings.empty() && evidence.verified;
  Append(std::move(evidence.findings), decision.detail.findings);
  Append(std::move(policy), decision.detail.findings);
  if (!valid) {
    decision.outcome = proto::Outcome::kEvidenceInvalid;
    return decision;
  }
  if (!authorised) {
    decision.outcome = proto::Outcome::kNotAuthorised;
    return decision;
  }
  const absl::Status opened =
      OpenSecrets(*evidence.verified, *snapshot, store, decision);
  if (!opened.ok()) {
    decision.detail.findings.push_back(FindingFrom(opened));
    return decision;
  }
  memcpy(decision.report_id.data(),
         evidence.verified->report().report_id().data(),
         decision.report_id.size());
  decision.outcome = proto::Outcome::kGranted;
  return decision;
}

}  // namespace verifier
