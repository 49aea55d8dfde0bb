// SPDX-License-Identifier: Apache-2.0
#include "svsm/boot_sequence.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "attest/reasons.h"
#include "base/reasons.h"
#include "base/secret_buffer.h"
#include "proto/channel.h"
#include "proto/config_section.h"
#include "proxy/page_layout.h"
#include "sev/cpuid_page.h"
#include "sev/ghcb.h"
#include "sev/secrets_page.h"
#include "svsm/attestation/manifest.h"
#include "svsm/boot/exceptions.h"
#include "svsm/boot/image_symbols.h"
#include "svsm/boot/page_tables.h"
#include "svsm/boot_permit.h"
#include "svsm/console/console.h"
#include "svsm/console/line.h"
#include "svsm/cpu/features.h"
#include "svsm/fw_cfg/fw_cfg.h"
#include "svsm/fw_cfg/fw_cfg_dma.h"
#include "svsm/linux/boot_params.h"
#include "svsm/linux/cc_blob.h"
#include "svsm/linux/leave.h"
#include "svsm/linux/reasons.h"
#include "svsm/memory/e820_file.h"
#include "svsm/memory/interval_set.h"
#include "svsm/memory/physical_window.h"
#include "svsm/panic/reason_text.h"
#include "svsm/platform/platform.h"
#include "svsm/platform/platform_check.h"
#include "svsm/platform/shared_area.h"
#include "svsm/platform/snp/reasons.h"
#include "svsm/runtime/runtime.h"
#include "svsm/runtime/static_storage.h"

