// SPDX-License-Identifier: Apache-2.0
//
// That QEMU takes the emulated line, and that it is the lab's:
// tests/launch/qemu_args_test.py.
#include "launch/qemu_args.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"

namespace launch {
namespace {

QemuMachine Machine(QemuLaunch launch) {
  QemuMachine machine;
  machine.launch = launch;
  machine.image = "image";
  machine.ram = "/dev/shm/vm1";
  machine.proxy_socket = "/run/forelock/vm1.sock";
  machine.processor_socket = "/run/forelock/vm1-sp.sock";
  return machine;
}

std::string Joined(const QemuMachine& machine) {
  return absl::StrJoin(QemuArguments(machine), " ");
}

TEST(QemuArgs, SnpByIgvm) {
  QemuMachine machine = Machine(QemuLaunch::kSnpIgvm);
  machine.guest_policy = 0x30000;
  machine.disk = "disk.img";
  EXPECT_EQ(
      Joined(machine),
      "qemu-system-x86_64 -accel kvm -cpu EPYC-v4 -m 512 -nodefaults "
      "-no-user-config -display none -serial stdio -no-reboot "
      "-object memory-backend-file,id=ram,size=512M,mem-path=/dev/shm/vm1,"
      "share=on,discard-data=on "
      "-object igvm-cfg,id=igvm0,file=image "
      "-object sev-snp-guest,id=sev0,cbitpos=51,reduced-phys-bits=1,"
      "policy=0x30000 "
      "-machine q35,confidential-guest-support=sev0,memory-backend=ram,"
      "vmport=off,igvm-cfg=igvm0 -smp 1 "
      "-chardev socket,id=forelock,path=/run/forelock/vm1.sock,"
      "reconnect-ms=1000 "
      "-device isa-debugcon,iobase=0x5f0,chardev=forelock,readback=0x53 "
      "-drive file=disk.img,if=none,id=d0,format=raw "
      "-device virtio-blk-pci,drive=d0,disable-legacy=on,iommu_platform=on");
}

TEST(QemuArgs, IdBlockIsGivenOnlyWithARom) {
  QemuMachine machine = Machine(QemuLaunch::kSnpRom);
  machine.id_block_base64 = "QQ==";
  machine.id_auth_base64 = "Qg==";
  EXPECT_TRUE(
      absl::StrContains(Joined(machine), ",id-block=QQ==,id-auth=Qg== "));
  EXPECT_TRUE(absl::StrContains(Joined(machine), " -bios image"));
  EXPECT_FALSE(absl::StrContains(Joined(machine), "igvm"));
  machine.has_author_key = true;
  EXPECT_TRUE(absl::StrContains(Joined(machine), ",author-key-enabled=on "));
  machine.launch = QemuLaunch::kSnpIgvm;  // QEMU would drop it.
  EXPECT_FALSE(absl::StrContains(Joined(machine), "id-block"));
}

TEST(QemuArgs, OnlyTheEmulatedHasAProcessorSocket) {
  for (const auto launch : {QemuLaunch::kEmulatedPvh, QemuLaunch::kEmulatedRom,
                            QemuLaunch::kSnpIgvm, QemuLaunch::kSnpRom}) {
    const std::string line = Joined(Machine(launch));
    EXPECT_EQ(absl::StrContains(line, "vm1-sp.sock"), !IsSnp(launch));
    EXPECT_EQ(absl::StrContains(line, "sev-snp-guest"), IsSnp(launch));
  }
}

// 9.2 renames it; in 11.1 the old name is gone.
TEST(QemuArgs, ReconnectIsCalledAsThisQemuCallsIt) {
  QemuMachine machine = Machine(QemuLaunch::kEmulatedPvh);
  const auto has = [&](QemuVersion version, std::string_view text) {
    machine.version = version;
    return absl::StrContains(Joined(machine), text);
  };
  for (const QemuVersion version :
       {QemuVersion{}, QemuVersion{7, 2}, QemuVersion{9, 1}}) {
    EXPECT_TRUE(has(version, "/vm1.sock,reconnect=1 "));
    EXPECT_TRUE(has(version, "/vm1-sp.sock,reconnect=1 "));
  }
  for (const QemuVersion version :
       {QemuVersion{9, 2}, QemuVersion{10, 0}, QemuVersion{11, 1}}) {
    EXPECT_TRUE(has(version, "/vm1.sock,reconnect-ms=1000 "));
    EXPECT_TRUE(has(version, "/vm1-sp.sock,reconnect-ms=1000 "));
  }
  machine.launch = QemuLaunch::kSnpRom;
  EXPECT_TRUE(has({9, 1}, ",reconnect=1 "));
  EXPECT_TRUE(has({7, 2}, ",reconnect=1 "));  // as if 9.1
  EXPECT_TRUE(has({9, 2}, ",reconnect-ms=1000 "));
  machine.launch = QemuLaunch::kSnpIgvm;
  EXPECT_TRUE(has({7, 2}, ",reconnect-ms=1000 "));  // as if 10.1
}

TEST(QemuArgs, TheProgramIsTheOneAsked) {
  QemuMachine machine = Machine(QemuLaunch::kEmulatedPvh);
  machine.program = "/opt/qemu/bin/qemu-system-x86_64";
  EXPECT_EQ(QemuArguments(machine)[0], machine.program);
}

TEST(QemuVersion, OfWhatQemuPrintsOrAPersonWrites) {
  const struct {
    std::string_view text;
    std::optional<QemuVersion> version;
  } rows[] = {
      {"QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)\n"
       "Copyright (c) 2003-2022 Fabrice Bellard\n",
       QemuVersion{7, 2}},
      {"QEMU emulator version 10.0.13 (Debian 1:10.0.13+ds-0+deb13u1)",
       QemuVersion{10, 0}},
      {"QEMU emulator version 11.0.50 (v11.0.0-1-gabc)", QemuVersion{11, 0}},
      {"10.1", QemuVersion{10, 1}},
      {"9.2.4", QemuVersion{9, 2}},
      {"9", std::nullopt},
      {"", std::nullopt},
      {".", std::nullopt},
      {"1000.1", std::nullopt},
      {"99999999999999999999.1", std::nullopt},
      {"-1.2", std::nullopt},
      {"QEMU emulator version", std::nullopt},
      {"ash: 9.2", std::nullopt},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(ParseQemuVersion(row.text), row.version) << row.text;
  }
}

TEST(QemuArgs, CommasInPathsAreDoubledWhereQemuSplits) {
  QemuMachine machine = Machine(QemuLaunch::kEmulatedPvh);
  machine.image = machine.ram = machine.proxy_socket = machine.kernel = "a,b";
  const auto words = QemuArguments(machine);
  EXPECT_EQ(std::ranges::count(words, "a,b"), 1);  // -kernel does not split
  EXPECT_TRUE(absl::StrContains(Joined(machine), "mem-path=a,,b,share=on"));
  EXPECT_TRUE(absl::StrContains(Joined(machine), "path=a,,b,reconnect"));
  EXPECT_TRUE(absl::StrContains(Joined(machine), "kernel,file=a,,b"));
}

TEST(ShellQuoted, QuotesWhatAShellWouldRead) {
  EXPECT_EQ(ShellQuoted("q35,a=/dev/shm/x"), "q35,a=/dev/shm/x");
  EXPECT_EQ(ShellQuoted(""), "''");
  EXPECT_EQ(ShellQuoted("a b"), "'a b'");
  EXPECT_EQ(ShellQuoted("$(id)"), "'$(id)'");
  EXPECT_EQ(ShellQuoted("it's"), "'it'\\''s'");
}

}  // namespace
}  // namespace launch
