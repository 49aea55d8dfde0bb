// SPDX-License-Identifier: Apache-2.0
#include "cli/image_build.h"

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "cli/files.h"
#include "cli/image_input.h"
#include "hosted/text.h"
#include "launch/error.h"
#include "launch/id_block_check.h"
#include "launch/igvm_plan.h"
#include "launch/image_plan.h"
#include "launch/launch_plan.h"
#include "launch/reasons.h"
#include "sev/guest_policy.h"
#include "sev/id_block.h"

namespace cli {
namespace {

using Kind = hosted::Option::Kind;

constexpr hosted::Option kBuildOptions[] = {
    {"output", "OUT", Kind::kRequired, "where to write the IGVM file"},
    {"set", "BIT", Kind::kRepeated,
     "set a bit of the guest policy, by name; smt is set if not cleared"},
    {"clear", "BIT", Kind::kRepeated, "clear a bit of the guest policy"},
    {"abi", "MAJOR.MINOR", Kind::kOptional,
     "the oldest firmware ABI that may launch it; 0.0 if left out"},
    {"id-block", "FILE", Kind::kOptional, "a signed ID block; needs --id-auth"},
    {"id-auth", "FILE", Kind::kOptional, "its authentication information"},
};

absl::StatusOr<uint64_t> BitNamed(const std::string& name) {
  std::string names;
  for (const sev::NamedBit& bit : sev::kPolicyBits) {
    if (bit.name == name) return bit.bit;
    absl::StrAppend(&names, names.empty() ? "" : ", ", bit.name);
  }
  return hosted::UsageError(absl::StrCat("no policy bit '",
                                         hosted::Printable(name),
                                         "'; there "
                                         "are ",
                                         names));
}

absl::StatusOr<uint64_t> PolicyGiven(const hosted::Arguments& arguments) {
  uint64_t policy = launch::LaunchPlan().policy;
  uint64_t set = 0;
  for (const std::string& name : arguments.Values("set")) {
    const auto bit = BitNamed(name);
    if (!bit.ok()) return bit.status();
    set |= *bit;
  }
  for (const std::string& name : arguments.Values("clear")) {
    const auto bit = BitNamed(name);
    if (!bit.ok()) return bit.status();
    if ((set & *bit) != 0) {
      return hosted::UsageError(absl::StrCat("--set and --clear of ", name));
    }
    policy &= ~*bit;
  }
  policy |= set;
  if (arguments.Has("abi")) {
    const std::vector<std::string> parts =
        absl::StrSplit(arguments.Value("abi"), '.');
    uint32_t major = 0, minor = 0;
    if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &major) ||
        !absl::SimpleAtoi(parts[1], &minor) || major > 0xFF || minor > 0xFF) {
      return hosted::UsageError("--abi wants MAJOR.MINOR, each up to 255");
    }
    policy |= uint64_t{major} << sev::kPolicyAbiMajorShift | minor;
  }
  return policy;
}

// To stderr: the file is right, and another VMM may launch it.
// Spec: Linux 6.12, arch/x86/kvm/svm/sev.c, snp_launch_start().
void WarnIfKvmRefuses(uint64_t policy) {
  constexpr uint64_t kTaken = sev::kPolicySmt | sev::kPolicyDebug;
  const auto warn = [](std::string_view what) {
    absl::FPrintF(stderr, "warning: KVM (Linux 6.12) launches no guest %s\n",
                  what);
  };
  if ((policy & sev::kPolicySmt) == 0) {
    warn("whose policy lacks smt; a verifier sees by smt_enabled if SMT is on");
  }
  for (const sev::NamedBit& bit : sev::kPolicyBits) {
    if ((policy & bit.bit & ~kTaken) != 0) {
      warn(absl::StrCat("whose policy has ", bit.name));
    }
  }
}

// The firmware launches such a guest; its owner should not.
void WarnIfNoSecrets(uint64_t policy) {
  constexpr uint64_t kNoSecret = sev::kPolicyDebug | sev::kPolicyMigrationAgent;
  if ((policy & kNoSecret) == 0) return;
  absl::FPrintF(stderr,
                "warning: guest policy with %s: the guest has no secrets from "
                "its host; verifiers refuse it, image sign does not sign it\n",
                PolicyBitNames(policy & kNoSecret));
}

