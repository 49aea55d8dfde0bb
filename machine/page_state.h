// SPDX-License-Identifier: Apache-2.0
//
// Page state changes, as the host does them on request.
//
// Spec: AMD 56421 rev. 2.03, 4.1.6 and 2.3.1 ("SNP Page State Change").
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "machine/host_view.h"

namespace machine {

// SW_EXITINFO2: what is wrong, and where. The high half says which kind.
inline constexpr uint64_t kPscDone = 0;
inline constexpr uint64_t kPscInvalidHeader = uint64_t{1} << 32 | 1;
inline constexpr uint64_t kPscInvalidEntry = uint64_t{1} << 32 | 2;
inline constexpr uint64_t kPscFailed = uint64_t{0x100} << 32;

// How the host treats 2 MiB entries.
enum class LargePages : uint8_t {
  kKeep,   // One page of 2 MiB in the reverse map table.
  kSplit,  // 512 pages of 4 KiB: PVALIDATE of 2 MiB says SIZEMISMATCH.
};

// Works off the structure in `buffer` (header and entries, as much as the
// guest's scratch area has) from its cursor on, and moves the cursors as it
// goes. Returns SW_EXITINFO2.
uint64_t ChangePageStates(base::MutableBytes buffer, LargePages large_pages,
                          HostView& memory);

// One 4 KiB page, by the MSR protocol. Returns the answer for the MSR.
uint64_t ChangePageStateByMsr(uint64_t request, HostView& memory);

}  // namespace machine
