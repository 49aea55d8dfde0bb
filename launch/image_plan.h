// SPDX-License-Identifier: Apache-2.0
//
// From an image to its launch: every page of its memory, by the launch note
// (proto/launch_note.h).
//
// Order: the memory-map page, then ascending address, then the VMSA. The map
// comes first because QEMU inserts a parameter area at once but gathers page
// data and launches it later: only so do all loaders measure the same order.
// Pages without file bytes are NORMAL pages of zeros, because an IGVM file can
// ask for nothing else (page data without bytes; QEMU, backends/igvm.c).
#pragma once

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "launch/launch_plan.h"
#include "proto/config.h"

namespace launch {

// Memory of an image, file bytes and the rest together.
inline constexpr uint64_t kMaxImageMemory = 64 << 20;

//   NotFound (LA10): no launch note. InvalidArgument: not a guest image (LA1),
//   or the note does not fit it (LA11).
absl::StatusOr<LaunchPlan> PlanOfImage(base::Bytes file);

// What the emulated platform measures (launch/measure.h), as pages.
//   InvalidArgument (LA1): not a guest image.
absl::StatusOr<LaunchPlan> EmulatedPlanOfImage(base::Bytes file);

// The configuration that a plan puts into memory. Where it is there is no name
// to find it by: it is the one page that begins as the section does.
//   NotFound (LA2): none. InvalidArgument: two (LA1), or a broken one.
absl::StatusOr<proto::Config> ConfigOfPlan(const LaunchPlan& plan);

}  // namespace launch
