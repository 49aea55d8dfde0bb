// SPDX-License-Identifier: Apache-2.0
#include "verifier/evidence/authorities.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "gtest/gtest.h"
#include "verifier/evidence/appraisal.h"
#include "verifier/reasons.h"
#include "verifier/testing/appraisal_draft.h"

namespace verifier {
namespace {

namespace fs = std::filesystem;
using psp::CrlSpec;
using testing::Draft;
using testing::Exhibit;
using testing::GoodDraft;
using testing::Make;

Certificate Parsed(base::Bytes der) { return *Certificate::Parse(der); }

std::vector<uint8_t> CrlNumber(long number, EVP_PKEY* signer = nullptr) {
  CrlSpec spec = *GoodDraft().crl;
  spec.number = number;
  if (signer != nullptr) spec.signer = signer;
  return Make(spec);
}

class AuthoritiesTest : public ::testing::Test {
 protected:
  AuthoritiesTest()
      : folder_(
            fs::path(::testing::TempDir()) /
            ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::create_directories(folder_);
  }
  ~AuthoritiesTest() override { fs::remove_all(folder_); }

  void Write(const std::string& name, base::Bytes bytes) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream file(folder_ / name, std::ios::binary);
    for (const uint8_t byte : bytes) file.put(static_cast<char>(byte));
  }
  void WriteAll(const std::string& product, const Exhibit& exhibit) {
    Write(product + "/ark.der", exhibit.root);
    Write(product + "/ask.der", exhibit.intermediate);
    Write(product + "/crl.der", exhibit.crl);
  }
  absl::StatusOr<Authorities> Load() const {
    return Authorities::Load(folder_.string());
  }

