// SPDX-License-Identifier: Apache-2.0
#include "verifier/provision/prepared_chains.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sev/product.h"
#include "sev/tcb.h"
#include "verifier/endorsements/endorsements.h"
#include "verifier/endorsements/leaf_facts.h"
#include "verifier/evidence/chain.h"
#include "verifier/finding.h"
#include "verifier/ossl/ossl.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

// Empty: the certificate does not say all that a report's name for it needs.
std::optional<LeafName> NameOf(const LeafFacts& facts) {
  if (!facts.kind || !facts.product || !facts.boot_loader || !facts.tee ||
      !facts.snp || !facts.microcode || !facts.malformed.empty() ||
      (facts.product == sev::Product::kTurin && !facts.fmc)) {
    return std::nullopt;
  }
  LeafName name = {.kind = *facts.kind};
  name.tcb = sev::EncodeTcb({.fmc = facts.fmc.value_or(0),
                             .boot_loader = *facts.boot_loader,
                             .tee = *facts.tee,
                             .snp = *facts.snp,
                             .microcode = *facts.microcode},
                            *facts.product);
  if (name.kind == SignerKind::kVlek) {
    name.csp_id = facts.csp_id;
    if (name.csp_id.empty()) return std::nullopt;
    return name;
  }
  if (facts.hardware_id.size() != sev::HardwareIdSize(*facts.product)) {
    return std::nullopt;
  }
  std::ranges::copy(facts.hardware_id, name.chip_id.begin());
  return name;
}

// What one host may have several certificates of.
using Key = std::tuple<sev::Product, SignerKind, ChipId, std::string, uint64_t>;

// A chain that verifies; or why the best that there is does not.
struct Attempt {
  const Endorsements::Held* leaf = nullptr;
  Selection selection;
  Findings findings;

  bool good() const { return findings.empty(); }
  // Then the newest leaf; never what a file is called.
  auto Rank() const {
    return std::tuple(good(),
                      leaf->certificate->certificate.not_before().value_or(0),
                      leaf->certificate->certificate.sha256());
  }
};

Attempt Try(const Endorsements& all, const Endorsements::Held& leaf,
            std::span<const AcceptedRoot> roots, time_t now) {
  Attempt attempt = {.leaf = &leaf,
                     .selection = all.For(
                         {.leaf = leaf.certificate, .roots = roots, .at = now}),
                     .findings = {}};
  const auto verify = [&] {
    return VerifyChain(
        {.selection = attempt.selection, .roots = roots, .now = now});
  };
  attempt.findings = verify().findings;
  // Sent along it would refuse what is good without it; the owner may have a
  // current one. It has revoked nothing of this chain, or more would be wrong.
  if (!attempt.good() &&
      std::ranges::all_of(attempt.findings, [](const auto& finding) {
        return finding.reason == kCrlStale;
      })) {
    attempt.selection.list = nullptr;
    attempt.findings = verify().findings;
  }
  return attempt;
}

std::string WhyNot(const Attempt& attempt) {
  std::string text = attempt.leaf->source.name;
  const char* separator = ": ";
  for (const Finding& finding : attempt.findings) {
    absl::StrAppend(&text, separator, ReasonCode(finding.reason), " ",
                    TextOf(finding.reason).what,
                    finding.detail.empty() ? "" : ": ", finding.detail);
    separator = "; ";
  }
  return text;
}

PreparedChain ChainOf(const LeafName& name, const Selection& selection) {
  PreparedChain chain = {
      .name = name,
      .leaf = selection.leaf->certificate.Der(),
      .intermediate = selection.intermediate->certificate.Der(),
      .root = selection.root->certificate.Der(),
      .crl = {}};
  if (selection.list != nullptr) chain.crl = selection.list->crl.Der();
  return chain;
}

}  // namespace

Choice ChooseChains(const Endorsements& all,
                    std::span<const AcceptedRoot> roots, time_t now) {
  Choice choice;

  struct Best {
    LeafName name;
    std::optional<Attempt> attempt;
  };
  std::map<Key, Best> found;
  for (const Endorsements::Held& leaf : all.leaves()) {
    const LeafFacts& facts = leaf.certificate->facts;
    const auto name = NameOf(facts);
    if (!name) {
      choice.left_out.push_back(
          {.name = {.kind = facts.kind.value_or(SignerKind::kVcek)},
           .what = absl::StrCat(leaf.source.name,
                                ": it does not say for which chip or provider, "
                                "and which TCB, it is")});
      continue;
    }
    Best& best = found[{*facts.product, name->kind, name->chip_id, name->csp_id,
                        name->tcb}];
    best.name = *name;
    Attempt attempt = Try(all, leaf, roots, now);
    if (!best.attempt || best.attempt->Rank() < attempt.Rank()) {
      best.attempt = std::move(attempt);
    }
  }
  for (const auto& [key, best] : found) {
    if (best.attempt->good()) {
      choice.chains.push_back(ChainOf(best.name, best.attempt->selection));
    } else {
      choice.left_out.push_back(
          {.name = best.name, .what = WhyNot(*best.attempt)});
    }
  }
  return choice;
}

}  // namespace verifier
