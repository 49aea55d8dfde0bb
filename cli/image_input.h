// SPDX-License-Identifier: Apache-2.0
//
// An image that a command is given: an ELF file, an IGVM file or a flat ROM,
// and what its launch is on each platform.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "hosted/arguments.h"
#include "launch/igvm/igvm.h"
#include "launch/igvm_plan.h"
#include "launch/launch_plan.h"
#include "proto/config.h"
#include "sev/page_info.h"

namespace cli {

std::string_view NameOf(proto::Platform platform);

enum class ImageKind : std::uint8_t { kElf, kIgvm, kRom };

class ImageInput {
 public:
  // LA8, or what launch/ says of the bytes.
  static absl::StatusOr<ImageInput> Load(const std::string& path);

  ImageKind kind() const { return kind_; }
  base::Bytes bytes() const { return bytes_; }
  // Of kIgvm.
  const igvm::File& igvm() const { return *igvm_; }

  // NotFound: there is none in it.
  absl::StatusOr<proto::Config> Config() const;

  struct Launch {
    launch::Loader loader = launch::Loader::kQemu;
    launch::ZeroPages zero_pages = launch::ZeroPages::kNormal;
    uint32_t cpu_signature = 0;  // 0: launch::kEpycSignature
  };
  // What the secure processor is asked to do, on this platform.
  //   NotFound (LA10): an ELF file that cannot start on SEV-SNP.
  //   UsageError(): an emulated launch is of an ELF file.
  absl::StatusOr<launch::LaunchPlan> Plan(proto::Platform platform,
                                          const Launch& launch) const;
  absl::StatusOr<launch::LaunchPlan> Plan(proto::Platform platform) const {
    return Plan(platform, Launch());
  }

  // The platform that its digest is asked for: the configuration's; without
  // one, emulated for an ELF file and SNP for others.
  proto::Platform DefaultPlatform() const;

 private:
  ImageKind kind_ = ImageKind::kElf;
  std::vector<uint8_t> bytes_;
  std::optional<igvm::File> igvm_;  // points into bytes_, which never change
};

// Lower-case hex.
std::string DigestHex(const sev::LaunchDigest& digest);

// To standard error: what grants a guest its boot that asks for no secret.
void NoteIfNothingIsAsked(const proto::Config& config);

// To standard error: waits that the boot's end cuts. An SVSM that does not know
// boot_ms cuts none; but there boot_ms is the default, which is no short one.
void WarnIfBootEndsFirst(const proto::Config& config);

// Of an IGVM file's VMSA that QEMU's loader takes: what KVM measures otherwise,
// or who refuses it (launch/kvm_vmsa.h). Empty with another loader, or for a
// file without a plan.
std::vector<std::string> KvmFindings(const ImageInput& image,
                                     const ImageInput::Launch& launch);
// Those to standard error, and what follows. Whether there are any.
bool WarnIfKvmReplaces(const ImageInput& image,
                       const ImageInput::Launch& launch);

// "smt, debug"; "none". The bit that is always one is not named.
std::string PolicyBitNames(uint64_t policy);

// --- Options that several commands have.

inline constexpr hosted::Option kLoaderOption = {
    "loader", "qemu|in-order", hosted::Option::Kind::kOptional,
    "in whose order an IGVM file is launched; qemu if left out"};
inline constexpr hosted::Option kZeroPagesOption = {
    "zero-pages", "normal|native", hosted::Option::Kind::kOptional,
    "how an IGVM file's pages without data are launched; native: as ZERO "
    "pages, and then the loader is in-order if left out"};
inline constexpr hosted::Option kCpuSignatureOption = {
    "cpu-signature", "HEX", hosted::Option::Kind::kOptional,
    "CPUID 1 EAX of the guest's CPU, for a ROM; QEMU's EPYC if left out"};

// Of those three.
absl::StatusOr<ImageInput::Launch> LaunchGiven(
    const hosted::Arguments& arguments);

}  // namespace cli
