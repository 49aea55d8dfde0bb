// SPDX-License-Identifier: Apache-2.0
//
// #VC: what the CPU raises where an SNP guest executes an instruction that the
// hypervisor intercepts. The image avoids them all; this is the net for CPUID,
// IN, OUT, RDMSR and WRMSR.
//
// The error code is the host's word (it can inject a #VC), so the instruction
// at RIP decides, and one that does not raise this error code ends the boot.
//
// Spec: [amd/vol2] 15.35.5 and appendix C (error codes); [amd/vol3] for the
// opcodes; [ghcb] 4.1.1 to 4.1.3.
#pragma once

#include <stdint.h>

#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "svsm/boot/exception_frame.h"
#include "svsm/cpu/features.h"

namespace svsm {

struct VcInstruction {
  enum class Kind : uint8_t { kCpuid, kIn, kOut, kReadMsr, kWriteMsr };
  Kind kind = Kind::kCpuid;
  uint8_t length = 0;           // bytes
  uint8_t size = 0;             // bytes of data, of IN and OUT
  std::optional<uint8_t> port;  // where it is not in DX
};

// The instruction that `code` begins with. No prefix but the one that makes IN
// and OUT 16 bits; no string instruction.
//   kDataLoss (kVcMismatch): it is another one, or cut off.
base::Result<VcInstruction> DecodeVcInstruction(base::Bytes code);

// Who does what an instruction wants.
class VcBackend {
 public:
  virtual base::Result<uint32_t> VcIn(uint16_t port, unsigned size) = 0;
  virtual base::Status VcOut(uint16_t port, unsigned size, uint32_t value) = 0;
  virtual base::Result<uint64_t> VcReadMsr(uint32_t msr) = 0;
  virtual base::Status VcWriteMsr(uint32_t msr, uint64_t value) = 0;
  virtual CpuidRegisters VcCpuid(uint32_t leaf, uint32_t subleaf) = 0;

 protected:
  ~VcBackend() = default;
};

// Emulates the instruction at frame.rip, which must lie in `text` (at address
// `text_address`), and steps over it. On an error the frame is unchanged.
//   kDataLoss: kVcUnexpected, kVcMismatch, kVcPrivateMsr (one of those that the
//   CPU answers itself: SEV_STATUS, GHCB and their neighbours, EFER),
//   kPageTakenAway. What the backend says.
base::Status EmulateVc(ExceptionFrame& frame, base::Bytes text,
                       uint64_t text_address, VcBackend& backend);

}  // namespace svsm
