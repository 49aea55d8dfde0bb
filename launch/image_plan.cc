// SPDX-License-Identifier: Apache-2.0
#include "launch/image_plan.h"

#include <algorithm>
#include <array>
#include <span>

#include "absl/strings/str_cat.h"
#include "launch/elf.h"
#include "launch/error.h"
#include "launch/image.h"
#include "launch/reasons.h"
#include "launch/vmsa.h"
#include "proto/config_section.h"
#include "proto/launch_note.h"

namespace launch {
namespace {

constexpr uint64_t kPageSize = sev::kMeasuredPageSize;
// A 32-bit start with paging off reaches no further.
constexpr uint64_t kAddressLimit = uint64_t{1} << 32;

static_assert(proto::kMemoryMapPageSize == kPageSize);

absl::Status Unusable(std::string_view what) {
  return Error(kLaunchNoteUnusable, what);
}

struct LaunchNote {
  uint64_t entry = 0;
  uint64_t secrets_page = 0;
  uint64_t cpuid_page = 0;
  uint64_t memory_map_page = 0;
};

absl::StatusOr<LaunchNote> NoteOf(const Elf& elf) {
  const auto bytes = elf.Note(proto::kLaunchNoteName, proto::kLaunchNoteType);
  if (!bytes.ok()) return bytes.status();
  if (bytes->size() != proto::kLaunchNoteSize) return Unusable("another size");
  const auto field = [&](size_t at) {
    return base::LoadLe<uint64_t>(bytes->subspan(at).first<8>());
  };
  if (field(proto::kNoteVersion) != proto::kLaunchNoteVersion) {
    return Unusable("another version than this tool's");
  }
  return LaunchNote{.entry = field(proto::kNoteSnpEntry),
                    .secrets_page = field(proto::kNoteSecretsPage),
                    .cpuid_page = field(proto::kNoteCpuidPage),
                    .memory_map_page = field(proto::kNoteMemoryMapPage)};
}

// The page at `offset` of a segment; what has no bytes is zeros.
std::vector<uint8_t> PageAt(base::Bytes segment, uint64_t offset) {
  std::vector<uint8_t> page(kPageSize);
  if (offset < segment.size()) {
    const base::Bytes rest = segment.subspan(offset);
    std::copy_n(rest.begin(), std::min<size_t>(rest.size(), kPageSize),
                page.begin());
  }
  return page;
}

// What each page of memory is launched as, in ascending address.
absl::StatusOr<std::vector<PlanPage>> MemoryOf(const Elf& elf) {
  std::vector<PlanPage> pages;
  for (const Segment& segment : elf.memory()) {
    if (segment.memory_size > kMaxImageMemory - pages.size() * kPageSize ||
        segment.physical_address > kAddressLimit - segment.memory_size) {
      return Error(kElfMalformed, "too much memory");
    }
    for (uint64_t at = 0; at < segment.memory_size; at += kPageSize) {
      pages.push_back({.gpa = segment.physical_address + at,
                       .contents = PageAt(segment.file_bytes, at)});
    }
  }
  return pages;
}

bool InFileBytes(const Elf& elf, uint64_t address) {
  return std::ranges::any_of(elf.segments(), [&](const Segment& segment) {
    return address >= segment.physical_address &&
           address - segment.physical_address < segment.file_bytes.size();
  });
}

// The page that the note names: there, and without file bytes.
PlanPage* SpecialPage(const Elf& elf, std::vector<PlanPage>& pages,
                      uint64_t gpa) {
  const auto page = std::ranges::lower_bound(pages, gpa, {}, &PlanPage::gpa);
  if (page == pages.end() || page->gpa != gpa) return nullptr;
  if (page->type != sev::PageType::kNormal) return nullptr;  // named twice
  // File bytes begin a segment, so that a page's first byte answers for it.
  if (InFileBytes(elf, gpa)) return nullptr;
  return &*page;
}

}  // namespace

absl::StatusOr<LaunchPlan> PlanOfImage(base::Bytes file) {
  const auto elf = Elf::Parse(file);
  if (!elf.ok()) return elf.status();
  const auto note = NoteOf(*elf);
  if (!note.ok()) return note.status();
  if (!InFileBytes(*elf, note->entry)) {
    return Unusable("the entry is not in the image's bytes");
  }
  auto pages = MemoryOf(*elf);
  if (!pages.ok()) return pages.status();

  const struct {
    uint64_t gpa;
    sev::PageType type;
    std::string_view name;
  } specials[] = {
      {note->secrets_page, sev::PageType::kSecrets, "secrets"},
      {note->cpuid_page, sev::PageType::kCpuid, "CPUID"},
      {note->memory_map_page, sev::PageType::kUnmeasured, "memory-map"},
  };
  for (const auto& special : specials) {
    PlanPage* page = SpecialPage(*elf, *pages, special.gpa);
    if (page == nullptr) {
      return Unusable(absl::StrCat(
          "the ", special.name,
          " page is not a page of its own behind the image's bytes"));
    }
    page->type = special.type;
    page->contents.clear();
  }
  const auto map =
      std::ranges::find(*pages, sev::PageType::kUnmeasured, &PlanPage::type);
  std::rotate(pages->begin(), map, map + 1);

  const Vmsa vmsa = FlatStartVmsa(static_cast<uint32_t>(note->entry));
  pages->push_back({.gpa = sev::kKvmVmsaGpa,
                    .type = sev::PageType::kVmsa,
                    .contents = {vmsa.begin(), vmsa.end()}});
  LaunchPlan plan;
  plan.pages = std::move(*pages);
  plan.memory_map =
      ParameterArea{.gpa = note->memory_map_page, .size = kPageSize};
  return plan;
}

absl::StatusOr<LaunchPlan> EmulatedPlanOfImage(base::Bytes file) {
  const auto elf = Elf::Parse(file);
  if (!elf.ok()) return elf.status();
  LaunchPlan plan;
  for (const Segment& segment : elf->segments()) {
    for (uint64_t at = 0; at < segment.file_bytes.size(); at += kPageSize) {
      plan.pages.push_back({.gpa = segment.physical_address + at,
                            .contents = PageAt(segment.file_bytes, at)});
    }
  }
  return plan;
}

absl::StatusOr<proto::Config> ConfigOfPlan(const LaunchPlan& plan) {
  std::vector<uint8_t> section;
  for (size_t i = 0; i < plan.pages.size(); ++i) {
    const PlanPage& page = plan.pages[i];
    if (page.type != sev::PageType::kNormal ||
        !std::ranges::equal(
            base::Bytes(page.contents).first(proto::kConfigMagic.size()),
            proto::kConfigMagic)) {
      continue;
    }
    if (!section.empty()) {
      return Error(kElfMalformed, "two pages that look like a configuration");
    }
    // The section's pages follow each other, in memory and in the plan.
    for (size_t j = i;
         j < plan.pages.size() && section.size() < proto::kConfigSectionSize &&
         plan.pages[j].type == sev::PageType::kNormal &&
         plan.pages[j].gpa == page.gpa + (j - i) * kPageSize;
         ++j) {
      section.insert(section.end(), plan.pages[j].contents.begin(),
                     plan.pages[j].contents.end());
    }
  }
  if (section.empty()) {
    return Error(kElfNoConfigSection, "no page is that of a configuration",
                 absl::StatusCode::kNotFound);
  }
  return ConfigOfSection(section);
}

}  // namespace launch
