// SPDX-License-Identifier: Apache-2.0
//
// What boot/snp_entry.S writes to the GHCB MSR when it ends (sev/termination.h)
// and into its notes, in numbers that an assembler can read; snp_entry.cc
// compares the two.
#pragma once

#define FORELOCK_TERMINATE_SECOND_CPU 0x01c100       // SM1
#define FORELOCK_TERMINATE_NO_RANDOM 0x08c100        // SM8
#define FORELOCK_TERMINATE_CPUID_PAGE 0x01f100       // SP1
#define FORELOCK_TERMINATE_C_BIT_RANGE 0x02f100      // SP2
#define FORELOCK_TERMINATE_C_BIT_WRONG 0x03f100      // SP3
#define FORELOCK_TERMINATE_EARLY_EXCEPTION 0x04f100  // SP4

// The C-bit is 32 at least, the high half of an entry, and a physical address
// bit ([amd/vol2] 5.3).
#define FORELOCK_MIN_C_BIT 32
#define FORELOCK_MAX_C_BIT 51

#define FORELOCK_CONFIG_LEVEL 2
