// SPDX-License-Identifier: Apache-2.0
#include "host-proxy/certificates.h"

#include <stdlib.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "proto/channel.h"
#include "sev/cert_table.h"

namespace host_proxy {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kTcb = 0x5100000004010101;
constexpr char kTcbName[] = "5100000004010101";

class CertificatesTest : public ::testing::Test {
 protected:
  CertificatesTest() {
    std::string folder = ::testing::TempDir() + "/certificates-XXXXXX";
    if (mkdtemp(folder.data()) == nullptr) abort();
    folder_ = folder;
    // As a report of a Turin has it: 8 bytes, then zeros.
    for (size_t i = 0; i < 8; ++i) chip_id_[i] = static_cast<uint8_t>(i + 1);
    vcek_name_ = "vcek-0102030405060708" + std::string(112, '0') + "-" +
                 kTcbName + ".der";
  }
  void Write(const std::string& name, const std::string& text) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << text;
  }
  // What the guest gets: "vcek vlek ask ark crl", each as text.
  std::vector<std::string> Load() {
    const auto table = LoadCertificateTable(folder_, chip_id_, kTcb);
    if (!table.ok()) return {std::string(table.status().message())};
    const auto parsed = sev::ParseCertTable(*table);
    if (!parsed.ok()) return {"does not parse"};
    const auto text = [](base::Bytes bytes) {
      return std::string(bytes.begin(), bytes.end());
    };
    return {text(parsed->vcek), text(parsed->vlek), text(parsed->ask),
            text(parsed->ark), text(parsed->crl)};
  }
  using Texts = std::vector<std::string>;

  fs::path folder_;
  std::array<uint8_t, proto::channel::kChipIdSize> chip_id_{};
  std::string vcek_name_;
};

TEST_F(CertificatesTest, VcekOfThisChipAndFirmware) {
  Write("vcek-0102030405060708-5100000004010101.der", "short name");
  EXPECT_NE(Load().at(0).find("HP6"), std::string::npos);
  Write(vcek_name_, "vcek");
  EXPECT_EQ(Load(), (Texts{"vcek", "", "", "", ""}));
  Write("ask.der", "ask");
  Write("asvk.der", "asvk");
  Write("ark.der", "ark");
  Write("crl.der", "crl");
  EXPECT_EQ(Load(), (Texts{"vcek", "", "ask", "ark", "crl"}));
}

TEST_F(CertificatesTest, VlekWhereThereIsOneOfThisFirmware) {
  Write(vcek_name_, "vcek");
  Write("ask.der", "ask");
  Write("asvk.der", "asvk");
  Write("ark.der", "ark");
  Write("vlek-cc.example.com-5100000003010101.der", "older");
  EXPECT_EQ(Load(), (Texts{"vcek", "", "ask", "ark", ""}));
  Write("vlek-cc.example.com-5100000004010101.der", "vlek");
  EXPECT_EQ(Load(), (Texts{"", "vlek", "asvk", "ark", ""}));
  chip_id_ = {};  // Masked; a VLEK is of no chip.
  EXPECT_EQ(Load(), (Texts{"", "vlek", "asvk", "ark", ""}));
}

TEST_F(CertificatesTest, FoldersOfProducts) {
  Write(vcek_name_, "vcek");
  Write("turin/ask.der", "ask");
  Write("turin/ark.der", "ark");
  Write("turin/crl.der", "crl");
  EXPECT_EQ(Load(), (Texts{"vcek", "", "ask", "ark", "crl"}));
  Write("genoa/ark.der", "another");
  EXPECT_EQ(Load(), (Texts{"vcek", "", "", "", ""}));
}

TEST_F(CertificatesTest, NoMoreThanATableHolds) {
  Write(vcek_name_, "vcek");
  Write("ark.der", std::string(7000, 'a'));
  EXPECT_EQ(Load().size(), 5u);
  Write("crl.der", std::string(7000, 'c'));
  EXPECT_NE(Load().at(0).find("larger than 12 KiB"), std::string::npos);
  Write("crl.der", std::string(13000, 'c'));
  EXPECT_NE(Load().at(0).find("longer than 12288 bytes"), std::string::npos);
  Write("crl.der", "");
  EXPECT_NE(Load().at(0).find("empty"), std::string::npos);
}

}  // namespace
}  // namespace host_proxy
