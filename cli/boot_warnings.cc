// SPDX-License-Identifier: Apache-2.0
#include "cli/boot_warnings.h"

#include <stdio.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/reasons.h"
#include "boot/bootconfig.h"
#include "boot/bzimage.h"
#include "boot/initrd.h"
#include "boot/reasons.h"
#include "boot/rules.h"
#include "cli/file_kind.h"
#include "hosted/text.h"
#include "verifier/ossl/ossl.h"

namespace cli {
namespace {

using boot::InitrdFault;
using Warnings = std::vector<std::string>;

constexpr base::ReasonRow kRows[] = {
    FORELOCK_BOOT_FILE_REASONS(BASE_REASON_ROW)  //
    FORELOCK_INITRD_REASONS(BASE_REASON_ROW)     //
    FORELOCK_KERNEL_REASONS(BASE_REASON_ROW)};

// "k.gz: the guest refuses it: SL30 the kernel is no x86 bzImage: DETAIL".
std::string Refused(const GivenFile& file, base::Reason reason,
                    std::string_view detail) {
  const auto row = std::ranges::find(kRows, reason, &base::ReasonRow::reason);
  return absl::StrCat(hosted::Printable(file.name),
                      ": the guest refuses it: ", base::NameOf(reason).text,
                      " ", row == std::end(kRows) ? "" : row->what,
                      detail.empty() ? "" : ": ", detail);
}

std::string MiB(uint64_t bytes) {
  constexpr uint64_t kMiB = 1 << 20;
  return absl::StrCat((bytes + kMiB - 1) / kMiB, " MiB");
}

std::string KernelDetail(const GivenFile& kernel, base::Reason reason) {
  if (reason != boot::kNotBzImage && reason != boot::kKernelTruncated) {
    return "";
  }
  const std::string_view kind = LooksLike(kernel.bytes);
  return kind.empty() ? "" : absl::StrCat("it looks like ", kind);
}

std::optional<boot::BzImage> LookAtKernel(const GivenFile& kernel,
                                          Warnings& out) {
  const uint64_t size = kernel.bytes.size();
  if (!boot::kKernelSize.Takes(size)) {
    out.push_back(Refused(kernel, boot::kKernelSize.reason,
                          absl::StrCat("it has ", size, " bytes")));
    return std::nullopt;
  }
  const auto image = boot::ParseBzImage(kernel.bytes);
  if (image.ok()) return *image;
  const base::Reason reason = image.status().reason();
  out.push_back(Refused(kernel, reason, KernelDetail(kernel, reason)));
  return std::nullopt;
}

std::string_view Explain(InitrdFault fault) {
  switch (fault) {
    case InitrdFault::kNone:
      return "";
    case InitrdFault::kNoArchive:
      return "there is nothing but zeros in it";
    case InitrdFault::kUnknown:
      return "neither a cpio archive nor one of gzip, bzip2, lzma, xz, lzo, "
             "lz4, zstd";
    case InitrdFault::kOldCpio:
      return "an old cpio format; make it by cpio -H newc";
    case InitrdFault::kNoMagic:
      return "no cpio header where one has to be";
    case InitrdFault::kMisaligned:
      return "what follows a cpio archive does not begin at a multiple of 4";
    case InitrdFault::kCutOff:
      return "it ends in the middle of a cpio archive; the secrets behind it "
             "would become part of a file";
    case InitrdFault::kDamaged:
      return "a compressed archive that is damaged or cut off";
    case InitrdFault::kLz4Frame:
      return "the lz4 frame format; Linux knows the legacy one (lz4 -l)";
    case InitrdFault::kXzCheck:
      return "xz with a check that Linux does not know; make it by xz "
             "--check=crc32";
    case InitrdFault::kZstdWindow:
      return "zstd with a window over 128 MiB; make it by zstd --long=27 or "
             "less";
  }
  return "";
}

boot::InitrdLook LookAtInitrd(const GivenFile& initrd, Warnings& out) {
  const uint64_t size = initrd.bytes.size();
  if (!boot::kInitrdSize.Takes(size)) {
    out.push_back(Refused(initrd, boot::kInitrdSize.reason,
                          absl::StrCat("it has ", size, " bytes")));
    return {};
  }
  const auto trailer = boot::BootconfigSize(initrd.bytes);
  if (!trailer.ok()) {
    out.push_back(Refused(initrd, trailer.status().reason(), ""));
    return {};
  }
  const boot::InitrdLook look = boot::LookAtInitrd(initrd.bytes);
  if (look.fault == InitrdFault::kNone) return look;
  std::string kind;
  if (look.fault == InitrdFault::kUnknown) {
    const std::string_view like = LooksLike(initrd.bytes.subspan(look.offset));
    if (!like.empty()) kind = absl::StrCat(": it looks like ", like);
  }
  out.push_back(absl::StrCat(
      hosted::Printable(initrd.name),
      ": Linux does not unpack it, and no secret reaches it: at byte ",
      look.offset, ", ", Explain(look.fault), kind));
  return look;
}

std::string CommandLineDetail(base::Bytes text, base::Reason reason) {
  if (reason != boot::kCmdlineNul) {
    return absl::StrCat("it has ", text.size(), " bytes");
  }
  const auto bad = std::ranges::find_if(
      text, [](uint8_t byte) { return byte < 0x20 || byte > 0x7E; });
  const auto at = static_cast<size_t>(bad - text.begin());
  if (*bad == '\n' && at + 1 == text.size()) {
    return "the newline at its end; printf %s writes none";
  }
  return absl::StrFormat("byte %d is 0x%02x", at, unsigned{*bad});
}

void LookAtCommandLine(const GivenFile& file,
                       const std::optional<boot::BzImage>& kernel,
                       Warnings& out) {
  if (file.bytes.empty()) {
    out.push_back(absl::StrCat(
        hosted::Printable(file.name),
        ": an empty command line: the guest boots without the words that "
        "docs/guest-os.md asks for"));
    return;
  }
  const base::Status status = boot::CheckCommandLine(
      file.bytes, kernel ? kernel->command_line_size : UINT32_MAX);
  if (status.ok()) return;
  out.push_back(Refused(file, status.reason(),
                        CommandLineDetail(file.bytes, status.reason())));
}

// Linux unpacks into a tmpfs, of half the memory at most, unless one of these
// words is there (init/do_mounts.c, init_rootfs()).
bool UnpacksIntoTmpfs(const std::optional<GivenFile>& command_line) {
  if (!command_line) return true;
  const std::string_view text = hosted::AsText(command_line->bytes);
  for (const std::string_view word : absl::StrSplit(text, ' ')) {
    for (const std::string_view name :
         {"root=", "rootfstype=", "initramfs_options="}) {
      if (absl::StartsWith(word, name)) return false;
    }
  }
  return true;
}

// Only what has to fail: the numbers are lower bounds.
void LookAtMemory(const GivenBoot& boot, const boot::BzImage& kernel,
                  const boot::InitrdLook& initrd, Warnings& out) {
  if (boot.memory == 0) return;
  const uint64_t initrd_size = boot.initrd ? boot.initrd->bytes.size() : 0;
  const uint64_t least =
      boot::LeastMemory(kernel, {.kernel_file = boot.kernel->bytes.size(),
                                 .initrd = initrd_size,
                                 .secrets = boot.secrets,
                                 .svsm = boot.svsm});
  if (least > boot.memory) {
    out.push_back(absl::StrCat(
        "the VM has ", MiB(boot.memory), ", and kernel, initrd and SVSM need ",
        MiB(least),
        " at the very least: the guest ends with SL6 or SL36, no place in "
        "memory"));
    return;
  }
  const uint64_t unpacked = kernel.payload_size + initrd_size + initrd.unpacked;
  if (initrd.unpacked != 0 && unpacked > boot.memory) {
    out.push_back(absl::StrCat(hosted::Printable(boot.initrd->name),
                               ": unpacks to ", MiB(initrd.unpacked),
                               ", which a VM of ", MiB(boot.memory),
                               " has no room for: Linux runs out of memory"));
  } else if (initrd.unpacked > boot.memory / 2 &&
             UnpacksIntoTmpfs(boot.command_line)) {
    out.push_back(absl::StrCat(
        hosted::Printable(boot.initrd->name), ": unpacks to ",
        MiB(initrd.unpacked),
        ", and without root= on the command line Linux gives it half of the "
        "VM's ",
        MiB(boot.memory)));
  }
}

}  // namespace

Warnings BootWarnings(const GivenBoot& boot) {
  Warnings out;
  std::optional<boot::BzImage> kernel;
  if (boot.kernel) kernel = LookAtKernel(*boot.kernel, out);
  boot::InitrdLook initrd;
  if (boot.initrd) initrd = LookAtInitrd(*boot.initrd, out);
  if (boot.command_line) LookAtCommandLine(*boot.command_line, kernel, out);
  if (kernel) LookAtMemory(boot, *kernel, initrd, out);
  return out;
}

Warnings ExpectedBootWarnings(const std::string& image,
                              const proto::Config& config,
                              const GivenBoot& boot) {
  Warnings out;
  if (!config.expected_boot) return out;
  const struct {
    std::string_view key;
    const std::optional<GivenFile>& file;
    const proto::BootDigest& digest;
  } rows[] = {
      {"kernel", boot.kernel, config.expected_boot->kernel},
      {"initrd", boot.initrd, config.expected_boot->initrd},
      {"command_line", boot.command_line, config.expected_boot->command_line},
  };
  for (const auto& row : rows) {
    if (!row.file ||
        base::Equal(verifier::ossl::Sha384::Of(row.file->bytes), row.digest)) {
      continue;
    }
    out.push_back(
        absl::StrCat(hosted::Printable(row.file->name), ": not the ", row.key,
                     " that expected_boot of ", hosted::Printable(image),
                     " names: the guest ends with SM11 a boot file differs"));
  }
  return out;
}

void PrintWarnings(const Warnings& warnings) {
  for (const std::string& warning : warnings) {
    absl::FPrintF(stderr, "warning: %s\n", warning);
  }
}

}  // namespace cli
