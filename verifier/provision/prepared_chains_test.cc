// SPDX-License-Identifier: Apache-2.0
//
// Folders as hosts have them: several products, rotated, renewed, revoked and
// out of date, in files of whatever name.
#include "verifier/provision/prepared_chains.h"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "psp/certificates.h"
#include "psp/chip_model.h"
#include "sev/report.h"
#include "verifier/endorsements/leaf_facts.h"
#include "verifier/testing/appraisal_draft.h"

namespace verifier {
namespace {

using psp::CertificateSpec;
using testing::Draft;
using testing::Exhibit;
using testing::GoodDraft;
using testing::kAppraisalTime;
using testing::kDay;
using testing::Make;
using Der = std::vector<uint8_t>;

constexpr long kOldSerial = 0x020001;

Der Changed(CertificateSpec spec,
            const std::function<void(CertificateSpec&)>& change) {
  change(spec);
  return Make(spec);
}

class Chains : public ::testing::Test {
 protected:
  void Put(std::initializer_list<Der> files) {
    for (const Der& file : files) {
      const absl::Status added =
          all_.Add(file, {.name = absl::StrCat("store/", count_++)});
      EXPECT_TRUE(added.ok()) << added;
    }
  }
  void Accept(const Exhibit& exhibit) {
    roots_.insert(roots_.end(), exhibit.roots.begin(), exhibit.roots.end());
  }
  Choice Choose() const { return ChooseChains(all_, roots_, kAppraisalTime); }
  // The one chain.
  PreparedChain One() const {
    Choice choice = Choose();
    EXPECT_EQ(choice.chains.size(), 1u);
    EXPECT_TRUE(choice.left_out.empty()) << choice.left_out.front().what;
    return choice.chains.empty() ? PreparedChain() : choice.chains.front();
  }
  void ExpectNone(std::string_view why) const {
    const Choice choice = Choose();
    EXPECT_TRUE(choice.chains.empty());
    ASSERT_EQ(choice.left_out.size(), 1u);
    EXPECT_TRUE(absl::StrContains(choice.left_out[0].what, why))
        << choice.left_out[0].what;
    EXPECT_TRUE(absl::StrContains(choice.left_out[0].what, "store/"))
        << choice.left_out[0].what;
  }

