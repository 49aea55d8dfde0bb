// SPDX-License-Identifier: Apache-2.0
#include "host-proxy/certificates.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "proto/channel.h"

namespace host_proxy {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kTcb = 0x5100000004010A01;
constexpr char kOther[] = "vlek-cc.example.com-5100000003010a01.certs";
constexpr char kVlek[] = "vlek-cc.example.com-5100000004010a01.certs";

class CertificatesTest : public ::testing::Test {
 protected:
  CertificatesTest() {
    std::string folder = ::testing::TempDir() + "/certificates-XXXXXX";
    if (mkdtemp(folder.data()) == nullptr) abort();
    folder_ = folder;
    // As a report of a Turin has it: 8 bytes, then zeros.
    for (size_t i = 0; i < 8; ++i) chip_id_[i] = static_cast<uint8_t>(0xA1 + i);
  }
  ~CertificatesTest() override { fs::remove_all(folder_); }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::trunc) << text;
  }
  absl::StatusOr<CertificateFile> Load() const {
    return LoadCertificates(folder_, chip_id_, kTcb);
  }
  // What the guest gets; or why it gets nothing.
  std::string Sent() const {
    const auto file = Load();
    if (!file.ok()) return std::string(file.status().message());
    return {file->bytes.begin(), file->bytes.end()};
  }
  void ExpectRefused(absl::StatusCode code, std::string_view why) const {
    const auto file = Load();
    EXPECT_EQ(file.status().code(), code) << file.status();
    EXPECT_TRUE(file.status().message().starts_with("HP6 ")) << file.status();
    EXPECT_TRUE(absl::StrContains(file.status().message(), why))
        << file.status();
  }

  fs::path folder_;
  std::array<uint8_t, proto::channel::kChipIdSize> chip_id_{};
  const std::string vcek_ = "vcek-a1a2a3a4a5a6a7a8" + std::string(112, '0') +
                            "-5100000004010a01.certs";
};

TEST_F(CertificatesTest, TheFileOfThisChipAndTcbAsItIs) {
  Write("vcek-a1a2a3a4a5a6a7a8-5100000004010a01.certs", "the hardware id");
  Write("vcek-A1A2A3A4A5A6A7A8" + std::string(112, '0') +
            "-5100000004010A01.certs",
        "capitals");
  EXPECT_TRUE(absl::StrContains(Sent(), "HP6 ")) << Sent();
  const std::string bytes("no table\0\xFF", 10);
  Write(vcek_, bytes);
  EXPECT_EQ(Sent(), bytes);
  EXPECT_EQ(Load()->note, "");
}

TEST_F(CertificatesTest, IsLookedForAtEachRequest) {
  Write(vcek_, "first");
  EXPECT_EQ(Sent(), "first");
  Write("new", "second");
  fs::rename(folder_ / "new", folder_ / vcek_);
  EXPECT_EQ(Sent(), "second");
  fs::remove(folder_ / vcek_);
  ExpectRefused(absl::StatusCode::kNotFound, vcek_);
}

TEST_F(CertificatesTest, SaysWhatIsMissingAndWhatToRun) {
  const std::string run =
      "; `forelock roots prepare --to " + folder_.string() + " DIR` makes it";
  ExpectRefused(absl::StatusCode::kNotFound, "/" + vcek_);
  ExpectRefused(absl::StatusCode::kNotFound, run);
  EXPECT_FALSE(absl::StrContains(Sent(), "files of their own")) << Sent();
  // What was read from such a folder before there were tables.
  Write("ask.der", "ASK");
  ExpectRefused(absl::StatusCode::kNotFound,
                "certificates in files of their own are not sent; run "
                "`forelock roots prepare " +
                    folder_.string() + "`");
  fs::remove_all(folder_);
  ExpectRefused(absl::StatusCode::kNotFound, run);
}

TEST_F(CertificatesTest, AVlekOfThisTcbComesFirst) {
  Write(vcek_, "vcek");
  for (const char* name :
       {kOther, "vlek-cc.example.com-5100000004010a01.der",
        "vlek-cc.example.com-5100000004010a01.certs.Ab3dEf"}) {
    Write(name, "none of this TCB's tables");
  }
  EXPECT_EQ(Sent(), "vcek");
  Write(kVlek, "vlek");
  EXPECT_EQ(Sent(), "vlek");
  EXPECT_EQ(Load()->note, "");
  chip_id_ = {};  // Masked; a VLEK is of no chip.
  EXPECT_EQ(Sent(), "vlek");
  // If it cannot be used the VCEK is no better: it did not sign.
  Write(kVlek, "");
  ExpectRefused(absl::StatusCode::kInvalidArgument,
                std::string(kVlek) + ": empty");
}

TEST_F(CertificatesTest, OfSeveralVleksTheFirstByName) {
  for (const char* csp : {"b", "a\n", "c"}) {
    Write("vlek-" + std::string(csp) + "-5100000004010a01.certs", csp);
  }
  EXPECT_EQ(Sent(), "a\n");
  EXPECT_EQ(Load()->note, folder_.string() +
                              ": 3 VLEKs of this TCB; sends "
                              "vlek-a\\x0a-5100000004010a01.certs");
}

TEST_F(CertificatesTest, NoMoreThanATableHolds) {
  const std::string most(proto::channel::kMaxCertificateTable, 'c');
  Write(vcek_, most);
  EXPECT_EQ(Sent(), most);
  Write(vcek_, most + "c");
  ExpectRefused(absl::StatusCode::kOutOfRange, "longer than 12288 bytes");
  Write(vcek_, "");
  ExpectRefused(absl::StatusCode::kInvalidArgument, vcek_ + ": empty");
}

TEST_F(CertificatesTest, OnlyARegularFileAndNothingIsWaitedFor) {
  ASSERT_EQ(mkfifo((folder_ / vcek_).c_str(), 0600), 0);
  ExpectRefused(absl::StatusCode::kFailedPrecondition, "is no regular file");
  fs::remove(folder_ / vcek_);
  fs::create_directory(folder_ / vcek_);
  ExpectRefused(absl::StatusCode::kFailedPrecondition, "is no regular file");
  fs::remove(folder_ / vcek_);
  fs::create_symlink("gone", folder_ / vcek_);
  ExpectRefused(absl::StatusCode::kNotFound, vcek_);
  // A folder of links, as orchestrators mount them.
  Write("gone", "here");
  EXPECT_EQ(Sent(), "here");
}

}  // namespace
}  // namespace host_proxy
