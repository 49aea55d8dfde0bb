// SPDX-License-Identifier: Apache-2.0
#include "launch/igvm/rules.h"

#include <bit>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/reasons.h"
#include "hosted/status.h"
#include "launch/igvm/codec.h"
#include "launch/igvm/reasons.h"

namespace igvm {
namespace {

constexpr char kUnaligned[] = "an address or size is not of whole pages";
constexpr char kWraps[] = "a range beyond the address space";

// Null: pages from `gpa` on.
const char* CheckPages(uint64_t gpa, uint64_t size) {
  if (gpa % kPageSize != 0 || size % kPageSize != 0) return kUnaligned;
  uint64_t end = 0;
  return __builtin_add_overflow(gpa, size, &end) ? kWraps : nullptr;
}

const char* CheckRules(const RelocatableRegion& region) {
  if (region.alignment == 0 || region.alignment % kPageSize != 0) {
    return kUnaligned;
  }
  for (const uint64_t gpa :
       {region.gpa, region.minimum_gpa, region.maximum_gpa}) {
    if (gpa % region.alignment != 0) return kUnaligned;
  }
  return CheckPages(region.gpa, region.size);
}

const char* CheckRules(const PageTableRelocationRegion& region) {
  if (region.used_size % kPageSize != 0) return kUnaligned;
  if (region.used_size > region.size) return "more is used than there is";
  return CheckPages(region.gpa, region.size);
}

const char* CheckRules(const ParameterArea& area) {
  if (area.size == 0) return "an empty area";
  if (!area.data.empty() && area.data.size() != area.size) {
    return "data of another size";
  }
  return CheckPages(0, area.size);
}

const char* CheckRules(const PageData& page) {
  const uint64_t size = page.flags & kPageIsLarge ? kLargePageSize : kPageSize;
  if (page.gpa % size != 0) return kUnaligned;
  if (!page.data.empty() && page.data.size() != size) {
    return "data of another size";
  }
  return CheckPages(page.gpa, size);
}

const char* CheckRules(const VpContext& context) {
  return CheckPages(context.gpa, kPageSize);
}
const char* CheckRules(const RequiredMemory& memory) {
  return CheckPages(memory.gpa, memory.size);
}
const char* CheckRules(const ErrorRange& range) {
  return CheckPages(range.gpa, range.size);
}
template <typename T>
const char* CheckRules(const T&) {
  return nullptr;
}

constexpr base::ReasonRow kReasonRows[] = {
    FORELOCK_IGVM_REASONS(BASE_REASON_ROW)};

}  // namespace

absl::Status Error(base::Reason reason, std::string_view detail) {
  return hosted::Error(kReasonRows, reason, detail);
}

absl::Status HeaderError(base::Reason reason, size_t number,
                         const Header& header, std::string_view what) {
  std::string name(NameOf(header.type));
  if (name.empty()) name = absl::StrFormat("type 0x%x", header.type);
  const std::string place =
      header.offset == 0 ? "" : absl::StrFormat(" at 0x%x", header.offset);
  return Error(reason, absl::StrCat("header ", number, " (", name, ")", place,
                                    ": ", what));
}

absl::Status Rules::Next(const Header& header) {
  const size_t number = number_++;
  if (const char* error = CheckOrder(header.type)) {
    return HeaderError(kBadOrder, number, header, error);
  }
  if (const char* error = CheckBody(header)) {
    return HeaderError(kBadHeader, number, header, error);
  }
  if (const char* error = CheckArea(header)) {
    return HeaderError(kBadParameter, number, header, error);
  }
  return absl::OkStatus();
}

const char* Rules::CheckOrder(uint32_t type) {
  const Section section = SectionOf(type & ~kOptionalBit);
  if (section == Section::kNone) return nullptr;
  if (section < section_) return "stands behind a later section";
  section_ = section;
  return nullptr;
}

const char* Rules::CheckBody(const Header& header) {
  // A body of another kind than the type's is a writer's mistake.
  if (header.body.index() != EmptyBody(header.type).index()) {
    return "another kind of header than its type says";
  }
  if (const auto* platform = std::get_if<SupportedPlatform>(&header.body)) {
    return Check(*platform);
  }
  return std::visit([](const auto& body) { return CheckRules(body); },
                    header.body);
}

const char* Rules::Check(const SupportedPlatform& platform) {
  if (!std::has_single_bit(platform.compatibility_mask)) {
    return "a compatibility mask without exactly one bit";
  }
  if ((platform_masks_ & platform.compatibility_mask) != 0) {
    return "two platforms with one compatibility mask";
  }
  platform_masks_ |= platform.compatibility_mask;
  if (platform.platform_type == PlatformType::kVsmIsolation) {
    register_list_masks_ |= platform.compatibility_mask;
  }
  return nullptr;
}

const char* Rules::CheckArea(const Header& header) {
  if (const auto* area = std::get_if<ParameterArea>(&header.body)) {
    const bool fresh =
        areas_.insert({area->index, {.size = area->size}}).second;
    return fresh ? nullptr : "the same area twice";
  }
  const auto* parameter = std::get_if<Parameter>(&header.body);
  const auto* insert = std::get_if<ParameterInsert>(&header.body);
  if (parameter == nullptr && insert == nullptr) return nullptr;
  const auto found = areas_.find(parameter != nullptr ? parameter->area_index
                                                      : insert->area_index);
  if (found == areas_.end()) return "an area that was not declared";
  Area& area = found->second;
  if (area.inserted) return "an area that is in the guest already";
  if (parameter != nullptr) {
    return parameter->byte_offset < area.size ? nullptr
                                              : "a place outside of its area";
  }
  area.inserted = true;
  return CheckPages(insert->gpa, area.size);
}

}  // namespace igvm