  Endorsements all_;
  std::vector<AcceptedRoot> roots_;
  int count_ = 0;
};

void ExpectIs(const PreparedChain& chain, const Exhibit& exhibit) {
  EXPECT_EQ(chain.leaf, exhibit.leaf);
  EXPECT_EQ(chain.intermediate, exhibit.intermediate);
  EXPECT_EQ(chain.root, exhibit.root);
  EXPECT_EQ(chain.crl, exhibit.crl);
}

TEST_F(Chains, OfEveryProductInOneFolder) {
  std::map<std::string, Exhibit> wanted;
  for (const psp::ChipModel* model :
       {&psp::kMilan, &psp::kGenoa, &psp::kTurin}) {
    const Exhibit vcek = GoodDraft(*model).Sign();
    Exhibit vlek = GoodDraft(*model, SignerKind::kVlek).Sign();
    vlek.root = vcek.root;
    vlek.crl = vcek.crl;
    Put({vlek.intermediate, vcek.leaf, vcek.crl, vcek.root, vlek.leaf,
         vcek.intermediate});
    Accept(vcek);
    wanted[absl::StrCat(model->name, " VCEK")] = vcek;
    wanted[absl::StrCat(model->name, " VLEK")] = vlek;
  }
  const Choice choice = Choose();
  EXPECT_TRUE(choice.left_out.empty());
  ASSERT_EQ(choice.chains.size(), wanted.size());
  for (const auto& [name, exhibit] : wanted) {
    SCOPED_TRACE(name);
    const auto at =
        std::ranges::find(choice.chains, exhibit.leaf, &PreparedChain::leaf);
    ASSERT_NE(at, choice.chains.end());
    ExpectIs(*at, exhibit);
    // The daemon looks for what the report says.
    const auto report = sev::UnverifiedReport::Parse(exhibit.report);
    ASSERT_TRUE(report.ok());
    EXPECT_EQ(at->name.tcb, report->reported_tcb());
    if (at->name.kind == SignerKind::kVcek) {
      EXPECT_TRUE(base::Equal(at->name.chip_id, report->chip_id()));
    } else {
      EXPECT_FALSE(at->name.csp_id.empty());
    }
  }
}

// As AMD did for Genoa: the old ASK is revoked, the chip's VCEK is signed anew.
TEST_F(Chains, AfterTheAskWasRotated) {
  Draft before = GoodDraft();
  before.intermediate.serial = kOldSerial;
  before.crl->number = 1;
  Draft after = GoodDraft();
  after.intermediate.key = testing::AsvkKey();
  after.leaf.signer = testing::AsvkKey();
  after.crl->number = 2;
  after.crl->revoked_serial = kOldSerial;
  const Exhibit old = before.Sign();
  Exhibit rotated = after.Sign();
  rotated.root = old.root;
  Accept(old);
  Put({old.leaf, old.intermediate, old.root, old.crl});
  ExpectIs(One(), old);
  Put({rotated.crl});
  ExpectNone("VE35 ");
  Put({rotated.intermediate});
  ExpectNone("VE35 ");
  Put({rotated.leaf});
  ExpectIs(One(), rotated);
}

TEST_F(Chains, ARenewedAskOfTheSameKey) {
  Draft before = GoodDraft();
  before.intermediate.serial = kOldSerial;
  Draft after = GoodDraft();
  after.crl->number = 2;
  after.crl->revoked_serial = kOldSerial;
  const Exhibit renewed = after.Sign();
  Accept(renewed);
  Put({before.Sign().intermediate, renewed.leaf, renewed.intermediate,
       renewed.root, renewed.crl});
  ExpectIs(One(), renewed);
}

TEST_F(Chains, ARenewedVcekBesideTheExpiredOne) {
  const Draft draft = GoodDraft();
  const Exhibit good = draft.Sign();
  Accept(good);
  const Der expired = Changed(draft.leaf, [](CertificateSpec& spec) {
    spec.validity.not_after = kAppraisalTime - kDay;
  });
  const Der newer = Changed(draft.leaf, [](CertificateSpec& spec) {
    spec.validity.not_before += kDay;
  });
  Put({expired, good.intermediate, good.root, good.crl});
  ExpectNone("VE10 ");
  Put({good.leaf});
  ExpectIs(One(), good);
  Put({newer});
  EXPECT_EQ(One().leaf, newer);
}

TEST_F(Chains, WithoutWhatIsNotThere) {
  const Exhibit good = GoodDraft().Sign();
  Accept(good);
  Put({good.leaf});
  ExpectNone("VE2 ");
  Put({good.intermediate});
  ExpectNone("VE3 ");
  Put({good.root});
  EXPECT_TRUE(One().crl.empty());
  Put({good.crl});
  ExpectIs(One(), good);
  roots_.clear();
  ExpectNone("VE12 ");
}

// Sent along, a list that is out of date would refuse what is good without it.
TEST_F(Chains, AListOutOfDateStaysHereAndStillRevokes) {
  Draft draft = GoodDraft();
  draft.crl->validity.not_after = kAppraisalTime - kDay;
  const Exhibit stale = draft.Sign();
  Accept(stale);
  Put({stale.leaf, stale.intermediate, stale.root, stale.crl});
  const PreparedChain chain = One();
  EXPECT_EQ(chain.intermediate, stale.intermediate);
  EXPECT_TRUE(chain.crl.empty());
  draft.crl->number = 100;
  draft.crl->revoked_serial = draft.intermediate.serial;
  Put({Make(*draft.crl)});
  ExpectNone("VE35 ");
}

TEST_F(Chains, ALeafThatDoesNotSayWhoseItIs) {
  const Draft draft = GoodDraft();
  const Exhibit good = draft.Sign();
  Accept(good);
  Put({good.intermediate, good.root});
  Put({Changed(draft.leaf, [](CertificateSpec& spec) {
    spec.Remove(amd_extension::kHardwareId);
  })});
  ExpectNone("does not say for which chip");
}

// Taken for 0 it would be sent for another TCB.
TEST_F(Chains, ATurinsLeafWithoutFmc) {
  const Draft draft = GoodDraft(psp::kTurin);
  const Exhibit good = draft.Sign();
  Accept(good);
  Put({good.intermediate, good.root});
  Put({Changed(draft.leaf, [](CertificateSpec& spec) {
    spec.Remove(amd_extension::kFmc);
  })});
  ExpectNone("does not say for which chip");
}

}  // namespace
}  // namespace verifier
