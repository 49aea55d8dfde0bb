// SPDX-License-Identifier: Apache-2.0
//
// What the guest takes as kernel, initrd and command line. The loader
// (svsm/linux) refuses by these rules; the owner's tools warn by them.
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/result.h"
#include "boot/bzimage.h"
#include "boot/reasons.h"

namespace boot {

struct SizeRule {
  uint64_t max;         // bytes; 0 is refused too
  base::Reason reason;  // of the refusal
  constexpr bool Takes(uint64_t size) const { return size != 0 && size <= max; }
};
inline constexpr SizeRule kKernelSize{uint64_t{256} << 20, kKernelTooLarge};
inline constexpr SizeRule kInitrdSize{uint64_t{1} << 30, kInitrdTooLarge};
// An empty one is like none.
inline constexpr SizeRule kCommandLineSize{2048, kCmdlineTooLong};

// `kernel_takes` is BzImage::command_line_size.
//   kDataLoss: SL23, SL24, SL35.
base::Status CheckCommandLine(base::Bytes text, uint32_t kernel_takes);

// What a VM has that the owner's tools are told nothing else of.
inline constexpr uint64_t kDefaultMemoryMib = 512;

// Sizes in bytes, 0 for what there is none of or is not known.
struct MemoryUse {
  uint64_t kernel_file = 0;
  uint64_t initrd = 0;   // as the host gives it
  uint64_t secrets = 0;  // behind the initrd
  uint64_t svsm = 0;     // the guest image itself
};
// No VM with less RAM can load `image`: the loader holds all of `use` and the
// kernel's init_size at one time, and places no kernel below its preferred
// address. A VM with so much may still be too small.
uint64_t LeastMemory(const BzImage& image, const MemoryUse& use);

}  // namespace boot
