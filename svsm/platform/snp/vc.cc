// SPDX-License-Identifier: Apache-2.0
#include "svsm/platform/snp/vc.h"

#include "sev/ghcb.h"
#include "svsm/platform/snp/reasons.h"

namespace svsm {
namespace {

using base::Bytes;
using base::Code;
using base::Result;
using base::Status;
using Kind = VcInstruction::Kind;

Status Wrong(base::Reason reason) { return Status(Code::kDataLoss, reason); }

constexpr uint32_t kEferMsr = 0xC0000080;
// SEV's own, by blocks of 16: [amd/vol2] appendix A.
constexpr uint32_t kSevMsrs = sev::kGhcbMsr & ~0xFu;

bool IsPrivateMsr(uint64_t msr) {
  return msr == kEferMsr || (msr & ~uint64_t{0xF}) == kSevMsrs;
}

uint64_t ErrorCodeOf(Kind kind) {
  switch (kind) {
    case Kind::kCpuid:
      return sev::kExitCpuid;
    case Kind::kIn:
    case Kind::kOut:
      return sev::kExitIoio;
    case Kind::kReadMsr:
    case Kind::kWriteMsr:
      return sev::kExitMsr;
  }
  __builtin_unreachable();
}

// A register after its low `size` bytes are written: AMD64 APM volume 1, 3.1.2.
uint64_t WithLow(uint64_t old, unsigned size, uint32_t value) {
  if (size == 4) return value;
  const uint64_t mask = (uint64_t{1} << (8 * size)) - 1;
  return (old & ~mask) | (value & mask);
}

Status Emulate(const VcInstruction& instruction, ExceptionFrame& frame,
               VcBackend& backend) {
  const auto port = instruction.port.has_value()
                        ? uint16_t{*instruction.port}
                        : static_cast<uint16_t>(frame.rdx);
  const auto msr = static_cast<uint32_t>(frame.rcx);
  switch (instruction.kind) {
    case Kind::kCpuid: {
      const CpuidRegisters out = backend.VcCpuid(
          static_cast<uint32_t>(frame.rax), static_cast<uint32_t>(frame.rcx));
      frame.rax = out.eax;
      frame.rbx = out.ebx;
      frame.rcx = out.ecx;
      frame.rdx = out.edx;
      return {};
    }
    case Kind::kIn: {
      BASE_TRY_ASSIGN(const uint32_t value,
                      backend.VcIn(port, instruction.size));
      frame.rax = WithLow(frame.rax, instruction.size, value);
      return {};
    }
    case Kind::kOut:
      return backend.VcOut(
          port, instruction.size,
          static_cast<uint32_t>(
              WithLow(0, instruction.size, static_cast<uint32_t>(frame.rax))));
    case Kind::kReadMsr: {
      if (IsPrivateMsr(msr)) return Wrong(kVcPrivateMsr);
      BASE_TRY_ASSIGN(const uint64_t value, backend.VcReadMsr(msr));
      frame.rax = static_cast<uint32_t>(value);
      frame.rdx = value >> 32;
      return {};
    }
    case Kind::kWriteMsr:
      if (IsPrivateMsr(msr)) return Wrong(kVcPrivateMsr);
      return backend.VcWriteMsr(
          msr, frame.rdx << 32 | static_cast<uint32_t>(frame.rax));
  }
  __builtin_unreachable();
}

}  // namespace

Result<VcInstruction> DecodeVcInstruction(Bytes code) {
  constexpr uint8_t kOperandSize = 0x66;
  constexpr uint8_t kTwoBytes = 0x0F;
  size_t at = 0;
  const auto next = [&]() -> Result<uint8_t> {
    if (at == code.size()) return Wrong(kVcMismatch);
    return code[at++];
  };

  BASE_TRY_ASSIGN(uint8_t opcode, next());
  const bool word = opcode == kOperandSize;
  if (word) {
    BASE_TRY_ASSIGN(opcode, next());
  }
  VcInstruction out;
  if (opcode == kTwoBytes && !word) {
    BASE_TRY_ASSIGN(const uint8_t second, next());
    switch (second) {
      case 0xA2:
        out.kind = Kind::kCpuid;
        break;
      case 0x30:
        out.kind = Kind::kWriteMsr;
        break;
      case 0x32:
        out.kind = Kind::kReadMsr;
        break;
      default:
        return Wrong(kVcMismatch);
    }
  } else if ((opcode & 0xF4) == 0xE4) {
    // E4 to E7 and EC to EF: bit 0 is the size, bit 1 the direction, bit 3
    // where the port is.
    out.kind = (opcode & 2) != 0 ? Kind::kOut : Kind::kIn;
    out.size = (opcode & 1) == 0 ? 1 : word ? 2 : 4;
    if ((opcode & 8) == 0) {
      BASE_TRY_ASSIGN(out.port, next());
    }
  } else {
    return Wrong(kVcMismatch);
  }
  out.length = static_cast<uint8_t>(at);
  return out;
}

Status EmulateVc(ExceptionFrame& frame, Bytes text, uint64_t text_address,
                 VcBackend& backend) {
  if (frame.error_code == sev::kExitPageNotValidated) {
    return Wrong(kPageTakenAway);
  }
  if (frame.error_code != sev::kExitCpuid &&
      frame.error_code != sev::kExitIoio && frame.error_code != sev::kExitMsr) {
    return Wrong(kVcUnexpected);
  }
  if (frame.rip < text_address || frame.rip - text_address >= text.size()) {
    return Wrong(kVcMismatch);
  }
  BASE_TRY_ASSIGN(const VcInstruction instruction,
                  DecodeVcInstruction(text.subspan(
                      static_cast<size_t>(frame.rip - text_address))));
  if (ErrorCodeOf(instruction.kind) != frame.error_code) {
    return Wrong(kVcMismatch);
  }
  BASE_TRY(Emulate(instruction, frame, backend));
  frame.rip += instruction.length;
  return {};
}

}  // namespace svsm
