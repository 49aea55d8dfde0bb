// SPDX-License-Identifier: Apache-2.0
#include "launch/measure.h"

#include <string.h>

#include <algorithm>
#include <array>

#include "openssl/sha.h"

namespace launch {

void LaunchMeasurement::AddPage(sev::PageType type, uint64_t gpa,
                                const sev::LaunchDigest& contents) {
  const auto info = sev::MakePageInfo(digest_, type, contents, gpa);
  SHA384(info.data(), info.size(), digest_.data());
}

void LaunchMeasurement::AddNormalPage(uint64_t gpa, base::Bytes content) {
  std::array<uint8_t, sev::kMeasuredPageSize> page{};
  std::copy(content.begin(), content.end(), page.begin());
  sev::LaunchDigest content_digest;
  SHA384(page.data(), page.size(), content_digest.data());
  AddPage(sev::PageType::kNormal, gpa, content_digest);
}

sev::LaunchDigest MeasureEmulated(const Elf& elf) {
  LaunchMeasurement measurement;
  for (const Segment& segment : elf.segments()) {
    base::Bytes rest = segment.file_bytes;
    uint64_t gpa = segment.physical_address;
    while (!rest.empty()) {
      const size_t size = std::min(rest.size(), sev::kMeasuredPageSize);
      measurement.AddNormalPage(gpa, rest.first(size));
      rest = rest.subspan(size);
      gpa += sev::kMeasuredPageSize;
    }
  }
  return measurement.digest();
}

absl::StatusOr<sev::LaunchDigest> MeasureEmulatedImage(base::Bytes file) {
  const auto elf = Elf::Parse(file);
  if (!elf.ok()) return elf.status();
  return MeasureEmulated(*elf);
}

}  // namespace launch
