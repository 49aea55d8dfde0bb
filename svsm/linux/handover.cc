// SPDX-License-Identifier: Apache-2.0
#include "svsm/linux/handover.h"

#include <string.h>

#include <array>

#include "base/bytes.h"
#include "base/secret_buffer.h"
#include "svsm/linux/acpi_loader.h"
#include "svsm/linux/acpi_tables.h"
#include "svsm/linux/boot_params.h"
#include "svsm/linux/bzimage.h"
#include "svsm/linux/cc_blob.h"
#include "svsm/linux/trampoline_page.h"

namespace svsm {
namespace {

using base::Bytes;
using base::Code;
using base::MutableBytes;
using base::Result;
using base::Status;

// In the page of the setup_data nodes, behind the seed's.
constexpr uint64_t kCcBlobNodeOffset = 64;
static_assert(kRngSeedNodeSize <= kCcBlobNodeOffset);

void Clear(MutableBytes bytes) {
  if (!bytes.empty()) memset(bytes.data(), 0, bytes.size());
}

// The initrd's bytes without a trailer: what Linux unpacks.
uint64_t ArchivesSize(const BootFiles& files) {
  return files.initrd.length - files.initrd_trailer;
}

// All there is behind them. Between the two phases the trailer is at its end.
MutableBytes BehindArchives(const BootFiles& files,
                            const PhysicalWindow& window) {
  return window.At(files.initrd.memory).subspan(ArchivesSize(files));
}

// Where the archive with the secrets goes.
Result<MutableBytes> PlaceOfSecrets(const BootFiles& files,
                                    const PhysicalWindow& window) {
  const uint64_t start = SecretsOffset(ArchivesSize(files));
  const uint64_t end = files.initrd.memory.size() - files.initrd_trailer;
  if (start > end) return Status(Code::kResourceExhausted, kCpioFull);
  return window.At(files.initrd.memory).first(end).subspan(start);
}

class Plan {
 public:
  Plan(const BootFiles& files, MemoryMap& map, const PhysicalWindow& window,
       const PlanInput& input, Handover& out)
      : files_(files), map_(map), window_(window), input_(input), out_(out) {}

  Status Run() {
    BASE_TRY_ASSIGN(const uint64_t load, PlaceKernel());
    out_.entry = load + kEntry64;
    BASE_TRY_ASSIGN(const uint64_t rsdp, PlaceAcpi());
    BASE_TRY(PlaceInitrd());
    return PlaceParameters(load, rsdp);
  }

 private:
  // At its preferred address, else anywhere above it: below, the decompressor
  // would move it there, over whatever is there.
  Result<uint64_t> PlaceKernel() {
    const BzImage& image = files_.image;
    const Status none(Code::kResourceExhausted, kKernelNoPlace);
    const uint64_t preferred = image.preferred_address;
    Range place{preferred, PageUp(preferred + image.init_size)};
    if (!map_.AllocateAt(place, Use::kKernel).ok()) {
      if (!image.relocatable) return none;
      const Result<Range> other = map_.Allocate(
          image.init_size, image.alignment, MemoryMap::k4GiB, Use::kKernel);
      if (!other.ok() || other->begin < preferred) return none;
      place = *other;
    }
    const Bytes payload =
        window_.At(files_.kernel.memory)
            .subspan(image.payload_offset, image.payload_size);
    const MutableBytes bytes = window_.At(place);
    memcpy(bytes.data(), payload.data(), payload.size());
    // What follows is .bss and heap to the decompressor, and some of them
    // (Linux 6.17 and 6.18) read a variable there before they clear it.
    Clear(bytes.subspan(payload.size()));
    return place.begin;
  }

