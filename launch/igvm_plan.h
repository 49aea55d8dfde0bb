// SPDX-License-Identifier: Apache-2.0
//
// A launch from and to an IGVM file (launch/igvm).
//
// Only the SEV-SNP platform of a file is looked at. What is not known to leave
// the launch as it is refuses the file: a digest that is not the secure
// processor's is worse than none.
#pragma once

#include <stdint.h>

#include <vector>

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "launch/igvm/igvm.h"
#include "launch/launch_plan.h"

namespace launch {

// Who launches the file: loaders do not agree about order.
enum class Loader : uint8_t {
  // QEMU 10.1 on KVM (backends/igvm.c, target/i386/sev.c): page data is
  // gathered and launched when the next piece does not fit, a parameter area
  // at once, and the VMSA by KVM, last, at its own address.
  kQemu,
  // Each header when it is met, as the format's text has it.
  kInOrder,
};

// How pages of the file without data are launched. The digests differ.
enum class ZeroPages : uint8_t {
  kNormal,  // NORMAL pages of zeros: QEMU.
  kNative,  // ZERO pages: COCONUT-SVSM's target "vanadium".
};

// All of a launch, pages that are not measured too.
inline constexpr size_t kMaxPlanPages = 1 << 17;

//   InvalidArgument: LA12 to LA14.
absl::StatusOr<LaunchPlan> PlanOfIgvm(
    const igvm::File& file, Loader loader,
    ZeroPages zero_pages = ZeroPages::kNormal);

// Version 1, for SEV-SNP only. What comes back has this plan with any loader,
// if parameter areas come before page data in it (as image_plan.h has it).
//   InvalidArgument (LA15): ZERO pages, which the format does not have, or an
//   ID block whose policy is another than the plan's.
absl::StatusOr<std::vector<uint8_t>> IgvmOfPlan(const LaunchPlan& plan);

// The same file with this ID block for SEV-SNP in place of any other.
//   InvalidArgument: as igvm::Read(); LA12, LA14 (SnpPolicy()), LA15; LA13: a
//   header whose data, if it has some, would be lost.
absl::StatusOr<std::vector<uint8_t>> WithIdBlock(base::Bytes file,
                                                 const PlanIdBlock& id_block);

// The bit of SEV-SNP in the file's compatibility masks.
//   InvalidArgument (LA12): no such platform, two, or an unknown version.
absl::StatusOr<uint32_t> SnpMask(const igvm::File& file);

// The guest policy that the file has for SEV-SNP. A file without one has no
// default that loaders agree about: QEMU 10.1 launches it with policy 0, which
// KVM refuses. So nothing is signed for such a file.
//   InvalidArgument: LA12; LA14: none, or two.
absl::StatusOr<uint64_t> SnpPolicy(const igvm::File& file);

}  // namespace launch
