// SPDX-License-Identifier: Apache-2.0
#include "launch/qemu_args.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "proto/ports.h"

namespace launch {
namespace {

// In a list of NAME=VALUE a comma of a value is written twice.
std::string Value(std::string_view text) {
  return absl::StrReplaceAll(text, {{",", ",,"}});
}

class Line {
 public:
  void Add(std::string_view option) { words_.emplace_back(option); }
  void Add(std::string_view option, std::string value) {
    words_.emplace_back(option);
    words_.push_back(std::move(value));
  }
  std::vector<std::string> Take() { return std::move(words_); }

 private:
  std::vector<std::string> words_;
};

void AddMachine(const QemuMachine& machine, Line& line) {
  line.Add("-object",
           absl::StrCat("memory-backend-file,id=ram,size=", machine.memory_mib,
                        "M,mem-path=", Value(machine.ram),
                        ",share=on,discard-data=on"));
  if (!IsSnp(machine.launch)) {
    line.Add("-machine", "q35,memory-backend=ram");
    return;
  }
  std::string guest = absl::StrFormat(
      "sev-snp-guest,id=sev0,cbitpos=51,reduced-phys-bits=1,policy=0x%x",
      machine.guest_policy);
  // The VMware port needs registers that the host cannot see.
  std::string q35 =
      "q35,confidential-guest-support=sev0,memory-backend=ram,vmport=off";
  if (machine.launch == QemuLaunch::kSnpIgvm) {
    absl::StrAppend(&q35, ",igvm-cfg=igvm0");
    line.Add("-object",
             absl::StrCat("igvm-cfg,id=igvm0,file=", Value(machine.image)));
  } else if (!machine.id_block_base64.empty()) {
    absl::StrAppend(&guest, ",id-block=", machine.id_block_base64,
                    ",id-auth=", machine.id_auth_base64,
                    machine.has_author_key ? ",author-key-enabled=on" : "");
  }
  line.Add("-object", guest);
  line.Add("-machine", q35);
  line.Add("-smp", "1");  // The image has one VMSA.
}

// QEMU 9.2 renamed the option, and 11.1 knows the new name only.
constexpr QemuVersion kReconnectMs = {9, 2};

void AddDoorbell(std::string_view id, const std::string& socket, uint16_t port,
                 uint8_t read_back, const QemuVersion& version, Line& line) {
  line.Add("-chardev",
           absl::StrCat("socket,id=", id, ",path=", Value(socket),
                        version >= kReconnectMs ? ",reconnect-ms=1000"
                                                : ",reconnect=1"));
  line.Add("-device",
           absl::StrFormat("isa-debugcon,iobase=%#x,chardev=%s,readback=%#x",
                           port, id, read_back));
}

void AddFile(std::string_view name, const std::string& path, Line& line) {
  if (path.empty()) return;
  line.Add("-fw_cfg",
           absl::StrCat("name=opt/org.forelock/", name, ",file=", Value(path)));
}

}  // namespace

std::optional<QemuVersion> ParseQemuVersion(std::string_view text) {
  constexpr unsigned kMost = 999;
  absl::ConsumePrefix(&text, "QEMU emulator version ");
  text = text.substr(0, text.find_first_not_of("0123456789."));
  const std::vector<std::string_view> parts = absl::StrSplit(text, '.');
  QemuVersion version;
  if (parts.size() < 2 || parts.size() > 4 ||
      !absl::SimpleAtoi(parts[0], &version.major) ||
      !absl::SimpleAtoi(parts[1], &version.minor) || version.major > kMost ||
      version.minor > kMost) {
    return std::nullopt;
  }
  return version;
}

std::vector<std::string> QemuArguments(const QemuMachine& machine) {
  const bool snp = IsSnp(machine.launch);
  const QemuVersion version =
      std::max(machine.version, FirstFor(machine.launch));
  Line line;
  line.Add(machine.program);
  line.Add("-accel", !machine.accelerator.empty() ? machine.accelerator
                     : snp                        ? "kvm"
                                                  : "tcg");
  line.Add("-cpu", !machine.cpu.empty() ? machine.cpu
                   : snp                ? "EPYC-v4"
                                        : "max");
  line.Add("-m", absl::StrCat(machine.memory_mib));
  line.Add("-nodefaults");
  line.Add("-no-user-config");
  line.Add("-display", "none");
  line.Add("-serial", "stdio");
  line.Add("-no-reboot");
  AddMachine(machine, line);
  AddDoorbell("forelock", machine.proxy_socket, proto::kProxyPort,
              proto::kProxyReadBack, version, line);
  if (!snp) {
    AddDoorbell("sp", machine.processor_socket, proto::kFirmwarePort,
                proto::kFirmwareReadBack, version, line);
  }
  switch (machine.launch) {
    case QemuLaunch::kEmulatedPvh:
      line.Add("-kernel", machine.image);
      break;
    case QemuLaunch::kEmulatedRom:
    case QemuLaunch::kSnpRom:
      line.Add("-bios", machine.image);
      break;
    case QemuLaunch::kSnpIgvm:
      break;
  }
  AddFile("kernel", machine.kernel, line);
  AddFile("initrd", machine.initrd, line);
  AddFile("cmdline", machine.command_line, line);
  if (!machine.disk.empty()) {
    line.Add("-drive", absl::StrCat("file=", Value(machine.disk),
                                    ",if=none,id=d0,format=raw"));
    // Device memory is shared memory: the driver must go by the DMA API.
    line.Add("-device",
             snp ? "virtio-blk-pci,drive=d0,disable-legacy=on,iommu_platform=on"
                 : "virtio-blk-pci,drive=d0");
  }
  return line.Take();
}

std::string ShellQuoted(std::string_view word) {
  const bool plain = !word.empty() && std::ranges::all_of(word, [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           absl::StrContains("@%+=:,./_-", c);
  });
  if (plain) return std::string(word);
  return absl::StrCat("'", absl::StrReplaceAll(word, {{"'", "'\\''"}}), "'");
}

}  // namespace launch
