// SPDX-License-Identifier: Apache-2.0
//
// The QEMU command line of a VM: one place that knows which options an image
// needs, for people and for tests.
//
// Source: QEMU docs/system/igvm.rst,
// docs/system/i386/amd-memory-encryption.rst, qapi/qom.json
// (SevSnpGuestProperties); docs/hardware.md says what of the SNP lines was
// never run.
#pragma once

#include <stdint.h>

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "boot/rules.h"

namespace launch {

enum class QemuLaunch : uint8_t {
  kEmulatedPvh,  // The ELF file, by -kernel.
  kEmulatedRom,  // By -bios.
  kSnpIgvm,      // QEMU 10.1; policy and ID block are the file's.
  kSnpRom,       // QEMU 9.1, by -bios.
};

constexpr bool IsSnp(QemuLaunch launch) {
  return launch == QemuLaunch::kSnpIgvm || launch == QemuLaunch::kSnpRom;
}

struct QemuVersion {
  unsigned major = 0, minor = 0;
  friend auto operator<=>(const QemuVersion&, const QemuVersion&) = default;
};

// The first one that can launch it, in the form of this line.
constexpr QemuVersion FirstFor(QemuLaunch launch) {
  switch (launch) {
    case QemuLaunch::kSnpIgvm:
      return {10, 1};
    case QemuLaunch::kSnpRom:
      return {9, 1};
    case QemuLaunch::kEmulatedPvh:
    case QemuLaunch::kEmulatedRom:
      break;
  }
  return {7, 2};
}

// Of "10.1", "10.1.3" or the first line that `qemu-system-x86_64 --version`
// prints, "QEMU emulator version 7.2.22 (...)". Empty: of neither form.
std::optional<QemuVersion> ParseQemuVersion(std::string_view text);

struct QemuMachine {
  // Whose options it has to know; older than FirstFor() counts as that.
  QemuVersion version;
  std::string program = "qemu-system-x86_64";
  QemuLaunch launch = QemuLaunch::kEmulatedPvh;
  std::string image;
  uint64_t memory_mib = boot::kDefaultMemoryMib;
  // Shared guest memory: a file that the proxy maps too. Under SNP it holds
  // what the guest shares and QEMU's copy of the launched image; private memory
  // is QEMU's guest_memfd.
  std::string ram;
  std::string proxy_socket;
  std::string processor_socket;  // Of the emulated secure processor.
  std::string cpu;               // Empty: max, or EPYC-v4 under SNP.
  std::string accelerator;       // Empty: tcg, or kvm under SNP.
  // Files; empty: none.
  std::string kernel, initrd, command_line, disk;
  // kSnpRom only: an IGVM file brings its own, and QEMU takes no other then.
  uint64_t guest_policy = 0;
  std::string id_block_base64, id_auth_base64;
  bool has_author_key = false;
};

// Program name and arguments.
std::vector<std::string> QemuArguments(const QemuMachine& machine);

// For a shell: quoted where it has to be.
std::string ShellQuoted(std::string_view word);

}  // namespace launch
