// SPDX-License-Identifier: Apache-2.0
//
// Pages of an IGVM file without data, as loaders launch them.
#include <algorithm>
#include <string>
#include <string_view>

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"
#include "launch/igvm/igvm.h"
#include "launch/igvm/sample_file.h"
#include "launch/igvm_plan.h"
#include "launch/launch_plan.h"
#include "launch/measure.h"
#include "launch/vmsa.h"
#include "sev/page_info.h"
#include "sev/vmsa.h"

namespace launch {
namespace {

using igvm::HeaderType;
using sev::PageType;

constexpr uint32_t kSnp = igvm::SampleFile::kSnp;

struct Foreign {
  igvm::SampleFile sample;

  Foreign() {
    sample.file.headers.clear();
    sample.Add(
        HeaderType::kSupportedPlatform,
        igvm::SupportedPlatform{.compatibility_mask = kSnp,
                                .platform_type = igvm::PlatformType::kSevSnp});
  }
  void Page(const igvm::PageData& page) {
    sample.Add(HeaderType::kPageData, page);
  }
  void Empty(uint64_t gpa, uint32_t flags = 0) {
    Page({.gpa = gpa, .compatibility_mask = kSnp, .flags = flags});
  }
  void Context() {
    sample.Add(HeaderType::kVpContext,
               igvm::VpContext{.gpa = sev::kKvmVmsaGpa,
                               .compatibility_mask = kSnp,
                               .data = sample.vmsa});
  }
};

TEST(ZeroPages, AreOfTheTypeThatTheLoaderHas) {
  Foreign file;
  file.Page(
      {.gpa = 0x1000, .compatibility_mask = kSnp, .data = file.sample.page});
  file.Empty(0x2000);
  file.Empty(0x200000, igvm::kPageIsLarge);
  file.Empty(0x3000, igvm::kPageUnmeasured);
  file.Context();
  const auto plan =
      PlanOfIgvm(file.sample.file, Loader::kInOrder, ZeroPages::kNative);
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_EQ(plan->pages.size(), 516u);
  EXPECT_EQ(plan->pages[0].type, PageType::kNormal);
  EXPECT_EQ(plan->pages[1].type, PageType::kZero);
  EXPECT_TRUE(plan->pages[1].contents.empty());
  EXPECT_EQ(plan->pages[2].type, PageType::kZero);
  EXPECT_EQ(plan->pages[513].type, PageType::kZero);
  EXPECT_EQ(plan->pages[514].type, PageType::kUnmeasured);
  EXPECT_EQ(plan->pages[515].type, PageType::kVmsa);
  const auto normal = PlanOfIgvm(file.sample.file, Loader::kInOrder);
  ASSERT_TRUE(normal.ok());
  EXPECT_EQ(normal->pages[1].type, PageType::kNormal);
  EXPECT_EQ(normal->pages[1].contents.size(), sev::kMeasuredPageSize);
}

// The end of what buildigvm (1fd552b) makes of OVMF.fd, Debian 12's ovmf
// 2022.11-6+deb12u2: all that comes behind the 512 pages of firmware.
void AddTail(Foreign& file) {
  std::ranges::copy(ResetVectorVmsa({}), file.sample.vmsa.begin());
  for (const size_t limit : {0x64, 0x84}) {  // of GDTR and IDTR
    std::fill_n(file.sample.vmsa.begin() + limit, 4, 0);
  }
  file.Page({.gpa = 0x80d000,
             .compatibility_mask = kSnp,
             .data_type = igvm::PageDataType::kSecrets});
  file.Empty(0);
  file.Page({.gpa = 0x80e000,
             .compatibility_mask = kSnp,
             .data_type = igvm::PageDataType::kCpuid});
  for (uint64_t page = 0x800; page < 0x809; ++page) file.Empty(page << 12);
  for (uint64_t page = 0x80a; page < 0x80d; ++page) file.Empty(page << 12);
  for (uint64_t page = 0x80f; page < 0x820; ++page) file.Empty(page << 12);
  file.Context();
}

std::string DigestBehindTheFirmware(const LaunchPlan& plan) {
  std::string firmware;
  EXPECT_TRUE(absl::HexStringToBytes(
      "ba2c811512ef868474f239a21f7d7057d65a20de87a003c4f116e4fb1573183b"
      "fbcd75c3e99b2f558575a5d0094f73c6",
      &firmware));
  sev::LaunchDigest digest;
  std::ranges::copy(firmware, digest.begin());
  LaunchMeasurement measurement(digest);
  for (const MeasuredPage& page : MeasurePages(plan)) {
    measurement.AddPage(page.type, page.gpa, page.contents);
  }
  digest = measurement.digest();
  const std::string bytes(digest.begin(), digest.end());
  return absl::BytesToHexString(bytes);
}

// The digests are those of COCONUT-SVSM's igvmmeasure of the whole file.
TEST(ZeroPages, DigestIsThatOfIgvmmeasure) {
  Foreign file;
  AddTail(file);
  const auto normal =
      PlanOfIgvm(file.sample.file, Loader::kInOrder, ZeroPages::kNormal);
  ASSERT_TRUE(normal.ok()) << normal.status();
  EXPECT_EQ(DigestBehindTheFirmware(*normal),
            "782e0f4becdb941fba9842c6c94a8ecf307237681a09daa0dd354de9cebad0c5"
            "4b8cc7d5933bcc4cc798f46982b940f4");
  const auto native =  // igvmmeasure --native-zero
      PlanOfIgvm(file.sample.file, Loader::kInOrder, ZeroPages::kNative);
  ASSERT_TRUE(native.ok()) << native.status();
  EXPECT_EQ(DigestBehindTheFirmware(*native),
            "8d097dab0c14bae3517fe6166f925d252dd2d4d71240abb6a640f8cc1af527cc"
            "69044fb3059a0dcb8c45adc279e96532");
}

}  // namespace
}  // namespace launch
