// SPDX-License-Identifier: Apache-2.0
#include "machine/stop_reason.h"

#include <algorithm>
#include <array>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace machine {
namespace {

inline constexpr size_t kHeaderSize = 64;
inline constexpr size_t kSectionSize = 64;
inline constexpr size_t kSymbolSize = 24;
inline constexpr uint32_t kSectionSymbols = 2;  // SHT_SYMTAB
inline constexpr uint8_t kTypeSection = 3, kTypeFile = 4;
inline constexpr uint64_t kLabelReach = 0x1000;

absl::Status Damaged() {
  return absl::InvalidArgumentError("not an ELF64 file, or damaged");
}

// The bytes [offset, offset + size) of `file`; empty if they are not there.
base::Bytes Part(base::Bytes file, uint64_t offset, uint64_t size) {
  if (offset > file.size() || size > file.size() - offset) return {};
  return file.subspan(offset, size);
}

uint64_t U64(base::Bytes in, size_t at) {
  return base::LoadLe<uint64_t>(in.subspan(at).first<8>());
}
uint32_t U32(base::Bytes in, size_t at) {
  return base::LoadLe<uint32_t>(in.subspan(at).first<4>());
}
uint16_t U16(base::Bytes in, size_t at) {
  return base::LoadLe<uint16_t>(in.subspan(at).first<2>());
}

std::string TextAt(base::Bytes strings, uint64_t at) {
  std::string text;
  for (; at < strings.size() && strings[at] != 0; ++at) {
    text.push_back(static_cast<char>(strings[at]));
  }
  return text;
}

}  // namespace

absl::StatusOr<SymbolTable> SymbolTable::FromElf(base::Bytes file) {
  constexpr std::array<uint8_t, 6> kIdent = {0x7F, 'E', 'L', 'F', 2, 1};
  const base::Bytes header = Part(file, 0, kHeaderSize);
  if (header.empty() || !base::Equal(header.first<6>(), kIdent)) {
    return Damaged();
  }
  const uint64_t table_at = U64(header, 0x28);
  const size_t count = U16(header, 0x3C);
  const base::Bytes sections = Part(file, table_at, count * kSectionSize);
  if (count != 0 && (sections.empty() || U16(header, 0x3A) != kSectionSize)) {
    return Damaged();
  }
  SymbolTable result;
  for (size_t i = 0; i < count; ++i) {
    const base::Bytes section = sections.subspan(i * kSectionSize);
    if (U32(section, 4) != kSectionSymbols) continue;
    const size_t link = U32(section, 0x28);
    if (link >= count) return Damaged();
    const base::Bytes names = sections.subspan(link * kSectionSize);
    const base::Bytes strings = Part(file, U64(names, 0x18), U64(names, 0x20));
    const base::Bytes symbols =
        Part(file, U64(section, 0x18), U64(section, 0x20));
    if (symbols.empty() || strings.empty()) return Damaged();
    for (size_t at = 0; at + kSymbolSize <= symbols.size(); at += kSymbolSize) {
      const base::Bytes symbol = symbols.subspan(at);
      const uint8_t type = symbol[4] & 0xF;
      if (U16(symbol, 6) == 0 || type == kTypeSection || type == kTypeFile) {
        continue;
      }
      std::string name = TextAt(strings, U32(symbol, 0));
      if (name.empty()) continue;
      result.symbols_.push_back(
          {U64(symbol, 8), U64(symbol, 16), std::move(name)});
    }
  }
  std::ranges::sort(result.symbols_, {}, &Symbol::address);
  return result;
}

std::string SymbolTable::Describe(uint64_t address) const {
  auto after =
      std::ranges::upper_bound(symbols_, address, {}, &Symbol::address);
  while (after != symbols_.begin()) {
    const Symbol& symbol = *--after;
    const uint64_t offset = address - symbol.address;
    // Assembler labels have no size: the last one before stands for its code.
    if (offset >= (symbol.size != 0 ? symbol.size : kLabelReach)) continue;
    return absl::StrFormat("%s+0x%x (%#x)", symbol.name, offset, address);
  }
  return absl::StrFormat("%#x", address);
}

uint64_t SymbolTable::AddressOf(std::string_view name) const {
  const auto found = std::ranges::find(symbols_, name, &Symbol::name);
  return found == symbols_.end() ? 0 : found->address;
}

std::string_view NameOf(StopKind kind) {
  switch (kind) {
    case StopKind::kRequested:
      return "stopped";
    case StopKind::kHalted:
      return "halted";
    case StopKind::kViolation:
      return "violation";
    case StopKind::kTripleFault:
      return "triple fault";
    case StopKind::kUnsupported:
      return "unsupported";
    case StopKind::kInstructionLimit:
      return "instruction limit";
    case StopKind::kTimeLimit:
      return "time limit";
    case StopKind::kEngineError:
      return "engine error";
  }
  return "?";
}

std::string StopReason::ToString() const {
  std::string out =
      absl::StrFormat("%s: %s\n  rip %#x\n", NameOf(kind), text, rip);
  if (kind == StopKind::kViolation && fault.rule != Rule::kNone) {
    constexpr std::array<std::string_view, 3> kAccess = {"read", "write",
                                                         "fetch"};
    absl::StrAppendFormat(&out, "  %s of gpa %#x (gva %#x, C=%d)\n",
                          kAccess[static_cast<size_t>(fault.access)], fault.gpa,
                          fault.gva, fault.c_bit);
  }
  for (const Frame& frame : backtrace) {
    absl::StrAppend(&out, "    ", frame.text, "\n");
  }
  return out;
}

}  // namespace machine