  Result<uint64_t> PlaceAcpi() {
    if (!files_.acpi[0].present()) {
      BASE_TRY_ASSIGN(
          const Range page,
          map_.Allocate(kPageSize, kPageSize, MemoryMap::k4GiB, Use::kAcpi));
      return WriteEmptyAcpi(window_.At(page), page.begin);
    }
    std::array<AcpiFile, 2> tables{};
    for (size_t i = 0; i < tables.size(); ++i) {
      const BootFile& file = files_.acpi[i];
      tables[i] = {file.name, window_.At(file.memory).first(file.length),
                   file.memory.begin};
    }
    const BootFile& loader = files_.acpi[2];
    return RunAcpiLoader(window_.At(loader.memory).first(loader.length),
                         tables);
  }

  Status PlaceInitrd() {
    out_.initrd = files_.initrd.memory.begin;
    out_.initrd_size = files_.initrd.length;
    const MutableBytes behind = BehindArchives(files_, window_);
    const uint64_t trailer = files_.initrd_trailer;
    if (trailer != 0) {
      memmove(behind.last(trailer).data(), behind.data(), trailer);
    }
    const Status fits = TrySecrets();
    // The gap, and what will stay behind the secrets.
    Clear(behind.first(behind.size() - trailer));
    return fits;
  }

  // An archive with the same names and smaller files is no longer anywhere, so
  // if this one fits, the one with the secrets does.
  Status TrySecrets() const {
    if (input_.secrets.empty()) return {};
    BASE_TRY_ASSIGN(const MutableBytes place, PlaceOfSecrets(files_, window_));
    CpioSegment segment(place);
    // In FillKernel()'s order.
    for (const SecretPlace& secret : input_.secrets) {
      if (secret.kind != SecretPlace::Kind::kDisk) continue;
      BASE_TRY(segment.ReserveDisk(secret.place, secret.max_size));
    }
    for (const SecretPlace& secret : input_.secrets) {
      if (secret.kind != SecretPlace::Kind::kFile) continue;
      BASE_TRY(segment.ReserveFile(secret.place, secret.max_size));
    }
    return base::StatusOf(segment.Finish());
  }

  // Two pages: the zero page, and the setup_data nodes.
  Status PlaceParameters(uint64_t load, uint64_t rsdp) {
    BASE_TRY_ASSIGN(const Range pages,
                    map_.Allocate(2 * kPageSize, kPageSize, MemoryMap::k4GiB,
                                  Use::kKernel));
    out_.zero_page = pages.begin;
    BASE_TRY(PlaceSetupData(pages.begin + kPageSize));
    BASE_TRY(PlaceTrampoline());

    std::array<E820Entry, kMaxZeroPageE820> e820;
    BASE_TRY_ASSIGN(const size_t count, map_.MakeE820(e820));
    const BootParams params{
        .load_address = load,
        .command_line = files_.cmdline.memory.begin,
        .initrd = out_.initrd_size == 0 ? 0 : out_.initrd,
        .initrd_size = out_.initrd_size,
        .acpi_rsdp = rsdp,
        .setup_data = out_.rng_seed,
        .e820 = std::span(e820).first(count),
    };
    return WriteZeroPage(
        files_.image, params,
        window_.At(out_.zero_page, kZeroPageSize).first<kZeroPageSize>());
  }

  // The seed's node comes first; FillKernel() writes it.
  Status PlaceSetupData(uint64_t address) {
    const MutableBytes page = window_.At(address, kPageSize);
    Clear(page);
    out_.rng_seed = address;
    if (!input_.launch_pages) return {};
    // What Linux maps by itself stands in reserved pages.
    BASE_TRY_ASSIGN(
        const Range kept,
        map_.Allocate(kKeptPagesSize, kPageSize, MemoryMap::k4GiB, Use::kKept));
    out_.kept_pages = kept.begin;
    WriteCcBlobNode(CcBlobAddress(static_cast<uint32_t>(kept.begin)),
                    page.subspan<kCcBlobNodeOffset>().first<kCcBlobNodeSize>());
    return {};
  }