  const fs::path folder_;
};

TEST_F(AuthoritiesTest, SeveralProductsAndKinds) {
  struct Chip {
    const psp::ChipModel* model;
    SignerKind kind;
  };
  const Chip chips[] = {{&psp::kMilan, SignerKind::kVcek},
                        {&psp::kMilan, SignerKind::kVlek},
                        {&psp::kGenoa, SignerKind::kVcek},
                        {&psp::kTurin, SignerKind::kVlek}};
  for (const Chip& chip : chips) {
    Draft draft = GoodDraft(*chip.model, chip.kind);
    const bool vlek = chip.kind == SignerKind::kVlek;
    const Exhibit exhibit = draft.Sign();
    const std::string product(chip.model->name);
    Write(product + "/ark.der", exhibit.root);
    Write(product + (vlek ? "/asvk.pem" : "/ask.pem"),
          testing::PemOf(exhibit.intermediate, "CERTIFICATE"));
    Write(product + "/crl.der", exhibit.crl);
    Write(product + "/leaf.der", exhibit.leaf);  // Passed over.
    Write(product + "/notes.txt", exhibit.leaf);
  }
  const auto authorities = Load();
  ASSERT_TRUE(authorities.ok()) << authorities.status();
  // 3 roots, of which Milan's was written twice, and 4 intermediates.
  EXPECT_EQ(authorities->certificates().size(), 7u);
  EXPECT_EQ(authorities->crls().size(), 3u);
  for (const Chip& chip : chips) {
    Exhibit exhibit = GoodDraft(*chip.model, chip.kind).Sign();
    const auto issuers = authorities->IssuersOf(Parsed(exhibit.leaf));
    ASSERT_EQ(issuers.size(), 1u);
    // The root that is accepted is the file's: PSS signs with a random salt.
    const auto roots = authorities->IssuersOf(*issuers[0]);
    ASSERT_EQ(roots.size(), 1u);
    exhibit.roots[0].sha256 = roots[0]->sha256();
    // A leaf alone is enough.
    exhibit.intermediate.clear();
    exhibit.root.clear();
    exhibit.crl.clear();
    AppraisalInput input = exhibit.Input();
    EXPECT_EQ(Appraise(input).verdict, Verdict::kUnverifiable);
    input.authorities = &*authorities;
    const Appraisal appraisal = Appraise(input);
    EXPECT_EQ(appraisal.verdict, Verdict::kValid);
    EXPECT_TRUE(appraisal.crl_checked);
    EXPECT_EQ(appraisal.product, chip.model->product);
  }
}

TEST_F(AuthoritiesTest, NewestListByNumber) {
  Write("a.der", CrlNumber(9));
  Write("b.der", CrlNumber(11));
  Write("c.der", CrlNumber(10));
  const auto authorities = Load();
  ASSERT_TRUE(authorities.ok());
  const Certificate root = Parsed(testing::GoodExhibit().root);
  ASSERT_NE(authorities->CrlOf(root), nullptr);
  EXPECT_EQ(authorities->CrlOf(root)->number(), 11u);
}

TEST_F(AuthoritiesTest, ForgedListHidesNothing) {
  Write("a.der", CrlNumber(10));
  Write("b.der", CrlNumber(1000, testing::AskKey()));
  const auto authorities = Load();
  ASSERT_TRUE(authorities.ok());
  const Certificate root = Parsed(testing::GoodExhibit().root);
  ASSERT_NE(authorities->CrlOf(root), nullptr);
  EXPECT_EQ(authorities->CrlOf(root)->number(), 10u);
}

TEST_F(AuthoritiesTest, ImportedListThatIsNewerCounts) {
  CrlSpec revoking = *GoodDraft().crl;
  revoking.number = 2;
  revoking.revoked_serial = GoodDraft().intermediate.serial;
  Authorities authorities;
  ASSERT_TRUE(authorities.Add(Make(revoking), "crl").ok());
  Exhibit exhibit = testing::GoodExhibit();
  AppraisalInput input = exhibit.Input();
  input.authorities = &authorities;
  EXPECT_EQ(FailingChecks(Appraise(input)),
            std::vector{Check::kIntermediateNotRevoked});
  // The one that came is newer.
  exhibit.crl = CrlNumber(3);
  input = exhibit.Input();
  input.authorities = &authorities;
  EXPECT_EQ(Appraise(input).verdict, Verdict::kValid);
}

TEST_F(AuthoritiesTest, OfSeveralIssuersTheOneThatSigned) {
  Draft namesake = GoodDraft();
  namesake.intermediate.key = testing::AsvkKey();
  Authorities authorities;
  ASSERT_TRUE(authorities.Add(Make(namesake.intermediate), "a").ok());
  Exhibit exhibit = testing::GoodExhibit();
  ASSERT_TRUE(authorities.Add(exhibit.intermediate, "b").ok());
  EXPECT_EQ(authorities.IssuersOf(Parsed(exhibit.leaf)).size(), 2u);
  exhibit.intermediate.clear();
  AppraisalInput input = exhibit.Input();
  input.authorities = &authorities;
  EXPECT_EQ(Appraise(input).verdict, Verdict::kValid);
}

TEST_F(AuthoritiesTest, ABadFileIsNamed) {
  WriteAll("milan", testing::GoodExhibit());
  ASSERT_TRUE(Load().ok());
  const std::vector<uint8_t> bad[] = {
      {'n', 'o'},
      {0x30, 0x03, 0x02, 0x01},
      testing::PemOf(testing::GoodExhibit().root, "PRIVATE STUFF"),
      std::vector<uint8_t>(300 * 1024, 0x30)};
  for (const auto& bytes : bad) {
    Write("milan/bad.der", bytes);
    const auto authorities = Load();
    EXPECT_EQ(authorities.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(authorities.status().message().find("milan/bad.der"),
              std::string::npos)
        << authorities.status();
  }
  Write("milan/bad.der", {});
  const auto empty = Load();
  EXPECT_FALSE(empty.ok());
  EXPECT_NE(empty.status().message().find("milan/bad.der"), std::string::npos);
}

TEST_F(AuthoritiesTest, FoldersThatAreNoneOrEmpty) {
  const auto empty = Load();
  ASSERT_TRUE(empty.ok());
  EXPECT_TRUE(empty->certificates().empty());
  EXPECT_EQ(empty->CrlOf(Parsed(testing::GoodExhibit().root)), nullptr);
  EXPECT_EQ(Authorities::Load((folder_ / "none").string()).status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(AuthoritiesTest, GenerationIsOfTheFiles) {
  WriteAll("milan", testing::GoodExhibit());
  const auto before = Load();
  const auto again = Load();
  ASSERT_TRUE(before.ok() && again.ok());
  EXPECT_EQ(before->generation(), again->generation());
  EXPECT_NE(before->generation(), Authorities().generation());
  Write("milan/crl.der", CrlNumber(2));
  EXPECT_NE(Load()->generation(), before->generation());
  // What is passed over, or there already, changes nothing.
  const auto after = Load()->generation();
  Write("milan/leaf.der", testing::GoodExhibit().leaf);
  Write("milan/same.pem",
        testing::PemOf(testing::GoodExhibit().root, "CERTIFICATE"));
  EXPECT_EQ(Load()->generation(), after);
}

}  // namespace
}  // namespace verifier
