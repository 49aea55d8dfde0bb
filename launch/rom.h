// SPDX-License-Identifier: Apache-2.0
//
// A flat ROM for a VMM without IGVM (QEMU: -bios): the image's file bytes and
// a stub that copies them to their place, up to the end of the first 4 GiB.
//
//   segments' file bytes, each from a page on
//   [SNP] a page of SEV metadata: what else the launch puts where
//   the stub's page (rom_stub.S); the reset vector is its last 16 bytes
//
// An SNP launch measures the ROM itself, the metadata's pages in their order,
// and the reset state: not the digest that the IGVM file of this image has.
// There is no memory map in such a launch: the image's page for it is zeros.
//
// Source: EDK2 OvmfPkg/ResetVector/Ia16/ResetVectorVtf0.asm and
// X64/OvmfSevMetadata.asm, the formats; QEMU 9.1 hw/i386/pc_sysfw_ovmf.c and
// target/i386/sev.c, who reads them.
#pragma once

#include <stdint.h>

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "launch/launch_plan.h"

namespace launch {

inline constexpr size_t kMaxRomSize = 8 << 20;
// CPUID 1 EAX of QEMU's -cpu EPYC, and of EPYC-v1 to -v4.
inline constexpr uint32_t kEpycSignature = 0x00800F12;

enum class RomKind : uint8_t { kEmulated, kSnp };

// The ROM of a configured image, of the platform that it is configured for.
//   InvalidArgument: not a guest image (LA1, LA11), the configuration's own
//   reasons, LA34 it is too large. NotFound: LA10.
absl::StatusOr<std::vector<uint8_t>> MakeRom(base::Bytes image);

// Whether these bytes end as MakeRom()'s do.
std::optional<RomKind> RomKindOf(base::Bytes rom);

// What QEMU launches for a ROM with SEV metadata, OVMF's too, without
// kernel-hashes=on; `cpu_signature` of the guest's CPU model.
//   InvalidArgument (LA34): no metadata, or not well formed, or with a section
//   of another kind than memory, secrets, CPUID, SVSM calling area and kernel
//   hashes, or two with a common page.
absl::StatusOr<LaunchPlan> PlanOfRom(base::Bytes rom, uint32_t cpu_signature);

}  // namespace launch
