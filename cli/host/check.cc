// SPDX-License-Identifier: Apache-2.0
#include "cli/host/check.h"

#include <algorithm>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "cli/host/processor.h"
#include "cli/host/qemu.h"
#include "hosted/certificate_names.h"
#include "hosted/text.h"
#include "sev/product.h"

namespace cli {
namespace {

constexpr size_t kLine = 256;  // of a file with one value
constexpr uint32_t kEncryptedMemory = 0x8000001F;
constexpr uint32_t kSnpBit = 1 << 4;  // EAX
constexpr unsigned kFirstKernel[] = {6, 11};
constexpr unsigned kFirstApi[] = {1, 51};  // KVM's minimum
constexpr size_t kShown = 100;             // characters of foreign text

std::string Shown(std::string_view text) {
  return hosted::Printable(text.substr(0, kShown));
}

// The value of a file with one line. Empty: there is none to be read.
std::optional<std::string> ValueOf(const Host& host, const std::string& path) {
  const auto text = host.Read(path, kLine);
  if (!text.ok()) return std::nullopt;
  return std::string(absl::StripAsciiWhitespace(*text));
}

// Numbers at a text's start: {6, 12} of "6.12.94-amd64".
std::optional<std::pair<unsigned, unsigned>> TwoNumbers(std::string_view text) {
  const std::vector<std::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits('.', 2));
  unsigned major = 0, minor = 0;
  if (parts.size() < 2 || !absl::SimpleAtoi(parts[0], &major) ||
      !absl::SimpleAtoi(
          parts[1].substr(0, parts[1].find_first_not_of("0123456789")),
          &minor)) {
    return std::nullopt;
  }
  return std::pair(major, minor);
}

class Checker {
 public:
  Checker(const Host& host, const HostQuestion& question)
      : host_(host), question_(question) {}

  HostReport Check() {
    CheckProcessor();
    CheckMemoryEncryption();
    CheckKernel();
    CheckModule();
    CheckIommu();
    CheckDevice("/dev/kvm", "load kvm_amd; in the BIOS, switch SVM on");
    if (!OfOtherVendor()) {
      CheckDevice("/dev/sev",
                  "load ccp; the kernel wants CONFIG_CRYPTO_DEV_SP_PSP");
    }
    CheckFirmware();
    CheckSmt();
    CheckQemus();
    CheckRam();
    CheckCertificates();
    CheckSockets();
    Decide();
    return std::move(report_);
  }

 private:
  enum class Weight : uint8_t { kDecides, kHelps };

  void Add(std::string_view name, CheckState state, std::string seen,
           std::string advice = "", Weight weight = Weight::kHelps) {
    if (state == CheckState::kUnknown && weight == Weight::kDecides) {
      undecided_ = true;
    }
    report_.rows.push_back({.name = std::string(name),
                            .state = state,
                            .seen = std::move(seen),
                            .advice = std::move(advice)});
  }

  // Then what only AMD's have is not looked for.
  bool OfOtherVendor() const { return processor_ && !processor_->IsAmd(); }

  void CheckProcessor();
  void CheckMemoryEncryption();
  void CheckKernel();
  void CheckModule();
  void CheckIommu();
  void CheckDevice(const std::string& path, std::string_view advice);
  void CheckFirmware();
  void CheckSmt();
  void CheckQemus();
  void CheckRam();
  void CheckCertificates();
  void CheckSockets();
  void Decide();

