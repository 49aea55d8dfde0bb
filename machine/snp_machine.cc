// SPDX-License-Identifier: Apache-2.0
//
// snp_machine: runs an image on the SNP machine, in QEMU's place: the console
// on standard output, the proxy's doorbell on a unix socket, shared memory in a
// file. For tests: nothing here is protected from anybody.
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "hosted/arguments.h"
#include "hosted/files.h"
#include "hosted/text.h"
#include "launch/elf.h"
#include "launch/igvm/read_write.h"
#include "launch/igvm_plan.h"
#include "launch/image_plan.h"
#include "launch/rom.h"
#include "machine/chardev.h"
#include "machine/machine.h"
#include "psp/hierarchy.h"
#include "sev/cert_table.h"

namespace machine {
namespace {

using hosted::Arguments;
using hosted::Option;
using Kind = hosted::Option::Kind;

constexpr size_t kMaxBootFile = size_t{1} << 30;
// What a poll of the guest costs: others run meanwhile.
constexpr useconds_t kPauseMicroseconds = 50;

constexpr Option kRunOptions[] = {
    {"igvm", "FILE", Kind::kOptional, "the image as an IGVM file"},
    {"rom", "FILE", Kind::kOptional, "the image as a flat ROM"},
    {"elf", "FILE", Kind::kOptional,
     "the image's ELF file; beside another for its symbols only"},
    {"hierarchy", "DIR", Kind::kRequired, "made by forelock-emulator init"},
    {"ram", "FILE", Kind::kOptional, "shared memory; else anonymous"},
    {"memory", "MIB", Kind::kOptional, "of RAM; 512 if not given"},
    {"above-4g", "MIB", Kind::kOptional, "of more RAM from 4 GiB on"},
    {"doorbell-socket", "PATH", Kind::kOptional, "forelock-proxy's"},
    {"fw-cfg", "NAME=FILE", Kind::kRepeated, "a file for the guest"},
    {"kernel-limit", "WHERE", Kind::kOptional,
     "entry, page-tables or none; entry if not given"},
    {"host-certificates", "", Kind::kSwitch,
     "the host answers the extended guest request with certificates"},
    {"split-large-pages", "", Kind::kSwitch,
     "the host makes 4 KiB pages of 2 MiB ones"},
    {"trace", "FILE", Kind::kOptional, "each exit, one a line"},
    {"json", "FILE", Kind::kOptional, "how it ended, and counts"},
    {"instructions", "N", Kind::kOptional, "stop after so many"},
};

absl::StatusOr<uint64_t> Number(const Arguments& arguments,
                                std::string_view name, uint64_t otherwise) {
  uint64_t value = otherwise;
  if (arguments.Has(name) && !absl::SimpleAtoi(arguments.Value(name), &value)) {
    return hosted::UsageError(absl::StrCat("--", name, " is not a number"));
  }
  return value;
}

// As QEMU loads it.
absl::Status LoadIgvm(const std::string& path, MachineOptions& options) {
  const auto bytes = hosted::ReadInput(path, igvm::kMaxFileSize);
  if (!bytes.ok()) return bytes.status();
  const auto file = igvm::Read(*bytes);
  if (!file.ok()) return file.status();
  auto plan = launch::PlanOfIgvm(*file, launch::Loader::kQemu);
  if (!plan.ok()) return plan.status();
  options.plan = *std::move(plan);
  return absl::OkStatus();
}

absl::Status LoadRom(const std::string& path, MachineOptions& options) {
  const auto bytes = hosted::ReadInput(path, launch::kMaxRomSize);
  if (!bytes.ok()) return bytes.status();
  auto plan = launch::PlanOfRom(*bytes, launch::kEpycSignature);
  if (!plan.ok()) return plan.status();
  options.plan = *std::move(plan);
  return absl::OkStatus();
}

absl::Status LoadImage(const Arguments& arguments, MachineOptions& options) {
  const bool packed = arguments.Has("igvm") || arguments.Has("rom");
  if (packed) {
    absl::Status good = arguments.Has("igvm")
                            ? LoadIgvm(arguments.Value("igvm"), options)
                            : LoadRom(arguments.Value("rom"), options);
    if (!good.ok() || !arguments.Has("elf")) return good;
  } else if (!arguments.Has("elf")) {
    return hosted::UsageError("--igvm, --rom or --elf");
  }
  const auto file =
      hosted::ReadInput(arguments.Value("elf"), launch::Elf::kMaxFileSize);
  if (!file.ok()) return file.status();
  auto symbols = SymbolTable::FromElf(*file);
  if (symbols.ok()) options.symbols = *std::move(symbols);
  if (packed) return absl::OkStatus();
  auto plan = launch::PlanOfImage(*file);
  if (!plan.ok()) return plan.status();
  options.plan = *std::move(plan);
  return absl::OkStatus();
}

absl::Status LoadFwCfg(const Arguments& arguments, MachineOptions& options) {
  for (const std::string& word : arguments.Values("fw-cfg")) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos) {
      return hosted::UsageError("--fw-cfg wants NAME=FILE");
    }
    auto contents = hosted::ReadInput(word.substr(equals + 1), kMaxBootFile);
    if (!contents.ok()) return contents.status();
    options.fw_cfg.push_back(
        {.name = word.substr(0, equals), .contents = *std::move(contents)});
  }
  return absl::OkStatus();
}

