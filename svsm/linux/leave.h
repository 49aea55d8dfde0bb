// SPDX-License-Identifier: Apache-2.0
//
// Leave(): the one way out of the SVSM into a kernel (promises P7 and P8).
//
// It copies a position-independent trampoline (trampoline.S) out of the image
// and jumps to it. From there all SVSM memory is overwritten: image, stack,
// heap, and every Use::kSvsm allocation, which includes channel and DMA pages.
// Then general and vector registers are cleared (round keys lived in XMM) and
// Linux's 64-bit entry runs. What stays behind holds no secret: the
// trampoline's code and GDT, page tables, and the list of what was overwritten.
// On SNP all of that memory is private again before (Platform::Retire), and
// the image's page tables and the trampoline's both have the C-bit.
//
// Guest only.
#pragma once

#include "svsm/boot_permit.h"
#include "svsm/linux/handover.h"
#include "svsm/platform/guest_request/guest_request.h"

namespace svsm {

// Interrupts are off and every device that the SVSM used is quiet. The proof
// says that nobody can speak to the secure processor in its name any more, the
// permit that this kernel may start.
[[noreturn]] void Leave(const Handover& handover, VmpckDestroyed proof,
                        BootPermit permit);

}  // namespace svsm
