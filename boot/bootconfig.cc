// SPDX-License-Identifier: Apache-2.0
#include "boot/bootconfig.h"

#include <stdint.h>

#include <string_view>

#include "boot/reasons.h"

namespace boot {
namespace {

using base::Bytes;

constexpr std::string_view kMagic = "#BOOTCONFIG\n";
constexpr size_t kSizeAndSum = 8;
constexpr size_t kMostPadding = 3;

}  // namespace

base::Result<size_t> BootconfigSize(Bytes initrd) {
  constexpr base::Status kDamaged(base::Code::kDataLoss, kBootconfigDamaged);
  for (size_t padding = 0; padding <= kMostPadding; ++padding) {
    const size_t behind_sum = kMagic.size() + padding;
    if (initrd.size() < behind_sum) return size_t{0};
    if (!base::Equal(initrd.last(behind_sum).first(kMagic.size()),
                     base::AsBytes(kMagic))) {
      continue;
    }
    const size_t behind_text = kSizeAndSum + behind_sum;
    if (initrd.size() < behind_text) return kDamaged;
    const Bytes end = initrd.last(behind_text);
    const size_t size = base::LoadLe<uint32_t>(end.first<4>());
    if (size > initrd.size() - behind_text) return kDamaged;
    uint32_t sum = 0;
    for (const uint8_t byte : initrd.last(behind_text + size).first(size)) {
      sum += byte;
    }
    if (sum != base::LoadLe<uint32_t>(end.subspan<4, 4>())) return kDamaged;
    return behind_text + size;
  }
  return size_t{0};
}

}  // namespace boot
