// SPDX-License-Identifier: Apache-2.0
#include "boot/rules.h"

namespace boot {
namespace {

using base::Code;
using base::Status;

constexpr uint64_t kPage = 4096;

// Sizes here are below 2^40: nothing wraps.
constexpr uint64_t PageUp(uint64_t size) {
  return (size + kPage - 1) & ~(kPage - 1);
}

}  // namespace

Status CheckCommandLine(base::Bytes text, uint32_t kernel_takes) {
  if (text.size() > kCommandLineSize.max) {
    return Status(Code::kDataLoss, kCommandLineSize.reason);
  }
  for (const uint8_t byte : text) {
    if (byte < 0x20 || byte > 0x7E) {
      return Status(Code::kDataLoss, kCmdlineNul);
    }
  }
  // At most cmdline_size bytes without the NUL (boot.rst, cmdline_size).
  if (text.size() > kernel_takes) {
    return Status(Code::kDataLoss, kKernelCmdlineLimit);
  }
  return {};
}

uint64_t LeastMemory(const BzImage& image, const MemoryUse& use) {
  const uint64_t placed = PageUp(image.init_size);
  const uint64_t end = image.preferred_address + placed;
  const uint64_t together = placed + PageUp(use.kernel_file) +
                            PageUp(use.initrd + use.secrets) + PageUp(use.svsm);
  return end > together ? end : together;
}

}  // namespace boot
