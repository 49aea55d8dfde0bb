// SPDX-License-Identifier: Apache-2.0
#include "svsm/linux/handover.h"

#include <string.h>

#include <array>
#include <atomic>

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

class Preparation {
 public:
  Preparation(const BootFiles& files, MemoryMap& map,
              const PhysicalWindow& window, const HandoverInput& input,
              Handover& out)
      : files_(files), map_(map), window_(window), input_(input), out_(out) {}

  Status Run() {
    BASE_TRY_ASSIGN(const uint64_t load, PlaceKernel());
    out_.entry = load + kEntry64;
    BASE_TRY_ASSIGN(const uint64_t rsdp, PlaceAcpi());
    BASE_TRY(PlaceSecrets());
    const Status rest = PlaceParameters(load, rsdp);
    if (!rest.ok()) ClearSecrets();
    return rest;
  }

 private:
  // At its preferred address, else anywhere above it: below, the decompressor
  // would move it there, over whatever is there.
  Result<uint64_t> PlaceKernel() {
    const BzImage& image = files_.image;
    const Status none(Code::kResourceExhausted, kKernelNoPlace);
    const uint64_t preferred = image.preferred_address;
    const Range wanted{preferred, PageUp(preferred + image.init_size)};
    uint64_t load = preferred;
    if (!map_.AllocateAt(wanted, Use::kKernel).ok()) {
      if (!image.relocatable) return none;
      const Result<Range> other = map_.Allocate(
          image.init_size, image.alignment, MemoryMap::k4GiB, Use::kKernel);
      if (!other.ok() || other->begin < preferred) return none;
      load = other->begin;
    }
    const Bytes payload =
        window_.At(files_.kernel.memory)
            .subspan(image.payload_offset, image.payload_size);
    memcpy(window_.At(load, payload.size()).data(), payload.data(),
           payload.size());
    return load;
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

  Status PlaceSecrets() {
    const BootFile& initrd = files_.initrd;
    out_.initrd = initrd.memory.begin;
    out_.initrd_size = initrd.length;
    if (input_.disks.empty() && input_.files.empty()) return {};
    const uint64_t start = SecretsOffset(initrd.length);
    if (start > initrd.memory.size()) {
      return Status(Code::kResourceExhausted, kCpioFull);
    }
    const MutableBytes gap =
        window_.At(initrd.memory).first(start).subspan(initrd.length);
    memset(gap.data(), 0, gap.size());
    const MutableBytes place = window_.At(initrd.memory).subspan(start);
    const Result<size_t> size = WriteSecrets(place);
    if (!size.ok()) {
      base::SecureZero(place.data(), place.size());
      return size.status();
    }
    out_.secrets = initrd.memory.begin + start;
    out_.secrets_size = *size;
    out_.initrd_size = start + *size;
    return {};
  }

  Result<size_t> WriteSecrets(MutableBytes place) const {
    CpioSegment segment(place);
    for (const DiskSecret& disk : input_.disks) {
      BASE_TRY(segment.AddDisk(disk));
    }
    for (const FileSecret& file : input_.files) {
      BASE_TRY(segment.AddFile(file));
    }
    BASE_TRY_ASSIGN(const Bytes archive, segment.Finish());
    return archive.size();
  }

  void ClearSecrets() const {
    const auto clear = [this](uint64_t address, uint64_t size) {
      if (address == 0 || size == 0) return;
      const MutableBytes place = window_.At(address, size);
      base::SecureZero(place.data(), place.size());
    };
    clear(out_.secrets, out_.secrets_size);
    clear(out_.kept_pages, kKeptPagesSize);
    clear(out_.rng_seed, kRngSeedNodeSize);
  }

  // To whoever may interrupt what follows.
  static void Publish(uint64_t& where, uint64_t address) {
    where = address;
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }

  // What Linux maps by itself stands in reserved pages. Returns the blob's
  // address.
  Result<uint32_t> PlaceLaunchPages() {
    BASE_TRY_ASSIGN(
        const Range pages,
        map_.Allocate(kKeptPagesSize, kPageSize, MemoryMap::k4GiB, Use::kKept));
    Publish(out_.kept_pages, pages.begin);
    return WriteKeptPages(*input_.launch_pages,
                          static_cast<uint32_t>(pages.begin),
                          window_.At(pages).first<kKeptPagesSize>());
  }

  Status PlaceSetupData(uint64_t address) {
    const MutableBytes page = window_.At(address, kPageSize);
    uint64_t next = 0;
    if (input_.launch_pages.has_value()) {
      BASE_TRY_ASSIGN(const uint32_t blob, PlaceLaunchPages());
      WriteCcBlobNode(
          blob, page.subspan<kCcBlobNodeOffset>().first<kCcBlobNodeSize>());
      next = address + kCcBlobNodeOffset;
    }
    Publish(out_.rng_seed, address);
    WriteRngSeed(input_.rng_seed, next, page.first<kRngSeedNodeSize>());
    return {};
  }

  // Two pages: the zero page, and the setup_data nodes.
  Status PlaceParameters(uint64_t load, uint64_t rsdp) {
    BASE_TRY_ASSIGN(const Range pages,
                    map_.Allocate(2 * kPageSize, kPageSize, MemoryMap::k4GiB,
                                  Use::kKernel));
    const uint64_t setup_data = pages.begin + kPageSize;
    BASE_TRY(PlaceSetupData(setup_data));
    BASE_TRY(PlaceTrampoline(pages.begin));

    std::array<E820Entry, kMaxZeroPageE820> e820;
    BASE_TRY_ASSIGN(const size_t count, map_.MakeE820(e820));
    const BootParams params{
        .load_address = load,
        .command_line = files_.cmdline.memory.begin,
        .initrd = out_.initrd_size == 0 ? 0 : out_.initrd,
        .initrd_size = out_.initrd_size,
        .acpi_rsdp = rsdp,
        .setup_data = setup_data,
        .e820 = std::span(e820).first(count),
    };
    out_.zero_page = pages.begin;
    return WriteZeroPage(
        files_.image, params,
        window_.At(pages.begin, kPageSize).first<kZeroPageSize>());
  }

  Status PlaceTrampoline(uint64_t zero_page) {
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
                               out_.entry, zero_page,
                               bytes.first<kTrampolineSize>());
  }

  const BootFiles& files_;
  MemoryMap& map_;
  const PhysicalWindow& window_;
  const HandoverInput& input_;
  Handover& out_;
};

}  // namespace

Status PrepareKernel(const BootFiles& files, MemoryMap& map,
                     const PhysicalWindow& window, const HandoverInput& input,
                     Handover& out) {
  out = {};
  return Preparation(files, map, window, input, out).Run();
}

}  // namespace svsm
