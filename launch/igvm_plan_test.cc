// SPDX-License-Identifier: Apache-2.0
#include "launch/igvm_plan.h"

#include <algorithm>
#include <array>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "base/bytes.h"
#include "gtest/gtest.h"
#include "launch/elf_for_tests.h"
#include "launch/igvm/igvm.h"
#include "launch/igvm/read_write.h"
#include "launch/igvm/sample_file.h"
#include "launch/image_plan.h"
#include "launch/launch_plan.h"
#include "sev/id_block.h"
#include "sev/page_info.h"
#include "sev/vmsa.h"

namespace launch {
namespace {

using igvm::HeaderType;
using sev::PageType;

constexpr uint32_t kSnp = igvm::SampleFile::kSnp;

LaunchPlan ImagePlan() {
  const auto plan = PlanOfImage(TestElf().Bytes());
  EXPECT_TRUE(plan.ok()) << plan.status();
  return *plan;
}

PlanIdBlock SomeIdBlock(uint64_t policy) {
  const auto block = sev::EncodeIdBlock(
      {.launch_digest = {1, 2, 3}, .guest_svn = 7, .policy = policy});
  PlanIdBlock out = {.id_block = {block.begin(), block.end()},
                     .id_auth = std::vector<uint8_t>(sev::kIdAuthSize)};
  namespace layout = sev::id_auth_layout;
  const auto auth = std::span(out.id_auth).first<sev::kIdAuthSize>();
  sev::PutLe<uint32_t, layout::IdKeyAlgorithm>(1, auth);
  for (size_t i = 0; i < 144; ++i) {
    auth[layout::IdBlockSignature::kOffset + i] = static_cast<uint8_t>(i + 1);
    auth[layout::IdKey::kOffset + 4 + i] = static_cast<uint8_t>(i + 2);
  }
  auth[layout::IdKey::kOffset] = 2;  // P-384
  return out;
}

void ExpectSame(const LaunchPlan& a, const LaunchPlan& b) {
  EXPECT_EQ(a.policy, b.policy);
  ASSERT_EQ(a.pages.size(), b.pages.size());
  for (size_t i = 0; i < a.pages.size(); ++i) {
    EXPECT_EQ(a.pages[i].gpa, b.pages[i].gpa) << i;
    EXPECT_EQ(a.pages[i].type, b.pages[i].type) << i;
    EXPECT_EQ(a.pages[i].contents, b.pages[i].contents) << i;
  }
  ASSERT_EQ(a.memory_map.has_value(), b.memory_map.has_value());
  if (a.memory_map) {
    EXPECT_EQ(a.memory_map->gpa, b.memory_map->gpa);
    EXPECT_EQ(a.memory_map->size, b.memory_map->size);
  }
  EXPECT_EQ(a.shared_pages, b.shared_pages);
  ASSERT_EQ(a.id_block.has_value(), b.id_block.has_value());
  if (a.id_block) {
    EXPECT_EQ(a.id_block->id_block, b.id_block->id_block);
    EXPECT_EQ(a.id_block->id_auth, b.id_block->id_auth);
  }
}

TEST(IgvmPlan, AnImageComesBackWithEveryLoader) {
  LaunchPlan plan = ImagePlan();
  plan.policy |= sev::kPolicyDebug;
  plan.id_block = SomeIdBlock(plan.policy);
  const auto bytes = IgvmOfPlan(plan);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  const auto file = igvm::Read(*bytes);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->version, 1u);
  for (const Loader loader : {Loader::kQemu, Loader::kInOrder}) {
    const auto back = PlanOfIgvm(*file, loader);
    ASSERT_TRUE(back.ok()) << back.status();
    ExpectSame(*back, plan);
    EXPECT_EQ(MeasurePlan(*back), MeasurePlan(plan));
  }
  EXPECT_EQ(*IgvmOfPlan(*PlanOfIgvm(*file, Loader::kQemu)), *bytes);
}

TEST(IgvmPlan, AnAuthorKeyComesBack) {
  LaunchPlan plan = ImagePlan();
  plan.id_block = SomeIdBlock(plan.policy);
  plan.id_block->id_auth[sev::id_auth_layout::AuthorKeyAlgorithm::kOffset] = 1;
  plan.id_block->id_auth[sev::id_auth_layout::AuthorKey::kOffset] = 2;
  plan.id_block->id_auth[sev::id_auth_layout::AuthorKey::kOffset + 100] = 5;
  plan.id_block->id_auth[sev::id_auth_layout::IdKeySignature::kOffset] = 6;
  const auto bytes = IgvmOfPlan(plan);
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  const auto file = igvm::Read(*bytes);
  ASSERT_TRUE(file.ok());
  const auto& header = std::get<igvm::SnpIdBlock>(file->headers.back().body);
  EXPECT_TRUE(header.author_key_enabled);
  ExpectSame(*PlanOfIgvm(*file, Loader::kQemu), plan);
}

TEST(IgvmPlan, AnAuthorKeyOfZerosIsRefused) {
  const igvm::SampleFile sample;
  igvm::File file = sample.file;
  const std::array<uint8_t, 72> zeros{};
  const std::span<const uint8_t, 72> none(zeros);
  for (igvm::Header& header : file.headers) {
    auto* block = std::get_if<igvm::SnpIdBlock>(&header.body);
    if (block == nullptr) continue;
    EXPECT_TRUE(block->author_key_enabled);
    block->author_key = {.curve = 0, .x = none, .y = none};
  }
  EXPECT_TRUE(absl::StrContains(
      PlanOfIgvm(file, Loader::kQemu).status().message(), "LA14"));
}

TEST(IgvmPlan, SharedPagesAreNotMeasured) {
  LaunchPlan plan = ImagePlan();
  const auto digest = MeasurePlan(plan);
  plan.shared_pages = {0x300000, 0x301000};
  const auto bytes = IgvmOfPlan(plan);
  ASSERT_TRUE(bytes.ok());
  const auto file = igvm::Read(*bytes);
  const auto back = PlanOfIgvm(*file, Loader::kInOrder);
  ASSERT_TRUE(back.ok()) << back.status();
  ExpectSame(*back, plan);
  EXPECT_EQ(MeasurePlan(*back), digest);
  // QEMU has no shared page data: it would launch it as private pages.
  EXPECT_TRUE(absl::StrContains(
      PlanOfIgvm(*file, Loader::kQemu).status().message(), "LA14"));
}

TEST(IgvmPlan, WhatTheFormatHasNotIsNotWritten) {
  LaunchPlan plan = ImagePlan();
  plan.pages[1].type = PageType::kZero;
  plan.pages[1].contents.clear();
  EXPECT_TRUE(absl::StrContains(IgvmOfPlan(plan).status().message(), "LA15"));

  plan = ImagePlan();
  plan.id_block = SomeIdBlock(plan.policy | sev::kPolicyDebug);
  EXPECT_TRUE(absl::StrContains(IgvmOfPlan(plan).status().message(), "LA15"));
  plan.id_block = SomeIdBlock(plan.policy);
  plan.id_block->id_block.pop_back();
  EXPECT_FALSE(IgvmOfPlan(plan).ok());
  plan.id_block = SomeIdBlock(plan.policy);
  plan.id_block->id_auth[sev::id_auth_layout::IdKey::kOffset + 500] = 1;
  EXPECT_FALSE(IgvmOfPlan(plan).ok());
}

TEST(IgvmPlan, AnIdBlockReplacesAnother) {
  LaunchPlan plan = ImagePlan();
  const auto bare = IgvmOfPlan(plan);
  const PlanIdBlock block = SomeIdBlock(plan.policy);
  const auto with = WithIdBlock(*bare, block);
  ASSERT_TRUE(with.ok()) << with.status();
  EXPECT_EQ(*WithIdBlock(*with, block), *with);
  plan.id_block = block;
  EXPECT_EQ(*IgvmOfPlan(plan), *with);
  EXPECT_FALSE(WithIdBlock(*bare, SomeIdBlock(0x20000)).ok());
  const std::vector<uint8_t> nothing(10);
  EXPECT_FALSE(WithIdBlock(nothing, block).ok());
}

// Somebody else's file: platform and VMSA are there, the test adds the rest.
struct Foreign {
  igvm::SampleFile sample;
  Foreign() {
    sample.file.headers.clear();
    sample.Add(
        HeaderType::kSupportedPlatform,
        igvm::SupportedPlatform{.compatibility_mask = kSnp,
                                .platform_type = igvm::PlatformType::kSevSnp});
  }
  Foreign& Page(uint64_t gpa, base::Bytes data = {}, uint32_t flags = 0) {
    sample.Add(HeaderType::kPageData, igvm::PageData{.gpa = gpa,
                                                     .compatibility_mask = kSnp,
                                                     .flags = flags,
                                                     .data = data});
    return *this;
  }
  Foreign& Insert(uint64_t gpa) {
    sample.Add(HeaderType::kParameterArea, igvm::ParameterArea{.size = 0x2000});
    sample.Add(HeaderType::kMadt, igvm::Parameter{});
    sample.Add(HeaderType::kParameterInsert,
               igvm::ParameterInsert{.gpa = gpa, .compatibility_mask = kSnp});
    return *this;
  }
  Foreign& Context(uint64_t gpa = sev::kKvmVmsaGpa, uint16_t index = 0) {
    sample.Add(HeaderType::kVpContext,
               igvm::VpContext{.gpa = gpa,
                               .compatibility_mask = kSnp,
                               .vp_index = index,
                               .data = sample.vmsa});
    return *this;
  }
  absl::StatusOr<LaunchPlan> Plan(Loader loader) {
    return PlanOfIgvm(sample.file, loader);
  }
  std::vector<uint64_t> Order(Loader loader) {
    const auto plan = Plan(loader);
    EXPECT_TRUE(plan.ok()) << plan.status();
    std::vector<uint64_t> order;
    if (!plan.ok()) return order;
    for (const PlanPage& page : plan->pages) order.push_back(page.gpa);
    return order;
  }
};

TEST(IgvmPlan, ParametersThatTheLoaderFillsIn) {
  using Kind = PlanParameter::Kind;
  Foreign file;
  auto& sample = file.sample;
  sample.Add(HeaderType::kParameterArea,
             igvm::ParameterArea{.size = 0x2000, .index = 3});
  const auto add = [&](HeaderType type, uint32_t offset) {
    sample.Add(type, igvm::Parameter{.area_index = 3, .byte_offset = offset});
  };
  add(HeaderType::kMadt, 0);
  add(HeaderType::kVpCount, 0x1FFC);
  add(HeaderType::kMadt, 8);
  add(HeaderType::kVpCount, 0x1FFD);
  sample.Add(HeaderType::kParameterInsert,
             igvm::ParameterInsert{
                 .gpa = 0x40000, .compatibility_mask = kSnp, .area_index = 3});
  file.Context();
  for (const auto loader : {Loader::kQemu, Loader::kInOrder}) {
    const auto plan = file.Plan(loader);
    ASSERT_TRUE(plan.ok()) << plan.status();
    const PlanParameter madt = {Kind::kMadt, 0x40000, 0x2000};
    const PlanParameter count = {Kind::kVpCount, 0x41FFC, 4};
    EXPECT_EQ(plan->parameters, (std::vector{madt, count}));
    EXPECT_EQ(plan->pages[1].type, sev::PageType::kUnmeasured);
    EXPECT_FALSE(IgvmOfPlan(*plan).ok());
  }
}

TEST(IgvmPlan, AnIdBlockNeedsAPolicyInTheFile) {
  const PlanIdBlock block = SomeIdBlock(LaunchPlan().policy);
  Foreign file;
  file.Context();
  EXPECT_TRUE(file.Plan(Loader::kQemu).ok());  // it has a digest
  const auto bare = igvm::Write(file.sample.file);
  ASSERT_TRUE(bare.ok()) << bare.status();
  EXPECT_TRUE(
      absl::StrContains(WithIdBlock(*bare, block).status().message(), "LA14"));

  const auto policy = [](uint64_t value) {
    return igvm::Header{
        .type = static_cast<uint32_t>(HeaderType::kGuestPolicy),
        .body = igvm::GuestPolicy{.policy = value, .compatibility_mask = kSnp}};
  };
  std::vector<igvm::Header>& headers = file.sample.file.headers;
  headers.insert(headers.begin() + 1, policy(LaunchPlan().policy));
  const auto signed_bytes = WithIdBlock(*igvm::Write(file.sample.file), block);
  ASSERT_TRUE(signed_bytes.ok()) << signed_bytes.status();
  auto signed_file = igvm::Read(*signed_bytes);
  ASSERT_TRUE(signed_file.ok());
  EXPECT_EQ(*SnpPolicy(*signed_file), LaunchPlan().policy);
  EXPECT_TRUE(PlanOfIgvm(*signed_file, Loader::kQemu).ok());

  // Nor is a plan made of an ID block whose policy nobody knows.
  signed_file->headers.erase(signed_file->headers.begin() + 1);
  EXPECT_TRUE(absl::StrContains(
      PlanOfIgvm(*signed_file, Loader::kQemu).status().message(), "LA14"));
  headers.insert(headers.begin() + 1, policy(0));
  EXPECT_TRUE(absl::StrContains(SnpPolicy(file.sample.file).status().message(),
                                "LA14"));
}

TEST(IgvmPlan, SigningKeepsWhatHeadersPointTo) {
  LaunchPlan plan = ImagePlan();
  const auto bare = IgvmOfPlan(plan);
  auto file = igvm::Read(*bare);
  ASSERT_TRUE(file.ok());
  const std::vector<uint8_t> document = {9, 8, 7, 6, 5}, signature = {1, 2};
  const auto corim = [](HeaderType type, base::Bytes data) {
    return igvm::Header{
        .type = static_cast<uint32_t>(type),
        .body = igvm::CorimData{.compatibility_mask = kSnp, .data = data}};
  };
  file->headers.insert(file->headers.begin() + 2,
                       {corim(HeaderType::kCorimDocument, document),
                        corim(HeaderType::kCorimSignature, signature)});
  const auto with_corim = igvm::Write(*file);
  ASSERT_TRUE(with_corim.ok()) << with_corim.status();
  const auto signed_bytes = WithIdBlock(*with_corim, SomeIdBlock(plan.policy));
  ASSERT_TRUE(signed_bytes.ok()) << signed_bytes.status();
  const auto back = igvm::Read(*signed_bytes);
  ASSERT_TRUE(back.ok()) << back.status();
  for (const size_t i : {size_t{2}, size_t{3}}) {
    const auto* kept = std::get_if<igvm::CorimData>(&back->headers[i].body);
    ASSERT_NE(kept, nullptr) << i;
    EXPECT_TRUE(base::Equal(kept->data, i == 2 ? document : signature)) << i;
  }
  EXPECT_EQ(MeasurePlan(*PlanOfIgvm(*back, Loader::kInOrder)),
            MeasurePlan(plan));

  // Nobody knows what the bytes of these mean.
  for (const uint32_t type :
       {igvm::kOptionalBit | 0x3FF, uint32_t{0x3FF}, uint32_t{0x311}}) {
    const std::array<uint8_t, 16> content = {0, 0, 0, 0, 0, 1};
    igvm::File unknown = *file;
    unknown.headers.push_back({.type = type, .body = igvm::Opaque{content}});
    const auto refused =
        WithIdBlock(*igvm::Write(unknown), SomeIdBlock(plan.policy));
    EXPECT_TRUE(absl::StrContains(refused.status().message(), "LA13"))
        << refused.status();
  }
}

TEST(IgvmPlan, QemuGathersPagesAndInsertsAreasAtOnce) {
  Foreign file;
  file.Page(0x1000, file.sample.page)
      .Context()
      .Page(0x3000, file.sample.page)
      .Insert(0x8000)
      .Page(0x4000, file.sample.page)  // behind other headers: a new region
      .Page(0x5000);                   // no bytes: another region
  EXPECT_EQ(file.Order(Loader::kInOrder),
            (std::vector<uint64_t>{0x1000, sev::kKvmVmsaGpa, 0x3000, 0x8000,
                                   0x9000, 0x4000, 0x5000}));
  EXPECT_EQ(file.Order(Loader::kQemu),
            (std::vector<uint64_t>{0x1000, 0x8000, 0x9000, 0x3000, 0x4000,
                                   0x5000, sev::kKvmVmsaGpa}));
}

TEST(IgvmPlan, PageTypesAreThoseOfTheFirmware) {
  Foreign file;
  file.Page(0x1000).Page(0x2000, {}, igvm::kPageUnmeasured);
  file.sample.Add(HeaderType::kPageData,
                  igvm::PageData{.gpa = 0x3000,
                                 .compatibility_mask = kSnp,
                                 .data_type = igvm::PageDataType::kSecrets});
  file.sample.Add(HeaderType::kPageData,
                  igvm::PageData{.gpa = 0x4000,
                                 .compatibility_mask = kSnp,
                                 .data_type = igvm::PageDataType::kCpuidXf,
                                 .data = file.sample.page});
  file.Context();
  for (const Loader loader : {Loader::kQemu, Loader::kInOrder}) {
    const auto plan = file.Plan(loader);
    ASSERT_TRUE(plan.ok()) << plan.status();
    ASSERT_EQ(plan->pages.size(), 5u);
    EXPECT_EQ(plan->pages[0].type, PageType::kNormal);
    EXPECT_EQ(plan->pages[0].contents, std::vector<uint8_t>(4096));
    EXPECT_EQ(plan->pages[1].type, PageType::kUnmeasured);
    EXPECT_EQ(plan->pages[2].type, PageType::kSecrets);
    EXPECT_EQ(plan->pages[3].type, PageType::kCpuid);
    EXPECT_TRUE(plan->pages[3].contents.empty());
    EXPECT_EQ(plan->pages[4].type, PageType::kVmsa);
  }
}

TEST(IgvmPlan, LargePagesAreFiveHundredAndTwelve) {
  Foreign file;
  file.Page(0x400000, file.sample.large_page, igvm::kPageIsLarge).Context();
  const auto plan = file.Plan(Loader::kInOrder);
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_EQ(plan->pages.size(), 513u);
  EXPECT_EQ(plan->pages[511].gpa, 0x400000u + 511 * 4096);
  EXPECT_TRUE(base::Equal(plan->pages[511].contents,
                          base::Bytes(file.sample.large_page).last<4096>()));
  // QEMU's library would read 4 KiB of it.
  EXPECT_FALSE(file.Plan(Loader::kQemu).ok());
  Foreign zeros;
  zeros.Page(0x400000, {}, igvm::kPageIsLarge).Context();
  EXPECT_EQ(zeros.Order(Loader::kQemu), zeros.Order(Loader::kInOrder));
}

TEST(IgvmPlan, OtherPlatformsAreLeftOut) {
  const igvm::SampleFile sample;
  igvm::File file = sample.file;
  // The sample has what QEMU does not know, for VSM.
  const auto plan = PlanOfIgvm(file, Loader::kQemu);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->pages.size(), 5u + 2u + 1u);
  EXPECT_EQ(plan->policy, 0x30000u);
  ASSERT_TRUE(plan->memory_map.has_value());
  EXPECT_EQ(plan->memory_map->gpa, 0x110000u);
  EXPECT_TRUE(plan->id_block.has_value());
  file.headers.erase(file.headers.begin());
  EXPECT_TRUE(absl::StrContains(
      PlanOfIgvm(file, Loader::kQemu).status().message(), "LA12"));
}

