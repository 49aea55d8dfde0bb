// SPDX-License-Identifier: Apache-2.0
//
// StopReason: why Cpu::Run() returned, for people and for tests.
#pragma once

#include <stdint.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "machine/cpu_events.h"

namespace machine {

// Function symbols of an ELF file, for backtraces.
class SymbolTable {
 public:
  SymbolTable() = default;
  // Without a symbol table the result is empty.
  //   InvalidArgument: not a little-endian ELF64, or damaged.
  static absl::StatusOr<SymbolTable> FromElf(base::Bytes file);

  // "name+0x12 (0x...)", or "0x..." where no symbol is.
  std::string Describe(uint64_t address) const;
  // Of a symbol of any kind; 0 if there is none.
  uint64_t AddressOf(std::string_view name) const;

 private:
  struct Symbol {
    uint64_t address = 0;
    uint64_t size = 0;
    std::string name;
  };
  std::vector<Symbol> symbols_;  // ascending
};

struct Frame {
  uint64_t address = 0;
  std::string text;
};

enum class StopKind : uint8_t {
  kRequested,  // Cpu::Stop()
  kHalted,     // HLT, and nobody had other plans
  // A nested page fault that nobody mended: `fault`. Or what else hardware ends
  // a guest for: `text`, and fault.rule is kNone.
  kViolation,
  kTripleFault,
  kUnsupported,  // an instruction that the engine would get wrong
  kInstructionLimit,
  kTimeLimit,
  kEngineError,  // the engine gave up; a defect of this machine
};
std::string_view NameOf(StopKind kind);

struct StopReason {
  StopKind kind = StopKind::kRequested;
  std::string text;
  uint64_t rip = 0;
  NestedFault fault;  // of kViolation
  std::vector<Frame> backtrace;

  // Several lines: kind, rule, addresses, frames.
  std::string ToString() const;
};

}  // namespace machine
