// SPDX-License-Identifier: Apache-2.0
#include "svsm/platform/native_platform.h"

#include "svsm/hw/cpu.h"
#include "svsm/reasons.h"

namespace svsm {
namespace {

base::Status Zero(Range pages) {
  // EDGE: pages of the image, which is identity-mapped; the host writes them.
  auto* word = reinterpret_cast<volatile uint64_t*>(pages.begin);
  for (uint64_t i = 0; i < pages.size() / sizeof(*word); ++i) word[i] = 0;
  return {};
}

}  // namespace

uint8_t NativePlatform::In8(uint16_t port) { return hw::In8(port); }
void NativePlatform::Out8(uint16_t port, uint8_t value) {
  hw::Out8(port, value);
}
void NativePlatform::Out16(uint16_t port, uint16_t value) {
  hw::Out16(port, value);
}
void NativePlatform::Out32(uint16_t port, uint32_t value) {
  hw::Out32(port, value);
}

CpuidRegisters NativePlatform::Cpuid(uint32_t leaf, uint32_t subleaf) {
  const hw::CpuidLeaf out = hw::Cpuid(leaf, subleaf);
  return {out.eax, out.ebx, out.ecx, out.edx};
}

base::Status NativePlatform::Share(Range pages) { return Zero(pages); }
base::Status NativePlatform::Unshare(Range pages) { return Zero(pages); }

base::Status NativePlatform::HandleVc(ExceptionFrame&) {
  return base::Status(base::Code::kInternal, kException);
}

void NativePlatform::Stop(base::Status) {
  Out16(kPm1aControl, kSoftOff);
  hw::HaltForever();
}

}  // namespace svsm
