// SPDX-License-Identifier: Apache-2.0
#include "verifier/server/watched_folder.h"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "verifier/testing/evidence_maker.h"

namespace verifier {
namespace {

namespace fs = std::filesystem;
using testing::Revoked;

class WatchedFolderTest : public ::testing::Test {
 protected:
  WatchedFolderTest() {
    std::string folder = ::testing::TempDir() + "/certificates-XXXXXX";
    if (mkdtemp(folder.data()) == nullptr) abort();
    folder_ = folder;
  }
  void Write(const std::string& name, const std::vector<uint8_t>& bytes) {
    std::ofstream(fs::path(folder_) / name, std::ios::binary)
        << std::string(bytes.begin(), bytes.end());
  }
  absl::StatusOr<WatchedFolder> Open(int interval_ms = 0) {
    return WatchedFolder::Open(
        folder_, std::chrono::milliseconds(interval_ms),
        [this](std::string_view line) { lines_.emplace_back(line); });
  }
  std::string LastLine() const { return lines_.empty() ? "" : lines_.back(); }

  std::string folder_;
  std::vector<std::string> lines_;
};

TEST_F(WatchedFolderTest, AnUnreadableOneDoesNotOpen) {
  folder_ += "/none";
  const auto none = Open();
  ASSERT_FALSE(none.ok());
  EXPECT_TRUE(absl::StartsWith(none.status().message(), "VS19 "))
      << none.status();
}

TEST_F(WatchedFolderTest, OneBadFileDoesNotOpen) {
  Write("crl.der", testing::MakeCrl(1, Revoked::kNothing));
  Write("bad.der", {1, 2, 3});
  const auto bad = Open();
  ASSERT_FALSE(bad.ok());
  EXPECT_TRUE(absl::StrContains(bad.status().message(), "bad.der"))
      << bad.status();
}

TEST_F(WatchedFolderTest, ReplacesWhatChanged) {
  Write("ask.der", testing::GoodCertificates().ask);
  Write("crl.der", testing::MakeCrl(1, Revoked::kNothing));
  auto folder = Open();
  ASSERT_TRUE(folder.ok()) << folder.status();
  EXPECT_TRUE(absl::StrContains(LastLine(), "1 certificates, 1 revocation"))
      << LastLine();
  const auto first = folder->Current();
  EXPECT_EQ(folder->Current(), first);
  Write("crl.der", testing::MakeCrl(2, Revoked::kAsk));
  const auto second = folder->Current();
  ASSERT_NE(second, first);
  EXPECT_EQ(second->lists().at(0).list->crl.number(), 2u);
  // Who has the old set keeps it.
  EXPECT_EQ(first->lists().at(0).list->crl.number(), 1u);
  EXPECT_EQ(lines_.size(), 2u);
}

TEST_F(WatchedFolderTest, KeepsTheOldOnesWhenTheNewAreBad) {
  Write("crl.der", testing::MakeCrl(1, Revoked::kNothing));
  auto folder = Open();
  ASSERT_TRUE(folder.ok()) << folder.status();
  const auto good = folder->Current();
  Write("bad.pem", {1, 2, 3});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(folder->Current(), good);
  EXPECT_EQ(lines_.size(), 2u);
  EXPECT_TRUE(absl::StrContains(LastLine(), "VS19 ")) << LastLine();
  EXPECT_TRUE(absl::StrContains(LastLine(), "bad.pem")) << LastLine();
  fs::remove(fs::path(folder_) / "bad.pem");
  fs::remove(fs::path(folder_) / "crl.der");
  EXPECT_EQ(folder->Current(), good);
  EXPECT_TRUE(absl::StrContains(LastLine(), "nothing is left")) << LastLine();
  fs::remove(folder_);
  EXPECT_EQ(folder->Current(), good);
  EXPECT_EQ(lines_.size(), 4u);
  folder->ReadAgain();
  EXPECT_EQ(lines_.size(), 5u);
}

TEST_F(WatchedFolderTest, LooksNoMoreOftenThanTold) {
  auto folder = Open(/*interval_ms=*/3'600'000);
  ASSERT_TRUE(folder.ok()) << folder.status();
  Write("crl.der", testing::MakeCrl(1, Revoked::kNothing));
  EXPECT_TRUE(folder->Current()->lists().empty());
  folder->ReadAgain();
  EXPECT_EQ(folder->Current()->lists().size(), 1u);
}

}  // namespace
}  // namespace verifier
