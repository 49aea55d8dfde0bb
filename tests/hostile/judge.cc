// SPDX-License-Identifier: Apache-2.0
//
// The judge of a Bench: what no host may bring about.
#include <stdint.h>
#include <string.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/reasons.h"
#include "sev/ghcb.h"
#include "sev/termination.h"
#include "tests/hostile/bench.h"
#include "tests/hostile/key_schedules.h"
#include "tools/reasons/all_reasons.h"

namespace hostile {
namespace {

using machine::Cause;
using machine::Ending;
using machine::kPageSize;
using machine::MemoryRange;
using machine::RmpEntry;
using machine::StopKind;

// Linux, Documentation/arch/x86/zero-page.rst and boot.rst.
constexpr uint64_t kExtRamdiskImage = 0x0C0, kExtRamdiskSize = 0x0C4,
                   kExtCommandLine = 0x0C8, kRamdiskImage = 0x218,
                   kRamdiskSize = 0x21C, kCommandLine = 0x228;
constexpr uint64_t kZeroPage = 4096;

// The protocol that the guest speaks, and says so. 56421, 3.
constexpr uint16_t kGhcbVersion = 2;

bool IsKnown(base::Reason reason) {
  for (const reasons::ReasonModule& module : reasons::AllReasons()) {
    for (const base::ReasonRow& row : module.rows) {
      if (row.reason == reason) return true;
    }
  }
  return false;
}

// The code behind the last "failed: " that was printed; empty: none was.
std::string PrintedReason(std::string_view console) {
  constexpr std::string_view kWord = "forelock: failed: ";
  const size_t at = console.rfind(kWord);
  if (at == std::string_view::npos) return "";
  const std::string_view rest = console.substr(at + kWord.size());
  return std::string(rest.substr(0, rest.find(' ')));
}

std::string EndOf(const MachineResult& result, std::string_view console) {
  using Kind = Ending::Kind;
  switch (result.ending.kind) {
    case Kind::kTerminated: {
      const sev::Termination termination{.set = result.ending.reason_set,
                                         .code = result.ending.reason_code};
      const base::Reason reason = sev::ReasonOf(termination);
      return reason == base::Reason()
                 ? absl::StrFormat("terminated %d:%d", termination.set,
                                   termination.code)
                 : std::string(base::NameOf(reason).text);
    }
    case Kind::kPoweredOff: {
      const std::string reason = PrintedReason(console);
      if (!reason.empty()) return absl::StrCat("off ", reason);
      return console.find("refused") != std::string_view::npos ? "refused"
                                                               : "off";
    }
    case Kind::kHalted:
      return "halted";
    case Kind::kShutdown:
      return "shutdown";
    case Kind::kViolation:
      return "violation";
    case Kind::kKernelReached:
      return "kernel";
    case Kind::kStopped:
      break;
  }
  return result.stop.kind == StopKind::kInstructionLimit ||
                 result.stop.kind == StopKind::kTimeLimit
             ? "limit"
             : "stopped";
}

uint32_t Word(base::Bytes bytes, uint64_t at) {
  return base::LoadLe<uint32_t>(bytes.subspan(at).first<4>());
}
uint64_t Split(base::Bytes bytes, uint64_t low, uint64_t high) {
  return uint64_t{Word(bytes, high)} << 32 | Word(bytes, low);
}

}  // namespace

Needles Bench::Secrets() const {
  Needles needles;
  needles.Add("the secret", TheOwner().secret());
  needles.Add("VMPCK0", machine_->firmware().vmpck0_for_tests().RevealSecret());
  const auto& tls = TheOwner().tls_secrets();
  for (size_t i = first_tls_secret_; i < tls.size(); ++i) {
    needles.Add(absl::StrCat("TLS secret ", i - first_tls_secret_), tls[i]);
  }
  return needles;
}

void Bench::JudgeRequest(const Exit& exit) {
  if (exit.cause != Cause::kGuestRequest &&
      exit.cause != Cause::kExtendedRequest) {
    return;
  }
  const base::Bytes page =
      machine_->host().Shared(exit.info1, sev::kMessagePageSize);
  if (page.empty()) return;
  const auto broken = nonces_.Saw(page.first<sev::kMessagePageSize>(),
                                  machine_->firmware().vmpck0_for_tests());
  if (broken.has_value()) Complain(*broken);
}

// No host looks at the version, so nothing else would notice. Secrets are not
// searched for at each letter of the console: what stays there is found at the
// end. All that the host sees, whenever it is to look at it: what is there now
// may be scrubbed later.
void Bench::JudgeGhcb(const Exit& exit) {
  if (!exit.by_page) return;
  const base::Bytes page = machine_->host().Shared(exit.msr, sev::kGhcbSize);
  if (!page.empty()) {
    const auto version =
        sev::GetLe<uint16_t, sev::ghcb_layout::ProtocolVersion>(
            page.first<sev::kGhcbSize>());
    if (version != kGhcbVersion) {
      Complain(absl::StrCat("GHCB protocol version ", version));
    }
  }
  if (exit.cause == Cause::kConsole) return;
  if (exit.cause == Cause::kDoorbell || exit.cause == Cause::kPageState) {
    JudgeShared();
  }
  if (page.empty()) return;
  const Needles secrets = Secrets();
  for (const Needles::Hit& hit : secrets.FindIn(page)) {
    Complain(absl::StrCat(secrets.name(hit.index), " in the GHCB page"));
  }
}

void Bench::JudgeEnd(Outcome& outcome) {
  outcome.end = EndOf(outcome.result, outcome.console);
  JudgeShared();
  if (options_.allow.other_image) {
    if (outcome.granted) Complain("another image got the secret");
    return;
  }
  if (machine_->rmp().validated_twice() != 0) {
    Complain("a validated page was validated again");
  }
  // A host that lies about the state of pages brings that about.
  if (machine_->ciphertext_reads() != 0 && !options_.allow.violation) {
    Complain("read a private page through C=0");
  }
  switch (outcome.result.ending.kind) {
    case Ending::Kind::kTerminated:
      JudgeTermination(outcome);
      if (!options_.allow.keys) JudgePrivate(outcome);
      break;
    case Ending::Kind::kPoweredOff:
      if (outcome.end == "off") Complain("switched off without a reason");
      JudgePrivate(outcome);
      break;
    case Ending::Kind::kKernelReached:
      JudgeKernel(outcome);
      JudgePrivate(outcome);
      break;
    case Ending::Kind::kHalted:
      Complain("halted without a reason");
      break;
    case Ending::Kind::kShutdown:
      if (!options_.allow.shutdown) Complain("triple fault");
      break;
    case Ending::Kind::kViolation:
      if (!options_.allow.violation) Complain("broke a rule of SNP");
      break;
    case Ending::Kind::kStopped:
      if (outcome.end == "limit") Complain("hangs");
      if (outcome.result.stop.kind == StopKind::kUnsupported ||
          outcome.result.stop.kind == StopKind::kEngineError) {
        Complain("the machine cannot go on");
      }
      break;
  }
}

void Bench::JudgeTermination(Outcome& outcome) {
  const base::Reason reason =
      sev::ReasonOf({.set = outcome.result.ending.reason_set,
                     .code = outcome.result.ending.reason_code});
  if (!IsKnown(reason)) Complain("terminated without a reason of ours");
}

void Bench::JudgeShared() {
  const Needles secrets = Secrets();
  for (const MemoryRange& range : machine_->memory().ranges()) {
    for (const base::Bytes part :
         ResidentParts({range.shared_bytes, range.size})) {
      const auto start =
          static_cast<uint64_t>(part.data() - range.shared_bytes);
      for (const Needles::Hit& hit : secrets.FindIn(part)) {
        Complain(absl::StrFormat("%s in shared memory at %#x",
                                 secrets.name(hit.index),
                                 range.gpa + start + hit.offset));
      }
    }
  }
}

// What a guest that is over leaves in its own memory: no key, not even a part
// of one, and the secret in one place, where the kernel looks for it. From the
// first instruction on: who ends a run otherwise (Allowance::keys, a shutdown,
// a violation) is not asked.
void Bench::JudgePrivate(const Outcome& outcome) {
  const bool kernel = outcome.end == "kernel";
  const Needles secrets = Secrets();
  std::vector<size_t> counts(secrets.size()), parts(secrets.size());
  for (const MemoryRange& range : machine_->memory().ranges()) {
    for (const base::Bytes part :
         ResidentParts({range.private_bytes, range.size})) {
      for (const Needles::Hit& hit : secrets.FindIn(part)) {
        ++(hit.whole ? counts : parts)[hit.index];
      }
      // Whatever key it is: the random generator's, a record key of TLS,
      // VMPCK0.
      for (const KeySchedule& schedule : FindKeySchedules(part)) {
        const auto start =
            static_cast<uint64_t>(part.data() - range.private_bytes);
        Complain(absl::StrFormat(
            "at the end a schedule of an AES-%d key is in private memory, "
            "at %#x",
            schedule.key_bits, range.gpa + start + schedule.offset));
      }
    }
  }
  for (size_t i = 0; i < secrets.size(); ++i) {
    const size_t wanted = i == 0 && kernel ? 1 : 0;
    if (counts[i] != wanted) {
      Complain(absl::StrCat("at the end ", secrets.name(i), " is ", counts[i],
                            " times in private memory"));
    } else if (wanted == 0 && parts[i] != 0) {
      Complain(absl::StrCat("at the end a part of ", secrets.name(i),
                            " is in private memory"));
    }
  }
}

void Bench::JudgeKernel(const Outcome& outcome) {
  if (!outcome.granted) Complain("a kernel without the owner's consent");
  const MachineResult& result = outcome.result;
  // The bytes of [gpa, gpa + size), if all of them are the guest's own.
  const auto own = [this](uint64_t gpa, uint64_t size) -> base::Bytes {
    for (uint64_t at = gpa & ~(kPageSize - 1); at < gpa + size;
         at += kPageSize) {
      const RmpEntry entry = machine_->rmp().Get(at);
      if (!entry.assigned || !entry.validated) return {};
    }
    return machine_->memory().Private(gpa, size);
  };
  const base::Bytes zero_page = own(result.kernel_boot_params, kZeroPage);
  if (zero_page.empty()) return Complain("the zero page is not private");

  const base::Bytes payload =
      base::Bytes(guest_.kernel()).subspan(kKernelPayload);
  if (!base::Equal(own(result.kernel_entry - kKernelEntry, payload.size()),
                   payload)) {
    Complain("the kernel is not the one that was attested");
  }
  const uint64_t initrd = Split(zero_page, kRamdiskImage, kExtRamdiskImage);
  const uint64_t size = Split(zero_page, kRamdiskSize, kExtRamdiskSize);
  const base::Bytes initrd_bytes = own(initrd, size);
  const base::Bytes wanted = guest_.initrd();
  if (initrd_bytes.size() < wanted.size() ||
      !base::Equal(initrd_bytes.first(wanted.size()), wanted)) {
    Complain("the initrd is not the one that was attested");
  }
  if (Secrets().CountIn(initrd_bytes)[0] != 1) {
    Complain("the initrd has not got the secret");
  }
  const std::string& text = guest_.command_line();
  const base::Bytes line =
      own(Split(zero_page, kCommandLine, kExtCommandLine), text.size() + 1);
  if (line.empty() || memcmp(line.data(), text.c_str(), line.size()) != 0) {
    Complain("the command line is not the one that was attested");
  }
}

}  // namespace hostile