  Status PlaceTrampoline() {
    BASE_TRY_ASSIGN(const Range place,
                    map_.Allocate(kTrampolineSize + kPageTablesSize, kPageSize,
                                  MemoryMap::k4GiB, Use::kKernel));
    out_.trampoline = place.begin;
    out_.page_tables = place.begin + kTrampolineSize;
    out_.encryption_mask = input_.encryption_mask;
    const MutableBytes bytes = window_.At(place);
    WritePageTables(out_.page_tables, input_.encryption_mask,
                    bytes.subspan<kTrampolineSize, kPageTablesSize>());
    std::array<Range, MemoryMap::kMaxAllocations + MemoryMap::kMaxRanges> wipes;
    BASE_TRY_ASSIGN(const size_t count, map_.MakeWipes(wipes));
    return WriteTrampolineData(std::span(wipes).first(count), out_.trampoline,
                               out_.entry, out_.zero_page,
                               bytes.first<kTrampolineSize>());
  }

  const BootFiles& files_;
  MemoryMap& map_;
  const PhysicalWindow& window_;
  const PlanInput& input_;
  Handover& out_;
};

Result<size_t> WriteSecrets(const FillInput& input, MutableBytes place) {
  CpioSegment segment(place);
  for (const DiskSecret& disk : input.disks) BASE_TRY(segment.AddDisk(disk));
  for (const FileSecret& file : input.files) BASE_TRY(segment.AddFile(file));
  BASE_TRY_ASSIGN(const Bytes archive, segment.Finish());
  return archive.size();
}

Status FillSecrets(const BootFiles& files, const PhysicalWindow& window,
                   const FillInput& input, Handover& out) {
  if (input.disks.empty() && input.files.empty()) return {};
  BASE_TRY_ASSIGN(const MutableBytes place, PlaceOfSecrets(files, window));
  const Result<size_t> size = WriteSecrets(input, place);
  if (!size.ok()) {
    base::SecureZero(place.data(), place.size());
    return size.status();
  }
  out.secrets = out.initrd + SecretsOffset(ArchivesSize(files));
  out.secrets_size = *size;
  return {};
}

// The trailer comes last again, and the kernel learns where that is.
void FinishInitrd(const BootFiles& files, const PhysicalWindow& window,
                  Handover& out) {
  const uint64_t end = out.secrets_size == 0
                           ? ArchivesSize(files)
                           : out.secrets + out.secrets_size - out.initrd;
  const uint64_t trailer = files.initrd_trailer;
  if (trailer != 0) {
    const MutableBytes rest = window.At(files.initrd.memory).subspan(end);
    memmove(rest.data(), rest.last(trailer).data(), trailer);
    Clear(rest.subspan(trailer));
  }
  out.initrd_size = end + trailer;
  WriteInitrd(out.initrd_size == 0 ? 0 : out.initrd, out.initrd_size,
              window.At(out.zero_page, kZeroPageSize).first<kZeroPageSize>());
}

}  // namespace

Status PlanKernel(const BootFiles& files, MemoryMap& map,
                  const PhysicalWindow& window, const PlanInput& input,
                  Handover& out) {
  out = {};
  return Plan(files, map, window, input, out).Run();
}

Status FillKernel(const BootFiles& files, const PhysicalWindow& window,
                  const FillInput& input, Handover& out) {
  BASE_TRY(FillSecrets(files, window, input, out));
  FinishInitrd(files, window, out);
  uint64_t next = 0;
  if (out.kept_pages != 0) {
    if (!input.launch_pages.has_value()) __builtin_trap();  // it was planned
    WriteKeptPages(
        *input.launch_pages, static_cast<uint32_t>(out.kept_pages),
        window.At(out.kept_pages, kKeptPagesSize).first<kKeptPagesSize>());
    next = out.rng_seed + kCcBlobNodeOffset;
  }
  WriteRngSeed(
      input.rng_seed, next,
      window.At(out.rng_seed, kRngSeedNodeSize).first<kRngSeedNodeSize>());
  return {};
}

}  // namespace svsm
