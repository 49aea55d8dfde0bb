// SPDX-License-Identifier: Apache-2.0
//
// Internal. The rules of the format that bind headers, the same for who reads
// and who writes.
#pragma once

#include <map>
#include <string_view>

#include "absl/status/status.h"
#include "base/result.h"
#include "launch/igvm/igvm.h"

namespace igvm {

// "IG2 WHAT: DETAIL".
absl::Status Error(base::Reason reason, std::string_view detail);
// "IG5 WHAT: header 3 (page data): ..."; `offset` 0: not in a file yet.
absl::Status HeaderError(base::Reason reason, size_t number,
                         const Header& header, std::string_view what);

// Takes the headers of one file in their order.
class Rules {
 public:
  // InvalidArgument: IG5, IG6 or IG8.
  absl::Status Next(const Header& header);

  // Bits of the platforms so far whose VP context is a list of registers.
  uint32_t register_list_masks() const { return register_list_masks_; }

 private:
  const char* CheckOrder(uint32_t type);
  const char* CheckBody(const Header& header);
  const char* Check(const SupportedPlatform& platform);
  // Whether a parameter area is used as it may be.
  const char* CheckArea(const Header& header);

  struct Area {
    uint64_t size = 0;
    bool inserted = false;
  };
  size_t number_ = 0;
  Section section_ = Section::kPlatform;
  uint32_t platform_masks_ = 0;
  uint32_t register_list_masks_ = 0;
  std::map<uint32_t, Area> areas_;
};

}  // namespace igvm
