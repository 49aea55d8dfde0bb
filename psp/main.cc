// SPDX-License-Identifier: Apache-2.0
//
// forelock-emulator: an emulated AMD secure processor for one VM in stock QEMU.
// For tests and demonstrations: its reports prove nothing to anyone who does
// not trust this installation's own test root.
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "hosted/arguments.h"
#include "hosted/files.h"
#include "hosted/log.h"
#include "hosted/openssl/openssl.h"
#include "launch/elf.h"
#include "launch/measure.h"
#include "openssl/rand.h"
#include "psp/certificates.h"
#include "psp/chip_model.h"
#include "psp/error.h"
#include "psp/fault.h"
#include "psp/hierarchy.h"
#include "psp/report_maker.h"
#include "psp/server.h"
#include "psp/service.h"

namespace psp {
namespace {

using hosted::Arguments;
using hosted::Option;
using Kind = hosted::Option::Kind;

absl::Status Failed(base::Reason reason, const absl::Status& why) {
  return Error(reason, why.message(), why.code());
}

constexpr Option kInitOptions[] = {
    {"hierarchy", "DIR", Kind::kRequired, "where the keys are kept"},
    {"product", "NAME", Kind::kOptional, "milan, genoa, siena or turin"},
    {"vlek", "CSP_ID", Kind::kOptional, "with a VLEK: CN=cc.example.com"},
};

absl::Status Init(const Arguments& arguments) {
  const std::string dir = arguments.Value("hierarchy");
  HierarchyOptions options;
  if (arguments.Has("product")) {
    options.model = ChipModelNamed(arguments.Value("product"));
  }
  if (options.model == nullptr) {
    return Error(kPlatformUnknown, arguments.Value("product"));
  }
  options.csp_id = arguments.Value("vlek");
  const auto start = std::chrono::steady_clock::now();
  bool created = false;
  const auto hierarchy = Hierarchy::Init(dir, &created, options);
  if (!hierarchy.ok()) return Failed(kHierarchyUnusable, hierarchy.status());
  const std::chrono::duration<double> took =
      std::chrono::steady_clock::now() - start;
  if (created) {
    absl::PrintF(
        "%s: made an EMULATED key hierarchy (%d RSA-4096 keys) in %.1f s\n",
        dir, hierarchy->has_vlek() ? 3 : 2, took.count());
  } else {
    absl::PrintF("%s: has an EMULATED key hierarchy already\n", dir);
  }
  return absl::OkStatus();
}

// What signed the leaf that signs reports.
CertificateSpec SignerSpec(const Hierarchy& hierarchy) {
  const bool vlek = hierarchy.has_vlek();
  return IntermediateSpec(
      hierarchy.model(), vlek ? SignerKind::kVlek : SignerKind::kVcek,
      vlek ? hierarchy.asvk_key() : hierarchy.ask_key(), hierarchy.ark_key());
}

// Newer than the one of init.
absl::StatusOr<Der> ListThatRevokes(const Hierarchy& hierarchy, long serial) {
  CrlSpec spec = GoodCrlSpec(hierarchy.model(), hierarchy.ark_key());
  ++spec.number;
  spec.revoked_serial = serial;
  return MakeCrl(spec);
}

absl::Status Write(const std::string& path, const absl::StatusOr<Der>& der) {
  if (!der.ok()) return Failed(kHierarchyUnusable, der.status());
  const absl::Status written =
      hosted::ReplaceFile(path, *der, hosted::kPublicFile);
  return written.ok() ? written : Failed(kListUnwritable, written);
}

constexpr Option kRevokeOptions[] = {
    {"hierarchy", "DIR", Kind::kRequired, "made by forelock-emulator init"},
    {"output", "FILE", Kind::kRequired, "the list, in DER"},
};

absl::Status Revoke(const Arguments& arguments) {
  const auto hierarchy = Hierarchy::Load(arguments.Value("hierarchy"));
  if (!hierarchy.ok()) return Failed(kHierarchyUnusable, hierarchy.status());
  const CertificateSpec revoked = SignerSpec(*hierarchy);
  const std::string path = arguments.Value("output");
  const absl::Status written =
      Write(path, ListThatRevokes(*hierarchy, revoked.serial));
  if (!written.ok()) return written;
  absl::PrintF("%s: revokes %s\n", path, revoked.subject);
  return absl::OkStatus();
}

constexpr Option kRotateOptions[] = {
    {"hierarchy", "DIR", Kind::kRequired, "made by forelock-emulator init"},
    {"output", "DIR", Kind::kRequired, "a folder, for what replaces them"},
};

absl::Status Rotate(const Arguments& arguments) {
  const auto hierarchy = Hierarchy::Load(arguments.Value("hierarchy"));
  if (!hierarchy.ok()) return Failed(kHierarchyUnusable, hierarchy.status());
  const hosted::openssl::PkeyPtr key = NewAuthorityKey();
  if (key == nullptr) {
    return Failed(kHierarchyUnusable,
                  hosted::openssl::Failure("generating a key"));
  }
  const bool vlek = hierarchy->has_vlek();
  CertificateSpec signer = SignerSpec(*hierarchy);
  const long revoked = signer.serial++;
  signer.key = key.get();
  const CertificateSpec leaf =
      vlek ? VlekSpec(hierarchy->model(), hierarchy->csp_id(),
                      hierarchy->vlek_key(), key.get())
           : VcekSpec(hierarchy->model(), hierarchy->chip_id(),
                      hierarchy->vcek_key(), key.get());
  const std::string folder = absl::StrCat(arguments.Value("output"), "/");
  const std::pair<std::string, absl::StatusOr<Der>> files[] = {
      {vlek ? "asvk.der" : "ask.der", MakeCertificate(signer)},
      {vlek ? hierarchy->VlekFileName() : hierarchy->VcekFileName(),
       MakeCertificate(leaf)},
      {"crl.der", ListThatRevokes(*hierarchy, revoked)}};
  for (const auto& [name, der] : files) {
    const absl::Status written = Write(folder + name, der);
    if (!written.ok()) return written;
    absl::PrintF("%s%s\n", folder, name);
  }
  return absl::OkStatus();
}

constexpr Option kServeOptions[] = {
    {"hierarchy", "DIR", Kind::kRequired, "made by forelock-emulator init"},
    {"socket", "PATH", Kind::kRequired, "listen here for QEMU's chardev"},
    {"ram", "FILE", Kind::kRequired, "the VM's memory-backend-file"},
    {"image", "ELF", Kind::kRequired, "the guest image that QEMU gets"},
    {"report-version", "N", Kind::kOptional, "2 to 5; 3 if not given"},
    {"mask-chip-id", "", Kind::kSwitch, "reports name no chip"},
    {"mask-chip-key", "", Kind::kSwitch, "no VCEK signs reports"},
    {"fault", "NAME", Kind::kOptional, "misbehave; for tests, see above"},
    {"dump-vmpck", "FILE", Kind::kOptional, "write VMPCK0; for tests only"},
};

#define FORELOCK_FAULT_LINE(constant, name, what) "\n  " name ": " what
constexpr char kServeDescription[] =
    "Serves the emulated secure processor on the second page channel of one\n"
    "VM until SIGTERM. The image is measured at each start of the VM.\n"
    "Faults:" FORELOCK_PSP_FAULTS(FORELOCK_FAULT_LINE);
#undef FORELOCK_FAULT_LINE

absl::Status DumpVmpck(const std::string& path, const sev::Vmpck& key) {
  const hosted::Descriptor file(open(path.c_str(),
                                     O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
                                     S_IRUSR | S_IWUSR));
  const absl::Status status =
      file.open() ? hosted::WriteFully(file.get(), key.RevealSecret(), path)
                  : hosted::SystemError(path);
  return status.ok() ? status : Failed(kDumpUnusable, status);
}

absl::StatusOr<PlatformConfig> PlatformFrom(const Arguments& arguments) {
  PlatformConfig platform;
  if (arguments.Has("report-version") &&
      (!absl::SimpleAtoi(arguments.Value("report-version"),
                         &platform.report_version) ||
       platform.report_version < kMinReportVersion ||
       platform.report_version > kMaxReportVersion)) {
    return Error(kPlatformUnknown, arguments.Value("report-version"));
  }
  platform.mask_chip_id = arguments.Has("mask-chip-id");
  platform.mask_chip_key = arguments.Has("mask-chip-key");
  return platform;
}

absl::Status ServeCommand(const Arguments& arguments) {
  FirmwareService::Options options;
  const auto platform = PlatformFrom(arguments);
  if (!platform.ok()) return platform.status();
  options.platform = *platform;
  if (arguments.Has("fault")) {
    const auto fault = FaultNamed(arguments.Value("fault"));
    if (!fault) {
      return Error(kFaultUnknown, arguments.Value("fault"));
    }
    options.fault = *fault;
  }
  const auto hierarchy = Hierarchy::Load(arguments.Value("hierarchy"));
  if (!hierarchy.ok()) return Failed(kHierarchyUnusable, hierarchy.status());

  const std::string image = arguments.Value("image");
  options.measure = [image]() -> absl::StatusOr<sev::LaunchDigest> {
    const auto file = hosted::ReadInput(image, launch::Elf::kMaxFileSize);
    if (!file.ok()) return file.status();
    return launch::MeasureEmulatedImage(*file);
  };
  // Once now, so that a wrong path shows before a VM runs.
  if (const auto digest = options.measure(); !digest.ok()) {
    return Failed(kImageUnmeasurable, digest.status());
  }
  if (const std::string dump = arguments.Value("dump-vmpck"); !dump.empty()) {
    options.on_vmpck0 = [dump](const sev::Vmpck& key) {
      return DumpVmpck(dump, key);
    };
  }
  options.ram_path = arguments.Value("ram");
  hosted::Log log;
  options.log = [&log](std::string_view line) { log.Info(line); };
  // EDGE: RAND_bytes fills any object as bytes.
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&options.generation),
                 sizeof(options.generation)) != 1) {
    return absl::InternalError("no entropy");
  }
  options.generation |= 1;  // Not 0.

  FirmwareService service(*hierarchy, std::move(options));
  return Serve(arguments.Value("socket"), service, log);
}

