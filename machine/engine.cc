// SPDX-License-Identifier: Apache-2.0
#include "machine/engine.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace machine {
namespace {

// How much of CPUX86State is searched; all that is looked for lies in the first
// 6 KiB, and the structure is longer than that.
inline constexpr size_t kSearchedWords = 0x1A00 / 8;

enum Feature {
  kFeature1Edx = 0,
  kFeature1Ecx = 1,
  kFeature7Ebx = 2,
  kFeatureExtendedEdx = 6,
  kFeatureExtendedEcx = 7,
  kFeatureXsaveComponents = 21,
};

// What instructions the engine may decode; CPUID itself never gets there. What
// 2.0.1 starts with, for every version; and more.
inline constexpr uint64_t kBase1Edx = kEngine201.start_1_edx;
inline constexpr uint64_t kBase1Ecx = kEngine201.start_1_ecx;
inline constexpr uint64_t kBase7Ebx = 0x00180108;
inline constexpr uint64_t kBaseExtendedEdx = 0xA8000000;
inline constexpr uint64_t kBaseExtendedEcx = 0x00001031;
inline constexpr uint64_t kMore1Edx = uint64_t{1} << 4 |          // TSC
                                      uint64_t{1} << 5 |          // MSR
                                      uint64_t{1} << 6 |          // PAE
                                      uint64_t{1} << 13 |         // PGE
                                      uint64_t{1} << 23;          // MMX
inline constexpr uint64_t kMore1Ecx = uint64_t{1} << 0 |          // SSE3
                                      uint64_t{1} << 1 |          // PCLMULQDQ
                                      uint64_t{1} << 22 |         // MOVBE
                                      uint64_t{1} << 23 |         // POPCNT
                                      uint64_t{1} << 26 |         // XSAVE
                                      uint64_t{1} << 30;          // RDRAND
inline constexpr uint64_t kMore7Ebx = uint64_t{1} << 0 |          // FSGSBASE
                                      uint64_t{1} << 7 |          // SMEP
                                      uint64_t{1} << 9 |          // ERMS
                                      uint64_t{1} << 18 |         // RDSEED
                                      uint64_t{1} << 20;          // SMAP
inline constexpr uint64_t kMoreExtendedEdx = uint64_t{1} << 11 |  // SYSCALL
                                             uint64_t{1} << 20 |  // NX
                                             uint64_t{1} << 26 |  // 1 GiB pages
                                             uint64_t{1} << 27 |  // RDTSCP
                                             uint64_t{1} << 29;   // long mode
inline constexpr uint64_t kXsaveX87AndSse = 3;

absl::Status Unknown(std::string_view what) {
  return absl::FailedPreconditionError(
      absl::StrCat("libunicorn.a is not the pinned one: ", what));
}

uint64_t ReadMsr(uc_engine* engine, uint32_t number) {
  uc_x86_msr msr = {number, 0};
  uc_reg_read(engine, UC_X86_REG_MSR, &msr);
  return msr.value;
}

void WriteMsr(uc_engine* engine, uint32_t number, uint64_t value) {
  uc_x86_msr msr = {number, value};
  uc_reg_write(engine, UC_X86_REG_MSR, &msr);
}

// The only word for which `is_it` holds; kSearchedWords if there is none, or
// more than one.
template <typename Predicate>
size_t OnlyWord(Predicate is_it) {
  size_t found = kSearchedWords;
  for (size_t i = 0; i < kSearchedWords; ++i) {
    if (!is_it(i)) continue;
    if (found != kSearchedWords) return kSearchedWords;
    found = i;
  }
  return found;
}

bool RegistersComeFirst(uc_engine* engine, const uint64_t* words) {
  constexpr std::array kOrder = {UC_X86_REG_RAX, UC_X86_REG_RCX, UC_X86_REG_RDX,
                                 UC_X86_REG_RBX, UC_X86_REG_RSP, UC_X86_REG_RBP,
                                 UC_X86_REG_RSI, UC_X86_REG_RDI, UC_X86_REG_R8,
                                 UC_X86_REG_R9,  UC_X86_REG_R10, UC_X86_REG_R11,
                                 UC_X86_REG_R12, UC_X86_REG_R13, UC_X86_REG_R14,
                                 UC_X86_REG_R15, UC_X86_REG_RIP};
  bool ok = true;
  for (size_t i = 0; i < kOrder.size(); ++i) {
    uint64_t value = 0x5EED000012340000 + i;
    uc_reg_write(engine, kOrder[i], &value);
    ok &= words[i] == value;
    value = 0;
    uc_reg_write(engine, kOrder[i], &value);
    ok &= words[i] == 0;
  }
  return ok;
}

}  // namespace

