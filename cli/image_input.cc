// SPDX-License-Identifier: Apache-2.0
#include "cli/image_input.h"

#include <stdio.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/time.h"
#include "cli/files.h"
#include "launch/elf.h"
#include "launch/igvm/read_write.h"
#include "launch/image.h"
#include "launch/image_plan.h"
#include "launch/kvm_vmsa.h"
#include "launch/rom.h"
#include "sev/guest_policy.h"
#include "sev/vmsa.h"
#include "verifier/ossl/ossl.h"

namespace cli {

std::string_view NameOf(proto::Platform platform) {
  return platform == proto::Platform::kSnp ? "snp" : "emulated";
}

absl::StatusOr<ImageInput> ImageInput::Load(const std::string& path) {
  auto bytes = ReadInput(path, igvm::kMaxFileSize);
  if (!bytes.ok()) return bytes.status();
  ImageInput input;
  input.bytes_ = *std::move(bytes);
  constexpr uint8_t kIgvmMagic[] = {'I', 'G', 'V', 'M'};
  if (input.bytes_.size() >= sizeof(kIgvmMagic) &&
      base::Equal(base::Bytes(input.bytes_).first(sizeof(kIgvmMagic)),
                  kIgvmMagic)) {
    auto file = igvm::Read(input.bytes_);
    if (!file.ok()) return file.status();
    input.igvm_ = *std::move(file);
    input.kind_ = ImageKind::kIgvm;
  } else if (launch::RomKindOf(input.bytes_)) {
    input.kind_ = ImageKind::kRom;
  } else {
    const auto elf = launch::Elf::Parse(input.bytes_);
    if (!elf.ok()) return elf.status();
  }
  return input;
}

absl::StatusOr<proto::Config> ImageInput::Config() const {
  if (kind_ == ImageKind::kElf) return launch::ConfigOfImage(bytes_);
  const auto plan = Plan(proto::Platform::kSnp);
  if (!plan.ok()) return plan.status();
  return launch::ConfigOfPlan(*plan);
}

absl::StatusOr<launch::LaunchPlan> ImageInput::Plan(
    proto::Platform platform, const Launch& launch) const {
  if (platform == proto::Platform::kEmulated) {
    if (kind_ == ImageKind::kElf) return launch::EmulatedPlanOfImage(bytes_);
    return hosted::UsageError(
        "only an ELF file has a launch digest of the emulated platform");
  }
  switch (kind_) {
    case ImageKind::kIgvm:
      return launch::PlanOfIgvm(*igvm_, launch.loader, launch.zero_pages);
    case ImageKind::kRom:
      return launch::PlanOfRom(bytes_, launch.cpu_signature != 0
                                           ? launch.cpu_signature
                                           : launch::kEpycSignature);
    case ImageKind::kElf:
      break;
  }
  return launch::PlanOfImage(bytes_);
}

proto::Platform ImageInput::DefaultPlatform() const {
  if (kind_ != ImageKind::kElf) return proto::Platform::kSnp;
  const auto config = Config();
  return config.ok() ? config->platform : proto::Platform::kEmulated;
}

std::string DigestHex(const sev::LaunchDigest& digest) {
  return verifier::ossl::Hex(digest);
}

void NoteIfNothingIsAsked(const proto::Config& config) {
  if (!config.resources.empty()) return;
  absl::FPrintF(stderr,
                "vm %s asks for no secret ([[resource]]): it boots if every "
                "policy that names it in vms allows this image\n",
                config.vm.view());
}

void WarnIfBootEndsFirst(const proto::Config& config) {
  const struct {
    std::string_view key;
    base::Milliseconds time;
  } waits[] = {
      {"proxy_ms", config.proxy_deadline},
      {"verifier_ms", config.verifier_deadline},
      {"secure_processor_ms", config.secure_processor_deadline},
  };
  std::string longer;
  for (const auto& wait : waits) {
    if (wait.time <= config.boot_deadline) continue;
    absl::StrAppend(&longer, longer.empty() ? "" : ", ", wait.key, " = ",
                    static_cast<uint64_t>(wait.time));
  }
  if (longer.empty()) return;
  absl::FPrintF(stderr,
                "warning: %s: cut at boot_ms = %d, where every wait of a boot "
                "ends\n",
                longer, static_cast<uint64_t>(config.boot_deadline));
}

std::vector<std::string> KvmFindings(const ImageInput& image,
                                     const ImageInput::Launch& launch) {
  if (image.kind() != ImageKind::kIgvm ||
      launch.loader != launch::Loader::kQemu) {
    return {};
  }
  const auto plan = image.Plan(proto::Platform::kSnp, launch);
  if (!plan.ok()) return {};
  std::vector<std::string> findings;
  for (const launch::PlanPage& page : plan->pages) {
    if (page.type != sev::PageType::kVmsa) continue;
    for (const std::string& finding : launch::KvmVmsaFindings(
             base::Bytes(page.contents).first<sev::kVmsaSize>())) {
      findings.push_back(absl::StrCat("VMSA of CPU 0: ", finding));
    }
  }
  return findings;
}

bool WarnIfKvmReplaces(const ImageInput& image,
                       const ImageInput::Launch& launch) {
  const std::vector<std::string> findings = KvmFindings(image, launch);
  for (const std::string& finding : findings) {
    absl::FPrintF(stderr, "warning: %s\n", finding);
  }
  if (findings.empty()) return false;
  absl::FPrintF(stderr,
                "warning: the launch digest of this file is of its own values: "
                "a host with QEMU and KVM reports another one or refuses it\n");
  return true;
}

std::string PolicyBitNames(uint64_t policy) {
  std::string names;
  for (const sev::NamedBit& bit : sev::kPolicyBits) {
    if ((policy & bit.bit) == 0) continue;
    absl::StrAppend(&names, names.empty() ? "" : ", ", bit.name);
  }
  if ((policy & ~sev::kPolicyKnownBits) != 0) {
    absl::StrAppendFormat(&names, "%s0x%x", names.empty() ? "" : ", ",
                          policy & ~sev::kPolicyKnownBits);
  }
  return names.empty() ? "none" : names;
}

absl::StatusOr<ImageInput::Launch> LaunchGiven(
    const hosted::Arguments& arguments) {
  ImageInput::Launch launch;
  if (arguments.Has("loader")) {
    const std::string loader = arguments.Value("loader");
    if (loader != "qemu" && loader != "in-order") {
      return hosted::UsageError("--loader wants qemu or in-order");
    }
    if (loader == "in-order") launch.loader = launch::Loader::kInOrder;
  }
  if (arguments.Has("zero-pages")) {
    const std::string pages = arguments.Value("zero-pages");
    if (pages != "normal" && pages != "native") {
      return hosted::UsageError("--zero-pages wants normal or native");
    }
    if (pages == "native") {
      // backends/igvm.c: CGS_PAGE_TYPE_ZERO becomes KVM's NORMAL.
      if (arguments.Value("loader") == "qemu") {
        return hosted::UsageError(
            "QEMU launches pages without data as NORMAL pages: --zero-pages "
            "native wants --loader in-order");
      }
      launch.loader = launch::Loader::kInOrder;
      launch.zero_pages = launch::ZeroPages::kNative;
    }
  }
  if (arguments.Has("cpu-signature") &&
      (!absl::SimpleHexAtoi(arguments.Value("cpu-signature"),
                            &launch.cpu_signature) ||
       launch.cpu_signature == 0)) {
    return hosted::UsageError(
        "--cpu-signature wants up to 8 hex digits, not zero");
  }
  return launch;
}

}  // namespace cli
