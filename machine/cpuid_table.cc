// SPDX-License-Identifier: Apache-2.0
#include "machine/cpuid_table.h"

#include <algorithm>
#include <span>
#include <string_view>

namespace machine {
namespace {

constexpr uint32_t Bits(std::initializer_list<int> bits) {
  uint32_t value = 0;
  for (const int bit : bits) value |= uint32_t{1} << bit;
  return value;
}

// "AuthenticAMD" in EBX, EDX, ECX.
constexpr uint32_t kVendorEbx = 0x68747541, kVendorEcx = 0x444D4163,
                   kVendorEdx = 0x69746E65;

// Fn0000_0001: SSE3, PCLMULQDQ, SSSE3, CMPXCHG16B, SSE4.1, SSE4.2, MOVBE,
// POPCNT, AES, RDRAND, hypervisor.
constexpr uint32_t kFeaturesEcx =
    Bits({0, 1, 9, 13, 19, 20, 22, 23, 25, 30, 31});
// FPU to SSE2.
constexpr uint32_t kFeaturesEdx = 0x078BFBFF;
// Fn0000_0007: FSGSBASE, BMI1, SMEP, RDSEED, ADX, SMAP. Not BMI2, which every
// SNP processor has: while CR4.OSFXSR is 0 the engine takes SHLX for undefined,
// and Linux's decompressor uses it then, if it is offered.
constexpr uint32_t kStructuredEbx = Bits({0, 3, 7, 18, 19, 20});
// Fn8000_0001: LAHF, ABM, SSE4A, misaligned SSE, PREFETCHW.
constexpr uint32_t kExtendedEcx = Bits({0, 5, 6, 7, 8});
// Those that repeat Fn0000_0001, SYSCALL, NX, MMX extensions, RDTSCP, LM.
constexpr uint32_t kExtendedEdx =
    (kFeaturesEdx & 0x0183F3FF) | Bits({11, 20, 22, 27, 29});
// Fn8000_001F: SEV, SEV-ES, SEV-SNP, VMPL.
constexpr uint32_t kEncryptionEax = Bits({1, 3, 4, 5});
constexpr uint32_t kReducedAddressBits = 1;

sev::CpuidValues Brand(const psp::ChipModel& model, unsigned part) {
  std::string_view line = model.line;
  std::array<char, 48> text{};
  constexpr std::string_view kText = "Forelock SNP machine, EPYC ";
  std::copy(kText.begin(), kText.end(), text.begin());
  line = line.substr(0, text.size() - kText.size() - 1);
  std::copy(line.begin(), line.end(), text.begin() + kText.size());
  const auto word = [&](unsigned i) {
    uint32_t value = 0;
    for (unsigned b = 4; b-- > 0;) {
      value = value << 8 | static_cast<uint8_t>(text[part * 16 + i * 4 + b]);
    }
    return value;
  };
  return {.eax = word(0), .ebx = word(1), .ecx = word(2), .edx = word(3)};
}

}  // namespace

CpuidTable MakeCpuidTable(const psp::ChipModel& model) {
  const uint32_t fms = psp::CpuidEax(model.cpuid);
  return {
      // No leaf 0Dh: Linux refuses one without XSAVEC.
      {0x00000000,
       0,
       {.eax = 0x0B, .ebx = kVendorEbx, .ecx = kVendorEcx, .edx = kVendorEdx}},
      // CLFLUSH of 64 bytes, one logical processor.
      {0x00000001,
       0,
       {.eax = fms,
        .ebx = 0x00010800,
        .ecx = kFeaturesEcx,
        .edx = kFeaturesEdx}},
      {0x00000007, 0, {.ebx = kStructuredEbx}},
      {0x0000000B, 0, {.eax = 0, .ebx = 1, .ecx = 0x100}},
      {0x0000000B, 1, {.eax = 0, .ebx = 1, .ecx = 0x201}},
      // x87 and SSE state. XSAVE is not offered, but SNP hardware always says
      // XSAVEC here, and Linux gives up where a CPUID page does not.
      {0x0000000D, 0, {.eax = 3, .ebx = 0x240, .ecx = 0x240}},
      {0x0000000D, 1, {.eax = Bits({1})}},
      {0x80000000,
       0,
       {.eax = 0x80000021,
        .ebx = kVendorEbx,
        .ecx = kVendorEcx,
        .edx = kVendorEdx}},
      {0x80000001, 0, {.eax = fms, .ecx = kExtendedEcx, .edx = kExtendedEdx}},
      {0x80000002, 0, Brand(model, 0)},
      {0x80000003, 0, Brand(model, 1)},
      {0x80000004, 0, Brand(model, 2)},
      {0x80000005,
       0,
       {.eax = 0xFF40FF40,
        .ebx = 0xFF40FF40,
        .ecx = 0x20080140,
        .edx = 0x20080140}},
      {0x80000006,
       0,
       {.eax = 0x48002200, .ebx = 0x68004200, .ecx = 0x02006140}},
      {0x80000007, 0, {.edx = Bits({8})}},  // Invariant TSC.
      {0x80000008, 0, {.eax = 0x00003030}},
      {0x8000001E, 0, {}},
      {sev::kCpuidEncryptedMemory,
       0,
       {.eax = kEncryptionEax,
        .ebx = kCbitPosition | kReducedAddressBits << 6}},
      {0x80000021, 0, {}},
  };
}

sev::CpuidValues LookUp(const CpuidTable& table, uint32_t leaf,
                        uint32_t subleaf) {
  const CpuidEntry* whole_leaf = nullptr;
  bool has_subleaves = false;
  for (const CpuidEntry& entry : table) {
    if (entry.leaf != leaf) continue;
    if (entry.subleaf == subleaf) return entry.values;
    if (entry.subleaf == 0) whole_leaf = &entry;
    has_subleaves |= entry.subleaf != 0;
  }
  // Leaves that do not look at ECX: all but these two here.
  const bool indexed = has_subleaves || leaf == 0x07;
  return whole_leaf == nullptr || indexed ? sev::CpuidValues{}
                                          : whole_leaf->values;
}

std::array<uint8_t, sev::kCpuidPageSize> MakeCpuidPage(
    const CpuidTable& table) {
  namespace f = sev::cpuid_function_layout;
  std::array<uint8_t, sev::kCpuidPageSize> page{};
  const std::span<uint8_t, sev::kCpuidPageSize> out(page);
  const size_t count = std::min(table.size(), sev::kCpuidMaxFunctions);
  sev::PutLe<uint32_t, sev::cpuid_page_layout::Count>(
      static_cast<uint32_t>(count), out);
  for (size_t i = 0; i < count; ++i) {
    const auto entry =
        out.subspan(sev::kCpuidHeaderSize + i * sev::kCpuidFunctionSize)
            .first<sev::kCpuidFunctionSize>();
    sev::PutLe<uint32_t, f::EaxIn>(table[i].leaf, entry);
    sev::PutLe<uint32_t, f::EcxIn>(table[i].subleaf, entry);
    // The size of leaf 0xD is for this XCR0.
    if (table[i].leaf == 0x0D) sev::PutLe<uint64_t, f::Xcr0In>(1, entry);
    sev::PutLe<uint32_t, f::Eax>(table[i].values.eax, entry);
    sev::PutLe<uint32_t, f::Ebx>(table[i].values.ebx, entry);
    sev::PutLe<uint32_t, f::Ecx>(table[i].values.ecx, entry);
    sev::PutLe<uint32_t, f::Edx>(table[i].values.edx, entry);
  }
  return page;
}

}  // namespace machine