absl::Status SetKernelLimit(const Arguments& arguments,
                            MachineOptions& options) {
  const std::string where = arguments.Value("kernel-limit");
  if (where.empty() || where == "entry") {
    options.kernel_limit = KernelLimit::kEntry;
  } else if (where == "page-tables") {
    options.kernel_limit = KernelLimit::kPageTables;
  } else if (where == "none") {
    options.kernel_limit = KernelLimit::kNone;
  } else {
    return hosted::UsageError("--kernel-limit: unknown");
  }
  return absl::OkStatus();
}

std::vector<uint8_t> CertificatesOf(const psp::Hierarchy& hierarchy) {
  std::array<uint8_t, 16384> table;
  const bool vlek = hierarchy.has_vlek();
  const sev::CertTableEntry entries[] = {
      {sev::kGuidVcek, vlek ? base::Bytes() : base::Bytes(hierarchy.vcek())},
      {sev::kGuidVlek, hierarchy.vlek()},
      {sev::kGuidAsk, vlek ? hierarchy.asvk() : hierarchy.ask()},
      {sev::kGuidArk, hierarchy.ark()},
      {sev::kGuidCrl, hierarchy.crl()}};
  const auto size = sev::PackCertTable(entries, table);
  if (!size.ok()) return {};
  return {table.begin(), table.begin() + *size};
}

struct GuestPages {
  uint64_t validated = 0;
  uint64_t large = 0;  // of them, in 2 MiB entries
};
GuestPages CountPages(Machine& machine) {
  GuestPages pages;
  for (const MemoryRange& range : machine.memory().ranges()) {
    for (uint64_t at = 0; at < range.size; at += kPageSize) {
      const RmpEntry entry = machine.rmp().Get(range.gpa + at);
      pages.validated += entry.validated ? 1 : 0;
      pages.large += entry.validated && entry.large ? 1 : 0;
    }
  }
  return pages;
}

std::string Json(const MachineResult& result, Machine& machine) {
  const GuestPages pages = CountPages(machine);
  const sev::LaunchDigest& digest = machine.launched().context.measurement;
  return absl::StrFormat(
      "{\"launch_digest\": \"%s\",\n\"ending\": %s,\n\"text\": "
      "%s,\n\"reason_set\": %d,\n"
      "\"reason_code\": %d,\n\"instructions\": %d,\n\"kernel_entry\": %d,\n"
      "\"kernel_page_tables\": %s,\n\"kernel_cc_blob\": %d,\n"
      "\"validated_pages\": %d,\n\"large_pages\": %d,\n"
      "\"ciphertext_reads\": %d,\n%s}\n",
      hosted::Hex(digest), JsonQuoted(NameOf(result.ending.kind)),
      JsonQuoted(result.ending.text), result.ending.reason_set,
      result.ending.reason_code, result.instructions, result.kernel_entry,
      result.kernel_page_tables ? "true" : "false", result.kernel_cc_blob,
      pages.validated, pages.large, machine.ciphertext_reads(),
      machine.trace().JsonMembers());
}