TEST(IgvmPlan, WhatIsNotUnderstoodIsRefused) {
  struct Row {
    const char* what;
    const char* reason;
    Loader loader;
    std::function<void(Foreign&)> spoil;
  };
  const auto opaque = [](uint32_t type) {
    return [type](Foreign& f) {
      f.sample.file.headers.push_back(
          {.type = type, .body = igvm::Opaque{f.sample.unknown}});
    };
  };
  const Row rows[] = {
      {"unknown type", "LA13", Loader::kInOrder, opaque(0x3FF)},
      {"optional page data", "LA13", Loader::kInOrder,
       opaque(igvm::kOptionalBit | 0x302)},
      {"VBS measurement for SNP", "LA13", Loader::kInOrder, opaque(0x311)},
      {"unknown flag", "LA13", Loader::kInOrder,
       [](Foreign& f) { f.Page(0x1000, {}, 8); }},
      {"unknown page type", "LA13", Loader::kInOrder,
       [](Foreign& f) {
         f.sample.Add(
             HeaderType::kPageData,
             igvm::PageData{.compatibility_mask = kSnp,
                            .data_type = static_cast<igvm::PageDataType>(9)});
       }},
      {"relocatable", "LA13", Loader::kInOrder,
       [](Foreign& f) {
         f.sample.Add(HeaderType::kRelocatableRegion,
                      igvm::RelocatableRegion{.compatibility_mask = kSnp});
       }},
      {"page tables", "LA13", Loader::kQemu,
       [](Foreign& f) {
         f.sample.Add(
             HeaderType::kPageTableRelocationRegion,
             igvm::PageTableRelocationRegion{.compatibility_mask = kSnp});
       }},
      {"error range", "LA13", Loader::kQemu,
       [](Foreign& f) {
         f.sample.Add(HeaderType::kErrorRange,
                      igvm::ErrorRange{.compatibility_mask = kSnp});
       }},
      {"two policies", "LA14", Loader::kInOrder,
       [](Foreign& f) {
         for (int i = 0; i < 2; ++i) {
           f.sample.Add(HeaderType::kGuestPolicy,
                        igvm::GuestPolicy{.compatibility_mask = kSnp});
         }
       }},
      {"a page twice", "LA14", Loader::kInOrder,
       [](Foreign& f) { f.Page(0x1000).Page(0x1000); }},
      {"a page in an area", "LA14", Loader::kQemu,
       [](Foreign& f) { f.Insert(0x1000).Page(0x2000); }},
      {"VMSA elsewhere", "LA14", Loader::kQemu,
       [](Foreign& f) { f.Context(0x5000); }},
      {"second CPU", "LA14", Loader::kQemu,
       [](Foreign& f) { f.Context(sev::kKvmVmsaGpa, 1); }},
      {"VMSA twice", "LA14", Loader::kQemu, [](Foreign& f) { f.Context(); }},
      {"short VMSA", "LA14", Loader::kInOrder,
       [](Foreign& f) {
         f.sample.Add(HeaderType::kVpContext,
                      igvm::VpContext{.compatibility_mask = kSnp});
       }},
  };
  for (const Row& row : rows) {
    Foreign file;
    file.Context();
    row.spoil(file);
    const auto plan = file.Plan(row.loader);
    EXPECT_TRUE(absl::StrContains(plan.status().message(), row.reason))
        << row.what << ": " << plan.status();
  }
  Foreign none;
  EXPECT_TRUE(
      absl::StrContains(none.Plan(Loader::kQemu).status().message(), "LA14"));
}

