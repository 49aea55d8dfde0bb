// SPDX-License-Identifier: Apache-2.0
//
// Why the guest refuses a file that it would boot. Rows of the loader's list,
// SL (svsm/linux/reasons.h): the owner's tools name the guest's own reason.
#pragma once

#include "base/reasons.h"

#define FORELOCK_BOOT_FILE_REASONS(X)                                          \
  X(kNoKernel, 'S', 'L', 20, "the host offers no kernel",                      \
    "Start QEMU with -fw_cfg name=opt/org.forelock/kernel,file=...")           \
  X(kKernelTooLarge, 'S', 'L', 21, "the kernel file is empty or over 256 MiB", \
    "Use a bzImage.")                                                          \
  X(kInitrdTooLarge, 'S', 'L', 22, "the initrd is over 1 GiB or empty",        \
    "Make the initrd smaller.")                                                \
  X(kCmdlineTooLong, 'S', 'L', 23, "the command line is over 2048 bytes",      \
    "Make the command line shorter.")                                          \
  X(kCmdlineNul, 'S', 'L', 24, "the command line has a byte that is no text",  \
    "Write one line of printable ASCII, no newline at its end.")

#define FORELOCK_INITRD_REASONS(X)                                        \
  X(kBootconfigDamaged, 'S', 'L', 27,                                     \
    "the boot configuration at the initrd's end has a wrong size or sum", \
    "Append it again, by bootconfig of Linux, as the last thing done to it.")

#define FORELOCK_KERNEL_REASONS(X)                                            \
  X(kNotBzImage, 'S', 'L', 30, "the kernel is no x86 bzImage",                \
    "Hand over a bzImage (vmlinuz), not an ELF file or another format.")      \
  X(kKernelTruncated, 'S', 'L', 31, "the kernel file ends too early",         \
    "Copy the kernel file again.")                                            \
  X(kKernelTooOld, 'S', 'L', 32, "the kernel's boot protocol is below 2.12",  \
    "Use Linux 3.8 or newer.")                                                \
  X(kKernelNot64Bit, 'S', 'L', 33, "the kernel has no 64-bit entry point",    \
    "Use an x86-64 kernel.")                                                  \
  X(kKernelHeader, 'S', 'L', 34, "the kernel's setup header is inconsistent", \
    "Copy the kernel file again.")                                            \
  X(kKernelCmdlineLimit, 'S', 'L', 35,                                        \
    "the command line is longer than this kernel takes",                      \
    "Make the command line shorter.")                                         \
  X(kKernelNoPlace, 'S', 'L', 36,                                             \
    "there is no place in memory for the kernel", "Give the VM more memory.")

namespace boot {
FORELOCK_BOOT_FILE_REASONS(BASE_DEFINE_REASON)
FORELOCK_INITRD_REASONS(BASE_DEFINE_REASON)
FORELOCK_KERNEL_REASONS(BASE_DEFINE_REASON)
}  // namespace boot
