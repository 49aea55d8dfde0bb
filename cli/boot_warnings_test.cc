// SPDX-License-Identifier: Apache-2.0
#include "cli/boot_warnings.h"

#include <string.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "base/bytes.h"
#include "boot/fake_initrd.h"
#include "boot/fake_kernel.h"
#include "gtest/gtest.h"
#include "proto/config.h"
#include "verifier/ossl/ossl.h"

namespace cli {
namespace {

using std::string_view_literals::operator""sv;
using File = std::vector<uint8_t>;

constexpr uint64_t kMiB = 1 << 20;

File Of(std::string_view text, size_t size = 8192) {
  File file(text.begin(), text.end());
  file.resize(std::max(size, text.size()));
  return file;
}

std::string OfKernel(const File& kernel) {
  return absl::StrJoin(BootWarnings({.kernel = GivenFile{"k", kernel}}), "\n");
}
std::string OfInitrd(const File& initrd) {
  return absl::StrJoin(BootWarnings({.initrd = GivenFile{"i", initrd}}), "\n");
}
std::string OfCommandLine(std::string_view text) {
  const File kernel = boot::FakeKernel();
  return absl::StrJoin(
      BootWarnings({.kernel = GivenFile{"k", kernel},
                    .command_line = GivenFile{"c", base::AsBytes(text)}}),
      "\n");
}

TEST(BootWarnings, NoneOfWhatBoots) {
  EXPECT_EQ(OfKernel(boot::FakeKernel()), "");
  EXPECT_EQ(OfInitrd(boot::FakeCpio()), "");
  EXPECT_EQ(OfCommandLine("console=ttyS0 quiet"), "");
  EXPECT_TRUE(BootWarnings({}).empty());
  const File kernel = boot::FakeKernel(), initrd = boot::FakeCpio();
  EXPECT_TRUE(BootWarnings({.kernel = GivenFile{"k", kernel},
                            .initrd = GivenFile{"i", initrd},
                            .memory = 64 * kMiB})
                  .empty());
}

TEST(BootWarnings, KernelsOfOtherKinds) {
  const struct {
    std::string_view begin;
    std::string_view says;
  } kRows[] = {
      {"\x1F\x8B\x08"sv, "a gzip file"},
      {"\x28\xB5\x2F\xFD"sv, "a zstd file"},
      {"\x7F"
       "ELF"sv,
       "an ELF file; of vmlinux"},
      {"070701"sv, "kernel and initrd mixed up?"},
      {"MZ\0\0zimg"sv, "an EFI zboot kernel"},
      {"MZ"sv, "an EFI program"},
      {"MZ\0\0\0\0.linux\0\0"sv, "a unified kernel image"},
      {"\x27\x05\x19\x56"sv, "a U-Boot image"},
      {""sv, "zeros"},
  };
  for (const auto& row : kRows) {
    const std::string warning = OfKernel(Of(row.begin));
    EXPECT_TRUE(absl::StartsWith(
        warning,
        "k: the guest refuses it: SL30 the kernel is no x86 bzImage: it looks "
        "like "))
        << warning;
    EXPECT_TRUE(absl::StrContains(warning, row.says)) << warning;
  }
  File arm64 = Of("MZ");
  memcpy(arm64.data() + 56, "ARM\x64", 4);
  EXPECT_TRUE(absl::StrContains(OfKernel(arm64), "an arm64 kernel Image"));
  EXPECT_TRUE(absl::EndsWith(OfKernel(Of("\xA5\xA5")), "is no x86 bzImage"));
}

TEST(BootWarnings, KernelsThatTheGuestRefuses) {
  File file = boot::FakeKernel();
  boot::Poke<uint16_t>(file, 0x206, 0x020B);
  EXPECT_TRUE(absl::StrContains(OfKernel(file), ": SL32 "));
  file = boot::FakeKernel();
  boot::Poke<uint16_t>(file, 0x236, 0x7E);
  EXPECT_TRUE(absl::StrContains(OfKernel(file), ": SL33 "));
  file = boot::FakeKernel();
  boot::Poke<uint32_t>(file, 0x230, 0);
  EXPECT_TRUE(absl::StrContains(OfKernel(file), ": SL34 "));
  file = boot::FakeKernel();
  file.resize(file.size() / 2);
  EXPECT_TRUE(absl::StrContains(OfKernel(file), ": SL31 "));
  EXPECT_TRUE(absl::StrContains(OfKernel({}), ": SL21 "));
  file.resize((256 << 20) + 1);
  EXPECT_TRUE(absl::StrContains(OfKernel(file), ": SL21 "));
}

TEST(BootWarnings, CommandLines) {
  EXPECT_EQ(OfCommandLine("console=ttyS0 quiet\n"),
            "c: the guest refuses it: SL24 the command line has a byte that is "
            "no text: the newline at its end; printf %s writes none");
  EXPECT_TRUE(absl::EndsWith(OfCommandLine("a\r\nb"), ": byte 1 is 0x0d"));
  EXPECT_TRUE(absl::EndsWith(OfCommandLine("caf\xC3\xA9"), ": byte 3 is 0xc3"));
  EXPECT_TRUE(absl::StrContains(OfCommandLine(std::string(70000, 'x')),
                                "SL23 the command line is over 2048 bytes: it "
                                "has 70000 bytes"));
  // The fake kernel takes 2047.
  EXPECT_TRUE(
      absl::StrContains(OfCommandLine(std::string(2048, 'x')), "SL35 "));
  EXPECT_TRUE(absl::StrContains(OfCommandLine(""), "an empty command line"));
}

TEST(BootWarnings, Initrds) {
  EXPECT_TRUE(absl::StrContains(OfInitrd({}), ": SL22 "));
  const struct {
    std::string_view begin;
    std::string_view says;
  } kRows[] = {
      {"\x04\x22\x4D\x18"sv, "at byte 0, the lz4 frame format"},
      {"\xFD"
       "7zXZ\0\0\x04"sv,
       "xz --check=crc32"},
      {"\x28\xB5\x2F\xFD\x04\x90"sv, "zstd --long=27 or less"},
      {"070707"sv, "cpio -H newc"},
      {"0"sv, "no cpio header"},
      {"\x1F\x8B\x07"sv, "damaged or cut off"},
      {""sv, "nothing but zeros"},
      {"hsqs"sv, "it looks like a squashfs image"},
      {"MZ"sv, "it looks like an EFI program"},
  };
  for (const auto& row : kRows) {
    const std::string warning = OfInitrd(Of(row.begin));
    EXPECT_TRUE(absl::StartsWith(
        warning, "i: Linux does not unpack it, and no secret reaches it: "))
        << warning;
    EXPECT_TRUE(absl::StrContains(warning, row.says)) << warning;
  }
  File cut = boot::FakeCpio();
  cut.resize(cut.size() - 400);
  EXPECT_TRUE(absl::StrContains(OfInitrd(cut), "in the middle of a cpio"));
  File shifted = boot::FakeCpio();
  shifted.resize(shifted.size() + 1);
  for (const char c : "\x1F\x8B\x08 and more"sv) {
    shifted.push_back(static_cast<uint8_t>(c));
  }
  EXPECT_TRUE(absl::StrContains(OfInitrd(shifted), "a multiple of 4"));
}

TEST(BootWarnings, BootConfigurations) {
  const File kernel = boot::FakeKernel();
  for (const File& archive : {boot::FakeCpio(), Of("\x1F\x8B\x08"sv)}) {
    const std::string trailer = boot::BootconfigTrailer("kernel.quiet\n");
    File initrd = archive;
    initrd.insert(initrd.end(), trailer.begin(), trailer.end());
    EXPECT_EQ(absl::StrJoin(BootWarnings({.kernel = GivenFile{"k", kernel},
                                          .initrd = GivenFile{"i", initrd},
                                          .memory = 64 * kMiB}),
                            "\n"),
              "");
    initrd[archive.size()] ^= 1;
    EXPECT_EQ(OfInitrd(initrd),
              "i: the guest refuses it: SL27 the boot configuration at the "
              "initrd's end has a wrong size or sum");
  }
}

TEST(BootWarnings, Memory) {
  const File kernel = boot::FakeKernel();  // 4 MiB from 16 MiB on
  File initrd = boot::FakeCpio(30 * kMiB);
  GivenBoot boot = {.kernel = GivenFile{"k", kernel},
                    .initrd = GivenFile{"i", initrd},
                    .memory = 34 * kMiB};
  EXPECT_EQ(absl::StrJoin(BootWarnings(boot), "\n"),
            "the VM has 34 MiB, and kernel, initrd and SVSM need 35 MiB at the "
            "very least: the guest ends with SL6 or SL36, no place in memory");
  // Loads; but what it unpacks to does not fit beside it.
  boot.memory = 58 * kMiB;
  EXPECT_EQ(absl::StrJoin(BootWarnings(boot), "\n"),
            "i: unpacks to 30 MiB, which a VM of 58 MiB has no room for: Linux "
            "runs out of memory");
  boot.memory = 64 * kMiB;
  EXPECT_TRUE(BootWarnings(boot).empty());
  boot.svsm = 30 * kMiB;
  EXPECT_TRUE(absl::StrContains(absl::StrJoin(BootWarnings(boot), "\n"),
                                "need 65 MiB"));
  // Nothing of what is not known.
  boot.memory = 0;
  EXPECT_TRUE(BootWarnings(boot).empty());
  boot = {.initrd = GivenFile{"i", initrd}, .memory = kMiB};
  EXPECT_TRUE(BootWarnings(boot).empty());
}

// Linux unpacks into a tmpfs, which has half of the memory.
TEST(BootWarnings, MemoryOfTheInitramfs) {
  const File kernel = boot::FakeKernel();
  const File initrd = Of("\x28\xB5\x2F\xFD\x84\x68\0\0\x10\x02"sv);  // 33 MiB
  const auto warns = [&](std::optional<std::string_view> words,
                         uint64_t memory) {
    GivenBoot boot = {.kernel = GivenFile{"k", kernel},
                      .initrd = GivenFile{"i", initrd},
                      .memory = memory};
    if (words) boot.command_line = GivenFile{"c", base::AsBytes(*words)};
    const std::string all = absl::StrJoin(BootWarnings(boot), "\n");
    return absl::StrContains(
        all, "i: unpacks to 33 MiB, and without root= on the command line");
  };
  EXPECT_TRUE(warns(std::nullopt, 65 * kMiB));
  EXPECT_FALSE(warns(std::nullopt, 66 * kMiB));
  EXPECT_TRUE(warns("quiet noroot=x", 65 * kMiB));
  for (const std::string_view words :
       {"quiet root=/dev/vda", "rootfstype=ramfs",
        "initramfs_options=size=90% quiet"}) {
    EXPECT_FALSE(warns(words, 65 * kMiB)) << words;
  }
}

TEST(BootWarnings, FilesThatTheImageDoesNotExpect) {
  const File kernel = boot::FakeKernel(), initrd = boot::FakeCpio();
  const GivenBoot boot = {.kernel = GivenFile{"k", kernel},
                          .initrd = GivenFile{"i", initrd}};
  proto::Config config;
  EXPECT_TRUE(ExpectedBootWarnings("vm1.elf", config, boot).empty());
  config.expected_boot.emplace();
  config.expected_boot->kernel = verifier::ossl::Sha384::Of(kernel);
  EXPECT_EQ(absl::StrJoin(ExpectedBootWarnings("vm1.elf", config, boot), "\n"),
            "i: not the initrd that expected_boot of vm1.elf names: the guest "
            "ends with SM11 a boot file differs");
  config.expected_boot->initrd = verifier::ossl::Sha384::Of(initrd);
  EXPECT_TRUE(ExpectedBootWarnings("vm1.elf", config, boot).empty());
  config.expected_boot->kernel[0] ^= 1;
  EXPECT_EQ(ExpectedBootWarnings("vm1.elf", config, boot).size(), 1u);
}

// Whatever the bytes, a message is one line of text.
TEST(BootWarnings, ShowsNoControlBytes) {
  const File evil = Of("\x1B[2J\n\x1B]0;x");
  for (const auto& warnings :
       {BootWarnings({.kernel = GivenFile{"k\n\x1B[2J", evil}}),
        BootWarnings({.initrd = GivenFile{"i\n\x1B[2J", evil}}),
        BootWarnings({.command_line = GivenFile{"c\n\x1B[2J", evil}})}) {
    ASSERT_EQ(warnings.size(), 1u);
    for (const char c : warnings[0]) EXPECT_TRUE(c >= 0x20 && c < 0x7F);
  }
}

}  // namespace
}  // namespace cli
