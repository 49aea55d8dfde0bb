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
#include "sev/ghcb.h"
#include "svsm/attestation/manifest.h"
#include "svsm/boot/exceptions.h"
#include "svsm/boot/image_symbols.h"
#include "svsm/boot_permit.h"
#include "svsm/console/console.h"
#include "svsm/console/line.h"
#include "svsm/cpu/features.h"
#include "svsm/launch_area.h"
#include "svsm/linux/leave.h"
#include "svsm/memory/interval_set.h"
#include "svsm/panic/reason_text.h"
#include "svsm/platform/platform.h"
#include "svsm/platform/platform_check.h"
#include "svsm/platform/shared_area.h"
#include "svsm/runtime/runtime.h"

namespace svsm {
namespace {

using base::AsBytes;
using base::Bytes;
using base::Code;
using base::Milliseconds;
using base::Result;
using base::Status;
using proto::channel::Phase;

// What a boot spends on its last lines, on telling the host's operator and on
// closing channels; once, behind the end of its time.
constexpr Milliseconds kLastWord{2000};

// What the host may see, each while it is open. Pages of its own each: whatever
// else stood in one would be shared too.
alignas(kPageSize) constinit uint8_t proxy_pages[proxy::kSharedRangeSize];
alignas(kPageSize) constinit uint8_t processor_pages[proxy::kSharedRangeSize];
static_assert(sizeof(processor_pages) >= SnpProcessor::kSharedSize);
constinit SharedArea proxy_area(proxy_pages, sizeof(proxy_pages));
constinit SharedArea processor_area(processor_pages, sizeof(processor_pages));

CpuidRegisters ReadCpuid(uint32_t leaf, uint32_t subleaf) {
  return ThePlatform().Cpuid(leaf, subleaf);
}

Bytes ConfigSection() {
  // EDGE: the .config section, which image.ld delimits and nothing writes.
  const auto* start = reinterpret_cast<const uint8_t*>(__config_start);
  return {start, AddressOf(__config_end) - AddressOf(__config_start)};
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
  BASE_TRY(PlanBoot());
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
  clock_.EndAt(TscClock::kStart + config_.boot_deadline);
  console::HurryAfterEndOf(clock_);
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
  proxy_transport_->SpreadUntil(clock_.end());
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
  BASE_TRY(loader_.Load(start_info_, config_, clock_));
  BASE_TRY_ASSIGN(manifest_, MakeManifest(loader_.files()));
  BASE_TRY_ASSIGN(manifest_size_,
                  attest::Serialise(manifest_, manifest_bytes_));
  PrintManifest();
  if (config_.expected_boot.has_value()) {
    BASE_TRY(CheckExpected(manifest_, *config_.expected_boot, config_.acpi));
  }
  progress_.Reached(Phase::kMeasured, Line() << "measured: boot files copied");
  return {};
}

// All that can keep these files from booting shows here, where nothing has been
// released and no boot been counted.
Status BootSequence::PlanBoot() {
  BASE_TRY(loader_.Plan(config_));
  return rng_.Generate(kernel_seed_);
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
  std::optional<BootPermit> permit = attestation_->Permit();
  if (!permit.has_value()) {
    const AttemptResult& result = attestation_->result();
    progress_.Refused(result.outcome, result.decision_id);
    return Status(Code::kPermissionDenied, attest::kRefusedByVerifier);
  }
  granted_ = true;
  const attest::NativeSession& session = attestation_->session();
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
  progress_.Retrying(why);
}

// An attestation that failed ends the boot, unless the configuration lets
// exactly these boot files go on without secrets.
Result<BootPermit> BootSequence::JudgeFailure(Status why) {
  auto permit = PermitWithoutSecrets(ThisBoot(), manifest_, config_);
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

Status BootSequence::HandOver(BootPermit permit) {
  const attest::SecretSet* const secrets =
      granted_ ? &attestation_->session().secrets() : nullptr;
  BASE_TRY(loader_.Fill(config_, secrets, kernel_seed_));
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
  Leave(loader_.handover(), driver_->Destroy(), std::move(permit));
}

// All of these run in exceptions too, where anything may be broken, and may
// raise one themselves: a host can take any page away. So each does one thing,
// and panic/fail.h goes on with the next.
void BootSequence::AllowLastWord() { clock_.AllowLastWord(kLastWord); }

void BootSequence::ClearSharedPages() {
  proxy_area.Clear();
  processor_area.Clear();
  loader_.ClearSharedPages();
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
  AllowLastWord();
  client_->Close(clock_.Now() + kLastWord);
  if (emulated_processor_.has_value()) {
    emulated_processor_->Close(clock_.Now() + kLastWord);
  }
  BASE_TRY(proxy_area.Close(ThePlatform()));
  BASE_TRY(processor_area.Close(ThePlatform()));
  return loader_.CloseSharedPages();
}

}  // namespace svsm
