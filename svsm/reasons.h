// SPDX-License-Identifier: Apache-2.0
//
// Reasons of the image itself: boot, memory, platform, CPU. See base/reasons.h.
// SM1 and SM2 are also printed by boot/entry.S, which has no other words.
#pragma once

#include "base/reasons.h"

#define FORELOCK_SVSM_REASONS(X)                                               \
  X(kSecondCpu, 'S', 'M', 1, "a second CPU entered the image",                 \
    "The host started another CPU in the guest's image; only one may run it.") \
  X(kNoLongMode, 'S', 'M', 2, "the CPU has no long mode or no NX",             \
    "Use a 64-bit CPU model with NX, for example -cpu max.")                   \
  X(kException, 'S', 'M', 3, "the CPU raised an exception",                    \
    "A bug; report it with the lines printed before.")                         \
  X(kTrap, 'S', 'M', 4, "the image found itself in a state it rules out",      \
    "A bug; report it with the lines printed before.")                         \
  X(kStartInfo, 'S', 'M', 5, "the loader's start info is malformed",           \
    "Boot the image by PVH: `-kernel` of QEMU.")                               \
  X(kNoRdrand, 'S', 'M', 6, "the CPU has no RDRAND",                           \
    "Use a CPU model with RDRAND, for example -cpu max; not qemu64.")          \
  X(kNoAesInstructions, 'S', 'M', 7, "the CPU has no AES-NI or no PCLMULQDQ",  \
    "Use a CPU model with both, for example -cpu max.")                        \
  X(kEntropyStuck, 'S', 'M', 8, "the CPU gives no or constant randomness",     \
    "The CPU is broken or the host pretends; do not use it.")                  \
  X(kPlatformIsSnp, 'S', 'M', 9, "configured as emulated, but SEV is active",  \
    "Configure the image with platform = \"snp\" for this machine.")           \
  X(kPvhIsEmulated, 'S', 'M', 10, "configured as snp, but entered by PVH",     \
    "An snp image starts from its IGVM file, not by `-kernel`.")               \
  X(kBootNotExpected, 'S', 'M', 11, "a boot file differs from expected_boot",  \
    "Compare the boot manifest printed before with the image's "               \
    "configuration.")                                                          \
  X(kProcessorAbsent, 'S', 'M', 12, "the secure processor does not answer",    \
    "Is forelock-emulator running, on the socket QEMU connects to, and is "    \
    "guest RAM a file with share=on that it may open?")                        \
  X(kVerifierSilent, 'S', 'M', 13, "the verifier does not answer in time",     \
    "See the phase printed last and the verifier's log; or raise "             \
    "deadlines.verifier_ms.")                                                  \
  X(kProcessorChannel, 'S', 'M', 14,                                           \
    "the channel to the secure processor is not there or broke",               \
    "Give QEMU the second doorbell device; see forelock-emulator's log.")

namespace svsm {
FORELOCK_SVSM_REASONS(BASE_DEFINE_REASON)
}
