// SPDX-License-Identifier: Apache-2.0
#include "svsm/platform/platform_check.h"

#include "base/result.h"
#include "gtest/gtest.h"
#include "proto/config.h"
#include "svsm/platform/snp/reasons.h"
#include "svsm/reasons.h"

namespace svsm {
namespace {

base::Reason Check(proto::Platform configured, uint64_t sev_status) {
  return CheckPlatform(configured, EntryPoint::kPvh, sev_status).reason();
}

TEST(PlatformCheckTest, PvhIsTheEmulatedEntry) {
  EXPECT_EQ(Check(proto::Platform::kSnp, 0), kPvhIsEmulated);
  EXPECT_EQ(Check(proto::Platform::kSnp, 7), kPvhIsEmulated);
  EXPECT_EQ(Check(proto::Platform::kEmulated, 0), base::Reason());
}

TEST(PlatformCheckTest, EmulatedWantsNoSevAtAll) {
  for (int bit = 0; bit < 64; ++bit) {
    EXPECT_EQ(Check(proto::Platform::kEmulated, uint64_t{1} << bit),
              kPlatformIsSnp);
  }
}

TEST(PlatformCheckTest, SnpWantsItsEntryAndTheCpusWord) {
  constexpr uint64_t kActive = 7;
  const auto check = [](proto::Platform configured, uint64_t sev_status) {
    return CheckPlatform(configured, EntryPoint::kSnp, sev_status).reason();
  };
  EXPECT_EQ(check(proto::Platform::kSnp, kActive), base::Reason());
  EXPECT_EQ(check(proto::Platform::kSnp, kActive | 1 << 11), base::Reason());
  for (uint64_t status = 0; status < kActive; ++status) {
    EXPECT_EQ(check(proto::Platform::kSnp, status), kSnpNotActive);
  }
  // Started from an IGVM file, it is emulated by nothing, whatever the CPU.
  EXPECT_EQ(check(proto::Platform::kEmulated, kActive), kPlatformIsSnp);
  EXPECT_EQ(check(proto::Platform::kEmulated, 0), kPlatformIsSnp);
}

}  // namespace
}  // namespace svsm
