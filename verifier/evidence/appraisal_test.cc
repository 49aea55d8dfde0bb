// SPDX-License-Identifier: Apache-2.0
//
// Appraisal of reports of every emulated chip. The tables of what is refused
// stand in the appraisal_*_test.cc beside this one.
#include "verifier/evidence/appraisal.h"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>

#include "gtest/gtest.h"
#include "sev/guest_policy.h"
#include "sev/reasons.h"
#include "sev/vectors_for_tests.h"
#include "verifier/evidence/refusal.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

namespace layout = sev::report_layout;
using testing::Draft;
using testing::Exhibit;
using testing::GoodDraft;

bool Has(const Findings& findings, base::Reason reason) {
  return std::ranges::any_of(findings, [reason](const Finding& finding) {
    return finding.reason == reason;
  });
}

std::string Describe(const Appraisal& appraisal) {
  std::string text(NameOf(appraisal.verdict));
  for (const Check check : FailingChecks(appraisal)) {
    text += " " + std::string(NameOf(check));
  }
  for (const Finding& finding : appraisal.findings) {
    text += "; " + ReasonCode(finding.reason) + " " + finding.detail;
  }
  return text;
}

std::vector<Refusal> AllRefusals() {
  std::vector<Refusal> all;
  for (auto rows :
       {FormRefusals(), ChainRefusals(), CrlRefusals(), BindingRefusals()}) {
    std::ranges::move(rows, std::back_inserter(all));
  }
  return all;
}

class RefusalTest : public ::testing::TestWithParam<Refusal> {};

TEST_P(RefusalTest, FailsItsChecksForItsReason) {
  const Refusal& refusal = GetParam();
  const Appraisal appraisal = refusal.make().Appraise();
  EXPECT_EQ(appraisal.verdict, Verdict::kInvalid);
  for (const Check check : refusal.fails) {
    EXPECT_EQ(appraisal.of(check), Outcome::kFail) << NameOf(check);
  }
  if (!refusal.and_more) {
    EXPECT_EQ(FailingChecks(appraisal), refusal.fails) << Describe(appraisal);
  }
  EXPECT_TRUE(Has(appraisal.findings, refusal.reason)) << Describe(appraisal);
}

INSTANTIATE_TEST_SUITE_P(All, RefusalTest, ::testing::ValuesIn(AllRefusals()),
                         [](const auto& info) { return info.param.name; });

TEST(Appraisal, EveryCheckFailsInSomeRow) {
  std::set<Check> covered;
  std::set<std::string> names;
  for (const Refusal& refusal : AllRefusals()) {
    covered.insert(refusal.fails.begin(), refusal.fails.end());
    EXPECT_TRUE(names.insert(refusal.name).second) << refusal.name;
  }
  for (size_t i = 0; i < kCheckCount; ++i) {
    EXPECT_TRUE(covered.contains(static_cast<Check>(i))) << kCheckNames[i];
  }
}

// The checks that say nothing of this kind of key or product.
std::set<Check> NotApplicable(const psp::ChipModel& model, SignerKind kind) {
  std::set<Check> checks;
  if (model.product != sev::Product::kTurin) checks.insert(Check::kTcbFmc);
  if (kind == SignerKind::kVlek) {
    checks.insert({Check::kHardwareIdPresent, Check::kHardwareIdLength,
                   Check::kHardwareIdEqualsChipId});
  } else {
    checks.insert({Check::kVlekNoHardwareId, Check::kVlekCspId});
  }
  return checks;
}

using Chip = std::tuple<const psp::ChipModel*, SignerKind, uint32_t>;
class GoodTest : public ::testing::TestWithParam<Chip> {};