  const Host& host_;
  const HostQuestion& question_;
  HostReport report_;
  bool undecided_ = false;
  std::optional<Processor> processor_;
  bool snp_is_on_ = false;  // the kernel says so
  std::optional<uint64_t> tcb_;
};

void Checker::CheckProcessor() {
  processor_ = ProcessorOf(host_);
  if (!processor_) {
    Add("processor", CheckState::kUnknown, "/proc/cpuinfo cannot be read", "",
        Weight::kDecides);
    return;
  }
  const Processor& cpu = *processor_;
  const std::string number =
      absl::StrFormat("family 0x%x, model 0x%x, stepping %d", cpu.family,
                      cpu.model, cpu.stepping);
  if (!cpu.IsAmd()) {
    Add("processor", CheckState::kNo,
        absl::StrCat(Shown(cpu.vendor), ", ", number),
        "SEV-SNP is AMD's: EPYC 7003, 8004, 9004 or 9005");
    return;
  }
  if (cpu.HasFlag("hypervisor")) {
    Add("processor", CheckState::kNo, absl::StrCat("AMD's, of a VM, ", number),
        "this is a virtual machine: an SNP guest wants the host itself");
    return;
  }
  const auto product = cpu.Product();
  if (!product) {
    Add("processor", CheckState::kWarning,
        absl::StrCat("AMD's, unknown to this version, ", number),
        "EPYC 7003, 8004, 9004 and 9005 are known; verifiers judge no other");
    return;
  }
  Add("processor",
      *product == sev::Product::kMilan ? CheckState::kWarning : CheckState::kOk,
      absl::StrCat(SeriesOf(*product, cpu.model), " (", sev::NameOf(*product),
                   "), ", number),
      *product == sev::Product::kMilan
          ? "policies leave Milan out unless they name it: docs/limitations.md"
          : "");
}

void Checker::CheckMemoryEncryption() {
  constexpr std::string_view kName = "SEV-SNP in CPUID";
  if (OfOtherVendor()) return;
  const auto leaf = host_.Cpuid(kEncryptedMemory);
  const bool flag = processor_ && processor_->HasFlag("sev_snp");
  if (!leaf) {
    // The kernel lists the flag only if the processor and the BIOS have it.
    Add(kName, flag ? CheckState::kOk : CheckState::kUnknown,
        flag ? "not read; the kernel lists sev_snp"
             : "CPUID 8000001Fh cannot be read");
    return;
  }
  if ((leaf->eax & kSnpBit) == 0) {
    Add(kName, CheckState::kNo,
        absl::StrFormat("CPUID 8000001Fh EAX 0x%x: no", leaf->eax),
        "the processor, or the hypervisor above this system, has none");
    return;
  }
  const uint32_t snp = leaf->edx == 0 ? 0 : leaf->edx - 1;
  const std::string seen =
      absl::StrFormat("C-bit %d, %d ASIDs, %d of them for SEV-ES and SNP",
                      leaf->ebx & 0x3F, leaf->ecx, snp);
  if (snp == 0) {
    Add(kName, CheckState::kNo, seen,
        "BIOS: set SEV ASID space limit (minimum SEV non-ES ASID) above 1");
    return;
  }
  Add(kName, CheckState::kOk, seen);
  if (processor_ && !flag) {
    Add("SEV-SNP in Linux", CheckState::kNo, "/proc/cpuinfo lists no sev_snp",
        "BIOS: SMEE and SEV-SNP on, memory for the RMP table reserved; and a "
        "kernel of 6.11 or newer: see its log, dmesg | grep -i -e sev -e rmp");
  }
}

void Checker::CheckKernel() {
  constexpr std::string_view kName = "kernel";
  constexpr std::string_view kAdvice =
      "Linux 6.11 is the first whose KVM launches SNP guests";
  const auto release = ValueOf(host_, "/proc/sys/kernel/osrelease");
  const auto version = release ? TwoNumbers(*release) : std::nullopt;
  if (!version) {
    Add(kName, CheckState::kUnknown,
        release ? Shown(*release) : "its release cannot be read",
        std::string(kAdvice), Weight::kDecides);
    return;
  }
  const bool enough = *version >= std::pair(kFirstKernel[0], kFirstKernel[1]);
  Add(kName, enough ? CheckState::kOk : CheckState::kNo, Shown(*release),
      enough ? "" : std::string(kAdvice));
}

void Checker::CheckModule() {
  constexpr std::string_view kFolder = "/sys/module/kvm_amd/parameters/";
  if (OfOtherVendor()) return;
  if (!host_.RightsOf("/sys/module/kvm_amd").exists) {
    Add("kvm_amd", CheckState::kNo, "not loaded",
        "modprobe kvm_amd; in the BIOS, switch SVM on");
    return;
  }
  std::vector<std::string> seen, off;
  bool unread = false;
  for (const std::string_view name : {"sev", "sev_es", "sev_snp"}) {
    const auto value = ValueOf(host_, absl::StrCat(kFolder, name));
    seen.push_back(
        absl::StrCat(name, "=", value ? Shown(*value) : "not there"));
    // Before 6.11 there is no sev_snp.
    if (!value && host_.RightsOf(absl::StrCat(kFolder, name)).exists) {
      unread = true;
    } else if (!value || (*value != "Y" && *value != "1")) {
      off.emplace_back(name);
    } else if (name == "sev_snp") {
      snp_is_on_ = true;
    }
  }
  const std::string all = absl::StrJoin(seen, ", ");
  if (unread) {
    Add("kvm_amd", CheckState::kUnknown, all, "ask as root", Weight::kDecides);
  } else if (off.empty()) {
    Add("kvm_amd", CheckState::kOk, all);
  } else {
    Add("kvm_amd", CheckState::kNo, all,
        "kvm_amd turns off what processor, BIOS, IOMMU or kernel do not have: "
        "see the other rows, and dmesg | grep -i -e sev -e rmp");
  }
}

void Checker::CheckIommu() {
  if (OfOtherVendor()) return;
  const auto line = host_.Read("/proc/cmdline", 4096);
  const auto has = [&](std::string_view word) {
    return line.ok() &&
           absl::StrContains(
               absl::StrCat(" ", absl::StripAsciiWhitespace(*line), " "), word);
  };
  const bool passthrough = has(" iommu=pt ") || has(" iommu.passthrough=1 ");
  if (passthrough || has(" amd_iommu=off ") || has(" iommu=off ")) {
    Add("IOMMU", snp_is_on_ ? CheckState::kWarning : CheckState::kNo,
        passthrough ? "in passthrough mode by the kernel's command line"
                    : "off by the kernel's command line",
        "SNP wants it on and translating: take that word out, boot again");
    return;
  }
  const auto units = host_.List("/sys/class/iommu");
  if (!units.ok()) {
    Add("IOMMU", CheckState::kUnknown, "/sys/class/iommu cannot be read");
  } else if (units->empty()) {
    Add("IOMMU", snp_is_on_ ? CheckState::kWarning : CheckState::kNo, "none",
        "BIOS: IOMMU on");
  } else {
    Add("IOMMU", CheckState::kOk, absl::StrCat(units->size(), " units"));
  }
}

void Checker::CheckDevice(const std::string& path, std::string_view advice) {
  const FileRights rights = host_.RightsOf(path);
  if (!rights.exists) {
    Add(path, CheckState::kNo, "not there", std::string(advice));
  } else if (rights.readable && rights.writable) {
    Add(path, CheckState::kOk, "there, and may be opened");
  } else {
    Add(path, CheckState::kWarning, "there, and not for this user",
        "QEMU must run as one who may open it for reading and writing");
  }
}

void Checker::CheckFirmware() {
  constexpr std::string_view kName = "firmware";
  if (OfOtherVendor()) return;
  const auto status = host_.PlatformStatus();
  if (!status.ok()) {
    Add(kName, CheckState::kUnknown,
        absl::StrCat("SNP_PLATFORM_STATUS: ", Shown(status.status().message())),
        "as root it can be asked; the kernel's log has SEV-SNP API:");
    return;
  }
  tcb_ = status->reported_tcb;
  const bool enough =
      std::pair<unsigned, unsigned>(status->api_major, status->api_minor) >=
      std::pair(kFirstApi[0], kFirstApi[1]);
  Add(kName, enough ? CheckState::kOk : CheckState::kNo,
      absl::StrFormat("API %d.%d, build %d, reported TCB %016x%s",
                      status->api_major, status->api_minor, status->build,
                      status->reported_tcb,
                      status->vlek_enabled ? ", with a VLEK" : ""),
      enough ? "" : "update the BIOS: KVM wants API 1.51");
}

void Checker::CheckSmt() {
  const auto active = ValueOf(host_, "/sys/devices/system/cpu/smt/active");
  if (!active) {
    Add("SMT", CheckState::kUnknown, "the kernel does not say");
  } else if (*active == "0") {
    Add("SMT", CheckState::kOk, "off");
  } else {
    Add("SMT", CheckState::kWarning, "on",
        "policies made by `forelock policy from-image` refuse such a host: "
        "off in the BIOS, or the owner writes smt_enabled = \"any\"");
  }
}

void Checker::CheckQemus() {
  constexpr std::string_view kAdvice =
      "QEMU 9.1 or newer launches a ROM, 10.1 built with IGVM an IGVM file";
  if (question_.qemus.empty()) {
    Add("QEMU", CheckState::kUnknown, "none was named", "give --qemu PROGRAM",
        Weight::kDecides);
    return;
  }
  bool any = false;
  for (const std::string& program : question_.qemus) {
    const auto qemu = AskQemu(host_, program);
    if (!qemu.ok()) {
      // One of the usual places is no news.
      if (absl::IsNotFound(qemu.status()) && question_.qemus.size() > 1) {
        continue;
      }
      any = true;
      Add("QEMU", CheckState::kWarning, Shown(qemu.status().message()));
      continue;
    }
    any = true;
    report_.emulated = true;
    const LaunchWay way = WayOf(*qemu);
    report_.way = std::max(report_.way, way);
    const std::string seen = absl::StrFormat(
        "%s %d.%d: %s, %s", Shown(program), qemu->version.major,
        qemu->version.minor, qemu->has_snp ? "sev-snp-guest" : "no SNP",
        qemu->has_igvm ? "igvm-cfg" : "no IGVM");
    Add("QEMU",
        way == LaunchWay::kNone ? CheckState::kWarning : CheckState::kOk, seen,
        way == LaunchWay::kNone ? "not for SNP guests" : "");
  }
  if (!any) Add("QEMU", CheckState::kNo, "none", std::string(kAdvice));
  if (any && report_.way == LaunchWay::kNone) {
    Add("QEMU for SNP", CheckState::kNo, "none of them", std::string(kAdvice));
  }
}

void Checker::CheckRam() {
  constexpr uint64_t kMiB = 1 << 20;
  constexpr uint64_t kLeast = 64;  // MiB: what a small guest shares
  const auto free = host_.FreeBytes(question_.ram);
  const std::string folder = Shown(question_.ram);
  if (!free.ok()) {
    Add("RAM files", CheckState::kWarning, Shown(free.status().message()),
        "the VM's memory-backend-file (share=on) wants a folder, best in a "
        "tmpfs");
    return;
  }
  Add("RAM files",
      *free / kMiB < kLeast ? CheckState::kWarning : CheckState::kOk,
      absl::StrCat(folder, ", ", *free / kMiB, " MiB free"),
      *free / kMiB < kLeast ? "too little for a VM's file (share=on)" : "");
}

void Checker::CheckCertificates() {
  constexpr std::string_view kAdvice =
      "forelock roots prepare makes them: docs/operate-host.md, Certificates";
  const std::string folder = Shown(question_.certificates);
  const auto names = host_.List(question_.certificates);
  if (!names.ok()) {
    Add("certificates",
        absl::IsNotFound(names.status()) ? CheckState::kWarning
                                         : CheckState::kUnknown,
        Shown(names.status().message()), std::string(kAdvice));
    return;
  }
  const auto tables =
      std::ranges::count_if(*names, [](const std::string& name) {
        return name.ends_with(hosted::kCertificateTable);
      });
  const std::string seen = absl::StrCat(folder, ", ", tables, " files");
  const auto chip = host_.Chip();
  if (tables == 0 || !tcb_ || !chip.ok()) {
    Add("certificates",
        tables == 0 ? CheckState::kWarning : CheckState::kUnknown,
        tables == 0 ? seen : absl::StrCat(seen, "; chip and TCB are not known"),
        tables == 0 ? std::string(kAdvice) : "");
    return;
  }
  const std::string wanted =
      absl::StrCat(hosted::VcekName(*chip, *tcb_), hosted::kCertificateTable);
  if (std::ranges::binary_search(*names, wanted)) {
    Add("certificates", CheckState::kOk,
        absl::StrCat(seen, "; one is of this chip and TCB"));
  } else if (std::ranges::any_of(*names, [&](const std::string& name) {
               return hosted::IsVlekTable(name, *tcb_);
             })) {
    Add("certificates", CheckState::kOk,
        absl::StrCat(seen, "; a VLEK's is of this TCB"));
  } else {
    Add("certificates", CheckState::kWarning,
        absl::StrCat(seen, "; none is ", wanted), std::string(kAdvice));
  }
}

void Checker::CheckSockets() {
  const FileRights rights = host_.RightsOf(question_.sockets);
  const std::string folder = Shown(question_.sockets);
  if (!rights.exists) {
    Add("proxy sockets", CheckState::kWarning,
        absl::StrCat(folder, " is not there"),
        "make the folder that proxy.toml names for its sockets");
  } else {
    Add("proxy sockets", CheckState::kOk,
        absl::StrCat(folder, rights.writable ? "" : ", not for this user"));
  }
}

void Checker::Decide() {
  if (std::ranges::any_of(report_.rows, [](const HostRow& row) {
        return row.state == CheckState::kNo;
      })) {
    report_.snp_guest = HostAnswer::kNo;
  } else {
    report_.snp_guest = undecided_ ? HostAnswer::kUnknown : HostAnswer::kYes;
  }
}

}  // namespace

std::string_view NameOf(CheckState state) {
  switch (state) {
    case CheckState::kOk:
      return "ok";
    case CheckState::kWarning:
      return "warning";
    case CheckState::kNo:
      return "no";
    case CheckState::kUnknown:
      return "unknown";
  }
  __builtin_trap();
}

std::string_view NameOf(HostAnswer answer) {
  switch (answer) {
    case HostAnswer::kYes:
      return "yes";
    case HostAnswer::kNo:
      return "no";
    case HostAnswer::kUnknown:
      return "unknown";
  }
  __builtin_trap();
}

std::string_view NameOf(LaunchWay way) {
  switch (way) {
    case LaunchWay::kNone:
      return "none";
    case LaunchWay::kRom:
      return "rom";
    case LaunchWay::kIgvm:
      return "igvm";
  }
  __builtin_trap();
}

HostReport CheckHost(const Host& host, const HostQuestion& question) {
  return Checker(host, question).Check();
}

}  // namespace cli
