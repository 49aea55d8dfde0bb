// SPDX-License-Identifier: Apache-2.0
#include "launch/igvm/igvm.h"

#include <array>

#include "launch/igvm/codec.h"

namespace igvm {
namespace {

constexpr std::array<uint8_t, 72> kNoBytes{};
constexpr std::span<const uint8_t, 72> kNothing(kNoBytes);

Body EmptyIdBlock() {
  const EcdsaSignature signature = {.r = kNothing, .s = kNothing};
  const EcdsaPublicKey key = {.curve = 0, .x = kNothing, .y = kNothing};
  return SnpIdBlock{.compatibility_mask = 0,
                    .author_key_enabled = false,
                    .launch_digest = kNothing.first<48>(),
                    .family_id = kNothing.first<16>(),
                    .image_id = kNothing.first<16>(),
                    .version = 0,
                    .guest_svn = 0,
                    .id_key_algorithm = 0,
                    .author_key_algorithm = 0,
                    .id_key_signature = signature,
                    .id_key = key,
                    .author_key_signature = signature,
                    .author_key = key};
}

template <typename T>
Body Empty() {
  return T();
}

struct TypeRow {
  HeaderType type;
  std::string_view name;
  size_t content_size;  // 0: Opaque
  Body (*empty)();
};

constexpr TypeRow kTypes[] = {
    {HeaderType::kSupportedPlatform, "supported platform", 16,
     &Empty<SupportedPlatform>},
    {HeaderType::kGuestPolicy, "guest policy", 16, &Empty<GuestPolicy>},
    {HeaderType::kRelocatableRegion, "relocatable region", 48,
     &Empty<RelocatableRegion>},
    {HeaderType::kPageTableRelocationRegion, "page table relocation", 32,
     &Empty<PageTableRelocationRegion>},
    {HeaderType::kCorimDocument, "CoRIM document", 16, &Empty<CorimData>},
    {HeaderType::kCorimSignature, "CoRIM signature", 16, &Empty<CorimData>},
    {HeaderType::kCcaPolicy, "CCA policy", 0, &Empty<Opaque>},
    {HeaderType::kParameterArea, "parameter area", 16, &Empty<ParameterArea>},
    {HeaderType::kPageData, "page data", 24, &Empty<PageData>},
    {HeaderType::kParameterInsert, "parameter insert", 16,
     &Empty<ParameterInsert>},
    {HeaderType::kVpContext, "VP context", 20, &Empty<VpContext>},
    {HeaderType::kRequiredMemory, "required memory", 24,
     &Empty<RequiredMemory>},
    {HeaderType::kVpCount, "VP count", 8, &Empty<Parameter>},
    {HeaderType::kSrat, "SRAT", 8, &Empty<Parameter>},
    {HeaderType::kMadt, "MADT", 8, &Empty<Parameter>},
    {HeaderType::kMmioRanges, "MMIO ranges", 8, &Empty<Parameter>},
    {HeaderType::kSnpIdBlock, "SNP ID block", 696, &EmptyIdBlock},
    {HeaderType::kMemoryMap, "memory map", 8, &Empty<Parameter>},
    {HeaderType::kErrorRange, "error range", 16, &Empty<ErrorRange>},
    {HeaderType::kCommandLine, "command line", 8, &Empty<Parameter>},
    {HeaderType::kSlit, "SLIT", 8, &Empty<Parameter>},
    {HeaderType::kPptt, "PPTT", 8, &Empty<Parameter>},
    {HeaderType::kVbsMeasurement, "VBS measurement", 0, &Empty<Opaque>},
    {HeaderType::kDeviceTree, "device tree", 8, &Empty<Parameter>},
    {HeaderType::kEnvironmentInfo, "environment info", 8, &Empty<Parameter>},
};

const TypeRow* Find(uint32_t type) {
  for (const TypeRow& row : kTypes) {
    if (static_cast<uint32_t>(row.type) == type) return &row;
  }
  return nullptr;
}

}  // namespace

Section SectionOf(uint32_t type) {
  // IGVM_VHT_RANGE_PLATFORM, _INIT and _DIRECTIVE.
  if (type >= 0x1 && type <= 0x100) return Section::kPlatform;
  if (type >= 0x101 && type <= 0x200) return Section::kInitialization;
  if (type >= 0x301 && type <= 0x400) return Section::kDirective;
  return Section::kNone;
}

std::string_view NameOf(uint32_t type) {
  const TypeRow* row = Find(type);
  return row == nullptr ? std::string_view() : row->name;
}

std::string_view NameOf(PlatformType type) {
  constexpr std::string_view kNames[] = {"native", "vsm",    "sev-snp", "tdx",
                                         "sev",    "sev-es", "cca"};
  const auto index = static_cast<size_t>(type);
  return index < std::size(kNames) ? kNames[index] : std::string_view();
}

size_t ContentSize(uint32_t type) {
  const TypeRow* row = Find(type);
  return row == nullptr ? 0 : row->content_size;
}

Body EmptyBody(uint32_t type) {
  const TypeRow* row = Find(type);
  return row == nullptr ? Body(Opaque()) : row->empty();
}

const uint32_t* CompatibilityMaskOf(const Header& header) {
  return std::visit(
      [](const auto& body) -> const uint32_t* {
        if constexpr (requires { body.compatibility_mask; }) {
          return &body.compatibility_mask;
        } else {
          return nullptr;
        }
      },
      header.body);
}

}  // namespace igvm
