// SPDX-License-Identifier: Apache-2.0
#include "svsm/linux/boot_files.h"

#include <string.h>

#include "boot/bootconfig.h"
#include "crypto/hash.h"

namespace svsm {
namespace {

using base::Bytes;
using base::Code;
using base::MutableBytes;
using base::Result;
using base::Status;

constexpr uint64_t k2GiB = uint64_t{1} << 31;

struct Limits {
  uint64_t max_size = 0;
  base::Reason too_large;
  uint64_t room_behind = 0;
  uint64_t below = MemoryMap::k4GiB;
  Use use = Use::kKernel;
};

class Copier {
 public:
  Copier(FwCfg& fw_cfg, MemoryMap& map, const PhysicalWindow& window)
      : fw_cfg_(fw_cfg), map_(map), window_(window) {}

  // Copies and hashes; what is behind the file in its pages becomes zero.
  Status Copy(std::string_view name, FwCfgFile file, const Limits& limits,
              BootFile& out) {
    if (file.size == 0 || file.size > limits.max_size) {
      return Status(Code::kDataLoss, limits.too_large);
    }
    BASE_TRY(Place(file.size, limits, out));
    const MutableBytes pages = window_.At(out.memory);
    const MutableBytes bytes = pages.first(file.size);
    BASE_TRY(fw_cfg_.Read(file, bytes));
    const MutableBytes rest = pages.subspan(file.size);
    if (!rest.empty()) memset(rest.data(), 0, rest.size());
    out.name = name;
    out.length = file.size;
    out.sha384 = crypto::Sha384::Of(bytes);
    return {};
  }

  // A file that the host does not offer: its room, and the digest of nothing.
  Status MakeEmpty(const Limits& limits, BootFile& out) {
    out.sha384 = crypto::Sha384::Of({});
    if (limits.room_behind == 0) return {};
    BASE_TRY(Place(0, limits, out));
    const MutableBytes pages = window_.At(out.memory);
    memset(pages.data(), 0, pages.size());
    return {};
  }

  Result<FwCfgFile> Find(std::string_view name) { return fw_cfg_.Find(name); }
  MutableBytes At(Range range) { return window_.At(range); }

 private:
  Status Place(uint64_t size, const Limits& limits, BootFile& out) {
    BASE_TRY_ASSIGN(out.memory,
                    map_.Allocate(size + limits.room_behind, kPageSize,
                                  limits.below, limits.use));
    return {};
  }

  FwCfg& fw_cfg_;
  MemoryMap& map_;
  const PhysicalWindow& window_;
};

Status LoadKernel(Copier& copier, BootFiles& out) {
  const Result<FwCfgFile> file = copier.Find(kKernelFile);
  if (!file.ok()) return Status(Code::kNotFound, kNoKernel);
  const Limits limits{.max_size = kMaxKernel, .too_large = kKernelTooLarge};
  BASE_TRY(copier.Copy(kKernelFile, *file, limits, out.kernel));
  const Bytes bytes = copier.At(out.kernel.memory).first(out.kernel.length);
  BASE_TRY_ASSIGN(out.image, ParseBzImage(bytes));
  return {};
}

Status LoadInitrd(Copier& copier, uint64_t reserve, BootFiles& out) {
  // Below 2 GiB whatever the header says: decompressors differ above.
  const uint64_t below =
      out.image.initrd_max < k2GiB ? out.image.initrd_max + 1 : k2GiB;
  const Limits limits{.max_size = kMaxInitrd,
                      .too_large = kInitrdTooLarge,
                      .room_behind = reserve,
                      .below = below};
  const Result<FwCfgFile> file = copier.Find(kInitrdFile);
  if (!file.ok()) return copier.MakeEmpty(limits, out.initrd);
  BASE_TRY(copier.Copy(kInitrdFile, *file, limits, out.initrd));
  const Bytes bytes = copier.At(out.initrd.memory).first(out.initrd.length);
  // A damaged one would keep Linux from the secrets: known before a grant.
  BASE_TRY_ASSIGN(out.initrd_trailer, boot::BootconfigSize(bytes));
  return {};
}

Status LoadCmdline(Copier& copier, BootFiles& out) {
  const Limits limits{.max_size = kMaxCmdline,
                      .too_large = kCmdlineTooLong,
                      .room_behind = 1};  // the NUL
  const Result<FwCfgFile> file = copier.Find(kCmdlineFile);
  if (!file.ok() || file->size == 0) {
    return copier.MakeEmpty(limits, out.cmdline);
  }
  BASE_TRY(copier.Copy(kCmdlineFile, *file, limits, out.cmdline));
  const Bytes text = copier.At(out.cmdline.memory).first(out.cmdline.length);
  BASE_TRY(boot::CheckCommandLine(text, out.image.command_line_size));
  return {};
}

Status LoadAcpi(Copier& copier, BootFiles& out) {
  const struct {
    std::string_view name;
    uint64_t max_size;
    Use use;
  } kFiles[] = {
      {kAcpiRsdpFile, kMaxAcpiRsdp, Use::kAcpi},
      {kAcpiTablesFile, kMaxAcpiTables, Use::kAcpi},
      // Commands for us, of no use to the kernel.
      {kAcpiLoaderFile, kMaxAcpiLoader, Use::kSvsm},
  };
  for (size_t i = 0; i < out.acpi.size(); ++i) {
    const Result<FwCfgFile> file = copier.Find(kFiles[i].name);
    if (!file.ok()) return Status(Code::kNotFound, kAcpiMissing);
    const Limits limits{.max_size = kFiles[i].max_size,
                        .too_large = kAcpiTooLarge,
                        .use = kFiles[i].use};
    BASE_TRY(copier.Copy(kFiles[i].name, *file, limits, out.acpi[i]));
  }
  return {};
}

}  // namespace

Status LoadBootFiles(FwCfg& fw_cfg, MemoryMap& map,
                     const PhysicalWindow& window, AcpiSource acpi,
                     uint64_t reserve_behind_initrd, BootFiles& out) {
  out = BootFiles();
  Copier copier(fw_cfg, map, window);
  BASE_TRY(LoadKernel(copier, out));
  BASE_TRY(LoadInitrd(copier, reserve_behind_initrd, out));
  BASE_TRY(LoadCmdline(copier, out));
  if (acpi == AcpiSource::kFromHost) BASE_TRY(LoadAcpi(copier, out));
  return {};
}

}  // namespace svsm
