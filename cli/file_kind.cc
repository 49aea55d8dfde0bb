// SPDX-License-Identifier: Apache-2.0
#include "cli/file_kind.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace cli {
namespace {

using std::string_view_literals::operator""sv;

struct Magic {
  size_t offset;
  std::string_view bytes;
  std::string_view what;
};

// More exact ones first. Sources: Linux Documentation/arch/arm64/booting.rst
// and arch/riscv/boot-image-header.rst, U-Boot's image.h, file(1).
constexpr Magic kMagics[] = {
    {56, "ARM\x64"sv, "an arm64 kernel Image"},
    {36, "\x18\x28\x6F\x01"sv, "a 32-bit ARM zImage"},
    {56, "RSC\x05"sv, "a RISC-V kernel Image"},
    {4, "zimg"sv, "an EFI zboot kernel, for a machine that is no PC"},
    {0, "\x1F\x8B"sv, "a gzip file: unpack it"},
    {0, "\x28\xB5\x2F\xFD"sv, "a zstd file: unpack it"},
    {0,
     "\xFD"
     "7zXZ\0"sv,
     "an xz file: unpack it"},
    {0, "BZh"sv, "a bzip2 file: unpack it"},
    {0, "\x02\x21\x4C\x18"sv, "an lz4 file (legacy format): unpack it"},
    {0, "\x04\x22\x4D\x18"sv, "an lz4 file: unpack it"},
    {0, "\x89LZO"sv, "an lzop file: unpack it"},
    {0, "\x5D\0\0"sv, "an lzma file: unpack it"},
    {0,
     "\x7F"
     "ELF"sv,
     "an ELF file; of vmlinux give arch/x86/boot/bzImage, made with it"},
    {0, "07070"sv, "a cpio archive: kernel and initrd mixed up?"},
    {0, "\x27\x05\x19\x56"sv, "a U-Boot image"},
    {0, "\xD0\x0D\xFE\xED"sv, "a device tree or FIT image"},
    {0, "!<arch>\n"sv, "a Debian package or ar archive: unpack it"},
    {0, "\xED\xAB\xEE\xDB"sv, "an RPM package: unpack it"},
    {0, "hsqs"sv, "a squashfs image"},
    {0, "QFI\xFB"sv, "a qcow2 image"},
    {0, "LUKS\xBA\xBE"sv, "a LUKS disk"},
    {0, "IGVM"sv, "an IGVM file"},
    {32769, "CD001"sv, "an ISO image"},
    {257, "ustar"sv, "a tar archive"},
    {0, "#!"sv, "a script"},
};

bool Has(base::Bytes file, size_t offset, std::string_view bytes) {
  return file.size() >= offset && file.size() - offset >= bytes.size() &&
         base::Equal(file.subspan(offset, bytes.size()), base::AsBytes(bytes));
}

// A unified kernel image has the kernel in a section ".linux". Section names
// are in the file's first bytes.
bool HasLinuxSection(base::Bytes file) {
  constexpr size_t kHeaders = 4096;
  constexpr std::string_view kName = ".linux\0\0"sv;
  const base::Bytes headers = file.first(std::min(file.size(), kHeaders));
  return !std::ranges::search(headers, base::AsBytes(kName)).empty();
}

}  // namespace

std::string_view LooksLike(base::Bytes file) {
  for (const Magic& magic : kMagics) {
    if (Has(file, magic.offset, magic.bytes)) return magic.what;
  }
  if (Has(file, 0, "MZ")) {
    return HasLinuxSection(file) ? "a unified kernel image: give the kernel in "
                                   "its section .linux "
                                   "(objcopy -O binary --only-section=.linux)"
                                 : "an EFI program, a boot loader perhaps";
  }
  if (base::AllZero(file)) return "zeros";
  const bool text = std::ranges::all_of(
      file.first(std::min<size_t>(file.size(), 512)), [](uint8_t byte) {
        return (byte >= 0x20 && byte < 0x7F) || byte == '\n' || byte == '\t' ||
               byte == '\r';
      });
  return text ? "a text file" : "";
}

}  // namespace cli
