// SPDX-License-Identifier: Apache-2.0
#include "launch/rom.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "launch/elf.h"
#include "launch/error.h"
#include "launch/image.h"
#include "launch/image_plan.h"
#include "launch/reasons.h"
#include "launch/vmsa.h"
#include "proto/launch_note.h"

// Of rom_stub.S: two pages, and an address in each.
extern "C" const uint8_t forelock_rom_emulated[4096];
extern "C" const uint8_t forelock_rom_snp[4096];
extern "C" const uint8_t forelock_rom_snp_park[];

namespace launch {
namespace {

constexpr uint64_t kEnd = uint64_t{1} << 32;
constexpr size_t kPage = sev::kMeasuredPageSize;
constexpr size_t kRomUnit = 64 << 10;  // QEMU takes multiples of it.
// In the stub's page. What lies before is code, and the same in every ROM.
constexpr size_t kTable = 0x800;
constexpr size_t kMaxSegments = 16;

// Xen's PVH entry: a note with the address, in 32 bits.
constexpr char kXenNote[] = "Xen";
constexpr uint32_t kXenPhys32Entry = 18;

using Guid = std::array<uint8_t, 16>;
// 96b582de-1fb2-45f7-baea-a366c55a082d, 48 bytes before the end.
constexpr Guid kFooterGuid = {0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45,
                              0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d};
// dc886566-984a-4798-a75e-5585a7bf67cc: offset of the metadata from the end.
constexpr Guid kMetadataGuid = {0x66, 0x65, 0x88, 0xdc, 0x4a, 0x98, 0x98, 0x47,
                                0xa7, 0x5e, 0x55, 0x85, 0xa7, 0xbf, 0x67, 0xcc};
// 00f771de-1a7e-4fcb-890e-68c77e2fb44e: where other CPUs start.
constexpr Guid kResetGuid = {0xde, 0x71, 0xf7, 0x00, 0x7e, 0x1a, 0xcb, 0x4f,
                             0x89, 0x0e, 0x68, 0xc7, 0x7e, 0x2f, 0xb4, 0x4e};
constexpr size_t kFooterEnd = 32;  // before the ROM's
constexpr size_t kEntryTail = sizeof(uint16_t) + sizeof(Guid);

// Metadata: signature, length, version, number of sections; then base, length
// and type of each.
constexpr std::string_view kSignature = "ASEV";
constexpr size_t kMetadataHead = 16;
constexpr size_t kSectionSize = 12;
constexpr size_t kMaxSections = (kPage - kMetadataHead) / kSectionSize;
enum SectionType : uint32_t {
  kMemory = 1,
  kSecrets = 2,
  kCpuid = 3,
  kSvsmCallingArea = 4,
  kKernelHashes = 0x10,
};

struct Section {
  uint32_t base;
  uint32_t length;
  uint32_t type;
};

absl::Status Unusable(std::string_view what) {
  return Error(kRomUnusable, what);
}

// --- Writing

class Writer {
 public:
  explicit Writer(base::MutableBytes out) : out_(out) {}
  void U16(size_t value) {
    base::StoreLe<uint16_t>(static_cast<uint16_t>(value),
                            Take(2).template first<2>());
  }
  void U32(uint64_t value) {
    base::StoreLe<uint32_t>(static_cast<uint32_t>(value),
                            Take(4).template first<4>());
  }
  void Bytes(base::Bytes bytes) {
    std::ranges::copy(bytes, Take(bytes.size()).begin());
  }

