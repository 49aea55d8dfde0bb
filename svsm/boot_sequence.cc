// SPDX-License-Identifier: Apache-2.0
#include "svsm/boot_sequence.h"

#include "base/bytes.h"
#include "proto/config_section.h"
#include "svsm/boot/exceptions.h"
#include "svsm/boot/image_symbols.h"
#include "svsm/console/console.h"
#include "svsm/console/line.h"
#include "svsm/cpu/features.h"
#include "svsm/hw/cpu.h"
#include "svsm/panic/fail.h"
#include "svsm/platform/platform_check.h"

namespace svsm {
namespace {

CpuidRegisters ReadCpuid(uint32_t leaf, uint32_t subleaf) {
  const hw::CpuidLeaf out = hw::Cpuid(leaf, subleaf);
  return {out.eax, out.ebx, out.ecx, out.edx};
}

base::Bytes ConfigSection() {
  // EDGE: the .config section, which image.ld delimits and nothing writes.
  const auto* start = reinterpret_cast<const uint8_t*>(__config_start);
  return {start, AddressOf(__config_end) - AddressOf(__config_start)};
}

uint64_t ReadSevStatus() {
  uint64_t value = 0;
  return ReadMsrOrFault(kSevStatusMsr, &value) ? value : 0;
}

}  // namespace

void BootSequence::Announce(const Line& line) {
  console::PrintTimed(static_cast<uint64_t>(clock_.Now()), line);
}

base::Status BootSequence::Run() {
  BASE_TRY(Configure());
  BASE_TRY(SeedRng());
  PowerOff();
}

base::Status BootSequence::Configure() {
  BASE_TRY_ASSIGN(const base::Bytes bytes,
                  proto::ConfigInSection(ConfigSection()));
  BASE_TRY(proto::DecodeConfig(bytes, config_));
  BASE_TRY(CheckPlatform(config_.platform, EntryPoint::kPvh, ReadSevStatus()));
  clock_.SetKilohertz(config_.tsc_khz);
  Announce(Line() << "started: platform emulated, vm " << config_.vm.view());
  BASE_TRY_ASSIGN(const CpuFeatures features, CheckCpu(ReadCpuid));
  entropy_.emplace(cpu_random_, features.rdseed);
  return {};
}

base::Status BootSequence::SeedRng() { return rng_.Seed(*entropy_, {}); }

}  // namespace svsm
