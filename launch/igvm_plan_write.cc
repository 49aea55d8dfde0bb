// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/str_format.h"
#include "launch/error.h"
#include "launch/igvm/read_write.h"
#include "launch/igvm_id_block.h"
#include "launch/igvm_plan.h"
#include "launch/reasons.h"

namespace launch {
namespace {

using igvm::HeaderType;

constexpr uint32_t kMask = 1;
constexpr uint32_t kMapArea = 0;

class Writer {
 public:
  explicit Writer(const LaunchPlan& plan) : plan_(plan) {}
  absl::StatusOr<std::vector<uint8_t>> Write();

 private:
  void Add(HeaderType type, igvm::Body body) {
    file_.headers.push_back(
        {.type = static_cast<uint32_t>(type), .body = std::move(body)});
  }
  bool InMemoryMap(uint64_t gpa) const {
    return plan_.memory_map && gpa >= plan_.memory_map->gpa &&
           gpa - plan_.memory_map->gpa < plan_.memory_map->size;
  }
  void AddPage(const PlanPage& page, igvm::PageDataType type, uint32_t flags);
  absl::Status AddUnmeasured(const PlanPage& page);
  absl::Status Add(const PlanPage& page);

  const LaunchPlan& plan_;
  igvm::File file_;
};

void Writer::AddPage(const PlanPage& page, igvm::PageDataType type,
                     uint32_t flags) {
  const bool zeros = base::AllZero(page.contents);
  Add(HeaderType::kPageData,
      igvm::PageData{.gpa = page.gpa,
                     .compatibility_mask = kMask,
                     .flags = flags,
                     .data_type = type,
                     .data = zeros ? base::Bytes() : page.contents});
}

absl::Status Writer::AddUnmeasured(const PlanPage& page) {
  if (!InMemoryMap(page.gpa)) {
    AddPage(page, igvm::PageDataType::kNormal, igvm::kPageUnmeasured);
    return absl::OkStatus();
  }
  // The whole area with its first page.
  if (page.gpa != plan_.memory_map->gpa) return absl::OkStatus();
  Add(HeaderType::kParameterArea,
      igvm::ParameterArea{.size = plan_.memory_map->size, .index = kMapArea});
  Add(HeaderType::kMemoryMap, igvm::Parameter{.area_index = kMapArea});
  Add(HeaderType::kParameterInsert,
      igvm::ParameterInsert{.gpa = page.gpa,
                            .compatibility_mask = kMask,
                            .area_index = kMapArea});
  return absl::OkStatus();
}

absl::Status Writer::Add(const PlanPage& page) {
  switch (page.type) {
    case sev::PageType::kNormal:
      AddPage(page, igvm::PageDataType::kNormal, 0);
      return absl::OkStatus();
    case sev::PageType::kSecrets:
      AddPage(page, igvm::PageDataType::kSecrets, 0);
      return absl::OkStatus();
    case sev::PageType::kCpuid:
      AddPage(page, igvm::PageDataType::kCpuid, 0);
      return absl::OkStatus();
    case sev::PageType::kUnmeasured:
      return AddUnmeasured(page);
    case sev::PageType::kVmsa:
      Add(HeaderType::kVpContext, igvm::VpContext{.gpa = page.gpa,
                                                  .compatibility_mask = kMask,
                                                  .data = page.contents});
      return absl::OkStatus();
    case sev::PageType::kZero:
      break;
  }
  return Error(kPlanNotExpressible, "a page of a type that IGVM has not");
}

absl::StatusOr<std::vector<uint8_t>> Writer::Write() {
  if (!plan_.parameters.empty()) {
    return Error(kPlanNotExpressible, "parameters besides the memory map");
  }
  Add(HeaderType::kSupportedPlatform,
      igvm::SupportedPlatform{.compatibility_mask = kMask,
                              .platform_type = igvm::PlatformType::kSevSnp});
  Add(HeaderType::kGuestPolicy, igvm::GuestPolicy{
                                    .policy = plan_.policy,
                                    .compatibility_mask = kMask,
                                });
  for (const PlanPage& page : plan_.pages) {
    absl::Status status = Add(page);
    if (!status.ok()) return status;
  }
  for (const uint64_t gpa : plan_.shared_pages) {
    Add(HeaderType::kPageData,
        igvm::PageData{.gpa = gpa,
                       .compatibility_mask = kMask,
                       .flags = igvm::kPageShared | igvm::kPageUnmeasured});
  }
  if (plan_.id_block) {
    const auto block = IgvmIdBlock(*plan_.id_block, kMask, plan_.policy);
    if (!block.ok()) return block.status();
    Add(HeaderType::kSnpIdBlock, *block);
  }
  return igvm::Write(file_);
}

}  // namespace

absl::StatusOr<std::vector<uint8_t>> IgvmOfPlan(const LaunchPlan& plan) {
  return Writer(plan).Write();
}

namespace {

// A header of unknown layout may say where its data is, and writing moves data.
absl::Status CheckMovable(const igvm::File& file) {
  for (size_t i = 0; i < file.headers.size(); ++i) {
    const igvm::Header& header = file.headers[i];
    if (!std::holds_alternative<igvm::Opaque>(header.body)) continue;
    const std::string_view name =
        igvm::NameOf(header.type & ~igvm::kOptionalBit);
    return Error(
        kIgvmNotUnderstood,
        absl::StrFormat("header %d (type 0x%x%s%s): it may point to data, so "
                        "the file cannot be written anew; sign its digest",
                        i, header.type, name.empty() ? "" : ", ", name));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<uint8_t>> WithIdBlock(base::Bytes bytes,
                                                 const PlanIdBlock& id_block) {
  auto file = igvm::Read(bytes);
  if (!file.ok()) return file.status();
  const auto mask = SnpMask(*file);
  if (!mask.ok()) return mask.status();
  const auto policy = SnpPolicy(*file);
  if (!policy.ok()) return policy.status();
  const auto made = IgvmIdBlock(id_block, *mask, *policy);
  if (!made.ok()) return made.status();
  absl::Status status = CheckMovable(*file);
  if (!status.ok()) return status;
  std::erase_if(file->headers, [&](const igvm::Header& header) {
    const auto* block = std::get_if<igvm::SnpIdBlock>(&header.body);
    return block != nullptr && (block->compatibility_mask & *mask) != 0;
  });
  file->headers.push_back(
      {.type = static_cast<uint32_t>(HeaderType::kSnpIdBlock), .body = *made});
  return igvm::Write(*file);
}

}  // namespace launch
