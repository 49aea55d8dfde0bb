// SPDX-License-Identifier: Apache-2.0
//
// From the cases to entries: each case under each product line that it fits.
#include <stdlib.h>

#include <algorithm>
#include <span>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "openssl/sha.h"
#include "tests/corpus/checks.h"
#include "tests/corpus/entry.h"
#include "tests/corpus/report_case.h"

namespace corpus {
namespace {

using psp::GuestContext;
using psp::kChipModels;
using psp::kGenoa;
using psp::kMilan;
using psp::kTurin;
using psp::MakeUnsignedReport;
using psp::SignReport;

namespace layout = sev::report_layout;

bool Lists(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool ClaimsVlek(const Blob& report) {
  return report.size() == sev::kReportSize &&
         ((report[layout::KeyInfo::kOffset] >> sev::kKeyInfoSigningKeyShift) &
          7) == static_cast<uint8_t>(sev::SigningKey::kVlek);
}

std::vector<std::pair<std::string, bool>> ChecksOf(const ReportCase& of,
                                                   const ChipModel& model,
                                                   const Evidence& evidence) {
  const std::vector<std::string> failing = Words(of.failing);
  std::vector<std::pair<std::string, bool>> checks;
  if (!of.lists_passing || Lists(failing, "length_1184") ||
      Lists(failing, "certs_parse")) {
    for (const std::string& name : failing) checks.emplace_back(name, false);
    return checks;
  }
  const bool turin = model.product == sev::Product::kTurin;
  const bool vlek = ClaimsVlek(evidence.report);
  const bool hardware_id = !vlek && !Lists(failing, "hwid_present");
  const auto applies = [&](CheckApplies when) {
    switch (when) {
      case CheckApplies::kAlways:
        return true;
      case CheckApplies::kOnTurin:
        return turin;
      case CheckApplies::kWithVcek:
        return !vlek;
      case CheckApplies::kWithHardwareId:
        return hardware_id;
      case CheckApplies::kWithVlek:
        return vlek;
      case CheckApplies::kWithCrl:
        return !evidence.crl.empty();
    }
    abort();
  };
  for (const CorpusCheck& check : kChecks) {
    if (!applies(check.applies)) continue;
    checks.emplace_back(check.name, !Lists(failing, check.name));
  }
  return checks;
}

Draft GoodDraft(const World& world, const ChipModel& model, SignerKind signer,
                uint32_t version) {
  const Line& line = world.Of(model);
  const bool vlek = signer == SignerKind::kVlek;
  GuestContext guest;
  guest.measurement.fill(0xA5);
  guest.report_id.fill(0x5A);
  sev::ReportRequest request;
  request.report_data.fill(0x3C);
  Draft draft{.world = world, .line = line, .model = model};
  draft.report = MakeUnsignedReport(
      model, line.chip_id, guest, {.report_version = version}, request,
      vlek ? sev::SigningKey::kVlek : sev::SigningKey::kVcek);
  draft.leaf = line.LeafSpecOf(signer, model);
  draft.report_key = line.LeafKey(signer);
  draft.intermediate = vlek ? line.asvk : line.ask;
  draft.root = line.ark;
  draft.crl = line.crl;
  return draft;
}

Evidence Sign(Draft& draft) {
  if (draft.report_key != nullptr &&
      !SignReport(draft.report_key, draft.report)) {
    abort();
  }
  return {.report = {draft.report.begin(), draft.report.end()},
          .leaf = Make(draft.leaf),
          .intermediate = draft.intermediate,
          .root = draft.root,
          .crl = draft.crl};
}

Entry MakeEntry(const World& world, const ChipModel& model,
                const ReportCase& of) {
  Draft draft = GoodDraft(world, model, of.signer, of.version);
  if (of.before) of.before(draft);
  Evidence evidence = Sign(draft);
  if (of.after) of.after(evidence);
  Entry entry{
      .id = absl::StrCat(IdOf(model), "-",
                         of.signer == SignerKind::kVcek ? "vcek" : "vlek", "-",
                         of.name),
      .kind = of.kind,
      .product = std::string(model.line),
      .reason = of.reason,
      .verdict = of.verdict != nullptr ? of.verdict
                 : of.failing.empty()  ? "valid"
                                       : "invalid",
      .failing_checks = Words(of.failing),
      .profile = of.profile,
      .checks = ChecksOf(of, model, evidence),
      .eval_time = draft.eval_time,
      .test_roots = draft.test_roots};
  const std::pair<const char*, Blob*> files[] = {
      {"report", &evidence.report},
      {"leaf", &evidence.leaf},
      {"intermediate", &evidence.intermediate},
      {"root", &evidence.root},
      {"crl", &evidence.crl}};
  for (const auto& [role, bytes] : files) {
    if (!bytes->empty()) entry.files.push_back({role, *bytes});
  }
  return entry;
}

bool Fits(ReportCase::On on, const ChipModel& model) {
  switch (on) {
    case ReportCase::On::kAll:
      return true;
    case ReportCase::On::kTurin:
      return &model == &kTurin;
    case ReportCase::On::kMilanGenoa:
      return &model != &kTurin;
    case ReportCase::On::kMilan:
      return &model == &kMilan;
  }
  abort();
}

}  // namespace

std::vector<std::string> Words(const std::string& text) {
  return absl::StrSplit(text, ' ', absl::SkipEmpty());
}

std::string IdOf(const ChipModel& model) { return std::string(model.name); }

std::string HexSha256(const Blob& bytes) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  // EDGE: char may alias the bytes.
  SHA256(bytes.data(), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return absl::BytesToHexString(digest);
}

Entry SimpleEntry(const Line& line, std::string_view id, const char* kind,
                  const char* reason, const char* failing,
                  std::vector<File> files) {
  Entry entry{.id = absl::StrCat(IdOf(*line.model), "-", id),
              .kind = kind,
              .product = std::string(line.model->line),
              .reason = reason,
              .verdict = *failing == '\0' ? "valid" : "invalid",
              .failing_checks = Words(failing),
              .files = std::move(files)};
  for (const std::string& name : entry.failing_checks) {
    entry.checks.emplace_back(name, false);
  }
  return entry;
}

const Blob& GoodReport(const std::vector<Entry>& reports, const Line& line,
                       SignerKind signer) {
  const std::string id =
      absl::StrCat(IdOf(*line.model),
                   signer == SignerKind::kVcek ? "-vcek" : "-vlek", "-v3");
  for (const Entry& entry : reports) {
    if (entry.id == id) return entry.files.front().bytes;
  }
  abort();
}

std::vector<Entry> ReportEntries(const World& world) {
  std::vector<Entry> entries;
  for (const ChipModel* model : kChipModels) {
    for (const SignerKind signer : {SignerKind::kVcek, SignerKind::kVlek}) {
      for (const uint32_t version : {2u, 3u, 4u, 5u}) {
        entries.push_back(
            MakeEntry(world, *model,
                      {.name = absl::StrCat("v", version),
                       .reason = "everything agrees under the test root",
                       .signer = signer,
                       .version = version}));
      }
    }
  }
  for (const auto& table : {BodyCases(), SignatureCases(), LeafCases(),
                            ChainCases(), CombinationCases()}) {
    for (const ReportCase& each : table) {
      for (const ChipModel* model : {&kMilan, &kGenoa, &kTurin}) {
        if (Fits(each.on, *model)) {
          entries.push_back(MakeEntry(world, *model, each));
        }
      }
    }
  }
  return entries;
}

std::vector<Entry> AllEntries(const World& world) {
  std::vector<Entry> entries = ReportEntries(world);
  for (auto& group : {OtherEntries(world, entries),
                      EnvelopeEntries(world, entries), LaunchEntries(world)}) {
    entries.insert(entries.end(), group.begin(), group.end());
  }
  return entries;
}

}  // namespace corpus
