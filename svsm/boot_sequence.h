// SPDX-License-Identifier: Apache-2.0
//
// BootSequence: the life of one boot, from the configuration to the kernel
// (design section 2). Each phase is one method; the first failure ends it. The
// same on both platforms: what differs is behind ThePlatform(), but for the
// secure processor, and the pages that an SNP launch fills.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <array>
#include <optional>

#include "attest/boot_manifest.h"
#include "attest/secret_set.h"
#include "base/bytes.h"
#include "base/fixed_list.h"
#include "base/result.h"
#include "crypto/rng.h"
#include "proto/attest.h"
#include "proto/config.h"
#include "proxy/client.h"
#include "proxy/guest_transport.h"
#include "sev/secrets_page.h"
#include "svsm/attestation/attestation.h"
#include "svsm/attestation/guest_evidence.h"
#include "svsm/attestation/retry.h"
#include "svsm/boot/start_info.h"
#include "svsm/boot_permit.h"
#include "svsm/cpu/entropy.h"
#include "svsm/cpu/tsc_clock.h"
#include "svsm/kernel_loader.h"
#include "svsm/platform/emulated_processor.h"
#include "svsm/platform/guest_request/guest_request.h"
#include "svsm/platform/ports.h"
#include "svsm/platform/snp_processor.h"
#include "svsm/progress.h"

namespace svsm {

// Most of the image's .bss: static storage.
class BootSequence final : private AttestationObserver {
 public:
  // Both outlive the sequence, which fills in a map that SNP's launch left
  // empty.
  BootSequence(StartInfo& start_info, TscClock& clock)
      : start_info_(start_info), clock_(clock), progress_(clock) {}

  // Returns only with what ended the boot. kRefusedByVerifier has been printed
  // and reported already.
  base::Status Run();

  // For panic/fail.h. ReportFailure connects to the proxy if nobody tried yet.
  void AllowLastWord();
  void ClearSharedPages();
  void WipeVmpck0();
  void WipeSecretsPage();
  void WipeKernelSeed();
  void WipeSession();
  void WipeRng() { rng_.Wipe(); }
  void WipeKernelPages() { loader_.WipeKernelPages(); }
  void WipeBehindInitrd() { loader_.WipeBehindInitrd(); }
  void ReportFailure(base::Status why);

 private:
  void TakeLaunchKey();
  base::Status Configure();
  base::Status AttachProcessor();
  base::Status AttachEmulated();
  base::Status AttachSnp();
  base::Status UseKey();
  base::Status Measure();
  base::Status PlanBoot();
  void PrintManifest();
  base::Result<BootPermit> Permit(base::Status attached);
  base::Result<BootPermit> Attest();
  base::Result<BootPermit> JudgeFailure(base::Status why);
  // Not inlined: a test stops here to look for keys.
  [[gnu::noinline]] base::Status HandOver(BootPermit permit);
  base::Status OpenChannelParts();
  base::Status CloseChannels();

  void OnChannel() override;
  void OnConnected() override;
  void OnAttested() override;
  void OnRetry(const AttemptResult& why) override;

  StartInfo& start_info_;
  TscClock& clock_;
  Progress progress_;
  proto::Config config_;

  CpuRandom cpu_random_;
  std::optional<CpuEntropy> entropy_;
  crypto::Rng rng_;

  // Here from the first phase on, until driver_ has it.
  sev::Vmpck vmpck0_;
  base::Status launch_key_;  // why an SNP launch left none
  std::optional<PortDoorbell> processor_port_;
  std::optional<proxy::GuestPageTransport> processor_transport_;
  std::optional<EmulatedProcessor> emulated_processor_;
  std::optional<SnpProcessor> snp_processor_;
  std::optional<GuestRequestDriver> driver_;

  KernelLoader loader_;
  attest::BootManifest manifest_;
  std::array<uint8_t, proto::kMaxBootManifest> manifest_bytes_{};
  size_t manifest_size_ = 0;

  std::optional<PortDoorbell> proxy_port_;
  std::optional<proxy::GuestPageTransport> proxy_transport_;
  std::optional<proxy::Client> client_;
  bool connect_tried_ = false;
  std::optional<GuestEvidence> evidence_;
  std::optional<Attestation> attestation_;
  base::FixedList<attest::WantedSecret, proto::kMaxResources> wanted_;

  bool granted_ = false;
  std::array<uint8_t, 32> kernel_seed_{};
};

}  // namespace svsm