TEST_P(GoodTest, EveryCheckPasses) {
  const auto [model, kind, version] = GetParam();
  const Appraisal appraisal =
      GoodDraft(*model, kind, version).Sign().Appraise();
  EXPECT_EQ(appraisal.verdict, Verdict::kValid) << Describe(appraisal);
  EXPECT_TRUE(appraisal.findings.empty()) << Describe(appraisal);
  const auto skipped = NotApplicable(*model, kind);
  for (size_t i = 0; i < kCheckCount; ++i) {
    const auto check = static_cast<Check>(i);
    EXPECT_EQ(appraisal.of(check),
              skipped.contains(check) ? Outcome::kNotEvaluated : Outcome::kPass)
        << NameOf(check);
  }
  EXPECT_EQ(appraisal.facts.product, model->product);
  EXPECT_TRUE(appraisal.facts.crl_checked);
  EXPECT_TRUE(appraisal.signed_by_accepted);
  EXPECT_EQ(appraisal.facts.trust_class, TrustClass::kEmulated);
  ASSERT_TRUE(appraisal.leaf);
  EXPECT_EQ(appraisal.leaf->kind, kind);
}

std::string NameOfChip(const ::testing::TestParamInfo<Chip>& info) {
  const auto [model, kind, version] = info.param;
  return std::string(model->name) + std::string(NameOf(kind)) +
         std::to_string(version);
}

INSTANTIATE_TEST_SUITE_P(
    Chips, GoodTest,
    ::testing::Combine(::testing::ValuesIn(psp::kChipModels),
                       ::testing::Values(SignerKind::kVcek, SignerKind::kVlek),
                       ::testing::Values(2u, 3u, 5u)),
    NameOfChip);

TEST(Appraisal, VmplsAndDebugAreAuthentic) {
  // The fixed core refuses them; here they are only read.
  for (const uint32_t vmpl : {0u, 1u, 2u, 3u}) {
    Draft draft = GoodDraft();
    draft.PutReport32(layout::Vmpl::kOffset, vmpl);
    draft.PutReport64(layout::Policy::kOffset, sev::kPolicyReservedMustBeOne |
                                                   sev::kPolicyDebug |
                                                   sev::kPolicyMigrationAgent);
    EXPECT_EQ(draft.Sign().Appraise().verdict, Verdict::kValid) << vmpl;
  }
}

TEST(Appraisal, Bit6OfPlatformInfoIsAccepted) {
  for (const uint64_t info : {uint64_t{0}, uint64_t{1} << 6, ~uint64_t{0}}) {
    Draft draft = GoodDraft(psp::kTurin);
    draft.PutReport64(layout::PlatformInfo::kOffset, info);
    EXPECT_EQ(draft.Sign().Appraise().verdict, Verdict::kValid) << info;
  }
}

TEST(Appraisal, PolicyBitsThatAreNamedAreAllowed) {
  Draft draft = GoodDraft();
  constexpr uint64_t kBits = uint64_t{1} << 26 | uint64_t{1} << 40;
  draft.PutReport64(layout::Policy::kOffset,
                    sev::kPolicySmt | sev::kPolicyReservedMustBeOne | kBits);
  const Exhibit exhibit = draft.Sign();
  AppraisalInput input = exhibit.Input();
  input.allowed_policy_bits = uint64_t{1} << 40;
  EXPECT_EQ(FailingChecks(Appraise(input)),
            std::vector{Check::kPolicyReserved});
  input.allowed_policy_bits = kBits;
  EXPECT_EQ(Appraise(input).verdict, Verdict::kValid);
}

TEST(Appraisal, TcbAboveCurrentIfThatIsAllowed) {
  Draft draft = GoodDraft();
  draft.PutReport64(layout::CurrentTcb::kOffset, 0);
  const Exhibit exhibit = draft.Sign();
  AppraisalInput input = exhibit.Input();
  const Appraisal refused = Appraise(input);
  EXPECT_EQ(FailingChecks(refused), std::vector{Check::kTcbNotAboveCurrent});
  ASSERT_EQ(refused.findings.size(), 1u);
  EXPECT_EQ(refused.findings[0].detail,
            "reported boot_loader 4, current 0; reported snp 24, current 0; "
            "reported microcode 219, current 0; committed boot_loader 4, "
            "current 0; committed snp 24, current 0; committed microcode 219, "
            "current 0");
  input.allow_tcb_above_current = true;
  EXPECT_EQ(Appraise(input).verdict, Verdict::kValid);
}

