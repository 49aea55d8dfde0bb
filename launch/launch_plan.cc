// SPDX-License-Identifier: Apache-2.0
#include "launch/launch_plan.h"

#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "openssl/sha.h"
#include "sev/vmsa.h"

namespace launch {
namespace {

sev::LaunchDigest Hash(base::Bytes bytes) {
  sev::LaunchDigest digest;
  SHA384(bytes.data(), bytes.size(), digest.data());
  return digest;
}

// Of a VMSA as the firmware measures it.
sev::LaunchDigest HashPage(const PlanPage& page) {
  if (page.type != sev::PageType::kVmsa ||
      page.contents.size() != sev::kVmsaSize) {
    return Hash(page.contents);
  }
  std::vector<uint8_t> vmsa = page.contents;
  using sev::vmsa_layout::GuestTscOffset, sev::vmsa_layout::GuestTscScale;
  static_assert(GuestTscScale::kEnd == GuestTscOffset::kOffset);
  std::fill(vmsa.begin() + GuestTscScale::kOffset,
            vmsa.begin() + GuestTscOffset::kEnd, uint8_t{0});
  return Hash(vmsa);
}

}  // namespace

std::vector<MeasuredPage> MeasurePages(const LaunchPlan& plan) {
  LaunchMeasurement measurement;
  std::vector<MeasuredPage> measured;
  measured.reserve(plan.pages.size());
  for (const PlanPage& page : plan.pages) {
    MeasuredPage row = {.gpa = page.gpa, .type = page.type};
    if (sev::IsHashed(page.type)) row.contents = HashPage(page);
    measurement.AddPage(row.type, row.gpa, row.contents);
    row.digest = measurement.digest();
    measured.push_back(row);
  }
  return measured;
}

std::optional<uint64_t> PageTwice(const LaunchPlan& plan) {
  std::vector<uint64_t> places = plan.shared_pages;
  for (const PlanPage& page : plan.pages) places.push_back(page.gpa);
  std::ranges::sort(places);
  const auto twice = std::ranges::adjacent_find(places);
  if (twice == places.end()) return std::nullopt;
  return *twice;
}

sev::LaunchDigest MeasurePlan(const LaunchPlan& plan) {
  const auto pages = MeasurePages(plan);
  return pages.empty() ? sev::LaunchDigest{} : pages.back().digest;
}

}  // namespace launch
