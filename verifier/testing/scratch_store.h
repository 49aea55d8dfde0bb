// SPDX-License-Identifier: Apache-2.0
//
// A store in a folder of its own under TEST_TMPDIR, with the demo's root,
// policy and secret; and a way to tamper with its database.
#pragma once

#include <sqlite3.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "verifier/ossl/ossl.h"
#include "verifier/store/store.h"
#include "verifier/testing/evidence_maker.h"

namespace verifier::testing {

inline constexpr std::string_view kSecretPath = "demo/vm1/root";
inline constexpr std::string_view kSecretText =
    "a disk key of 32 bytes, or so...";

inline SecretValue DiskSecret(std::string_view key = kSecretText) {
  SecretValue value;
  value.kind = SecretKind::kLuks2;
  value.bytes =
      *base::SecretBuffer<kMaxSecretBytes>::CopyFrom(ossl::AsBytes(key));
  value.header_length = 294912;
  value.header_sha256.fill(0x5A);
  return value;
}

class ScratchStore {
 public:
  ScratchStore() {
    std::string folder = ::testing::TempDir() + "/store-XXXXXX";
    if (mkdtemp(folder.data()) == nullptr) abort();
    folder_ = folder + "/state";
    auto store = Store::Create(folder_);
    EXPECT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
    EXPECT_TRUE(store_->AddRoot(TestRoot()).ok());
    const auto policy =
        store_->PutPolicy(GoodPolicy(), "policy.toml", Store::Put::kNew);
    EXPECT_TRUE(policy.ok()) << policy.status();
    const auto secret =
        store_->AddSecret(kSecretPath, TrustClass::kEmulated, DiskSecret());
    EXPECT_TRUE(secret.ok()) << secret.status();
  }

  Store& operator*() { return *store_; }
  Store* operator->() { return store_.get(); }
  std::unique_ptr<Store> Take() { return std::move(store_); }
  const std::string& folder() const { return folder_; }

  // What somebody with the database file can do.
  void Tamper(const std::string& sql) const {
    sqlite3* database = nullptr;
    ASSERT_EQ(
        sqlite3_open(absl::StrCat(folder_, "/verifier.db").c_str(), &database),
        SQLITE_OK);
    char* message = nullptr;
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &message),
              SQLITE_OK)
        << message;
    sqlite3_close(database);
  }

 private:
  std::string folder_;
  std::unique_ptr<Store> store_;
};

}  // namespace verifier::testing