// A host may go back to what it committed, and then reports that.
TEST(Appraisal, ReportedOrCommittedBelowCurrentIsNoFault) {
  Draft draft = GoodDraft();
  draft.PutReport64(layout::CurrentTcb::kOffset, ~uint64_t{0});
  draft.PutReport64(layout::CommittedTcb::kOffset, 0);
  EXPECT_EQ(draft.Sign().Appraise().verdict, Verdict::kValid);
}

// Of whichever product the report says that it is, where no chain says it.
TEST(Appraisal, TcbAboveCurrentWithoutAChain) {
  for (const uint32_t version : {2u, 3u}) {
    Draft draft = GoodDraft(psp::kMilan, SignerKind::kVcek, version);
    draft.PutReport64(layout::CurrentTcb::kOffset, 0);
    Exhibit exhibit = draft.Sign();
    exhibit.leaf.clear();
    exhibit.intermediate.clear();
    EXPECT_EQ(exhibit.Appraise().of(Check::kTcbNotAboveCurrent),
              version == 2 ? Outcome::kNotEvaluated : Outcome::kFail);
  }
}

TEST(Appraisal, MaskedChipIdIsNoFaultUnderVlek) {
  Draft draft = GoodDraft(psp::kTurin, SignerKind::kVlek);
  draft.PutReport(layout::ChipId::kOffset, std::vector<uint8_t>(64, 0));
  EXPECT_EQ(draft.Sign().Appraise().verdict, Verdict::kValid);
}

// Firmware masks the chip's own key.
TEST(Appraisal, MaskedChipKeyIsNoFaultUnderVlek) {
  constexpr uint32_t kMasked = sev::kKeyInfoMaskChipKey;
  Draft draft = GoodDraft(psp::kTurin, SignerKind::kVlek);
  draft.PutReport32(layout::KeyInfo::kOffset,
                    kMasked | static_cast<uint32_t>(sev::SigningKey::kVlek)
                                  << sev::kKeyInfoSigningKeyShift);
  EXPECT_EQ(draft.Sign().Appraise().verdict, Verdict::kValid);
  Draft own = GoodDraft();
  own.PutReport32(layout::KeyInfo::kOffset, kMasked);
  EXPECT_EQ(FailingChecks(own.Sign().Appraise()),
            std::vector{Check::kChipKeyNotMasked});
}

TEST(Appraisal, NewerVersionIsUnverifiableAndShown) {
  Draft draft = GoodDraft();
  draft.PutReport32(layout::Version::kOffset, 6);
  draft.report[layout::Reserved208::kOffset] = 1;  // Perhaps a new field.
  Exhibit exhibit = draft.Sign();
  AppraisalInput input = exhibit.Input();
  EXPECT_EQ(Appraise(input).verdict, Verdict::kInvalid);
  input.allow_newer_version = true;
  const Appraisal shown = Appraise(input);
  EXPECT_EQ(shown.verdict, Verdict::kUnverifiable) << Describe(shown);
  EXPECT_TRUE(FailingChecks(shown).empty());
  EXPECT_TRUE(Has(shown.findings, kReportVersionNewer));
  EXPECT_EQ(shown.of(Check::kVersion), Outcome::kNotEvaluated);
  EXPECT_EQ(shown.of(Check::kReportSignature), Outcome::kPass);
  ASSERT_TRUE(shown.facts.report);
  EXPECT_EQ(shown.facts.report->version(), 6u);
  // Not a way around the signature, nor for versions that are older.
  exhibit.report[layout::Measurement::kOffset] ^= 1;
  EXPECT_EQ(FailingChecks(Appraise(exhibit.Input())).size(), 3u);
  input = exhibit.Input();
  input.allow_newer_version = true;
  EXPECT_EQ(FailingChecks(Appraise(input)),
            std::vector{Check::kReportSignature});
  draft.PutReport32(layout::Version::kOffset, 1);
  exhibit = draft.Sign();
  input = exhibit.Input();
  input.allow_newer_version = true;
  EXPECT_EQ(Appraise(input).verdict, Verdict::kInvalid);
}