 private:
  base::MutableBytes Take(size_t size) {
    const auto field = out_.first(size);
    out_ = out_.subspan(size);
    return field;
  }
  base::MutableBytes out_;
};

size_t RoundUp(size_t size, size_t unit) {
  return (size + unit - 1) / unit * unit;
}

// Pages of the plan in ascending address, as sections.
std::vector<Section> SectionsOf(const LaunchPlan& plan) {
  std::vector<PlanPage> pages;
  for (const PlanPage& page : plan.pages) {
    if (page.type != sev::PageType::kVmsa)
      pages.push_back({page.gpa, page.type, {}});
  }
  std::ranges::sort(pages, {}, &PlanPage::gpa);
  std::vector<Section> sections;
  for (const PlanPage& page : pages) {
    const SectionType type = page.type == sev::PageType::kSecrets ? kSecrets
                             : page.type == sev::PageType::kCpuid ? kCpuid
                                                                  : kMemory;
    const auto base = static_cast<uint32_t>(page.gpa);
    if (!sections.empty() && type == kMemory &&
        sections.back().type == kMemory &&
        sections.back().base + sections.back().length == base) {
      sections.back().length += kPage;
    } else {
      sections.push_back({base, kPage, type});
    }
  }
  return sections;
}

void WriteMetadata(const std::vector<Section>& sections,
                   base::MutableBytes page) {
  Writer out(page);
  out.Bytes(base::AsBytes(kSignature));
  out.U32(kMetadataHead + sections.size() * kSectionSize);
  out.U32(1);
  out.U32(sections.size());
  for (const Section& section : sections) {
    out.U32(section.base);
    out.U32(section.length);
    out.U32(section.type);
  }
}

void WriteFooter(base::MutableBytes stub) {
  constexpr size_t kEntry = sizeof(uint32_t) + kEntryTail;
  constexpr size_t kTotal = 2 * kEntry + kEntryTail;
  Writer out(stub.last(kFooterEnd + kTotal));
  out.U32(2 * kPage);  // the metadata's page, from the end
  out.U16(kEntry);
  out.Bytes(kMetadataGuid);
  out.U32(kEnd - kPage +
          static_cast<size_t>(forelock_rom_snp_park - forelock_rom_snp));
  out.U16(kEntry);
  out.Bytes(kResetGuid);
  out.U16(kTotal);
  out.Bytes(kFooterGuid);
}

absl::StatusOr<uint32_t> PvhEntry(const Elf& elf) {
  const auto note = elf.Note(kXenNote, kXenPhys32Entry);
  if (!note.ok()) return note.status();
  if (note->size() != 4) return Unusable("the PVH note has another size");
  return base::LoadLe<uint32_t>(note->first<4>());
}

// --- Reading

// The data of an entry of the table before the footer.
absl::StatusOr<base::Bytes> TableEntry(base::Bytes rom, const Guid& wanted) {
  if (rom.size() < kPage) return Unusable("too small");
  base::Bytes rest = rom.first(rom.size() - kFooterEnd);
  const auto is = [](base::Bytes bytes, const Guid& guid) {
    return base::Equal(bytes.last(sizeof(Guid)), guid);
  };
  if (!is(rest, kFooterGuid)) return Unusable("it has no table of GUIDs");
  const auto length = [](base::Bytes bytes) {
    return size_t{base::LoadLe<uint16_t>(bytes.last(kEntryTail).first<2>())};
  };
  const size_t total = length(rest);
  if (total < kEntryTail || total > rest.size()) {
    return Unusable("its table of GUIDs is malformed");
  }
  rest = rest.last(total).first(total - kEntryTail);
  while (!rest.empty()) {
    if (rest.size() < kEntryTail || length(rest) < kEntryTail ||
        length(rest) > rest.size()) {
      return Unusable("its table of GUIDs is malformed");
    }
    const base::Bytes entry = rest.last(length(rest));
    if (is(entry, wanted)) return entry.first(entry.size() - kEntryTail);
    rest = rest.first(rest.size() - entry.size());
  }
  return Unusable("it has no SEV metadata");
}

absl::StatusOr<std::vector<Section>> ReadMetadata(base::Bytes rom) {
  const auto offset = TableEntry(rom, kMetadataGuid);
  if (!offset.ok()) return offset.status();
  if (offset->size() != 4) return Unusable("its SEV metadata is malformed");
  const size_t at = base::LoadLe<uint32_t>(offset->first<4>());
  if (at > rom.size() || at < kMetadataHead) {
    return Unusable("its SEV metadata is not in it");
  }
  const base::Bytes metadata = rom.last(at);
  const auto word = [&](size_t offset_in) {
    return base::LoadLe<uint32_t>(metadata.subspan(offset_in).first<4>());
  };
  const size_t count = word(12);
  const size_t size = kMetadataHead + count * kSectionSize;
  if (!base::Equal(metadata.first(4), base::AsBytes(kSignature)) ||
      word(8) != 1 || count > kMaxSections || size > metadata.size() ||
      word(4) != size) {
    return Unusable("its SEV metadata is malformed");
  }
  std::vector<Section> sections;
  for (size_t i = 0; i < count; ++i) {
    const size_t section = kMetadataHead + i * kSectionSize;
    sections.push_back({word(section), word(section + 4), word(section + 8)});
  }
  return sections;
}

// As QEMU has it. The pages for an SVSM's calling area and for the kernel's
// hashes are pages of zeros like the others: no SVSM is below a firmware that
// QEMU starts, and -append with kernel-hashes=on is another launch.
std::optional<sev::PageType> PageTypeOf(uint32_t section) {
  switch (section) {
    case kMemory:
    case kSvsmCallingArea:
    case kKernelHashes:
      return sev::PageType::kZero;
    case kSecrets:
      return sev::PageType::kSecrets;
    case kCpuid:
      return sev::PageType::kCpuid;
    default:
      return std::nullopt;
  }
}

}  // namespace

absl::StatusOr<std::vector<uint8_t>> MakeRom(base::Bytes image) {
  const auto config = ConfigOfImage(image);
  if (!config.ok()) return config.status();
  const auto elf = Elf::Parse(image);
  if (!elf.ok()) return elf.status();
  const bool snp = config->platform == proto::Platform::kSnp;
  uint32_t entry = 0;
  std::vector<Section> sections;
  if (snp) {
    const auto plan = PlanOfImage(image);
    if (!plan.ok()) return plan.status();
    const auto note = elf->Note(proto::kLaunchNoteName, proto::kLaunchNoteType);
    if (!note.ok()) return note.status();
    entry =
        base::LoadLe<uint32_t>(note->subspan(proto::kNoteSnpEntry).first<4>());
    sections = SectionsOf(*plan);
  } else {
    const auto pvh = PvhEntry(*elf);
    if (!pvh.ok()) return pvh.status();
    entry = *pvh;
  }

  size_t size = (snp ? 2 : 1) * kPage;
  for (const Segment& segment : elf->segments()) {
    size += RoundUp(segment.file_bytes.size(), kPage);
  }
  size = RoundUp(size, kRomUnit);
  if (size > kMaxRomSize || elf->segments().size() > kMaxSegments ||
      sections.size() > kMaxSections) {
    return Unusable("the image does not fit into a ROM");
  }
  std::vector<uint8_t> rom(size);
  const base::MutableBytes stub = base::MutableBytes(rom).last(kPage);
  std::ranges::copy(
      base::Bytes(snp ? forelock_rom_snp : forelock_rom_emulated, kPage),
      stub.begin());
  Writer table(stub.subspan(kTable));
  table.U32(elf->segments().size());
  table.U32(entry);
  size_t at = 0;
  for (const Segment& segment : elf->segments()) {
    std::ranges::copy(segment.file_bytes, rom.begin() + at);
    table.U32(kEnd - size + at);
    table.U32(segment.physical_address);
    table.U32(segment.file_bytes.size());
    at += RoundUp(segment.file_bytes.size(), kPage);
  }
  if (snp) {
    WriteMetadata(sections, base::MutableBytes(rom).last(2 * kPage));
    WriteFooter(stub);
  }
  return rom;
}

std::optional<RomKind> RomKindOf(base::Bytes rom) {
  if (rom.size() < kRomUnit || rom.size() % kRomUnit != 0) return std::nullopt;
  const base::Bytes code = rom.last(kPage).first(kTable);
  if (base::Equal(code, {forelock_rom_emulated, kTable})) {
    return RomKind::kEmulated;
  }
  if (base::Equal(code, {forelock_rom_snp, kTable})) return RomKind::kSnp;
  return std::nullopt;
}

absl::StatusOr<LaunchPlan> PlanOfRom(base::Bytes rom, uint32_t cpu_signature) {
  if (rom.empty() || rom.size() % kPage != 0 || rom.size() > kMaxRomSize) {
    return Unusable("its size is no multiple of 4096, or over 8 MiB");
  }
  const auto sections = ReadMetadata(rom);
  if (!sections.ok()) return sections.status();
  LaunchPlan plan;
  for (size_t at = 0; at < rom.size(); at += kPage) {
    const base::Bytes page = rom.subspan(at, kPage);
    plan.pages.push_back({.gpa = kEnd - rom.size() + at,
                          .contents = {page.begin(), page.end()}});
  }
  uint64_t total = 0;
  for (const Section& section : *sections) {
    total += section.length;
    const std::optional<sev::PageType> type = PageTypeOf(section.type);
    if (section.base % kPage != 0 || section.length % kPage != 0 ||
        section.length == 0 ||
        section.base + uint64_t{section.length} > kEnd - rom.size() ||
        total > kMaxImageMemory || !type.has_value() ||
        (section.type == kCpuid && section.length != kPage)) {
      return Unusable(absl::StrCat("a section of its SEV metadata, of type ",
                                   section.type, ", is of no use"));
    }
    for (uint64_t page = 0; page < section.length; page += kPage) {
      plan.pages.push_back(
          {.gpa = section.base + page, .type = *type, .contents = {}});
    }
  }
  const Vmsa vmsa = ResetVectorVmsa({.cpu_signature = cpu_signature});
  plan.pages.push_back({.gpa = sev::kKvmVmsaGpa,
                        .type = sev::PageType::kVmsa,
                        .contents = {vmsa.begin(), vmsa.end()}});
  if (const auto twice = PageTwice(plan)) {
    return Unusable(
        absl::StrFormat("its SEV metadata has two pages at 0x%x", *twice));
  }
  return plan;
}

}  // namespace launch