namespace svsm {
namespace {

using base::AsBytes;
using base::Bytes;
using base::Code;
using base::Milliseconds;
using base::Result;
using base::Status;
using proto::channel::Phase;

// What a boot that failed early spends on telling the host's operator.
constexpr Milliseconds kLastWord{2000};

// Two exits a transfer: a kernel and an initrd of 32 MiB cost 256.
constexpr uint32_t kFwCfgBounceSize = 256 * 1024;

// What the host may see, each while it is open. Pages of its own each: whatever
// else stood in one would be shared too.
alignas(kPageSize) constinit uint8_t proxy_pages[proxy::kSharedRangeSize];
alignas(kPageSize) constinit uint8_t processor_pages[proxy::kSharedRangeSize];
alignas(kPageSize) constinit uint8_t fw_cfg_pages[kPageSize + kFwCfgBounceSize];
static_assert(sizeof(processor_pages) >= SnpProcessor::kSharedSize);
constinit SharedArea proxy_area(proxy_pages, sizeof(proxy_pages));
constinit SharedArea processor_area(processor_pages, sizeof(processor_pages));
constinit SharedArea fw_cfg_area(fw_cfg_pages, sizeof(fw_cfg_pages));

constinit StaticStorage<FwCfg> fw_cfg_storage;

bool OnSnp() { return ThePlatform().entry_point() == EntryPoint::kSnp; }

CpuidRegisters ReadCpuid(uint32_t leaf, uint32_t subleaf) {
  return ThePlatform().Cpuid(leaf, subleaf);
}

// EDGE: pages that image.ld reserves and an SNP launch fills; private memory.
std::span<uint8_t, sev::kSecretsPageSize> SecretsPage() {
  return std::span<uint8_t, sev::kSecretsPageSize>(
      reinterpret_cast<uint8_t*>(__snp_secrets_page), sev::kSecretsPageSize);
}
std::span<const uint8_t, sev::kCpuidPageSize> CpuidPage() {
  return std::span<const uint8_t, sev::kCpuidPageSize>(
      reinterpret_cast<const uint8_t*>(__snp_cpuid_page), sev::kCpuidPageSize);
}

Bytes ConfigSection() {
  // EDGE: the .config section, which image.ld delimits and nothing writes.
  const auto* start = reinterpret_cast<const uint8_t*>(__config_start);
  return {start, AddressOf(__config_end) - AddressOf(__config_start)};
}

// Does not trap, as the window would. Nothing is at 0.
void WipeRam(uint64_t begin, uint64_t size) {
  if (begin == 0 || size == 0 || begin > kIdentityLimit) return;
  if (size > kIdentityLimit - begin) return;
  const auto window = PhysicalWindow::Identity(kIdentityLimit);
  base::SecureZero(window.At(begin, size).data(), size);
}

uint64_t ReadSevStatus() {
  uint64_t value = 0;
  return ReadMsrOrFault(sev::kSevStatusMsr, &value) ? value : 0;
}

}  // namespace

Status BootSequence::Run() {
  TakeLaunchKey();
  BASE_TRY(Configure());
  const Status attached = AttachProcessor();
  BASE_TRY(UseKey());
  if (!attached.ok() && config_.on_failure == proto::OnFailure::kHalt) {
    return attached;
  }
  BASE_TRY(Measure());
  BASE_TRY_ASSIGN(BootPermit permit, Permit(attached));
  return HandOver(std::move(permit));
}

Result<BootPermit> BootSequence::Permit(Status attached) {
  if (!attached.ok()) return JudgeFailure(attached);
  Result<BootPermit> permit = Attest();
  return permit.ok() ? std::move(permit) : JudgeFailure(permit.status());
}

// The first act, before anything that can fail: from here on every way out
// destroys the key.
void BootSequence::TakeLaunchKey() {
  if (!OnSnp()) return;
  Result<sev::Vmpck> key = sev::TakeVmpck0(SecretsPage());
  launch_key_ = key.status();
  if (key.ok()) vmpck0_ = *std::move(key);
}

Status BootSequence::Configure() {
  BASE_TRY_ASSIGN(const Bytes bytes, proto::ConfigInSection(ConfigSection()));
  BASE_TRY(proto::DecodeConfig(bytes, config_));
  BASE_TRY(CheckPlatform(config_.platform, ThePlatform().entry_point(),
                         ReadSevStatus()));
  const uint32_t secure_tsc = ThePlatform().tsc_kilohertz();
  clock_.SetKilohertz(secure_tsc != 0 ? secure_tsc : config_.tsc_khz);
  BASE_TRY(OpenChannelParts());
  progress_.Reached(Phase::kStarted,
                    Line() << "started: platform "
                           << (OnSnp() ? "snp, VMPL0" : "emulated") << ", vm "
                           << config_.vm.view());
  if (!OnSnp()) {
    progress_.Note(Line() << "THIS IS AN EMULATION: it keeps no secret from "
                             "this host");
  }
  BASE_TRY_ASSIGN(const CpuFeatures features, CheckCpu(ReadCpuid));
  entropy_.emplace(cpu_random_, features.rdseed);
  return {};
}

Status BootSequence::OpenChannelParts() {
  BASE_TRY(proxy_area.Open(ThePlatform()));
  proxy_port_.emplace(config_.channel_port);
  proxy_transport_.emplace(proxy_area.range(), *proxy_port_,
                           proxy::kProxyReadBack, clock_);
  client_.emplace(*proxy_transport_, clock_);
  progress_.UseChannel(*client_);
  return {};
}

Status BootSequence::AttachProcessor() {
  return OnSnp() ? AttachSnp() : AttachEmulated();
}

Status BootSequence::AttachEmulated() {
  processor_port_.emplace(proxy::kFirmwarePort);
  processor_transport_.emplace(processor_area.range(), *processor_port_,
                               proxy::kFirmwareReadBack, clock_);
  emulated_processor_.emplace(*processor_transport_, clock_);
  BASE_TRY(processor_area.Open(ThePlatform()));
  BASE_TRY_ASSIGN(
      vmpck0_, emulated_processor_->Attach(clock_.Now() +
                                           config_.secure_processor_deadline));
  return {};
}

Status BootSequence::AttachSnp() {
  snp_processor_.emplace(*ThePlatform().guest_request_exit(),
                         processor_area.range());
  BASE_TRY(processor_area.Open(ThePlatform()));
  return launch_key_;
}

// VMPCK0 (empty without a processor) is mixed into the seed: a host that
// foresees RDRAND does not foresee it too.
Status BootSequence::UseKey() {
  const Status seeded = rng_.Seed(*entropy_, vmpck0_.RevealSecret());
  GuestRequestDoorbell* processor = nullptr;
  if (OnSnp()) {
    processor = &*snp_processor_;
  } else {
    processor = &*emulated_processor_;
  }
  driver_.emplace(std::move(vmpck0_), *processor, clock_,
                  config_.secure_processor_deadline);
  return seeded;
}

// --- The boot files.

Status BootSequence::Measure() {
  BASE_TRY(LoadFiles());
  BASE_TRY_ASSIGN(manifest_, MakeManifest(files_));
  BASE_TRY_ASSIGN(manifest_size_,
                  attest::Serialise(manifest_, manifest_bytes_));
  PrintManifest();
  if (config_.expected_boot.has_value()) {
    BASE_TRY(CheckExpected(manifest_, *config_.expected_boot, config_.acpi));
  }
  progress_.Reached(Phase::kMeasured, Line() << "measured: boot files copied");
  return {};
}

uint64_t BootSequence::RoomForSecrets() const {
  uint64_t bytes = 0;
  for (const proto::Resource& resource : config_.resources) {
    bytes += resource.max_size;
  }
  return RoomBehindInitrd(config_.resources.size(), bytes);
}

// A launch that left no memory map was that of a flat ROM.
Status BootSequence::ReadHostMap(FwCfg& fw_cfg) {
  BASE_TRY_ASSIGN(const FwCfgFile file, fw_cfg.Find(kE820FileName));
  std::array<uint8_t, kMaxE820FileSize> bytes;
  if (file.size > bytes.size()) {
    return Status(Code::kResourceExhausted, kTooManyRanges);
  }
  const base::MutableBytes map = base::MutableBytes(bytes).first(file.size);
  BASE_TRY(fw_cfg.Read(file, map));
  BASE_TRY_ASSIGN(start_info_.count, ReadE820File(map, start_info_.entries));
  return {};
}

// All RAM that there is, before any of it is used or handed on.
Status BootSequence::TakeMemory() {
  const Range image{AddressOf(__image_start), AddressOf(__image_end)};
  BASE_TRY(map_.Accept(start_info_.map(), image));
  std::array<Range, 3 * MemoryMap::kMaxRanges> ranges;
  BASE_TRY_ASSIGN(const size_t count, map_.MakeUnaccepted(ranges));
  for (const Range range : std::span(ranges).first(count)) {
    BASE_TRY(ThePlatform().Accept(range));
  }
  if (!OnSnp() || !map_.HasRomArea()) return {};
  // A host may have no RAM there, whatever its map says: not every kernel
  // cares.
  const Status rom = ThePlatform().Accept(MemoryMap::kRomArea);
  if (rom.reason() == kPageStateRefused) return {};
  BASE_TRY(rom);
  map_.WipeRomArea();
  return {};
}

Status BootSequence::LoadFiles() {
  BASE_TRY(fw_cfg_area.Open(ThePlatform()));
  // EDGE: the first page is the access structure's, which has no invariants.
  auto* const access = reinterpret_cast<FwCfgAccess*>(fw_cfg_pages);
  PortFwCfgDoorbell doorbell;
  FwCfgDma dma(
      {.access = access,
       .access_address = AddressOf(access),
       .bounce = OnSnp() ? base::MutableBytes(fw_cfg_pages).subspan(kPageSize)
                         : base::MutableBytes()},
      doorbell, clock_);
  FwCfg& fw_cfg = fw_cfg_storage.Construct(dma);
  BASE_TRY(fw_cfg.Open());
  if (OnSnp() && start_info_.count == 0) BASE_TRY(ReadHostMap(fw_cfg));
  BASE_TRY(TakeMemory());
  const AcpiSource acpi = config_.acpi == proto::Acpi::kFromHost
                              ? AcpiSource::kFromHost
                              : AcpiSource::kNone;
  BASE_TRY(LoadBootFiles(fw_cfg, map_, PhysicalWindow::Identity(kIdentityLimit),
                         acpi, RoomForSecrets(), files_));
  return fw_cfg_area.Close(ThePlatform());
}

void BootSequence::PrintManifest() {
  const auto print = [](std::string_view name,
                        const attest::BootFileDigest& file) {
    Line line;
    line << "boot manifest: " << name << " sha384:";
    line.HexBytes(file.sha384) << " " << file.length;
    console::Print(line);
  };
  print("kernel", manifest_.kernel);
  print("initrd", manifest_.initrd);
  print("cmdline", manifest_.command_line);
  for (const attest::BootFileDigest& file : manifest_.acpi) {
    print({file.name, file.name_size}, file);
  }
  if (manifest_.acpi.empty()) return;
  Line line;
  line << "boot manifest: acpi sha384:";
  console::Print(line.HexBytes(AcpiDigest(manifest_)));
}

// --- The attestation.

Result<BootPermit> BootSequence::Attest() {
  for (const proto::Resource& resource : config_.resources) {
    BASE_TRY(wanted_.Add({.name = AsBytes(resource.name.view()),
                          .kind = resource.kind == proto::ResourceKind::kLuks2
                                      ? attest::SecretKind::kLuks2
                                      : attest::SecretKind::kFile,
                          .max_size = resource.max_size}));
  }
  evidence_.emplace(*driver_, OnSnp() ? &*snp_processor_ : nullptr, *client_,
                    clock_, config_.proxy_deadline);
  AttestationObserver& observer = *this;
  attestation_.emplace(*client_, *evidence_, rng_, clock_, observer);
  connect_tried_ = true;
  BASE_TRY(attestation_->Run(
      {.vm = AsBytes(config_.vm.view()),
       .endpoint = AsBytes(config_.verifier_endpoint.view()),
       .pins = config_.verifier_pins.span(),
       .secrets = {wanted_.data(), wanted_.size()},
       .boot_manifest = Bytes(manifest_bytes_).first(manifest_size_),
       .proxy_timeout = config_.proxy_deadline,
       .verifier_timeout = config_.verifier_deadline}));
  const attest::NativeSession& session = attestation_->session();
  std::optional<BootPermit> permit = attestation_->Permit();
  if (!permit.has_value()) {
    progress_.Refused(session.outcome(), session.decision_id());
    return Status(Code::kPermissionDenied, attest::kRefusedByVerifier);
  }
  granted_ = true;
  progress_.Reached(Phase::kGranted,
                    Line() << "granted: " << session.secrets().size()
                           << " secrets, boot " << session.boot_counter());
  return *std::move(permit);
}

void BootSequence::OnChannel() { progress_.ChannelIsUp(); }

void BootSequence::OnConnected() {
  progress_.Reached(Phase::kConnected, Line()
                                           << "connected: verifier "
                                           << config_.verifier_endpoint.view());
}

void BootSequence::OnAttested() {
  progress_.Reached(Phase::kAttested, Line() << "attested: evidence sent");
}

void BootSequence::OnRetry(const AttemptResult& why) {
  Line line;
  line << "trying again: ";
  if (why.status.ok()) {
    line << proto::NameOf(why.outcome);
  } else {
    line << base::NameOf(why.status.reason()).text << " "
         << ReasonText(why.status.reason());
  }
  progress_.Note(line);
}

// An attestation that failed ends the boot, unless the configuration lets
// exactly these boot files go on without secrets.
Result<BootPermit> BootSequence::JudgeFailure(Status why) {
  std::optional<BootPermit> permit = PermitWithoutSecrets(manifest_, config_);
  if (!permit.has_value()) {
    // Printed and reported already; Fail() does the rest for the others.
    if (why.reason() == attest::kRefusedByVerifier) {
      static_cast<void>(CloseChannels());
    }
    return why;
  }
  progress_.Note(Line() << "booting without secrets: "
                        << base::NameOf(why.reason()).text << " "
                        << ReasonText(why.reason()));
  return *std::move(permit);
}

// --- The way out.

Status BootSequence::Prepare() {
  static_assert(proto::kMaxResources == 8);
  const std::array<uint8_t, 32> no_digest{};
  const DiskSecret none{.header_sha256 = no_digest};
  std::array<DiskSecret, 8> disks{none, none, none, none,
                                  none, none, none, none};
  std::array<FileSecret, 8> files{};
  size_t disk_count = 0;
  size_t file_count = 0;
  for (size_t i = 0; granted_ && i < config_.resources.size(); ++i) {
    const proto::Resource& resource = config_.resources[i];
    const attest::ReceivedSecret& secret =
        attestation_->session().secrets().at(i);
    if (resource.kind == proto::ResourceKind::kLuks2) {
      DiskSecret& disk = disks[disk_count++];
      disk.volume = resource.place.view();
      disk.key = secret.value.RevealSecret();
      disk.header_length = secret.header_length;
      disk.header_sha256 = secret.header_sha256;
    } else {
      files[file_count++] = {.path = resource.place.view(),
                             .contents = secret.value.RevealSecret()};
    }
  }
  BASE_TRY(rng_.Generate(kernel_seed_));
  HandoverInput input{.disks = std::span(disks).first(disk_count),
                      .files = std::span(files).first(file_count),
                      .rng_seed = kernel_seed_,
                      .encryption_mask = ThePlatform().encryption_mask()};
  if (OnSnp()) input.launch_pages = LaunchPages{SecretsPage(), CpuidPage()};
  return PrepareKernel(files_, map_, PhysicalWindow::Identity(kIdentityLimit),
                       input, handover_);
}

Status BootSequence::HandOver(BootPermit permit) {
  BASE_TRY(Prepare());
  const Watermarks marks = MeasureWatermarks();
  progress_.Note(Line() << "memory: heap peak " << uint64_t{marks.heap_peak}
                        << ", stack peak " << uint64_t{marks.stack_peak});
  progress_.Reached(Phase::kHandingOver, Line() << "handing-over");
  BASE_TRY(CloseChannels());
  console::Flush();
  WipeVmpck0();
  WipeKernelSeed();
  WipeSession();
  WipeRng();
  BASE_TRY(ThePlatform().Retire());
  Leave(handover_, driver_->Destroy(), std::move(permit));
}

// All of these run in exceptions too, where anything may be broken, and may
// raise one themselves: a host can take any page away. So each does one thing,
// and panic/fail.h goes on with the next.
void BootSequence::ClearSharedPages() {
  proxy_area.Clear();
  processor_area.Clear();
  fw_cfg_area.Clear();
}

void BootSequence::WipeVmpck0() {
  vmpck0_.Wipe();
  if (driver_.has_value()) static_cast<void>(driver_->Destroy());
}

// The kernel's keys: there will be none. No page of it is PVH's.
void BootSequence::WipeSecretsPage() {
  base::SecureZero(SecretsPage().data(), SecretsPage().size());
}

void BootSequence::WipeKernelSeed() {
  base::SecureZero(kernel_seed_.data(), kernel_seed_.size());
}

void BootSequence::WipeSession() {
  if (attestation_.has_value()) attestation_->Wipe();
}

void BootSequence::WipeKernelPages() {
  WipeRam(handover_.kept_pages, kKeptPagesSize);
  WipeRam(handover_.rng_seed, kRngSeedNodeSize);
}

// All the room there: whoever was interrupted in PrepareKernel() has not said
// yet how much of it there is to wipe.
void BootSequence::WipeBehindInitrd() {
  const BootFile& file = files_.initrd;
  WipeRam(file.memory.begin + file.length, file.memory.size() - file.length);
}

void BootSequence::ReportFailure(Status why) {
  if (!client_.has_value() || !proxy_area.open()) return;
  if (!client_->connected() && !connect_tried_) {
    const Milliseconds patience = std::min(kLastWord, config_.proxy_deadline);
    const Bytes vm = AsBytes(config_.vm.view());
    if (client_->Connect(vm, clock_.Now() + patience).ok()) {
      progress_.ChannelIsUp();
    }
  }
  progress_.Failed(why);
  // What the host can reach is emptied after this by ClearSharedPages().
  static_cast<void>(CloseChannels());
}

// The daemons let go of the shared pages, which are private and empty
// afterwards.
Status BootSequence::CloseChannels() {
  client_->Close(clock_.Now() + kLastWord);
  if (emulated_processor_.has_value()) {
    emulated_processor_->Close(clock_.Now() + kLastWord);
  }
  BASE_TRY(proxy_area.Close(ThePlatform()));
  BASE_TRY(processor_area.Close(ThePlatform()));
  return fw_cfg_area.Close(ThePlatform());
}

}  // namespace svsm
