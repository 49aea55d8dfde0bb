// SPDX-License-Identifier: Apache-2.0
//
// The store by itself; what tampering does to a decision is in
// verifier/session/refusal_test.cc.
#include "verifier/store/store.h"
#include "verifier/endorsements/amd_roots.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "verifier/evidence/evidence.h"
#include "verifier/ossl/ossl.h"
#include "verifier/store/database.h"
#include "verifier/store/key_ring.h"
#include "verifier/testing/evidence_maker.h"
#include "verifier/testing/scratch_store.h"

namespace verifier {
namespace {

using testing::DiskSecret;
using testing::GoodPolicy;
using testing::ScratchStore;

std::string Message(const absl::Status& status) {
  return std::string(status.message());
}

TEST(Store, FilesAreForTheirOwnerAlone) {
  ScratchStore store;
  for (const char* name : {"", "/master.key", "/verifier.db"}) {
    struct stat about;
    ASSERT_EQ(stat((store.folder() + name).c_str(), &about), 0) << name;
    EXPECT_EQ(about.st_mode & 077, 0u) << name;
  }
  EXPECT_FALSE(Store::Create(store.folder()).ok());
}

TEST(Store, ReadableMasterKeyIsRefused) {
  ScratchStore store;
  chmod((store.folder() + "/master.key").c_str(), 0644);
  EXPECT_NE(Message(Store::Open(store.folder()).status()).find("VS4"),
            std::string::npos);
}

TEST(Store, AnotherMasterKeyIsRefused) {
  ScratchStore store;
  const std::string path = store.folder() + "/master.key";
  std::ofstream(path, std::ios::binary) << std::string(32, 'x');
  EXPECT_NE(Message(Store::Open(store.folder()).status()).find("VS4"),
            std::string::npos);
  std::ofstream(path, std::ios::binary) << std::string(31, 'x');
  EXPECT_FALSE(Store::Open(store.folder()).ok());
}

TEST(Store, NoSecretIsInAnyFile) {
  ScratchStore store;
  for (const auto& entry :
       std::filesystem::directory_iterator(store.folder())) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    EXPECT_EQ(bytes.find(testing::kSecretText), std::string::npos)
        << entry.path();
  }
}

TEST(Store, SecondPolicyForAPathIsRefusedNamingBoth) {
  ScratchStore store;
  const std::string other = absl::StrReplaceAll(
      GoodPolicy(), {{"\"demo\"", "\"other\""}, {"demo/vm1/*", "demo/*/root"}});
  const auto refused = store->PutPolicy(other, "other", Store::Put::kNew);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(Message(refused.status()).find("VP7"), std::string::npos);
  EXPECT_NE(Message(refused.status()).find("other and demo"),
            std::string::npos);
  EXPECT_EQ(store->Policies()->size(), 1u);
}

TEST(Store, ReplacedPolicyKeepsItsSecrets) {
  ScratchStore store;
  EXPECT_EQ(
      store->PutPolicy(GoodPolicy(), "p", Store::Put::kNew).status().code(),
      absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(store->PutPolicy(GoodPolicy(), "p", Store::Put::kReplace).ok());
  const std::string elsewhere =
      absl::StrReplaceAll(GoodPolicy(), {{"demo/vm1/*", "demo/vm2/*"}});
  EXPECT_NE(
      Message(store->PutPolicy(elsewhere, "p", Store::Put::kReplace).status())
          .find("VS11"),
      std::string::npos);
  EXPECT_FALSE(store->RemovePolicy("demo").ok());
  EXPECT_TRUE(store->RemoveSecret(testing::kSecretPath).ok());
  EXPECT_TRUE(store->RemovePolicy("demo").ok());
  EXPECT_FALSE(store->RemovePolicy("demo").ok());
}

TEST(Store, SecretMayComeBeforeItsPolicy) {
  ScratchStore store;
  ASSERT_TRUE(store->RemoveSecret(testing::kSecretPath).ok());
  ASSERT_TRUE(store->RemovePolicy("demo").ok());
  ASSERT_TRUE(
      store
          ->AddSecret(testing::kSecretPath, TrustClass::kEmulated, DiskSecret())
          .ok());
  const std::vector<std::string> paths = {std::string(testing::kSecretPath)};
  auto snapshot = store->TakeSnapshot("demo/vm1", paths);
  ASSERT_TRUE(snapshot.ok());
  EXPECT_TRUE(snapshot->paths[0].policy.empty());
  ASSERT_TRUE(store->PutPolicy(GoodPolicy(), "p", Store::Put::kNew).ok());
  snapshot = store->TakeSnapshot("demo/vm1", paths);
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_EQ(snapshot->paths[0].policy, "demo");
}

// As an older program left it: it can be listed, grants nothing, and gives way.
TEST(Store, PolicyOfVersionOneCanBeReplaced) {
  ScratchStore store;
  const std::string old = absl::StrReplaceAll(
      GoodPolicy(), {{"version = 2", "version = 1"}, {"products", "#"}});
  const auto keys = KeyRing::Load(store.folder() + "/master.key");
  ASSERT_TRUE(keys.ok()) << keys.status();
  Fields fields("forelock policy v1");
  fields.Add("demo").Add(old);
  store.Tamper(absl::StrCat("UPDATE policies SET text = '", old, "', mac = x'",
                            ossl::Hex(keys->RowMac(fields)), "'"));
  const auto policies = store->Policies();
  ASSERT_TRUE(policies.ok()) << policies.status();
  ASSERT_EQ(policies->size(), 1u);
  EXPECT_TRUE((*policies)[0].outdated);
  EXPECT_TRUE((*policies)[0].emulated());
  const auto put = store->PutPolicy(GoodPolicy(), "p", Store::Put::kReplace);
  ASSERT_TRUE(put.ok()) << put.status();
  const auto snapshot =
      store->TakeSnapshot("demo/vm1", {std::string(testing::kSecretPath)});
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  EXPECT_EQ(snapshot->paths[0].policy, "demo");
  EXPECT_FALSE(snapshot->policies.at("demo").outdated);
}

TEST(Store, ASecretNeverChangesClass) {
  ScratchStore store;
  // Of another class than its policy's roots.
  EXPECT_NE(
      Message(
          store->AddSecret("demo/vm1/two", TrustClass::kHardware, DiskSecret())
              .status())
          .find("VP18"),
      std::string::npos);
  const auto replaced =
      store->ReplaceSecret(testing::kSecretPath, DiskSecret("new"));
  ASSERT_TRUE(replaced.ok());
  EXPECT_EQ(replaced->trust_class, TrustClass::kEmulated);
  EXPECT_EQ(replaced->version, 2);
  EXPECT_EQ(
      store
          ->AddSecret(testing::kSecretPath, TrustClass::kEmulated, DiskSecret())
          .status()
          .code(),
      absl::StatusCode::kAlreadyExists);
}

// The session has checked it before; here it is what gives secrets away.
TEST(Store, ASecretOpensForEvidenceOfItsClassOnly) {
  ScratchStore store;
  const std::vector<uint8_t> report_data(64, 0x42);
  const testing::ReportBytes report = testing::MakeReport(report_data);
  const std::vector<uint8_t> table =
      testing::PackTable(testing::GoodCertificates());
  const std::vector<AcceptedRoot> roots = {testing::TestRoot()};
  EvidenceInput input{.report = report,
                      .certificates = table,
                      .roots = roots,
                      .now = 1'800'000'000};  // January 2027
  input.report_data.fill(0x42);
  const EvidenceResult evidence = VerifyEvidence(input);
  ASSERT_TRUE(evidence.verified.has_value());

  const auto emulated =
      store->AddSecret("other/emulated", TrustClass::kEmulated, DiskSecret());
  const auto hardware =
      store->AddSecret("other/hardware", TrustClass::kHardware, DiskSecret());
  ASSERT_TRUE(emulated.ok() && hardware.ok());
  EXPECT_TRUE(store->OpenSecret(*evidence.verified, *emulated).ok());
  EXPECT_EQ(store->OpenSecret(*evidence.verified, *hardware).status().code(),
            absl::StatusCode::kPermissionDenied);
}

TEST(Store, SecretsHaveNamesAndBytes) {
  ScratchStore store;
  for (const char* path : {"", "/a", "A", "demo//x", "demo/*"}) {
    EXPECT_FALSE(
        store->AddSecret(path, TrustClass::kEmulated, DiskSecret()).ok())
        << path;
  }
  EXPECT_FALSE(
      store->AddSecret("demo/vm1/e", TrustClass::kEmulated, DiskSecret(""))
          .ok());
}

TEST(Store, ReadTransactionSeesOneMoment) {
  ScratchStore store;
  const std::string path = store.folder() + "/verifier.db";
  auto reader = Database::Open(path, Database::Mode::kOpen);
  ASSERT_TRUE(reader.ok()) << reader.status();
  const auto policies = [&] {
    auto statement = reader->Prepare("SELECT count(*) FROM policies");
    EXPECT_TRUE(*statement.Step());
    return statement.Int(0);
  };
  {
    const ReadTransaction one_moment(*reader);
    ASSERT_TRUE(one_moment.status().ok());
    EXPECT_EQ(policies(), 1);
    // The writer does not wait for the reader.
    ASSERT_TRUE(store->RemoveSecret(testing::kSecretPath).ok());
    ASSERT_TRUE(store->RemovePolicy("demo").ok());
    EXPECT_EQ(policies(), 1);
  }
  EXPECT_EQ(policies(), 0);
}

TEST(Store, OnlyAmdsRootsAreHardware) {
  ScratchStore store;
  AcceptedRoot root = testing::TestRoot();
  root.trust_class = TrustClass::kHardware;
  EXPECT_FALSE(store->AddRoot(root).ok());
  EXPECT_FALSE(store
                   ->AddRoot({.sha256 = AmdRoots()[0].sha256,
                              .trust_class = TrustClass::kEmulated})
                   .ok());
  EXPECT_EQ(store->Roots()->size(), 4u);
}

}  // namespace
}  // namespace verifier