thread_local void* engine_env_seen = nullptr;

template <typename T>
T& EngineState::At(size_t offset) const {
  // EDGE: offset was found by Find() to hold a T; env_ outlives this object.
  return *reinterpret_cast<T*>(static_cast<char*>(env_) + offset);
}

uint32_t& EngineState::hflags() const { return At<uint32_t>(segments_ - 8); }

EngineSegment& EngineState::segment(EngineSegmentIndex index) const {
  return At<EngineSegment>(segments_ + sizeof(EngineSegment) * index);
}

uint64_t& EngineState::cr(int index) const {
  return At<uint64_t>(segments_ + 10 * sizeof(EngineSegment) +
                      8 * static_cast<size_t>(index));
}

uint64_t& EngineState::efer() const { return At<uint64_t>(efer_); }

absl::StatusOr<EngineState> EngineState::Find(uc_engine* engine) {
  if (uc_version(nullptr, nullptr) != kEngine.number) return Unknown("version");

  constexpr uint32_t kEferMsr = 0xC0000080;
  engine_env_seen = nullptr;
  const uint64_t efer_before = ReadMsr(engine, kEferMsr);
  EngineState state;
  state.env_ = engine_env_seen;
  if (state.env_ == nullptr) return Unknown("RDMSR is not replaced");
  uint64_t* const words = state.words();
  if (!RegistersComeFirst(engine, words)) return Unknown("registers");

  // features[] first: without SYSCALL in it EFER.SCE cannot be set.
  const size_t features_at = OnlyWord([words](size_t i) {
    return i + kFeatureXsaveComponents < kSearchedWords &&
           words[i] == kEngine.start_1_edx &&
           words[i + 1] == kEngine.start_1_ecx;
  });
  if (features_at == kSearchedWords) return Unknown("features");
  uint64_t* const features = words + features_at;
  features[kFeature1Edx] = kBase1Edx | kMore1Edx;
  features[kFeature1Ecx] = kBase1Ecx | kMore1Ecx;
  features[kFeature7Ebx] = kBase7Ebx | kMore7Ebx;
  features[kFeatureExtendedEdx] = kBaseExtendedEdx | kMoreExtendedEdx;
  features[kFeatureExtendedEcx] = kBaseExtendedEcx;
  features[kFeatureXsaveComponents] |= kXsaveX87AndSse;

  uint64_t magic = 0x5A17C0DE1234ABCD;
  uc_reg_write(engine, UC_X86_REG_FS_BASE, &magic);
  const size_t fs_base = OnlyWord([&](size_t i) { return words[i] == magic; });
  if (fs_base == kSearchedWords) return Unknown("segments");
  state.segments_ = 8 * fs_base - 8 - sizeof(EngineSegment) * kFs;
  magic = 0;
  uc_reg_write(engine, UC_X86_REG_FS_BASE, &magic);
  if (state.segment(kFs).base != 0) return Unknown("segments");
  constexpr uint32_t kResetHflags =
      kHflagsLma | kHflagsCs64 | kHflagsOsfxsr | kHflagsPe;
  if ((state.hflags() & kResetHflags) != kResetHflags) return Unknown("hflags");

  for (const auto& [index, name] :
       {std::pair{2, UC_X86_REG_CR2}, std::pair{3, UC_X86_REG_CR3}}) {
    magic = 0x1234000 + (static_cast<uint64_t>(index) << 12);
    uc_reg_write(engine, name, &magic);
    if (state.cr(index) != magic) return Unknown("control registers");
    magic = 0;
    uc_reg_write(engine, name, &magic);
    if (state.cr(index) != 0) return Unknown("control registers");
  }

  const std::vector<uint64_t> before(words, words + kSearchedWords);
  WriteMsr(engine, kEferMsr, efer_before | 1);
  const size_t efer_at = OnlyWord([&](size_t i) {
    return before[i] == efer_before && words[i] == (efer_before | 1);
  });
  if (efer_at == kSearchedWords) return Unknown("EFER");
  state.efer_ = 8 * efer_at;
  return state;
}

}  // namespace machine
