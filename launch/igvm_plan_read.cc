// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "launch/error.h"
#include "launch/igvm_id_block.h"
#include "launch/igvm_plan.h"
#include "launch/reasons.h"
#include "sev/vmsa.h"

namespace launch {
namespace {

constexpr uint16_t kSnpPlatformVersion = 1;
// Of one area, and of one launch: more than any file has use for.
constexpr size_t kMaxParameters = 64;

// The headers of one file, one after the other.
class Reader {
 public:
  Reader(Loader loader, ZeroPages zero_pages, uint32_t mask)
      : loader_(loader), zero_pages_(zero_pages), mask_(mask) {}

  absl::Status Next(const igvm::Header& header);
  absl::StatusOr<LaunchPlan> Finish();

 private:
  absl::Status Take(const igvm::SupportedPlatform&) { return {}; }
  absl::Status Take(const igvm::GuestPolicy& policy);
  absl::Status Take(const igvm::RelocatableRegion&) {
    return NotUnderstood("the loader may move it");
  }
  absl::Status Take(const igvm::PageTableRelocationRegion&) {
    return NotUnderstood("the loader may move it");
  }
  absl::Status Take(const igvm::ParameterArea& area);
  absl::Status Take(const igvm::PageData& page);
  absl::Status Take(const igvm::ParameterInsert& insert);
  absl::Status Take(const igvm::Parameter& parameter);
  absl::Status Take(const igvm::VpContext& context);
  // Private memory, but neither measured nor validated.
  absl::Status Take(const igvm::RequiredMemory&) { return {}; }
  absl::Status Take(const igvm::SnpIdBlock& block);
  // They describe the launch, and are not part of it.
  absl::Status Take(const igvm::CorimData&) { return {}; }
  absl::Status Take(const igvm::ErrorRange& range);
  absl::Status Take(const igvm::Opaque& opaque);

  absl::StatusOr<sev::PageType> TypeOf(const igvm::PageData& page);
  absl::Status AddPages(std::vector<PlanPage>& pages, uint64_t gpa,
                        uint64_t size, sev::PageType type, base::Bytes bytes);
  absl::Status AddShared(uint64_t gpa, uint64_t size);
  void AddParameter(PlanParameter::Kind kind, const igvm::Parameter& parameter);
  bool GoesOn(const igvm::PageData& page) const;
  void Flush();

  absl::Status Failed(base::Reason reason, std::string_view what) const;
  absl::Status NotUnderstood(std::string_view what) const {
    return Failed(kIgvmNotUnderstood, what);
  }
  absl::Status NotLaunchable(std::string_view what) const {
    return Failed(kIgvmNotLaunchable, what);
  }

  struct Area {
    uint64_t size = 0;
    bool is_memory_map = false;
    std::vector<PlanParameter> parameters;  // gpa: from the area's start
  };

