// SPDX-License-Identifier: Apache-2.0
//
// Maps one range of a VM's RAM file, and nothing else of it.
//
// Rule: the range lies below 2 GiB (kSharedRangeLimit), so that its offset in
// the file is its guest-physical address on every machine type. The file is
// opened at each Map(): QEMU makes it after connecting.
//
// The file can shrink while it is mapped; the kernel then raises SIGBUS. A
// handler puts zero pages in place of the range and marks it lost (as
// libwayland does for shm pools), so that the access ends and the session can
// be dropped. The handler is installed by the first Map() and passes on every
// SIGBUS that is not ours.
#pragma once

#include <stdint.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "proxy/registration.h"
#include "proxy/shared_range.h"

namespace proxy::host {

class MappedRange {
 public:
  // kInvalidArgument (kRangeOutsideRam): not inside the file as it is now.
  // kUnavailable (kRamFileUnusable): no such file, no permission, not a
  // regular file, too many ranges.
  static base::Result<std::unique_ptr<MappedRange>> Map(
      const std::string& path, const Registration& registration);
  // Of memory that is mapped already and outlives the result: for machines
  // whose RAM is in this process (machine/). Never lost.
  static std::unique_ptr<MappedRange> Borrow(const SharedRange& range) {
    return std::unique_ptr<MappedRange>(new MappedRange(range, kBorrowed));
  }
  ~MappedRange();
  MappedRange(const MappedRange&) = delete;
  MappedRange& operator=(const MappedRange&) = delete;

  const SharedRange& range() const { return range_; }
  // True once an access met pages that the file no longer has.
  bool lost() const;

 private:
  static constexpr int kBorrowed = -1;
  MappedRange(const SharedRange& range, int slot)
      : range_(range), slot_(slot) {}
  SharedRange range_;
  int slot_;
};

// For the log, after Map() failed with kRamFileUnusable: the path and what the
// system says of it now.
std::string WhyUnusable(const std::string& path);

}  // namespace proxy::host
