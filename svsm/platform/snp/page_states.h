// SPDX-License-Identifier: Apache-2.0
//
// PageStates: which memory is private and validated, and every change of that.
//
// A page is validated once in its life as a private page: one interval set
// remembers them all. A host that remaps a page shows in PVALIDATE saying
// "unchanged", or in a #VC; either ends the boot. What the host says of a page
// state change is believed only so far as it lets the image go on: that a page
// is really private only PVALIDATE shows.
//
// What PVALIDATE has validated is read, a little of each page, before anything
// else is done with it: the lines that a host left in the caches are gone then
// (CVE-2024-36331). On every processor, since the CPUID bit by which one says
// that it does not need this, COHERENCY_SFW_NO, is the host's proposal; and
// here, since Linux does it only where it validates memory itself.
//
// Spec: [amd/vol2] 15.36.5 and 15.36.6; [ghcb] 2.3.1 and 4.1.6; [amd/vol3]
// PVALIDATE.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <array>
#include <span>

#include "base/result.h"
#include "sev/ghcb.h"
#include "svsm/memory/interval_set.h"
#include "svsm/platform/snp/ghcb.h"
#include "svsm/platform/snp/vmgexit.h"

namespace svsm {

class PageStates {
 public:
  static constexpr uint64_t kLarge = 2 * 1024 * 1024;
  static constexpr size_t kMaxRanges = 64;
  // Exits for one batch, and those in a row in which nothing gets done.
  static constexpr unsigned kMaxExits = 2 * sev::kPscMaxEntries;
  static constexpr unsigned kMaxIdleExits = 16;

  // `image` is what the launch measured and validated. All outlive it.
  PageStates(VmgExit& exit, Ghcb& ghcb, PageInstructions& pages, unsigned c_bit,
             Range image);

  // None of these leaves the window open. Errors of all of them end the boot:
  //   kDataLoss: kPageNotOurs (not the image's, not in that state, or taken
  //   before), kPageBeyondCbit, kPageStateCursor, kPvalidateUnchanged.
  //   kUnavailable: kPageStateRefused, kPageStateStuck, kPvalidateFailed.
  //   kResourceExhausted: kTooManyRanges. What Ghcb says.

  // Pages of the image to the host and back; zero afterwards. A page that comes
  // back is written before it is read.
  base::Status Share(Range pages);
  base::Status Unshare(Range pages);
  // The same for one page by the MSR protocol: for the GHCB itself.
  base::Status ShareByMsr(uint64_t page);
  base::Status UnshareByMsr(uint64_t page);

  // RAM into use, in steps of 2 MiB where that can be.
  base::Status Accept(Range pages);

  std::span<const Range> accepted() const { return accepted_.ranges(); }

 private:
  enum class Way : uint8_t { kPage, kMsr };
  // The image was launched in 4 KiB pages; RAM comes in 2 MiB where it can.
  enum class Steps : uint8_t { kSmall, kLarge };
  base::Status ShareBy(Range pages, Way way);
  base::Status UnshareBy(Range pages, Way way);
  base::Status ChangeBy(Range pages, sev::PageOperation operation, Way way);
  base::Status Change(Range pages, sev::PageOperation operation, Steps steps);
  base::Status SendBatch(size_t count);
  base::Status Validate(Range pages);
  base::Status Pvalidate(uint64_t address, bool large, bool validate);
  void Evict(uint64_t address, uint64_t size);

  VmgExit& exit_;
  Ghcb& ghcb_;
  PageInstructions& pages_;
  uint64_t limit_;  // the first address that no page can have
  Range image_;
  IntervalSet<kMaxRanges> accepted_;
  std::array<uint64_t, sev::kPscMaxEntries> batch_{};
};

}  // namespace svsm
