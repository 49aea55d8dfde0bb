// SPDX-License-Identifier: Apache-2.0
//
// What a folder holds beside the right certificates changes no verdict,
// whatever it is and in whatever order it comes.
#include "verifier/endorsements/endorsements.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "psp/certificates.h"
#include "psp/chip_model.h"
#include "psp/testing.h"
#include "sev/cert_table.h"
#include "sev/report.h"
#include "verifier/evidence/appraisal.h"
#include "verifier/reasons.h"
#include "verifier/testing/appraisal_draft.h"

namespace verifier {
namespace {

using testing::Draft;
using testing::Exhibit;
using testing::GoodDraft;
using testing::GoodExhibit;
using testing::kAppraisalTime;
using testing::kDay;
using testing::Make;

using Der = std::vector<uint8_t>;

constexpr long kRevokedSerial = 0x020001;

struct Named {
  std::string name;
  Der der;
};

Der Changed(psp::CertificateSpec spec,
            const std::function<void(psp::CertificateSpec&)>& change) {
  change(spec);
  return Make(spec);
}

Der List(long number, const std::function<void(psp::CrlSpec&)>& change) {
  psp::CrlSpec spec = *GoodDraft().crl;
  spec.number = number;
  change(spec);
  return Make(spec);
}

// A folder with which the good report is valid, and a list is checked.
const std::vector<Named>& GoodFolder() {
  static const auto& folder = *new std::vector<Named>{
      {"leaf", GoodExhibit().leaf},
      {"ask", GoodExhibit().intermediate},
      {"ark", GoodExhibit().root},
      {"list 10", List(10, [](auto& s) { s.revoked_serial = kRevokedSerial; })},
  };
  return folder;
}

// What may lie beside them.
std::vector<Named> MakeOthers() {
  const Draft milan = GoodDraft();
  const Exhibit genoa = GoodDraft(psp::kGenoa).Sign();
  const Exhibit vlek = GoodDraft(psp::kMilan, SignerKind::kVlek).Sign();
  const auto expired = [](psp::CertificateSpec& s) {
    s.validity.not_after = kAppraisalTime - kDay;
  };
  const auto later = [](psp::CertificateSpec& s) {
    s.validity.not_before = kAppraisalTime + kDay;
  };
  return {
      {"leaf, expired", Changed(milan.leaf, expired)},
      {"leaf, not yet valid", Changed(milan.leaf, later)},
      {"leaf of another chip",
       Make(psp::VcekSpec(psp::kMilan, {}, testing::OtherLeafKey(),
                          testing::AskKey()))},
      {"leaf of another TCB",
       Changed(milan.leaf,
               [](psp::CertificateSpec& s) {
                 s.Find(amd_extension::kMicrocode)->value = psp::DerInteger(1);
               })},
      {"leaf with another key", Changed(milan.leaf,
                                        [](psp::CertificateSpec& s) {
                                          s.key = testing::OtherLeafKey();
                                          s.validity.not_before += kDay;
                                        })},
      {"leaf signed by a stranger", Changed(milan.leaf,
                                            [](psp::CertificateSpec& s) {
                                              s.signer = testing::ArkKey();
                                              s.validity.not_before += kDay;
                                            })},
      {"leaf of Genoa", genoa.leaf},
      {"leaf of a provider", vlek.leaf},
      {"ask, expired", Changed(milan.intermediate, expired)},
      {"ask, not yet valid", Changed(milan.intermediate, later)},
      {"ask, revoked", Changed(milan.intermediate,
                               [](psp::CertificateSpec& s) {
                                 s.serial = kRevokedSerial;
                                 s.validity.not_before += kDay;
                               })},
      {"ask with another key", Changed(milan.intermediate,
                                       [](psp::CertificateSpec& s) {
                                         s.key = testing::AsvkKey();
                                         s.validity.not_before += kDay;
                                       })},
      {"ask of a stranger", Changed(milan.intermediate,
                                    [](psp::CertificateSpec& s) {
                                      s.signer = testing::AsvkKey();
                                      s.validity.not_before += kDay;
                                    })},
      {"ask that may not sign", Changed(milan.intermediate,
                                        [](psp::CertificateSpec& s) {
                                          s.role =
                                              psp::CertificateSpec::Role::kLeaf;
                                          s.signer = testing::AsvkKey();
                                        })},
      {"asvk", vlek.intermediate},
      {"ask of Genoa", genoa.intermediate},
      {"ark of Genoa", genoa.root},
      {"ark of a stranger", Changed(milan.root,
                                    [](psp::CertificateSpec& s) {
                                      s.key = s.signer = testing::AsvkKey();
                                    })},
      {"ark, again",  // Another signature, so another certificate.
       Make(milan.root)},
      {"list 9", List(9, [](auto&) {})},
      {"list 9, out of date",
       List(9, [](auto& s) { s.validity.not_after = kAppraisalTime - kDay; })},
      {"list 11, of tomorrow",
       List(11,
            [](auto& s) { s.validity.not_before = kAppraisalTime + kDay; })},
      {"list 12, forged",
       List(12, [](auto& s) { s.signer = testing::AsvkKey(); })},
      {"list of Genoa", genoa.crl},
      {"junk", {'n', 'o'}},
      {"cut", {0x30, 0x82, 0x10, 0x00}},
  };
}

const std::vector<Named>& Others() {
  static const auto& others = *new std::vector<Named>(MakeOthers());
  return others;
}

std::shared_ptr<const Endorsements> Folder(
    const std::vector<const Named*>& files) {
  auto folder = std::make_shared<Endorsements>();
  for (const Named* file : files) {
    // What cannot be used is said, and left out.
    const absl::Status added = folder->Add(file->der, {.name = file->name});
    EXPECT_EQ(added.ok(), file->name != "junk" && file->name != "cut");
  }
  return folder;
}

AppraisalInput InputWith(std::shared_ptr<const Endorsements> endorsements) {
  AppraisalInput input = GoodExhibit().Input();
  input.endorsements = std::move(endorsements);
  input.crl_rule = CrlRule::kRequired;
  return input;
}

std::string NamesOf(const std::vector<const Named*>& files) {
  std::string names;
  for (const Named* file : files) names += file->name + "; ";
  return names;
}

// The good folder with these, in this order.
void ExpectAsGood(const std::vector<const Named*>& files) {
  const Appraisal appraisal = Appraise(InputWith(Folder(files)));
  ASSERT_EQ(appraisal.verdict, Verdict::kValid) << NamesOf(files);
  const Selection& chosen = appraisal.selection;
  const auto name_of = [&](const CertificatePtr& certificate) {
    for (const Named* file : files) {
      if (ossl::Sha256::Of(file->der) == certificate->received) {
        return file->name;
      }
    }
    return std::string();
  };
  EXPECT_EQ(name_of(chosen.leaf), "leaf") << NamesOf(files);
  EXPECT_EQ(name_of(chosen.intermediate), "ask") << NamesOf(files);
  EXPECT_EQ(chosen.list->crl.number(), 10u);
}

std::vector<const Named*> GoodFiles() {
  std::vector<const Named*> files;
  for (const Named& file : GoodFolder()) files.push_back(&file);
  return files;
}

TEST(Endorsements, NothingBesideTheRightOnesChangesAVerdict) {
  ExpectAsGood(GoodFiles());
  for (const Named& other : Others()) {
    for (const bool first : {true, false}) {
      auto files = GoodFiles();
      files.insert(first ? files.begin() : files.end(), &other);
      ExpectAsGood(files);
    }
  }
  auto all = GoodFiles();
  for (const Named& other : Others()) all.push_back(&other);
  std::mt19937 random(1);
  for (int i = 0; i < 20; ++i) {
    std::ranges::shuffle(all, random);
    ExpectAsGood(all);
    // Any part of it, with the good ones.
    std::vector<const Named*> some = GoodFiles();
    for (const Named* file : all) {
      if (random() % 2 == 0) some.push_back(file);
    }
    std::ranges::shuffle(some, random);
    ExpectAsGood(some);
  }
}

// Anybody can certify the keys of the true ones again.
TEST(Endorsements, ManyForgedOnesHideNothing) {
  const Draft milan = GoodDraft();
  std::vector<Named> forged;
  for (int i = 1; i <= 10; ++i) {
    const auto newer = [i](psp::CertificateSpec& spec) {
      spec.validity.not_before += i;
      spec.signer = testing::AsvkKey();
    };
    forged.push_back({"ark", Changed(milan.root, newer)});
    forged.push_back({"ask", Changed(milan.intermediate, newer)});
    forged.push_back({"leaf", Changed(milan.leaf, newer)});
  }
  const Named stranger = {"ark of a stranger", Changed(milan.root, [](auto& s) {
                            s.key = s.signer = testing::AsvkKey();
                          })};
  const Named namesake = {"ask of a stranger",
                          Changed(milan.intermediate, [](auto& s) {
                            s.key = s.signer = testing::AsvkKey();
                          })};
  std::vector<const Named*> files = {&stranger, &namesake};
  for (const Named& file : forged) files.push_back(&file);
  for (const Named& file : GoodFolder()) files.push_back(&file);
  const Appraisal appraisal = Appraise(InputWith(Folder(files)));
  EXPECT_EQ(appraisal.verdict, Verdict::kValid);
}

// Issuers that name each other are no way to a root, and have an end.
TEST(Endorsements, NamesThatGoInCircles) {
  const Draft milan = GoodDraft();
  std::vector<Named> circle;
  for (int i = 0; i < 10; ++i) {
    circle.push_back(
        {"ask", Changed(milan.intermediate, [i](psp::CertificateSpec& spec) {
           spec.issuer = spec.subject;
           spec.key = spec.signer = testing::AsvkKey();
           spec.validity.not_before += i;
         })});
    circle.push_back({"leaf", Changed(milan.leaf, [i](auto& spec) {
                        spec.signer = testing::AsvkKey();
                        spec.validity.not_before += i;
                      })});
  }
  std::vector<const Named*> files = GoodFiles();
  for (const Named& file : circle) files.push_back(&file);
  EXPECT_EQ(Appraise(InputWith(Folder(files))).verdict, Verdict::kValid);
}

// What a host sends in a place does not outweigh what is stored.
TEST(Endorsements, NothingInAPlaceHidesWhatIsStored) {
  const auto stored = Folder(GoodFiles());
  for (const Named& other : Others()) {
    for (const auto place :
         {&CertificateSet::leaf, &CertificateSet::intermediate,
          &CertificateSet::root, &CertificateSet::crl}) {
      CertificateSet set;
      set.*place = other.der;
      auto all = std::make_shared<Endorsements>(stored);
      all->AddPlaced(set, "evidence");
      EXPECT_EQ(Appraise(InputWith(all)).verdict, Verdict::kValid)
          << other.name;
    }
  }
}

// The same without what would replace it: judged in its place.
TEST(Endorsements, WhatIsInAPlaceIsJudgedThere) {
  for (const Named& other : Others()) {
    if (other.name == "ask, revoked") continue;  // Not by what is here.
    Exhibit exhibit = GoodExhibit();
    exhibit.intermediate = other.der;
    const Verdict verdict = exhibit.Appraise().verdict;
    EXPECT_EQ(verdict, Verdict::kInvalid) << other.name;
  }
}

TEST(Endorsements, TheNewestListCounts) {
  const Der revoking = List(
      11, [](auto& s) { s.revoked_serial = GoodDraft().intermediate.serial; });
  const Der taken_back = List(12, [](auto&) {});
  auto files = GoodFiles();
  const Named eleven = {"list 11", revoking};
  const Named twelve = {"list 12", taken_back};
  files.push_back(&eleven);
  Appraisal appraisal = Appraise(InputWith(Folder(files)));
  EXPECT_EQ(FailingChecks(appraisal),
            std::vector{Check::kIntermediateNotRevoked});
  files.insert(files.begin(), &twelve);
  EXPECT_EQ(Appraise(InputWith(Folder(files))).verdict, Verdict::kValid);
  // Also where a host sends the older one.
  auto all = std::make_shared<Endorsements>(Folder({&eleven}));
  all->AddPlaced(GoodExhibit().Set(), "evidence");
  EXPECT_EQ(Appraise(InputWith(all)).verdict, Verdict::kInvalid);
}

// Certificates of two providers for one firmware: only the report's signature
// tells them apart.
TEST(Endorsements, OfTwoProvidersTheOneThatSigned) {
  const Draft draft = GoodDraft(psp::kMilan, SignerKind::kVlek);
  const Exhibit exhibit = draft.Sign();
  psp::CertificateSpec later =
      psp::VlekSpec(psp::kMilan, "CN=other.example", testing::OtherLeafKey(),
                    testing::AsvkKey());
  later.validity = draft.leaf.validity;
  later.validity.not_before += kDay;  // Without the report it would be better.
  const Der other = Make(later);
  for (const bool other_first : {true, false}) {
    auto all = std::make_shared<Endorsements>();
    for (const Der& der : {other_first ? other : exhibit.leaf,
                           other_first ? exhibit.leaf : other,
                           exhibit.intermediate, exhibit.root}) {
      ASSERT_TRUE(all->Add(der, {.name = "file"}).ok());
    }
    AppraisalInput input = exhibit.Input();
    input.endorsements = all;
    const Appraisal appraisal = Appraise(input);
    EXPECT_EQ(appraisal.verdict, Verdict::kValid);
    EXPECT_EQ(appraisal.facts.csp_id, psp::kTestCspId);
  }
}

TEST(Endorsements, OfManyProvidersTheOneThatSigned) {
  const Draft draft = GoodDraft(psp::kMilan, SignerKind::kVlek);
  const Exhibit exhibit = draft.Sign();
  auto all = std::make_shared<Endorsements>();
  for (int i = 1; i <= 12; ++i) {
    psp::CertificateSpec other = psp::VlekSpec(
        psp::kMilan, "CN=region-" + std::to_string(i) + ".example",
        testing::OtherLeafKey(), testing::AsvkKey());
    other.validity = draft.leaf.validity;
    other.validity.not_before += i;
    ASSERT_TRUE(all->Add(Make(other), {.name = "file"}).ok());
  }
  for (const Der& der : {exhibit.leaf, exhibit.intermediate, exhibit.root}) {
    ASSERT_TRUE(all->Add(der, {.name = "file"}).ok());
  }
  AppraisalInput input = exhibit.Input();
  input.endorsements = all;
  EXPECT_EQ(Appraise(input).verdict, Verdict::kValid);
}

TEST(Endorsements, WhatAPersonNamesCounts) {
  const auto with = [](const Der& der) {
    auto all = std::make_shared<Endorsements>(Folder(GoodFiles()));
    all->Add(der, {.name = "given", .claim = Claim::kGiven}).IgnoreError();
    return Appraise(InputWith(all)).verdict;
  };
  EXPECT_EQ(with(GoodExhibit().leaf), Verdict::kValid);
  EXPECT_EQ(with(GoodExhibit().intermediate), Verdict::kValid);
  EXPECT_EQ(with(GoodExhibit().root), Verdict::kValid);
  for (const Named& other : Others()) {
    // Only a true list that a newer one replaces takes nothing away.
    const bool good = other.name.starts_with("list 9");
    EXPECT_EQ(with(other.der) == Verdict::kValid, good) << other.name;
  }
  auto two = std::make_shared<Endorsements>();
  ASSERT_TRUE(two->Add(GoodExhibit().leaf, {"a", Claim::kGiven}).ok());
  ASSERT_TRUE(two->Add(GoodExhibit().leaf, {"again", Claim::kGiven}).ok());
  const absl::Status second = two->Add(Others()[2].der, {"b", Claim::kGiven});
  EXPECT_NE(second.message().find("VE39"), std::string::npos) << second;
}

TEST(Endorsements, SaysWhyTheOthersDoNotFit) {
  auto files = GoodFiles();
  for (const Named& other : Others()) files.push_back(&other);
  const auto all = Folder(files);
  const AppraisalInput input = InputWith(all);
  const auto report = sev::UnverifiedReport::FromBytes(input.report);
  const EndorsementQuery query = {
      .report = &*report, .roots = input.roots, .at = input.now};
  std::map<std::string, std::string> why;
  for (const PassedOver& passed : all->LeftOut(query, all->For(query))) {
    why[passed.source] = TextOf(passed.why);
  }
  const std::map<std::string, Unfit> reasons = {
      {"leaf, expired", Unfit::kOutOfDate},
      {"leaf, not yet valid", Unfit::kNotYetValid},
      {"leaf of another chip", Unfit::kAnotherChip},
      {"leaf of another TCB", Unfit::kAnotherTcb},
      {"leaf with another key", Unfit::kDoesNotSign},
      {"leaf signed by a stranger", Unfit::kNotSigned},
      {"leaf of Genoa", Unfit::kAnotherTcb},
      {"leaf of a provider", Unfit::kAnotherKind},
      {"ask, expired", Unfit::kOutOfDate},
      {"ask, not yet valid", Unfit::kNotYetValid},
      {"ask, revoked", Unfit::kRevoked},
      {"ask with another key", Unfit::kDoesNotSign},
      {"ask of a stranger", Unfit::kNotSigned},
      {"ask that may not sign", Unfit::kNotSigned},
      {"asvk", Unfit::kAnotherChip},
      {"ask of Genoa", Unfit::kAnotherChip},
      {"ark of Genoa", Unfit::kAnotherChip},
      {"ark of a stranger", Unfit::kDoesNotSign},
      {"ark, again", Unfit::kNotAccepted},
      {"list 9", Unfit::kSuperseded},
      {"list 9, out of date", Unfit::kSuperseded},
      {"list 11, of tomorrow", Unfit::kNotYetValid},
      {"list 12, forged", Unfit::kNotSigned},
      {"list of Genoa", Unfit::kAnotherChip},
  };
  std::map<std::string, std::string> expected;
  for (const auto& [name, unfit] : reasons) expected[name] = TextOf(unfit);
  EXPECT_EQ(why, expected);
}

TEST(Endorsements, ATableHasPlaces) {
  const Exhibit vcek = GoodExhibit();
  const Exhibit vlek = GoodDraft(psp::kMilan, SignerKind::kVlek).Sign();
  const auto chosen = [](const sev::CertTable& table, base::Bytes bytes) {
    Endorsements all;
    all.AddTable(table, "table");
    const auto report = sev::UnverifiedReport::FromBytes(bytes);
    return all.For({.report = &*report, .at = kAppraisalTime});
  };
  const sev::CertTable both = {.vcek = vcek.leaf,
                               .vlek = vlek.leaf,
                               .ask = vcek.intermediate,
                               .ark = vcek.root,
                               .crl = vcek.crl};
  EXPECT_EQ(chosen(both, vcek.report).leaf->received,
            ossl::Sha256::Of(vcek.leaf));
  EXPECT_EQ(chosen(both, vlek.report).leaf->received,
            ossl::Sha256::Of(vlek.leaf));
  // The only leaf there, whatever it is.
  const sev::CertTable other = {.vcek = vcek.leaf};
  EXPECT_EQ(chosen(other, vlek.report).leaf->received,
            ossl::Sha256::Of(vcek.leaf));
  const Der junk = {1, 2, 3};
  const Selection broken = chosen({.vcek = junk}, vcek.report);
  EXPECT_TRUE(broken.has_broken_place);
  EXPECT_EQ(broken.leaf, nullptr);
}

TEST(Endorsements, WhatComesTwiceIsThereOnce) {
  Endorsements all;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(all.Add(GoodExhibit().root, {.name = "a"}).ok());
    ASSERT_TRUE(all.Add(GoodExhibit().crl, {.name = "b"}).ok());
    ASSERT_TRUE(
        all.Add(testing::PemOf(GoodExhibit().root, "CERTIFICATE"), {}).ok());
  }
  EXPECT_EQ(all.issuers().size(), 1u);
  EXPECT_EQ(all.lists().size(), 1u);
}

TEST(Endorsements, FingerprintIsOfTheContent) {
  const auto of = [](std::vector<Der> files) {
    Endorsements all;
    for (const Der& file : files) EXPECT_TRUE(all.Add(file, {}).ok());
    return all.Fingerprint();
  };
  const Exhibit& good = GoodExhibit();
  EXPECT_EQ(of({good.root, good.crl}), of({good.crl, good.root}));
  EXPECT_NE(of({good.root, good.crl}), of({good.root}));
}

}  // namespace
}  // namespace verifier
