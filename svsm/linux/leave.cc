// SPDX-License-Identifier: Apache-2.0
#include "svsm/linux/leave.h"

#include <stdint.h>
#include <string.h>

#include "svsm/linux/trampoline_page.h"

// trampoline.S
extern "C" {
extern const uint8_t ForelockTrampoline[];
extern const uint8_t ForelockTrampolineEnd[];
[[noreturn]] void ForelockJump(uint64_t cr3, uint64_t trampoline);
}

namespace svsm {

void Leave(const Handover& handover, VmpckDestroyed, BootPermit) {
  // EDGE: the page was allocated for this, and memory is identity-mapped; the
  // two symbols bound the code to copy.
  auto* const page = reinterpret_cast<uint8_t*>(handover.trampoline);
  const auto size =
      static_cast<size_t>(ForelockTrampolineEnd - ForelockTrampoline);
  memcpy(page, ForelockTrampoline, size);
  ForelockJump(handover.page_tables | handover.encryption_mask,
               handover.trampoline);
}

}  // namespace svsm
