// SPDX-License-Identifier: Apache-2.0
//
// The launch digest of an image: what the secure processor will report.
//
// Spec: AMD 56860 rev. 1.58, SNP_LAUNCH_UPDATE, PAGE_INFO (sev/page_info.h).
// Emulated platform: the file bytes of the PT_LOAD segments in ascending
// address, in 4 KiB NORMAL pages, the last of each segment padded with zeros.
// The configuration is among them. SNP's digest has CPUID, secrets and VMSA
// pages besides, so an image has one digest a platform.
#pragma once

#include <stdint.h>

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "launch/elf.h"
#include "sev/page_info.h"

namespace launch {

// Extends a digest page by page.
class LaunchMeasurement {
 public:
  LaunchMeasurement() = default;
  // Goes on from a digest of earlier pages.
  explicit LaunchMeasurement(const sev::LaunchDigest& so_far)
      : digest_(so_far) {}

  // `contents` as sev::PageType says: the page's SHA-384, or zeros.
  void AddPage(sev::PageType type, uint64_t gpa,
               const sev::LaunchDigest& contents);
  // `content` is at most a page; what it lacks is zeros. `gpa` is page aligned.
  void AddNormalPage(uint64_t gpa, base::Bytes content);
  const sev::LaunchDigest& digest() const { return digest_; }

 private:
  sev::LaunchDigest digest_{};
};

sev::LaunchDigest MeasureEmulated(const Elf& elf);

// Of a whole file. InvalidArgument: as Elf::Parse().
absl::StatusOr<sev::LaunchDigest> MeasureEmulatedImage(base::Bytes file);

}  // namespace launch
