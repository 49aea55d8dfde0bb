// SPDX-License-Identifier: Apache-2.0
//
// What happens when the CPU interrupts the image: it prints vector, error code,
// addresses and a backtrace, and the boot ends (panic/fail.h).
//
// Interrupts stay masked throughout, at the CPU and at the PICs, so a vector of
// 32 and above is as unexpected as an exception. All run on stacks of their
// own, so that an overflow of the main one is still reported.
// Spec: [amd/vol2] 8.2 and 8.9, 12.2.5.
#pragma once

#include <stdint.h>

#include "svsm/boot/exception_frame.h"

namespace svsm {

// Loads GDT, TSS and IDT. The platform is set; a #VC is its matter.
void InstallExceptionHandlers();

// Masks both PICs. Needs the platform's ports.
void MaskInterruptControllers();

}  // namespace svsm

// False where the CPU has no such MSR. Needs the handlers.
extern "C" bool ReadMsrOrFault(uint32_t msr, uint64_t* value);