// A chain as the key service would have it for a product to come, under a root
// that somebody accepts.
TEST(Appraisal, ProductToComeIsUnverifiableWhereThatIsAllowed) {
  const struct {
    SignerKind kind;
    const char* intermediate;
  } rows[] = {{SignerKind::kVcek, "SEV-Venice"},
              {SignerKind::kVlek, "SEV-VLEK-Florence"}};
  for (const auto& [kind, intermediate] : rows) {
    for (const uint32_t version : {5u, 6u}) {
      Draft draft = GoodDraft(psp::kTurin, kind, 5);
      draft.PutReport32(layout::Version::kOffset, version);
      draft.report[layout::Cpuid::kOffset + 1] = 0x50;
      draft.leaf.Find("2")->value = psp::DerIa5String("Venice");
      draft.root.subject = draft.root.issuer = draft.intermediate.issuer =
          draft.crl->issuer = "ARK-Venice";
      draft.intermediate.subject = draft.leaf.issuer = intermediate;
      Exhibit exhibit = draft.Sign();
      AppraisalInput input = exhibit.Input();
      const Appraisal refused = Appraise(input);
      EXPECT_EQ(refused.verdict, Verdict::kInvalid);
      EXPECT_TRUE(Has(refused.findings, kProductUnknown)) << Describe(refused);
      EXPECT_FALSE(Has(refused.findings, kIntermediateUnknown));
      EXPECT_EQ(refused.of(Check::kTcbNotAboveCurrent), Outcome::kNotEvaluated);
      EXPECT_EQ(refused.of(Check::kTcbSnp), Outcome::kNotEvaluated);
      input.allow_newer_version = true;
      const Appraisal shown = Appraise(input);
      EXPECT_EQ(shown.verdict, Verdict::kUnverifiable) << Describe(shown);
      EXPECT_TRUE(Has(shown.findings, kProductUnknown)) << Describe(shown);
      EXPECT_FALSE(shown.signed_by_accepted);
      // What is known is checked all the same.
      exhibit.report[layout::Measurement::kOffset] ^= 1;
      EXPECT_EQ(FailingChecks(Appraise(input)),
                std::vector{Check::kReportSignature});
      exhibit.report[layout::Measurement::kOffset] ^= 1;
      input.roots = {};
      EXPECT_EQ(FailingChecks(Appraise(input)),
                std::vector{Check::kRootPinned});
    }
  }
}

TEST(Appraisal, WhatIsMissingMakesItUnverifiable) {
  const struct {
    std::vector<uint8_t> Exhibit::* part;
    base::Reason reason;
  } parts[] = {{&Exhibit::leaf, kEvidenceNoLeaf},
               {&Exhibit::intermediate, kEvidenceNoAsk},
               {&Exhibit::root, kEvidenceNoArk}};
  for (const auto& [part, reason] : parts) {
    Exhibit exhibit = testing::GoodExhibit();
    (exhibit.*part).clear();
    const Appraisal appraisal = exhibit.Appraise();
    EXPECT_EQ(appraisal.verdict, Verdict::kUnverifiable) << Describe(appraisal);
    EXPECT_TRUE(Has(appraisal.findings, reason)) << Describe(appraisal);
    EXPECT_FALSE(appraisal.signed_by_accepted);
  }
  // Another fault beside it: that is what counts.
  Exhibit exhibit = testing::GoodExhibit();
  exhibit.root.clear();
  exhibit.report[layout::Measurement::kOffset] ^= 1;
  EXPECT_EQ(exhibit.Appraise().verdict, Verdict::kInvalid);
}

