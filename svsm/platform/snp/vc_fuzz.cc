// SPDX-License-Identifier: Apache-2.0
//
// Any #VC at any place of any text: no byte outside it is read, and RIP moves
// only over what was emulated.
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/result.h"
#include "svsm/platform/snp/vc.h"

namespace {

using namespace svsm;

class Nobody final : public VcBackend {
 public:
  base::Result<uint32_t> VcIn(uint16_t, unsigned size) override {
    if (size != 1 && size != 2 && size != 4) __builtin_trap();
    return uint32_t{7};
  }
  base::Status VcOut(uint16_t, unsigned size, uint32_t value) override {
    if (size < 4 && value >> (8 * size) != 0) __builtin_trap();
    return {};
  }
  base::Result<uint64_t> VcReadMsr(uint32_t) override { return uint64_t{7}; }
  base::Status VcWriteMsr(uint32_t, uint64_t) override { return {}; }
  CpuidRegisters VcCpuid(uint32_t, uint32_t) override { return {}; }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  base::ByteReader in({data, size});
  const auto error = in.U8();
  const auto offset = in.U8();
  const auto msr = in.U32();
  if (!error.ok() || !offset.ok() || !msr.ok()) return 0;
  const base::Bytes text = base::Bytes(data, size).subspan(6);
  constexpr uint64_t kText = 0x200000;
  ExceptionFrame frame = {};
  frame.error_code = *error == 0xFF ? 0x404 : *error;
  frame.rip = kText + *offset;
  frame.rcx = *msr;
  Nobody nobody;
  const base::Status status = EmulateVc(frame, text, kText, nobody);
  const uint64_t moved = frame.rip - kText - *offset;
  if (status.ok() ? moved == 0 || moved > 3 || *offset + moved > text.size()
                  : moved != 0) {
    __builtin_trap();
  }
  return 0;
}