// Only one that the secure processor would accept.
absl::Status AddIdBlock(const hosted::Arguments& arguments,
                        launch::LaunchPlan& plan) {
  if (arguments.Has("id-block") != arguments.Has("id-auth")) {
    return hosted::UsageError("--id-block and --id-auth belong together");
  }
  if (!arguments.Has("id-block")) return absl::OkStatus();
  auto block = ReadInput(arguments.Value("id-block"), sev::kIdBlockSize);
  if (!block.ok()) return block.status();
  auto auth = ReadInput(arguments.Value("id-auth"), sev::kIdAuthSize);
  if (!auth.ok()) return auth.status();
  plan.id_block = {.id_block = *std::move(block), .id_auth = *std::move(auth)};
  const std::vector<std::string> findings = launch::CheckIdBlock(
      *plan.id_block, launch::FinishedLaunch{
                          .digest = launch::MeasurePlan(plan),
                          .policy = plan.policy,
                      });
  if (findings.empty()) return absl::OkStatus();
  return launch::Error(launch::kIdBlockOther, absl::StrJoin(findings, "; "));
}

absl::Status Build(const hosted::Arguments& arguments) {
  const auto policy = PolicyGiven(arguments);
  if (!policy.ok()) return policy.status();
  const auto image = ImageInput::Load(arguments.positional(0));
  if (!image.ok()) return image.status();
  if (image->kind() != ImageKind::kElf) {
    return hosted::UsageError("an IGVM file is built from an ELF file");
  }
  const auto config = image->Config();
  if (!config.ok()) return config.status();
  if (config->platform != proto::Platform::kSnp) {
    return launch::Error(launch::kImageNotForSnp,
                         "the image is configured for the emulated platform");
  }
  auto plan = image->Plan(proto::Platform::kSnp);
  if (!plan.ok()) return plan.status();
  plan->policy = *policy;
  absl::Status status = AddIdBlock(arguments, *plan);
  if (!status.ok()) return status;
  const auto file = launch::IgvmOfPlan(*plan);
  if (!file.ok()) return file.status();
  const std::string output = arguments.Value("output");
  status = WriteOutput(output, *file);
  if (!status.ok()) return status;
  absl::PrintF(
      "%s: vm %s, %d pages%s\nguest policy 0x%x (%s)\n"
      "launch digest (snp) %s\n",
      output, config->vm.view(), plan->pages.size(),
      plan->id_block ? ", ID block" : "", plan->policy,
      PolicyBitNames(plan->policy), DigestHex(launch::MeasurePlan(*plan)));
  NoteIfNothingIsAsked(*config);
  WarnIfKvmRefuses(plan->policy);
  WarnIfNoSecrets(plan->policy);
  return absl::OkStatus();
}

constexpr hosted::Command kCommands[] = {
    {"image build", "IMAGE.elf", "make the IGVM file of an SNP image",
     "Writes OUT: every page of the configured image IMAGE.elf, its register "
     "state, secrets, CPUID and memory-map page, and the guest policy. "
     "Made for QEMU 10.1's loader, not yet tried with it "
     "(docs/hardware.md). Same image, same options, same bytes.\n\n"
     "Bits of the guest policy: smt, migration_agent, debug, single_socket, "
     "cxl_allow, mem_aes_256_xts, rapl_disabled, ciphertext_hiding_dram, "
     "page_swap_disabled. KVM wants smt and, in Linux 6.12, of the others at "
     "most debug: a warning says so. With debug or migration_agent the guest "
     "has no secrets from its host: another warning, and verifiers refuse it. "
     "The policy is not part of the launch digest; an ID block and every "
     "report name it.\n\n"
     "`forelock image sign --output` puts an ID block into the file. One that "
     "was signed elsewhere goes in here, with --id-block and --id-auth, and is "
     "accepted only if it is of this launch.",
     kBuildOptions, &Build},
};

}  // namespace

std::span<const hosted::Command> ImageBuildCommands() { return kCommands; }

}  // namespace cli
