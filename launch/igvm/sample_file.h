// SPDX-License-Identifier: Apache-2.0
//
// An IGVM file with a header of every kind, for tests and fuzz seeds.
#pragma once

#include <stdint.h>

#include <array>
#include <vector>

#include "base/bytes.h"
#include "launch/igvm/igvm.h"

namespace igvm {

struct SampleFile {
  static constexpr uint32_t kSnp = 1;
  static constexpr uint32_t kVsm = 2;

  std::array<uint8_t, kPageSize> page{};
  std::array<uint8_t, kPageSize> vmsa{};
  std::array<uint8_t, kLargePageSize> large_page{};
  std::array<uint8_t, 4 + 2 * 32> registers = {2};  // VSM's list of two
  std::array<uint8_t, 72> number{};
  std::array<uint8_t, 13> unknown = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};
  File file;

  // `large`: with 2 MiB of data, which makes the file 2 MiB.
  explicit SampleFile(bool large = false) {
    for (size_t i = 0; i < page.size(); ++i) {
      page[i] = static_cast<uint8_t>(i * 7);
      vmsa[i] = static_cast<uint8_t>(i * 11 + 1);
    }
    for (size_t i = 0; i < large_page.size(); ++i) {
      large_page[i] = static_cast<uint8_t>(i * 13 + (i >> 12));
    }
    number[3] = 9;
    AddPlatforms();
    AddDirectives(large);
  }
  SampleFile(const SampleFile&) = delete;  // `file` points into this one
  SampleFile& operator=(const SampleFile&) = delete;

  // The same headers without pages: small, for fuzz seeds.
  File WithoutPages() const {
    File small = file;
    for (Header& header : small.headers) {
      if (auto* data = std::get_if<PageData>(&header.body)) data->data = {};
      if (auto* area = std::get_if<ParameterArea>(&header.body)) {
        area->data = {};
      }
      if (auto* context = std::get_if<VpContext>(&header.body)) {
        if (context->compatibility_mask == kSnp) context->data = {};
      }
    }
    return small;
  }

  void Add(HeaderType type, Body body) {
    file.headers.push_back(
        {.type = static_cast<uint32_t>(type), .body = std::move(body)});
  }

 private:
  void AddPlatforms() {
    Add(HeaderType::kSupportedPlatform,
        SupportedPlatform{.compatibility_mask = kSnp,
                          .platform_type = PlatformType::kSevSnp});
    Add(HeaderType::kSupportedPlatform,
        SupportedPlatform{.compatibility_mask = kVsm,
                          .highest_vtl = 2,
                          .platform_type = PlatformType::kVsmIsolation,
                          .shared_gpa_boundary = 1ull << 40});
    Add(HeaderType::kGuestPolicy,
        GuestPolicy{.policy = 0x30000, .compatibility_mask = kSnp});
    Add(HeaderType::kRelocatableRegion,
        RelocatableRegion{.compatibility_mask = kVsm,
                          .flags = 1,
                          .alignment = 0x200000,
                          .gpa = 0x400000,
                          .size = 0x1000,
                          .maximum_gpa = 0x80000000});
    Add(HeaderType::kPageTableRelocationRegion,
        PageTableRelocationRegion{.compatibility_mask = kVsm,
                                  .vtl = 2,
                                  .gpa = 0x600000,
                                  .size = 0x3000,
                                  .used_size = 0x1000});
    Add(HeaderType::kCorimDocument,
        CorimData{.compatibility_mask = kSnp, .data = unknown});
  }

  void AddDirectives(bool large) {
    Add(HeaderType::kRequiredMemory,
        RequiredMemory{
            .gpa = 0x100000, .compatibility_mask = 3, .size = 0x10000});
    Add(HeaderType::kParameterArea, ParameterArea{.size = 0x2000, .index = 7});
    Add(HeaderType::kMemoryMap, Parameter{.area_index = 7});
    Add(HeaderType::kVpCount, Parameter{.area_index = 7, .byte_offset = 4092});
    Add(HeaderType::kParameterInsert,
        ParameterInsert{
            .gpa = 0x110000, .compatibility_mask = kSnp, .area_index = 7});
    Add(HeaderType::kParameterArea,
        ParameterArea{.size = kPageSize, .index = 0, .data = page});
    for (const HeaderType type :
         {HeaderType::kSrat, HeaderType::kMadt, HeaderType::kMmioRanges,
          HeaderType::kCommandLine, HeaderType::kSlit, HeaderType::kPptt,
          HeaderType::kDeviceTree, HeaderType::kEnvironmentInfo}) {
      Add(type, Parameter{.area_index = 0});
    }
    Add(HeaderType::kParameterInsert,
        ParameterInsert{
            .gpa = 0x120000, .compatibility_mask = kVsm, .area_index = 0});
    Add(HeaderType::kPageData,
        PageData{.gpa = 0x100000, .compatibility_mask = 3, .data = page});
    Add(HeaderType::kPageData,
        PageData{.gpa = 0x101000, .compatibility_mask = 3});
    Add(HeaderType::kPageData, PageData{.gpa = 0x102000,
                                        .compatibility_mask = kSnp,
                                        .data_type = PageDataType::kSecrets});
    Add(HeaderType::kPageData, PageData{.gpa = 0x103000,
                                        .compatibility_mask = kSnp,
                                        .data_type = PageDataType::kCpuid,
                                        .data = page});
    Add(HeaderType::kPageData, PageData{.gpa = 0x104000,
                                        .compatibility_mask = kSnp,
                                        .flags = kPageUnmeasured});
    if (large) {
      Add(HeaderType::kPageData, PageData{.gpa = 0x800000,
                                          .compatibility_mask = kSnp,
                                          .flags = kPageIsLarge,
                                          .data = large_page});
    }
    Add(HeaderType::kErrorRange,
        ErrorRange{.gpa = 0x130000, .compatibility_mask = kVsm, .size = 4096});
    Add(HeaderType::kVpContext,
        VpContext{.compatibility_mask = kVsm, .data = registers});
    Add(HeaderType::kVpContext,
        VpContext{
            .gpa = 0xFFFFFFFFF000, .compatibility_mask = kSnp, .data = vmsa});
    const std::span<const uint8_t, 72> number_view(number);
    Add(HeaderType::kSnpIdBlock,
        SnpIdBlock{
            .compatibility_mask = kSnp,
            .author_key_enabled = true,
            .launch_digest = number_view.first<48>(),
            .family_id = number_view.first<16>(),
            .image_id = number_view.first<16>(),
            .version = 1,
            .guest_svn = 5,
            .id_key_algorithm = 1,
            .author_key_algorithm = 1,
            .id_key_signature = {.r = number_view, .s = number_view},
            .id_key = {.curve = 2, .x = number_view, .y = number_view},
            .author_key_signature = {.r = number_view, .s = number_view},
            .author_key = {.curve = 2, .x = number_view, .y = number_view}});
    file.headers.push_back(
        {.type = kOptionalBit | 0x3F0, .body = Opaque{unknown}});
  }
};

}  // namespace igvm