TEST(Appraisal, RequiredCrlMustBeThere) {
  Exhibit exhibit = testing::GoodExhibit();
  AppraisalInput input = exhibit.Input();
  input.crl_rule = CrlRule::kRequired;
  EXPECT_EQ(Appraise(input).verdict, Verdict::kValid);
  exhibit.crl.clear();
  input = exhibit.Input();
  EXPECT_EQ(Appraise(input).verdict, Verdict::kValid);
  EXPECT_FALSE(Appraise(input).facts.crl_checked);
  input.crl_rule = CrlRule::kRequired;
  const Appraisal without = Appraise(input);
  EXPECT_EQ(FailingChecks(without), std::vector{Check::kCrlCurrent});
  EXPECT_TRUE(Has(without.findings, kCrlMissing));
}

TEST(Appraisal, SerialZeroAndUnknownExtensionsAreAccepted) {
  Draft draft = GoodDraft();
  EXPECT_EQ(draft.leaf.serial, 0);  // As of every genuine VCEK.
  draft.leaf.extensions.push_back({"99", {0x01, 0x02}});
  EXPECT_EQ(draft.Sign().Appraise().verdict, Verdict::kValid);
}

// AMD's own, so only where there are vectors.
TEST(Appraisal, RootOfAnotherProduct) {
  const std::string folder = sev::VectorsFolder();
  if (folder.empty()) GTEST_SKIP() << "FORELOCK_VECTORS is not set";
  Exhibit exhibit = testing::GoodExhibit();  // Milan's.
  exhibit.root = sev::ReadVector(folder + "/common/amd/genoa/ark.der");
  exhibit.roots = {{.sha256 = ossl::Sha256::Of(exhibit.root), .name = "AMD"}};
  const Appraisal appraisal = exhibit.Appraise();
  EXPECT_EQ(appraisal.of(Check::kRootPinned), Outcome::kFail);
  EXPECT_EQ(appraisal.of(Check::kRootSelfSigned), Outcome::kPass);
  EXPECT_TRUE(Has(appraisal.findings, kRootOfAnotherProduct))
      << Describe(appraisal);
}

TEST(Appraisal, HardwareIdInAnOctetStringIsAccepted) {
  for (const psp::ChipModel* model : psp::kChipModels) {
    Draft draft = GoodDraft(*model);
    auto& value = draft.leaf.Find("4")->value;
    const auto id = value;
    value = psp::DerOctetString(id);
    const Appraisal appraisal = draft.Sign().Appraise();
    EXPECT_EQ(appraisal.verdict, Verdict::kValid) << Describe(appraisal);
    EXPECT_EQ(appraisal.leaf->hardware_id, id);
  }
}

TEST(Appraisal, EveryFaultIsNamed) {
  Draft draft = GoodDraft();
  draft.PutReport32(layout::Vmpl::kOffset, 9);
  draft.leaf.Remove("3.8");
  draft.intermediate.form = psp::SignatureForm::kPkcs1Sha1;
  draft.root.validity.not_after = testing::kAppraisalTime;
  Exhibit exhibit = draft.Sign();
  exhibit.report[layout::Measurement::kOffset] ^= 1;
  EXPECT_EQ(FailingChecks(exhibit.Appraise()),
            (std::vector{Check::kVmpl, Check::kIntermediateSigned,
                         Check::kReportSignature, Check::kTcbMicrocode,
                         Check::kRootInValidity}));
}

TEST(Appraisal, NamesOfVerdictsAndChecks) {
  EXPECT_EQ(NameOf(Verdict::kValid), "valid");
  EXPECT_EQ(NameOf(Verdict::kInvalid), "invalid");
  EXPECT_EQ(NameOf(Verdict::kUnverifiable), "unverifiable");
  EXPECT_EQ(NameOf(Check::kLength), "length_1184");
  EXPECT_EQ(NameOf(Check::kIntermediateNotRevoked), "intermediate_not_revoked");
}

}  // namespace
}  // namespace verifier
