// SPDX-License-Identifier: Apache-2.0
#include "cli/quiet_qemu.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "hosted/arguments.h"
#include "launch/qemu_args.h"

namespace cli {
namespace {

const QuietImage kImage = {.elf = "E", .rom = "R"};

std::string Quiet(const std::string& line) {
  const std::vector<std::string> words = absl::StrSplit(line, ' ');
  const auto quiet = MakeQuiet(words, kImage);
  return quiet.ok() ? absl::StrJoin(quiet->words, " ")
                    : std::string(quiet.status().message());
}

constexpr char kStart[] = "qemu -kernel vm1.elf -serial stdio";
constexpr char kQuiet[] = "qemu -kernel E -serial stdio";

// What is on either side of `rest`.
std::string QuietRest(const std::string& rest) {
  const std::string quiet = Quiet(absl::StrCat(kStart, " ", rest));
  constexpr std::string_view kEnd = " -display none";
  EXPECT_TRUE(quiet.starts_with(kQuiet) && quiet.ends_with(kEnd)) << quiet;
  if (quiet.size() < sizeof kQuiet + kEnd.size()) return "";
  return quiet.substr(sizeof kQuiet,
                      quiet.size() - sizeof kQuiet - kEnd.size());
}

TEST(QuietQemu, WhatReachesOutIsReplaced) {
  const struct {
    const char* from;
    const char* to;
  } rows[] = {
      {"-chardev socket,id=sp,path=/run/a,,b,reconnect=1",
       "-chardev null,id=sp"},
      {"-object memory-backend-file,id=ram,size=512M,mem-path=/x,share=on",
       "-object memory-backend-ram,id=ram,size=512M"},
      {"-drive file=d.img,if=none,id=d0,format=raw",
       "-drive driver=null-co,size=1G,if=none,id=d0"},
      {"-netdev tap,id=n0,ifname=t -netdev user,id=n1",
       "-netdev hubport,hubid=0,id=n0 -netdev hubport,hubid=1,id=n1"},
      {"-serial file:log", "-serial null"},
      {"-monitor stdio -S -qmp unix:/x,server -smp 2", "-smp 2"},
      {"-m 512 -device virtio-rng-pci,addr=5 -enable-kvm",
       "-m 512 -device virtio-rng-pci,addr=5 -enable-kvm"},
      {"--machine q35,memory-backend=ram", "-machine q35,memory-backend=ram"},
      {"-chardev stdio,id=s", "-chardev stdio,id=s"},
  };
  for (const auto& row : rows) EXPECT_EQ(QuietRest(row.from), row.to);
}

TEST(QuietQemu, SnpWithoutIt) {
  const std::vector<std::string> words =
      launch::QemuArguments({.launch = launch::QemuLaunch::kSnpIgvm,
                             .image = "vm1.igvm",
                             .ram = "/dev/shm/x",
                             .proxy_socket = "/run/x"});
  const auto quiet = MakeQuiet(words, kImage);
  ASSERT_TRUE(quiet.ok()) << quiet.status();
  EXPECT_TRUE(quiet->snp);
  const std::string line = absl::StrJoin(quiet->words, " ");
  EXPECT_EQ(line.find("sev"), std::string::npos) << line;
  EXPECT_EQ(line.find("igvm"), std::string::npos) << line;
  EXPECT_EQ(line.find("/run"), std::string::npos) << line;
  EXPECT_NE(line.find(" -bios R "), std::string::npos) << line;
  EXPECT_NE(line.find("-machine q35,memory-backend=ram,vmport=off,smm=off"),
            std::string::npos)
      << line;
}

// A line is a VM's real one: what would take hold of this host's things and is
// not replaced must not be started.
TEST(QuietQemu, WhatIsNotReplacedIsRefused) {
  for (const char* option :
       {"-nic tap", "-net user", "-blockdev file", "-hda d", "-cdrom d",
        "-pflash f", "-virtfs local", "-fsdev local", "-parallel /dev/lp0",
        "-debugcon file:x", "-readconfig f", "-tpmdev passthrough",
        "-mem-path /dev/shm/x", "-device vfio-pci", "--nic tap"}) {
    const std::string line =
        absl::StrCat("qemu -kernel x -serial stdio ", option);
    EXPECT_NE(Quiet(line).find("not started here"), std::string::npos) << line;
  }
  EXPECT_NE(Quiet("qemu -kernel x -serial stdio -drive if=pflash,file=v")
                .find("if=pflash,file=v,readonly=on"),
            std::string::npos);
}

TEST(QuietQemu, LinesThatStartNothing) {
  for (const char* line :
       {"-kernel x -serial stdio", "", "qemu -serial stdio",
        "qemu -kernel x -nodefaults", "qemu -kernel x -serial none"}) {
    const std::vector<std::string> words =
        *line == 0 ? std::vector<std::string>() : absl::StrSplit(line, ' ');
    EXPECT_FALSE(MakeQuiet(words, kImage).ok()) << line;
  }
  EXPECT_NE(Quiet("qemu -kernel x -nodefaults").find("no -serial"),
            std::string::npos);
  EXPECT_EQ(Quiet("qemu -kernel x -nodefaults -nographic"),
            "qemu -kernel E -nodefaults -serial stdio -display none");
  EXPECT_NE(Quiet("qemu -serial stdio").find("starts no image"),
            std::string::npos);
}

}  // namespace
}  // namespace cli