constexpr hosted::Command kCommands[] = {
    {"init", "", "make this installation's test key hierarchy",
     "Makes ARK, ASK and VCEK in DIR/private (0600) and their certificates "
     "and\n"
     "the ARK's CRL in DIR/public, the folder to name as `certificates` in\n"
     "proxy.toml. --vlek adds ASVK and VLEK, which then sign reports unless "
     "the\n"
     "guest asks for the VCEK. Does nothing if they are there. RSA-4096 keys\n"
     "take a second or two.",
     kInitOptions, &Init},
    {"revoke", "", "make a list that revokes what signed the VCEK or VLEK",
     "Writes a CRL of the ARK, newer than that of init. For tests.",
     kRevokeOptions, &Revoke},
    {"rotate", "", "replace what signed the VCEK or VLEK",
     "As AMD does: another ASK or ASVK with a new key, the same VCEK or VLEK\n"
     "signed by it, and a CRL that revokes the old one. The hierarchy stays "
     "as\n"
     "it is. For tests.",
     kRotateOptions, &Rotate},
    {"serve", "", "be the secure processor of one VM", kServeDescription,
     kServeOptions, &ServeCommand},
};

}  // namespace
}  // namespace psp

int main(int argc, char** argv) {
  return hosted::Run(
      {.name = "forelock-emulator",
       .summary = "forelock-emulator: an EMULATED AMD secure processor",
       .commands = psp::kCommands},
      argc, argv);
}
