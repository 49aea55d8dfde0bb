// SPDX-License-Identifier: Apache-2.0
#include "svsm/platform/snp/msr_protocol.h"

#include <stdint.h>

#include "base/result.h"
#include "gtest/gtest.h"
#include "sev/ghcb.h"
#include "svsm/platform/snp/fake_hypervisor.h"
#include "svsm/platform/snp/reasons.h"
#include "svsm/platform/snp/sev_status.h"

namespace svsm {
namespace {

using base::Reason;

constexpr unsigned kCbit = 51;
constexpr uint64_t kGpa = FakeHypervisor::kGhcbGpa;

TEST(SevStatusTest, NeedsAllThreeAndNothingUnknown) {
  constexpr uint64_t kOn = 7;
  EXPECT_TRUE(CheckSevStatus(kOn).ok());
  EXPECT_TRUE(
      CheckSevStatus(kOn | sev::kSevStatusSecureTsc | sev::kSevStatusDebugSwap)
          .ok());
  for (const uint64_t status : {0, 1, 2, 3, 4, 5, 6}) {
    EXPECT_EQ(CheckSevStatus(status).reason(), kSnpNotActive) << status;
  }
  for (int bit = 3; bit < 64; ++bit) {
    const bool known = bit == 7 || bit == 8 || bit == 9 || bit == 11;
    EXPECT_EQ(CheckSevStatus(kOn | uint64_t{1} << bit).reason(),
              known ? Reason() : kSnpFeatureUnknown)
        << bit;
  }
}

TEST(MsrProtocolTest, AnHonestHypervisor) {
  FakeHypervisor host;
  host.Launch({kGpa, kGpa + kPageSize});
  EXPECT_TRUE(NegotiateGhcb(host, kCbit).ok());
  EXPECT_TRUE(CheckHypervisorFeatures(host).ok());
  EXPECT_TRUE(ChangePageByMsr(host, kGpa, sev::PageOperation::kShared).ok());
  EXPECT_FALSE(host.rmp[kGpa].assigned);
  EXPECT_TRUE(RegisterGhcb(host, kGpa).ok());
  EXPECT_EQ(host.msr_requests,
            (std::vector<uint64_t>{
                0x002, 0x080, uint64_t{2} << 52 | kGpa | 0x014, kGpa | 0x012}));
}

TEST(MsrProtocolTest, Versions) {
  const auto with = [](uint16_t min, uint16_t max) {
    FakeHypervisor host;
    host.min_version = min;
    host.max_version = max;
    return NegotiateGhcb(host, kCbit).reason();
  };
  EXPECT_EQ(with(2, 2), Reason());
  EXPECT_EQ(with(1, 5), Reason());
  EXPECT_EQ(with(0, 1), kGhcbVersion);
  EXPECT_EQ(with(3, 9), kGhcbVersion);
  EXPECT_EQ(with(0, 0), kGhcbVersion);
  EXPECT_EQ(with(3, 2), kGhcbMsrAnswer);
}

TEST(MsrProtocolTest, AnotherCbitThanTheCpuidPages) {
  FakeHypervisor host;
  for (const unsigned named : {0u, 47u, 50u, 52u, 255u}) {
    host.c_bit = named;
    EXPECT_EQ(NegotiateGhcb(host, kCbit).reason(), kGhcbCbit) << named;
  }
}

TEST(MsrProtocolTest, NoSnpInTheFeatures) {
  FakeHypervisor host;
  host.features = ~sev::kFeatureSnp & 0xFF;
  EXPECT_EQ(CheckHypervisorFeatures(host).reason(), kGhcbFeatures);
}

// Each answer with another kind, none at all, or the request left as it was.
TEST(MsrProtocolTest, AnAnswerToAnotherQuestion) {
  for (uint64_t info = 0; info < 0x1000; ++info) {
    FakeHypervisor host;
    host.msr_lie = [info](uint64_t, uint64_t honest) {
      return (honest & ~sev::kGhcbInfoMask) | info;
    };
    if (info != 0x001) {
      EXPECT_EQ(NegotiateGhcb(host, kCbit).reason(), kGhcbMsrAnswer) << info;
    }
    if (info != 0x081) {
      EXPECT_EQ(CheckHypervisorFeatures(host).reason(), kGhcbMsrAnswer);
    }
    if (info != 0x013) {
      EXPECT_EQ(RegisterGhcb(host, kGpa).reason(), kGhcbMsrAnswer) << info;
    }
    if (info != 0x015) {
      EXPECT_EQ(
          ChangePageByMsr(host, kGpa, sev::PageOperation::kShared).reason(),
          kGhcbMsrAnswer);
    }
  }
}

TEST(MsrProtocolTest, AnotherPageRegistered) {
  FakeHypervisor host;
  for (const uint64_t flip :
       {uint64_t{0x1000}, uint64_t{1} << 51, ~uint64_t{0} << 12}) {
    host.msr_lie = [flip](uint64_t, uint64_t honest) { return honest ^ flip; };
    EXPECT_EQ(RegisterGhcb(host, kGpa).reason(), kGhcbRegistration);
  }
}

TEST(MsrProtocolTest, APageStateChangeRefusedOrGarbled) {
  FakeHypervisor host;
  for (int bit = 12; bit < 64; ++bit) {
    host.msr_lie = [bit](uint64_t, uint64_t honest) {
      return honest | uint64_t{1} << bit;
    };
    EXPECT_EQ(
        ChangePageByMsr(host, kGpa, sev::PageOperation::kPrivate).reason(),
        bit < 32 ? kGhcbMsrAnswer : kPageStateRefused)
        << bit;
  }
}

}  // namespace
}  // namespace svsm
