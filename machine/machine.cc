// SPDX-License-Identifier: Apache-2.0
#include "machine/machine.h"

#include <cxxabi.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "proto/launch_note.h"
#include "proto/ports.h"

namespace machine {
namespace {

// Linux, Documentation/arch/x86/boot.rst and zero-page.rst.
constexpr uint64_t kBootParamsCcBlob = 0x13C, kBootParamsMagic = 0x202;
constexpr uint32_t kBootMagic = 0x53726448;  // "HdrS"

std::vector<MemoryMapEntry> DefaultMap(const MemoryLayout& layout) {
  std::vector<MemoryMapEntry> map = {
      {.gpa = 0, .size = layout.below_4g, .type = proto::kMemoryMapTypeMemory}};
  if (layout.above_4g != 0) {
    map.push_back({.gpa = kAbove4G,
                   .size = layout.above_4g,
                   .type = proto::kMemoryMapTypeMemory});
  }
  return map;
}

// QEMU's etc/e820: address u64, length u64, type u32; 1 is RAM.
std::vector<uint8_t> E820(std::span<const MemoryMapEntry> map) {
  std::vector<uint8_t> out;
  for (const MemoryMapEntry& entry : map) {
    std::array<uint8_t, 20> row{};
    const std::span<uint8_t, 20> bytes(row);
    base::StoreLe<uint64_t>(entry.gpa, bytes.subspan<0, 8>());
    base::StoreLe<uint64_t>(entry.size, bytes.subspan<8, 8>());
    base::StoreLe<uint32_t>(entry.type == proto::kMemoryMapTypeMemory ? 1 : 2,
                            bytes.subspan<16, 4>());
    out.insert(out.end(), row.begin(), row.end());
  }
  return out;
}

// "svsm::SnpPlatform::Page" of the symbol that the compiler wrote.
std::string ShortName(const std::string& described) {
  const std::string symbol = described.substr(0, described.find('+'));
  int status = 0;
  const std::unique_ptr<char, decltype(&free)> name(
      abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status), &free);
  const std::string whole = status == 0 ? name.get() : symbol;
  return whole.substr(0, whole.find('('));
}

// Pages of a flat ROM lie just below 4 GiB.
uint64_t RomSize(const launch::LaunchPlan& plan, const MemoryLayout& layout) {
  uint64_t first = kAbove4G;
  for (const launch::PlanPage& page : plan.pages) {
    if (page.gpa >= layout.below_4g && page.gpa < first) first = page.gpa;
  }
  return kAbove4G - first;
}

MachineOptions Complete(MachineOptions options) {
  if (options.launch.cpuid.empty()) {
    options.launch.cpuid = MakeCpuidTable(options.hierarchy->model());
  }
  if (options.hypervisor.cpuid.empty()) {
    options.hypervisor.cpuid = options.launch.cpuid;
  }
  if (options.launch.memory_map.empty()) {
    options.launch.memory_map = DefaultMap(options.memory);
  }
  options.memory.rom = RomSize(options.plan, options.memory);
  return options;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Machine>> Machine::Create(
    MachineOptions options) {
  options = Complete(std::move(options));
  auto memory = GuestMemory::Create(options.memory);
  if (!memory.ok()) return memory.status();
  std::unique_ptr<Machine> machine(
      new Machine(std::move(options), *std::move(memory)));
  if (absl::Status started = machine->Start(); !started.ok()) return started;
  return machine;
}

Machine::Machine(MachineOptions options, std::unique_ptr<GuestMemory> memory)
    : options_(std::move(options)),
      trace_(options_.trace),
      memory_(std::move(memory)),
      rmp_(*memory_),
      firmware_(*options_.hierarchy, options_.firmware_fault,
                options_.platform),
      uart_([this](char c) {
        trace_.ConsoleCharacter(c, cpu_->instructions());
        if (options_.console) options_.console(c);
      }),
      doorbell_(proto::kProxyReadBack,
                [this](uint8_t byte) {
                  if (options_.doorbell) options_.doorbell(byte);
                }),
      power_(
          pci_, [this] { End({.kind = Ending::Kind::kPoweredOff}); },
          [this] { return ReadTsc(*cpu_) / kTscTicksOfAPmTick; }),
      fw_cfg_(*this,
              [this](uint64_t gpa) {
                End(Ending::Violation(absl::StrFormat(
                    "fw_cfg DMA at %#x, which is not shared", gpa)));
              }),
      hypervisor_(options_.hypervisor, *this, ports_, firmware_),
      random_state_(options_.seed) {}

void Machine::AddDevices() {
  constexpr uint16_t kPic[] = {0x20, 0xA0};
  ports_.Add(kCom1, Uart16550::kPorts, uart_);
  ports_.Add(proto::kProxyPort, 1, doorbell_);
  ports_.Add(PciConfiguration::kBase, PciConfiguration::kPorts, pci_);
  ports_.Add(FwCfgDevice::kBase, FwCfgDevice::kPorts, fw_cfg_);
  for (int i = 0; i < 2; ++i) {
    ports_.Add(kPic[i], InterruptController::kPorts, pic_[i]);
  }
  // Last: whatever port PMBASE names.
  ports_.Add(0, 0xFFFF, power_);
  fw_cfg_.set_on_select([this](std::string_view name) {
    if (name.starts_with("etc/acpi/") &&
        !pci_.power_management_base().has_value()) {
      End(Ending::Violation(absl::StrCat(
          name,
          " is read before PMBASE and ACPI_EN are set: QEMU makes a FADT "
          "without power management then")));
    }
  });
  fw_cfg_.AddFile("etc/e820", E820(options_.launch.memory_map));
  for (const FwCfgFile& file : options_.fw_cfg) {
    fw_cfg_.AddFile(file.name, file.contents);
  }
}

absl::Status Machine::Start() {
  AddDevices();
  auto launched = Launch(options_.plan, options_.hierarchy->model(),
                         options_.launch, *this, firmware_);
  if (!launched.ok()) return launched.status();
  launched_ = *std::move(launched);
  launched_pages_.insert(launched_.pages.begin(), launched_.pages.end());
  AssignRest();
  auto cpu =
      Cpu::Create(*memory_, rmp_, *this,
                  {.c_bit = kCbitPosition, .symbols = &options_.symbols});
  if (!cpu.ok()) return cpu.status();
  cpu_ = *std::move(cpu);
  cpu_->LoadVmsa(launched_.vmsa);
  return absl::OkStatus();
}

void Machine::End(Ending ending) {
  if (ending_.has_value()) return;
  cpu_->Stop(ending.text);
  ending_ = std::move(ending);
}

MachineResult Machine::Run() {
  ending_.reset();
  result_.stop = cpu_->Run(options_.limits);
  result_.ending = ending_.has_value() ? *ending_ : EndingOf(result_.stop);
  result_.instructions = cpu_->instructions();
  trace_.Note(result_.ending.text);
  return result_;
}

Ending Machine::EndingOf(const StopReason& stop) const {
  Ending ending{.text = stop.ToString()};
  switch (stop.kind) {
    case StopKind::kHalted:
      ending.kind = Ending::Kind::kHalted;
      break;
    case StopKind::kViolation:
      ending.kind = Ending::Kind::kViolation;
      break;
    case StopKind::kTripleFault:
      ending.kind = Ending::Kind::kShutdown;
      break;
    case StopKind::kRequested:
    case StopKind::kUnsupported:
    case StopKind::kInstructionLimit:
    case StopKind::kTimeLimit:
    case StopKind::kEngineError:
      ending.kind = Ending::Kind::kStopped;
      break;
  }
  return ending;
}

// --- Exits.

void Machine::OnVmgexit(Cpu& cpu) {
  Exit exit{.number = ++exits_,
            .rip = cpu.rip(),
            .instructions = cpu.instructions(),
            .msr = cpu.ghcb_msr()};
  std::optional<Ending> ending = Serve(exit);
  cpu.set_ghcb_msr(exit.msr);
  if (options_.trace != nullptr) {
    exit.detail +=
        absl::StrCat("  (", options_.symbols.Describe(exit.rip), ")");
  }
  trace_.Record(exit);
  if (ending.has_value()) {
    End(*std::move(ending));
  } else if (!ending_.has_value() && options_.hook != nullptr) {
    options_.hook->After(*this, exit);
    cpu.set_ghcb_msr(exit.msr);
  }
}

std::string Machine::CallersOf(Cpu& cpu) const {
  constexpr size_t kMost = 6;
  std::string text;
  const std::vector<Frame> frames = cpu.Backtrace();
  for (size_t i = 0; i < std::min(frames.size(), kMost); ++i) {
    absl::StrAppend(&text, i == 0 ? "" : " < ",
                    ShortName(options_.symbols.Describe(frames[i].address)));
  }
  return text;
}

// What the guest's own handler will see; an exit follows, or its end.
void Machine::OnException(Cpu& cpu, uint8_t vector, uint32_t vc_error) {
  if (options_.trace == nullptr) return;
  trace_.Note(absl::StrFormat(
      "%d instructions: exception %d, #VC code %#x, at %#x (%s)",
      cpu.instructions(), vector, vc_error, cpu.rip(), CallersOf(cpu)));
}

std::optional<Ending> Machine::Serve(Exit& exit) {
  if (auto ending = hypervisor_.Identify(exit)) return ending;
  if (options_.hook != nullptr) {
    switch (options_.hook->Before(*this, exit)) {
      case ExitHook::Verdict::kContinue:
        break;
      case ExitHook::Verdict::kHandled:
        return {};
      case ExitHook::Verdict::kStop:
        return Ending{.kind = Ending::Kind::kStopped, .text = "by the hook"};
    }
  }
  return hypervisor_.Serve(exit);
}

void Machine::OnPause(Cpu&) {
  ++pauses_;
  if (options_.on_pause) options_.on_pause();
  if (options_.hook != nullptr) options_.hook->OnPause(*this);
}

uint64_t Machine::ReadTsc(Cpu& cpu) {
  return options_.host_clock ? __rdtsc()
                             : cpu.instructions() + pauses_ * kPauseTicks;
}

// xorshift64*: unpredictable to nobody, the same in each run.
uint64_t Machine::Random64(Cpu&) {
  random_state_ ^= random_state_ >> 12;
  random_state_ ^= random_state_ << 25;
  random_state_ ^= random_state_ >> 27;
  return random_state_ * 0x2545F4914F6CDD1D;
}

// --- The kernel: the first code outside of what was launched whose RSI points
// to boot_params.

void Machine::OnFetchPage(Cpu& cpu, uint64_t gpa) {
  if (result_.kernel_entry != 0 || &cpu != cpu_.get() ||
      launched_pages_.contains(gpa & ~(kPageSize - 1))) {
    return;
  }
  const auto boot_params = cpu.Translate(cpu.gpr(Gpr::kRsi));
  if (!boot_params.has_value()) return;
  const base::MutableBytes magic =
      memory_->Private(boot_params->gpa + kBootParamsMagic, 4);
  if (magic.empty() || base::LoadLe<uint32_t>(magic.first<4>()) != kBootMagic) {
    return;
  }
  result_.kernel_entry = cpu.rip();
  result_.kernel_boot_params = boot_params->gpa;
  trace_.Note(absl::StrFormat("%d instructions: kernel entered at %#x",
                              cpu.instructions(), cpu.rip()));
  if (options_.kernel_limit == KernelLimit::kEntry) {
    End({.kind = Ending::Kind::kKernelReached, .text = "kernel entry"});
  }
}

void Machine::OnWriteCr3(Cpu& cpu, uint64_t value) {
  if (result_.kernel_entry == 0 || result_.kernel_page_tables) return;
  result_.kernel_page_tables = true;
  const base::MutableBytes blob =
      memory_->Private(result_.kernel_boot_params + kBootParamsCcBlob, 4);
  if (!blob.empty()) {
    result_.kernel_cc_blob = base::LoadLe<uint32_t>(blob.first<4>());
  }
  trace_.Note(absl::StrFormat("%d instructions: kernel writes CR3 %#x at %#x",
                              cpu.instructions(), value, cpu.rip()));
  if (options_.kernel_limit == KernelLimit::kPageTables) {
    End({.kind = Ending::Kind::kKernelReached, .text = "kernel page tables"});
  }
}

// --- What tests ask for.

void Machine::OnWatchedAccess(Cpu&, const WatchedAccess& access) {
  if (options_.hook != nullptr) options_.hook->OnWatchedAccess(*this, access);
}
void Machine::OnCount(Cpu&) {
  if (options_.hook != nullptr) options_.hook->OnCount(*this);
}
bool Machine::OnNestedFault(Cpu& cpu, const NestedFault& fault) {
  return CpuEvents::OnNestedFault(cpu, fault) || AssignOnTouch(fault) ||
         (options_.hook != nullptr &&
          options_.hook->OnNestedFault(*this, fault));
}

void Machine::OnCiphertextRead(Cpu& cpu, const NestedFault& fault) {
  ++ciphertext_reads_;
  trace_.Note(absl::StrFormat(
      "%d instructions: C=0 read of the private page %#x at %#x (%s)",
      cpu.instructions(), fault.gpa, fault.rip, CallersOf(cpu)));
}

// --- Memory, as the host has it.

void Machine::AssignRest() {
  if (options_.assigning != Assigning::kAtStart &&
      options_.assigning != Assigning::kAtStartIn4K) {
    return;
  }
  for (const MemoryRange& range : memory_->ranges()) {
    for (uint64_t at = 0; at < range.size; at += kLargePageSize) {
      MakePrivate(range.gpa + at, std::min(kLargePageSize, range.size - at),
                  options_.assigning == Assigning::kAtStart);
    }
  }
}

// As KVM where memory is private from the start: it has a page behind an
// address once somebody wants it. What was made shared stays so until a page
// state change says otherwise: KVM would convert it, and only a mistake of the
// guest wants that.
bool Machine::AssignOnTouch(const NestedFault& fault) {
  const uint64_t page = fault.gpa & ~(kPageSize - 1);
  if (options_.assigning != Assigning::kOnTouch ||
      fault.rule != Rule::kNotAssigned || rmp_.Get(page).shared ||
      !IsRam(page, kPageSize)) {
    return false;
  }
  return rmp_.AssignPrivate(page, RmpPageSize::k4K);
}

base::MutableBytes Machine::Shared(uint64_t gpa, uint64_t size) {
  const base::MutableBytes bytes = memory_->Shared(gpa, size);
  if (bytes.empty()) return {};
  for (uint64_t at = gpa & ~(kPageSize - 1); at < gpa + size; at += kPageSize) {
    if (rmp_.Get(at).assigned) return {};
  }
  return bytes;
}

bool Machine::IsRam(uint64_t gpa, uint64_t size) const {
  return memory_->IsRam(gpa, size) && pci_.ShowsRam(gpa, size);
}

void Machine::MakePrivate(uint64_t gpa, uint64_t size, bool large) {
  if (large && size == kLargePageSize && gpa % kLargePageSize == 0) {
    bool fresh = true;
    for (uint64_t at = gpa; at < gpa + size; at += kPageSize) {
      fresh &= !rmp_.Get(at).assigned;
    }
    if (fresh) {
      rmp_.AssignPrivate(gpa, RmpPageSize::k2M);
      return;
    }
  }
  for (uint64_t at = gpa; at < gpa + size; at += kPageSize) {
    if (!rmp_.Get(at).assigned) rmp_.AssignPrivate(at, RmpPageSize::k4K);
  }
}

void Machine::MakeShared(uint64_t gpa, uint64_t size) {
  for (uint64_t at = gpa; at < gpa + size; at += kPageSize) {
    if (!rmp_.Get(at).shared) rmp_.MakeShared(at, RmpPageSize::k4K);
  }
}

bool Machine::LaunchPage(uint64_t gpa, PageBytes contents) {
  const base::MutableBytes page = memory_->Private(gpa, kPageSize);
  if (page.empty() || rmp_.Get(gpa).assigned || !rmp_.LaunchPage(gpa)) {
    return false;
  }
  memcpy(page.data(), contents.data(), contents.size());
  return true;
}

}  // namespace machine
