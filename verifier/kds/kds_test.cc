// SPDX-License-Identifier: Apache-2.0
#include "verifier/kds/kds.h"

#include <array>
#include <vector>

#include "gtest/gtest.h"
#include "hosted/status.h"
#include "verifier/finding.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

using std::chrono::seconds;

constexpr std::array<uint8_t, 64> kChip = {0x59, 0x79, 0x0f, 0xb1, 0xc3,
                                           0x9f, 0x35, 0xc1, 0xAA};

TEST(KdsPath, NamesChipAndEveryPartOfTheTcb) {
  EXPECT_EQ(VcekPath(sev::Product::kMilan, kChip, 0xDB18000000000104),
            "/vcek/v1/Milan/59790fb1c39f35c1aa" + std::string(110, '0') +
                "?blSPL=04&teeSPL=01&snpSPL=24&ucodeSPL=219");
  // Turin's hardware id has 8 bytes, and there is one part more.
  EXPECT_EQ(VcekPath(sev::Product::kTurin, kChip, 0x5100000004030201),
            "/vcek/v1/Turin/59790fb1c39f35c1"
            "?fmcSPL=01&blSPL=02&teeSPL=03&snpSPL=04&ucodeSPL=81");
  EXPECT_EQ(ChainPath(sev::Product::kGenoa, "vlek"),
            "/vlek/v1/Genoa/cert_chain");
  EXPECT_EQ(CrlPath(sev::Product::kGenoa), "/vcek/v1/Genoa/crl");
}

// A service that answers with these, one after the other.
struct Script {
  std::vector<HttpAnswer> answers;
  std::vector<std::string> urls;
  std::vector<seconds> waits;

  absl::Status Fetch() {
    const Kds kds(
        "https://kds.example",
        [this](const std::string& url) {
          urls.push_back(url);
          return answers.at(urls.size() - 1);
        },
        [this](seconds time) { waits.push_back(time); });
    return kds.Fetch("/vcek/v1/Milan/crl").status();
  }
};

TEST(Kds, SaysWhatTheStatusMeans) {
  const struct {
    long status;
    base::Reason reason;
  } rows[] = {{301, kKdsRedirect}, {302, kKdsRedirect}, {400, kKdsStatus},
              {403, kKdsStatus},   {404, kKdsNotFound}, {500, kKdsStatus},
              {204, kKdsStatus}};
  for (const auto& row : rows) {
    Script script{.answers = {{.status = row.status}}};
    const absl::Status status = script.Fetch();
    EXPECT_TRUE(hosted::Is(status, row.reason)) << row.status << ": " << status;
  }
  Script good{.answers = {{.status = 200}}};
  EXPECT_TRUE(good.Fetch().ok());
  EXPECT_EQ(good.urls[0], "https://kds.example/vcek/v1/Milan/crl");
}

TEST(Kds, WaitsAsAskedButNotForever) {
  Script patient{.answers = {{.status = 429, .retry_after = 2},
                             {.status = 429, .retry_after = 100'000},
                             {.status = 200}}};
  EXPECT_TRUE(patient.Fetch().ok());
  EXPECT_EQ(patient.waits, (std::vector{seconds(2), Kds::kMaxWait}));

  Script never{.answers = std::vector<HttpAnswer>(9, {.status = 429})};
  EXPECT_TRUE(hosted::Is(never.Fetch(), kKdsThrottled));
  EXPECT_EQ(never.urls.size(), size_t{Kds::kAttempts});
  EXPECT_EQ(never.waits.size(), size_t{Kds::kAttempts - 1});
}

}  // namespace
}  // namespace verifier