TEST(IgvmPlan, WhatMayBeLeftOutIs) {
  Foreign file;
  file.Page(0x1000).Context();
  const auto before = MeasurePlan(*file.Plan(Loader::kQemu));
  file.sample.file.headers.push_back(
      {.type = igvm::kOptionalBit | 0x3FF,
       .body = igvm::Opaque{file.sample.unknown}});
  for (const HeaderType type :
       {HeaderType::kCorimDocument, HeaderType::kCorimSignature}) {
    file.sample.Add(type, igvm::CorimData{.compatibility_mask = kSnp,
                                          .data = file.sample.unknown});
  }
  file.sample.Add(HeaderType::kRequiredMemory,
                  igvm::RequiredMemory{.compatibility_mask = kSnp});
  const auto plan = file.Plan(Loader::kQemu);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(MeasurePlan(*plan), before);
}

TEST(IgvmPlan, MemoryIsBounded) {
  Foreign file;
  file.Context();
  for (uint64_t i = 0; i <= kMaxPlanPages / 512; ++i) {
    file.Page(i << 21, {}, igvm::kPageIsLarge | igvm::kPageUnmeasured);
  }
  EXPECT_TRUE(
      absl::StrContains(file.Plan(Loader::kQemu).status().message(), "LA14"));
}

}  // namespace
}  // namespace launch