class File {
 public:
  // Null without a path.
  static absl::StatusOr<File> Create(const std::string& path) {
    File file;
    if (path.empty()) return file;
    file.file_.reset(fopen(path.c_str(), "we"));
    if (file.file_ == nullptr) return absl::ErrnoToStatus(errno, path);
    return file;
  }
  FILE* get() const { return file_.get(); }

 private:
  struct Close {
    void operator()(FILE* file) const { fclose(file); }
  };
  std::unique_ptr<FILE, Close> file_;
};

void PrintConsole(char c) {
  putchar_unlocked(c);
  if (c == '\n') fflush(stdout);
}

absl::StatusOr<MachineOptions> OptionsFrom(const Arguments& arguments) {
  MachineOptions options;
  if (absl::Status good = LoadImage(arguments, options); !good.ok()) {
    return good;
  }
  if (absl::Status good = LoadFwCfg(arguments, options); !good.ok()) {
    return good;
  }
  if (absl::Status good = SetKernelLimit(arguments, options); !good.ok()) {
    return good;
  }
  const auto memory = Number(arguments, "memory", 512);
  const auto above = Number(arguments, "above-4g", 0);
  const auto instructions = Number(arguments, "instructions", 0);
  for (const auto* number : {&memory, &above, &instructions}) {
    if (!number->ok()) return number->status();
  }
  options.memory.below_4g = *memory << 20;
  options.memory.above_4g = *above << 20;
  options.limits.instructions = *instructions;
  if (arguments.Has("ram")) {
    options.memory.shared_file =
        open(arguments.Value("ram").c_str(), O_RDWR | O_CREAT | O_CLOEXEC,
             S_IRUSR | S_IWUSR);
    if (options.memory.shared_file < 0) {
      return absl::ErrnoToStatus(errno, arguments.Value("ram"));
    }
  }
  if (arguments.Has("split-large-pages")) {
    options.hypervisor.large_pages = LargePages::kSplit;
  }
  options.host_clock = true;
  options.console = PrintConsole;
  options.on_pause = [] { usleep(kPauseMicroseconds); };
  return options;
}

absl::StatusOr<int> RunCommand(const Arguments& arguments) {
  auto options = OptionsFrom(arguments);
  if (!options.ok()) return options.status();
  const auto hierarchy = psp::Hierarchy::Load(arguments.Value("hierarchy"));
  if (!hierarchy.ok()) return hierarchy.status();
  options->hierarchy = &*hierarchy;
  if (arguments.Has("host-certificates")) {
    options->hypervisor.certificates = CertificatesOf(*hierarchy);
  }
  Chardev chardev(arguments.Value("doorbell-socket"));
  if (arguments.Has("doorbell-socket")) {
    chardev.Connect();
    options->doorbell = [&](uint8_t byte) { chardev.Write(byte); };
  }
  const auto trace = File::Create(arguments.Value("trace"));
  if (!trace.ok()) return trace.status();
  options->trace = trace->get();
  const auto json = File::Create(arguments.Value("json"));
  if (!json.ok()) return json.status();

  const auto machine = Machine::Create(*std::move(options));
  if (!machine.ok()) return machine.status();
  const MachineResult result = (*machine)->Run();
  absl::PrintF("\nsnp_machine: %s %s\n", NameOf(result.ending.kind),
               result.ending.text);
  fflush(stdout);
  if (json->get() != nullptr) {
    absl::FPrintF(json->get(), "%s", Json(result, **machine));
  }
  const bool bad = result.ending.kind == Ending::Kind::kViolation ||
                   result.ending.kind == Ending::Kind::kStopped ||
                   result.ending.kind == Ending::Kind::kShutdown;
  return bad ? hosted::kExitInvalid : hosted::kExitOk;
}

constexpr hosted::ExitCode kExitCodes[] = {
    {hosted::kExitInvalid, "a rule was broken, or the machine gave up"}};

constexpr hosted::Command kCommands[] = {
    {"run", "", "run one guest to its end",
     "Launches the image as an SNP guest with an emulated secure processor.",
     kRunOptions, &RunCommand, kExitCodes},
};

}  // namespace
}  // namespace machine

int main(int argc, char** argv) {
  return hosted::Run(
      {.name = "snp_machine",
       .summary = "snp_machine: a software SEV-SNP guest machine",
       .commands = machine::kCommands},
      argc, argv);
}