  const Loader loader_;
  const ZeroPages zero_pages_;
  const uint32_t mask_;
  const igvm::Header* header_ = nullptr;  // the one in hand
  size_t number_ = 0;                     // of the next
  LaunchPlan plan_;
  size_t page_count_ = 0;
  bool has_policy_ = false;
  std::optional<PlanPage> vmsa_;  // kQemu: launched last
  std::optional<igvm::SnpIdBlock> id_block_;
  std::map<uint32_t, Area> areas_;
  // Page data that QEMU has gathered; and the last piece of it, and where.
  std::vector<PlanPage> pending_;
  igvm::PageData pending_last_;
  size_t pending_last_number_ = 0;
};

absl::Status Reader::Failed(base::Reason reason, std::string_view what) const {
  if (header_ == nullptr) return Error(reason, what);
  std::string name(igvm::NameOf(header_->type));
  if (name.empty()) name = absl::StrFormat("type 0x%x", header_->type);
  return Error(reason,
               absl::StrCat("header ", number_ - 1, " (", name, "): ", what));
}

absl::Status Reader::Next(const igvm::Header& header) {
  header_ = &header;
  ++number_;
  const uint32_t* mask = igvm::CompatibilityMaskOf(header);
  if (mask != nullptr && (*mask & mask_) == 0) return absl::OkStatus();
  return std::visit([this](const auto& body) { return Take(body); },
                    header.body);
}

absl::Status Reader::Take(const igvm::GuestPolicy& policy) {
  if (has_policy_) return NotLaunchable("a second guest policy");
  has_policy_ = true;
  plan_.policy = policy.policy;
  return absl::OkStatus();
}

absl::Status Reader::Take(const igvm::ParameterArea& area) {
  areas_[area.index] = {.size = area.size};
  return absl::OkStatus();
}

absl::Status Reader::Take(const igvm::Parameter& parameter) {
  // Only a map that fills its area is one that others know how to make.
  if (header_->type == static_cast<uint32_t>(igvm::HeaderType::kMemoryMap) &&
      parameter.byte_offset == 0) {
    areas_[parameter.area_index].is_memory_map = true;
  }
  if (header_->type == static_cast<uint32_t>(igvm::HeaderType::kVpCount)) {
    AddParameter(PlanParameter::Kind::kVpCount, parameter);
  }
  // QEMU writes the table to the area's start whatever the offset.
  if (header_->type == static_cast<uint32_t>(igvm::HeaderType::kMadt) &&
      parameter.byte_offset == 0) {
    AddParameter(PlanParameter::Kind::kMadt, parameter);
  }
  return absl::OkStatus();
}

// Whoever reads the area must find all of it: what does not fit is not there.
void Reader::AddParameter(PlanParameter::Kind kind,
                          const igvm::Parameter& parameter) {
  Area& area = areas_[parameter.area_index];
  if (parameter.byte_offset > area.size ||
      area.size - parameter.byte_offset < sizeof(uint32_t) ||
      area.parameters.size() >= kMaxParameters) {
    return;
  }
  area.parameters.push_back({.kind = kind,
                             .gpa = parameter.byte_offset,
                             .room = area.size - parameter.byte_offset});
}

absl::Status Reader::Take(const igvm::ParameterInsert& insert) {
  const Area& area = areas_[insert.area_index];
  if (area.is_memory_map && !plan_.memory_map) {
    plan_.memory_map = ParameterArea{.gpa = insert.gpa, .size = area.size};
  }
  for (PlanParameter parameter : area.parameters) {
    if (plan_.parameters.size() >= kMaxParameters) break;
    parameter.gpa += insert.gpa;
    plan_.parameters.push_back(parameter);
  }
  // kQemu: before the page data that is still gathered.
  return AddPages(plan_.pages, insert.gpa, area.size,
                  sev::PageType::kUnmeasured, {});
}

absl::StatusOr<sev::PageType> Reader::TypeOf(const igvm::PageData& page) {
  switch (page.data_type) {
    case igvm::PageDataType::kNormal:
      if ((page.flags & igvm::kPageUnmeasured) != 0) {
        return sev::PageType::kUnmeasured;
      }
      return page.data.empty() && zero_pages_ == ZeroPages::kNative
                 ? sev::PageType::kZero
                 : sev::PageType::kNormal;
    case igvm::PageDataType::kSecrets:
      return sev::PageType::kSecrets;
    case igvm::PageDataType::kCpuid:
    case igvm::PageDataType::kCpuidXf:
      return sev::PageType::kCpuid;
  }
  return NotUnderstood("page data of an unknown type");
}

// Whether QEMU launches a piece of page data together with the last one.
bool Reader::GoesOn(const igvm::PageData& page) const {
  const igvm::PageData& last = pending_last_;
  const uint64_t size =
      last.flags & igvm::kPageIsLarge ? igvm::kLargePageSize : igvm::kPageSize;
  return !pending_.empty() && pending_last_number_ + 1 == number_ &&
         last.flags == page.flags && last.data_type == page.data_type &&
         last.compatibility_mask == page.compatibility_mask &&
         last.data.empty() == page.data.empty() && last.gpa + size == page.gpa;
}

void Reader::Flush() {
  std::ranges::move(pending_, std::back_inserter(plan_.pages));
  pending_.clear();
}

absl::Status Reader::Take(const igvm::PageData& page) {
  if ((page.flags & ~igvm::kKnownPageFlags) != 0) {
    return NotUnderstood("page data with unknown flags");
  }
  const uint64_t size =
      page.flags & igvm::kPageIsLarge ? igvm::kLargePageSize : igvm::kPageSize;
  if ((page.flags & igvm::kPageShared) != 0) {
    if (loader_ == Loader::kQemu) {
      return NotLaunchable("QEMU would launch this shared page as private");
    }
    return AddShared(page.gpa, size);
  }
  const auto type = TypeOf(page);
  if (!type.ok()) return type.status();
  if (loader_ == Loader::kInOrder) {
    return AddPages(plan_.pages, page.gpa, size, *type, page.data);
  }
  if (size != igvm::kPageSize && !page.data.empty()) {
    // libigvm 0.4, new_from_binary_split(): "only 4K data supported".
    return NotLaunchable("QEMU's library reads only 4 KiB of a 2 MiB page");
  }
  if (!GoesOn(page)) Flush();
  pending_last_ = page;
  pending_last_number_ = number_;
  return AddPages(pending_, page.gpa, size, *type, page.data);
}

absl::Status Reader::Take(const igvm::VpContext& context) {
  if (context.data.size() != sev::kVmsaSize) return NotLaunchable("no VMSA");
  PlanPage page = {.gpa = context.gpa,
                   .type = sev::PageType::kVmsa,
                   .contents = {context.data.begin(), context.data.end()}};
  if (++page_count_ > kMaxPlanPages) {
    return NotLaunchable("over 512 MiB of pages");
  }
  if (loader_ == Loader::kInOrder) {
    plan_.pages.push_back(std::move(page));
    return absl::OkStatus();
  }
  if (context.gpa != sev::kKvmVmsaGpa) {
    return NotLaunchable(absl::StrFormat("KVM's VMSA is at 0x%x, not at 0x%x",
                                         sev::kKvmVmsaGpa, context.gpa));
  }
  if (context.vp_index != 0 || vmsa_) {
    return NotLaunchable("QEMU takes only the first CPU's VMSA");
  }
  vmsa_ = std::move(page);
  return absl::OkStatus();
}

absl::Status Reader::Take(const igvm::SnpIdBlock& block) {
  if (id_block_) return NotLaunchable("a second ID block");
  id_block_ = block;
  return absl::OkStatus();
}

absl::Status Reader::Take(const igvm::ErrorRange& range) {
  if (loader_ == Loader::kQemu) {
    return NotUnderstood("QEMU does not know error ranges");
  }
  return AddShared(range.gpa, range.size);
}

absl::Status Reader::Take(const igvm::Opaque& opaque) {
  const uint32_t type = header_->type & ~igvm::kOptionalBit;
  if (igvm::NameOf(type).empty()) {
    if (type != header_->type) return absl::OkStatus();  // may be left out
    return NotUnderstood("an unknown header that must not be left out");
  }
  // Some loader may take it for what it is, and some leave it out.
  if (type != header_->type) return NotUnderstood("known, and optional");
  // All known ones begin with their compatibility mask.
  if (opaque.content.size() < 4) return NotUnderstood("too short");
  if ((base::LoadLe<uint32_t>(opaque.content.first<4>()) & mask_) == 0) {
    return absl::OkStatus();
  }
  return NotUnderstood("not for SEV-SNP, and yet it says so");
}

absl::Status Reader::AddPages(std::vector<PlanPage>& pages, uint64_t gpa,
                              uint64_t size, sev::PageType type,
                              base::Bytes bytes) {
  if (size / igvm::kPageSize > kMaxPlanPages - page_count_) {
    return NotLaunchable("over 512 MiB of pages");
  }
  page_count_ += size / igvm::kPageSize;
  for (uint64_t at = 0; at < size; at += igvm::kPageSize) {
    PlanPage page = {.gpa = gpa + at, .type = type};
    if (sev::IsHashed(type)) {
      page.contents.resize(igvm::kPageSize);
      if (!bytes.empty()) {
        std::ranges::copy(bytes.subspan(at, igvm::kPageSize),
                          page.contents.begin());
      }
    }
    pages.push_back(std::move(page));
  }
  return absl::OkStatus();
}

absl::Status Reader::AddShared(uint64_t gpa, uint64_t size) {
  if (size / igvm::kPageSize > kMaxPlanPages - page_count_) {
    return NotLaunchable("over 512 MiB of pages");
  }
  page_count_ += size / igvm::kPageSize;
  for (uint64_t at = 0; at < size; at += igvm::kPageSize) {
    plan_.shared_pages.push_back(gpa + at);
  }
  return absl::OkStatus();
}

absl::StatusOr<LaunchPlan> Reader::Finish() {
  header_ = nullptr;
  Flush();
  if (vmsa_) plan_.pages.push_back(*std::move(vmsa_));
  if (std::ranges::none_of(plan_.pages, [](const PlanPage& page) {
        return page.type == sev::PageType::kVmsa;
      })) {
    return NotLaunchable("no VP context: the CPUs start as the host likes");
  }
  if (const auto twice = PageTwice(plan_)) {
    return NotLaunchable(absl::StrFormat("two pages at 0x%x", *twice));
  }
  if (id_block_) {
    if (!has_policy_) return NotLaunchable("an ID block and no guest policy");
    auto block = PlanOfIdBlock(*id_block_, plan_.policy);
    if (!block.ok()) return block.status();
    plan_.id_block = *std::move(block);
  }
  return std::move(plan_);
}

}  // namespace

absl::StatusOr<uint32_t> SnpMask(const igvm::File& file) {
  uint32_t mask = 0;
  for (const igvm::Header& header : file.headers) {
    const auto* platform = std::get_if<igvm::SupportedPlatform>(&header.body);
    if (platform == nullptr ||
        platform->platform_type != igvm::PlatformType::kSevSnp) {
      continue;
    }
    if (mask != 0) return Error(kIgvmOtherPlatform, "two SEV-SNP platforms");
    if (platform->platform_version != kSnpPlatformVersion) {
      return Error(kIgvmOtherPlatform, "an unknown version of SEV-SNP");
    }
    mask = platform->compatibility_mask;
  }
  if (mask == 0 || file.architecture != igvm::Architecture::kX64) {
    return Error(kIgvmOtherPlatform, "no SEV-SNP platform");
  }
  return mask;
}

absl::StatusOr<uint64_t> SnpPolicy(const igvm::File& file) {
  const auto mask = SnpMask(file);
  if (!mask.ok()) return mask.status();
  std::optional<uint64_t> policy;
  for (const igvm::Header& header : file.headers) {
    const auto* found = std::get_if<igvm::GuestPolicy>(&header.body);
    if (found == nullptr || (found->compatibility_mask & *mask) == 0) continue;
    if (policy) return Error(kIgvmNotLaunchable, "a second guest policy");
    policy = found->policy;
  }
  if (!policy) return Error(kIgvmNotLaunchable, "no guest policy in the file");
  return *policy;
}

absl::StatusOr<LaunchPlan> PlanOfIgvm(const igvm::File& file, Loader loader,
                                      ZeroPages zero_pages) {
  const auto mask = SnpMask(file);
  if (!mask.ok()) return mask.status();
  Reader reader(loader, zero_pages, *mask);
  for (const igvm::Header& header : file.headers) {
    absl::Status status = reader.Next(header);
    if (!status.ok()) return status;
  }
  return reader.Finish();
}

}  // namespace launch
