// SPDX-License-Identifier: Apache-2.0
//
// Spec: AMD 24594 (APM volume 3), appendix A, "Opcode and Operand Encodings".
#include "machine/engine_lacks.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_format.h"

namespace machine {
namespace {

enum class Operand { kAny, kMemory, kRegister, kWholeByte };

// 0F, then these.
struct Row {
  std::string_view name;
  uint8_t map;  // 0x38 or 0x3A; 0: the two-byte opcodes
  uint8_t opcode;
  uint8_t prefix;  // 66, F2 or F3; 0: none of them
  Operand operand;
  uint8_t extension;  // ModRM's bits 5:3, or all of it
};
constexpr Row kRows[] = {
    {"SHA1NEXTE", 0x38, 0xC8, 0, Operand::kAny, 0},
    {"SHA1MSG1", 0x38, 0xC9, 0, Operand::kAny, 0},
    {"SHA1MSG2", 0x38, 0xCA, 0, Operand::kAny, 0},
    {"SHA256RNDS2", 0x38, 0xCB, 0, Operand::kAny, 0},
    {"SHA256MSG1", 0x38, 0xCC, 0, Operand::kAny, 0},
    {"SHA256MSG2", 0x38, 0xCD, 0, Operand::kAny, 0},
    {"SHA1RNDS4", 0x3A, 0xCC, 0, Operand::kAny, 0},
    {"INVPCID", 0x38, 0x82, 0x66, Operand::kAny, 0},
    {"WRSS", 0x38, 0xF6, 0, Operand::kAny, 0},
    {"XSAVEOPT", 0, 0xAE, 0, Operand::kMemory, 6},
    {"XSAVE", 0, 0xAE, 0, Operand::kMemory, 4},
    {"XRSTOR", 0, 0xAE, 0, Operand::kMemory, 5},
    {"CLWB", 0, 0xAE, 0x66, Operand::kMemory, 6},
    {"CLFLUSHOPT", 0, 0xAE, 0x66, Operand::kMemory, 7},
    {"INCSSP", 0, 0xAE, 0xF3, Operand::kRegister, 5},
    {"XRSTORS", 0, 0xC7, 0, Operand::kMemory, 3},
    {"XSAVEC", 0, 0xC7, 0, Operand::kMemory, 4},
    {"XSAVES", 0, 0xC7, 0, Operand::kMemory, 5},
    {"RDPID", 0, 0xC7, 0xF3, Operand::kRegister, 7},
    {"XGETBV", 0, 0x01, 0, Operand::kWholeByte, 0xD0},
    {"XSETBV", 0, 0x01, 0, Operand::kWholeByte, 0xD1},
    {"RDPKRU", 0, 0x01, 0, Operand::kWholeByte, 0xEE},
    {"WRPKRU", 0, 0x01, 0, Operand::kWholeByte, 0xEF},
    {"MONITORX", 0, 0x01, 0, Operand::kWholeByte, 0xFA},
    {"MWAITX", 0, 0x01, 0, Operand::kWholeByte, 0xFB},
    {"CLZERO", 0, 0x01, 0, Operand::kWholeByte, 0xFC},
    {"RDPRU", 0, 0x01, 0, Operand::kWholeByte, 0xFD},
    {"INVLPGB", 0, 0x01, 0, Operand::kWholeByte, 0xFE},
    {"TLBSYNC", 0, 0x01, 0, Operand::kWholeByte, 0xFF},
};

struct Decoded {
  uint8_t prefix = 0;
  uint8_t map = 0;
  uint8_t opcode = 0;
  std::optional<uint8_t> modrm;
};

// Empty: not of the 0F opcodes, or cut off.
std::optional<Decoded> Decode(base::Bytes code, bool mode64) {
  constexpr uint8_t kSegmentsAndSizes[] = {0x26, 0x2E, 0x36, 0x3E,
                                           0x64, 0x65, 0x67};
  Decoded out;
  size_t at = 0;
  for (; at < code.size(); ++at) {
    const uint8_t byte = code[at];
    if (byte == 0xF2 || byte == 0xF3) {
      out.prefix = byte;
    } else if (byte == 0x66) {
      if (out.prefix == 0) out.prefix = byte;
    } else if (std::ranges::find(kSegmentsAndSizes, byte) ==
               std::end(kSegmentsAndSizes)) {
      break;
    }
  }
  if (mode64 && at < code.size() && (code[at] & 0xF0) == 0x40) ++at;  // REX
  if (at + 1 >= code.size() || code[at] != 0x0F) return std::nullopt;
  ++at;
  if (code[at] == 0x38 || code[at] == 0x3A) {
    out.map = code[at++];
    if (at >= code.size()) return std::nullopt;
  }
  out.opcode = code[at++];
  if (at < code.size()) out.modrm = code[at];
  return out;
}

bool Fits(const Row& row, const Decoded& code) {
  if (row.map != code.map || row.opcode != code.opcode ||
      row.prefix != code.prefix) {
    return false;
  }
  if (row.operand == Operand::kAny) return true;
  if (!code.modrm.has_value()) return false;
  if (row.operand == Operand::kWholeByte) return *code.modrm == row.extension;
  const bool is_register = *code.modrm >= 0xC0;
  return is_register == (row.operand == Operand::kRegister) &&
         (*code.modrm >> 3 & 7) == row.extension;
}

// Of BMI1 and BMI2 the engine has all, but those with the prefix 66 only once
// CR4.OSFXSR is set.
bool IsGatedVex(base::Bytes code) {
  return code.size() >= 4 && code[0] == 0xC4 && (code[1] & 0x1F) == 2 &&
         (code[2] & 3) == 1 && code[3] == 0xF7;
}

}  // namespace

std::string_view InstructionThatTheEngineLacks(base::Bytes code, bool mode64) {
  if (mode64 && IsGatedVex(code)) return "SHLX while CR4.OSFXSR is 0";
  const auto decoded = Decode(code, mode64);
  if (!decoded.has_value()) return {};
  for (const Row& row : kRows) {
    if (Fits(row, *decoded)) return row.name;
  }
  return {};
}

std::string HexOfCode(base::Bytes code) {
  constexpr size_t kMost = 8;
  std::string out;
  for (const uint8_t byte : code.first(std::min(code.size(), kMost))) {
    absl::StrAppendFormat(&out, "%s%02x", out.empty() ? "" : " ", byte);
  }
  return out;
}

}  // namespace machine
