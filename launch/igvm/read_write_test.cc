// SPDX-License-Identifier: Apache-2.0
#include "launch/igvm/read_write.h"

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "base/bytes.h"
#include "gtest/gtest.h"
#include "launch/igvm/igvm.h"
#include "launch/igvm/sample_file.h"

namespace igvm {
namespace {

constexpr size_t kFixedSize = 24;

std::vector<uint8_t> Bytes(const File& file) {
  const auto bytes = Write(file);
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  return bytes.ok() ? *bytes : std::vector<uint8_t>();
}

// After a change of the headers.
void FixChecksum(std::vector<uint8_t>& bytes) {
  const auto put = [&](uint32_t value) {
    base::StoreLe(value, std::span(bytes).subspan(20).first<4>());
  };
  const auto size =
      base::LoadLe<uint32_t>(std::span(bytes).subspan(12).first<4>());
  put(0);
  put(Crc32(base::Bytes(bytes).first(kFixedSize + size)));
}

// Everything inside the bytes that were read?
bool PointsInto(const File& file, base::Bytes bytes) {
  bool inside = true;
  const auto check = [&](base::Bytes view) {
    inside = inside && (view.empty() || (view.data() >= bytes.data() &&
                                         view.data() + view.size() <=
                                             bytes.data() + bytes.size()));
  };
  for (const Header& header : file.headers) {
    std::visit(
        [&](const auto& body) {
          if constexpr (requires { body.data; }) check(body.data);
          if constexpr (requires { body.content; }) check(body.content);
        },
        header.body);
  }
  return inside;
}

TEST(Crc, IsThatOfIeee) {
  const std::string text = "123456789";
  EXPECT_EQ(Crc32(base::AsBytes(text)), 0xCBF43926u);
  EXPECT_EQ(Crc32(base::AsBytes(text.substr(4)),
                  Crc32(base::AsBytes(text.substr(0, 4)))),
            0xCBF43926u);
}

TEST(Igvm, WhatIsWrittenIsReadBack) {
  for (const uint32_t version : {1u, 2u}) {
    SampleFile sample(/*large=*/true);
    sample.file.version = version;
    const auto bytes = Bytes(sample.file);
    const auto file = Read(bytes);
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_EQ(file->version, version);
    ASSERT_EQ(file->headers.size(), sample.file.headers.size());
    for (size_t i = 0; i < file->headers.size(); ++i) {
      EXPECT_EQ(file->headers[i].type, sample.file.headers[i].type) << i;
      EXPECT_EQ(file->headers[i].body.index(),
                sample.file.headers[i].body.index())
          << i;
    }
    EXPECT_TRUE(PointsInto(*file, bytes));
    EXPECT_EQ(Bytes(*file), bytes);
  }
}

TEST(Igvm, FieldsAreWhereTheFormatHasThem) {
  SampleFile sample;
  sample.file.headers.erase(sample.file.headers.begin() + 2,
                            sample.file.headers.end());
  sample.Add(HeaderType::kPageData, PageData{.gpa = 0x1122334455667000,
                                             .compatibility_mask = 3,
                                             .flags = kPageUnmeasured,
                                             .data_type = PageDataType::kCpuid,
                                             .data = sample.page});
  const auto bytes = Bytes(sample.file);
  const auto u32 = [&](size_t at) {
    return base::LoadLe<uint32_t>(std::span(bytes).subspan(at).first<4>());
  };
  EXPECT_EQ(std::string(bytes.begin(), bytes.begin() + 4), "IGVM");
  EXPECT_EQ(u32(4), 1u);
  EXPECT_EQ(u32(8), 24u);
  EXPECT_EQ(u32(12), 24u + 24u + 32u);
  EXPECT_EQ(u32(16), bytes.size());
  const size_t platform = 24;
  EXPECT_EQ(u32(platform), 1u);
  EXPECT_EQ(u32(platform + 4), 16u);
  EXPECT_EQ(u32(platform + 8), 1u);    // mask
  EXPECT_EQ(bytes[platform + 12], 0);  // VTL
  EXPECT_EQ(bytes[platform + 13], 2);  // SEV-SNP
  EXPECT_EQ(bytes[platform + 14], 1);  // version
  const size_t page = 24 + 2 * 24;
  EXPECT_EQ(u32(page), 0x302u);
  EXPECT_EQ(u32(page + 4), 24u);
  EXPECT_EQ(u32(page + 8), 0x55667000u);
  EXPECT_EQ(u32(page + 12), 0x11223344u);
  EXPECT_EQ(u32(page + 16), 3u);         // mask
  EXPECT_EQ(u32(page + 20), 24u + 80u);  // data
  EXPECT_EQ(u32(page + 24), 2u);         // flags
  EXPECT_EQ(u32(page + 28), 2u);         // type, reserved
}

TEST(Igvm, EqualDataIsStoredOnce) {
  SampleFile sample;
  const size_t before = Bytes(sample.file).size();
  sample.Add(HeaderType::kPageData,
             PageData{.gpa = 0x200000, .data = sample.page});
  EXPECT_EQ(Bytes(sample.file).size(), before + 32);
}

// The work of the writer is bounded, whatever the headers point to.
TEST(Igvm, DataOfManyHeadersIsHashedOnce) {
  constexpr size_t kArea = 32 << 20;
  constexpr size_t kAreas = 20;  // over DataSection::kMaxCompared
  const std::vector<uint8_t> data(kArea + kAreas, 1);
  for (const bool overlap : {false, true}) {
    SampleFile sample;
    sample.file.headers.resize(2);
    for (uint32_t i = 0; i < kAreas; ++i) {
      sample.Add(HeaderType::kParameterArea,
                 ParameterArea{.size = kArea,
                               .index = i,
                               .data = base::Bytes(data).subspan(
                                   overlap ? i : 0, kArea)});
    }
    const auto bytes = Write(sample.file);
    if (overlap) {
      EXPECT_TRUE(absl::StrContains(bytes.status().message(), "IG9"))
          << bytes.status();
    } else {
      ASSERT_TRUE(bytes.ok()) << bytes.status();
      EXPECT_EQ(bytes->size(), 24 + (2 + kAreas) * 24 + kArea);
    }
  }
}

TEST(Igvm, CorimHeadersBringTheirData) {
  SampleFile sample;
  sample.file.headers.resize(2);
  sample.Add(HeaderType::kCorimDocument,
             CorimData{.compatibility_mask = 1, .data = sample.unknown});
  auto bytes = Bytes(sample.file);
  const auto u32 = [&](size_t at) {
    return base::LoadLe<uint32_t>(std::span(bytes).subspan(at).first<4>());
  };
  // Where IGVM_VHS_CORIM_DATA has them.
  const size_t corim = 24 + 2 * 24;
  EXPECT_EQ(u32(corim), 0x104u);
  EXPECT_EQ(u32(corim + 4), 16u);
  EXPECT_EQ(u32(corim + 8), 1u);          // mask
  EXPECT_EQ(u32(corim + 12), 24u + 72u);  // data
  EXPECT_EQ(u32(corim + 16), 13u);        // its size
  EXPECT_EQ(u32(corim + 20), 0u);         // reserved
  const auto file = Read(bytes);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(base::Equal(std::get<CorimData>(file->headers[2].body).data,
                          sample.unknown));
  const struct {
    size_t at;
    uint32_t value;
    const char* reason;
  } rows[] = {{corim + 16, 14, "IG7"},
              {corim + 16, UINT32_MAX, "IG7"},
              {corim + 12, 0, "IG5"},  // a size of nothing
              {corim + 20, 1, "IG5"}};
  const auto good = bytes;
  for (const auto& row : rows) {
    bytes = good;
    base::StoreLe(row.value, std::span(bytes).subspan(row.at).first<4>());
    FixChecksum(bytes);
    EXPECT_TRUE(absl::StrContains(Read(bytes).status().message(), row.reason))
        << row.at;
  }
}

TEST(Igvm, UnknownHeadersAreKept) {
  SampleFile sample;
  sample.file.headers.push_back(
      {.type = 0x3FF, .body = Opaque{sample.unknown}});
  const auto bytes = Bytes(sample.file);
  const auto file = Read(bytes);
  ASSERT_TRUE(file.ok()) << file.status();
  const Header& last = file->headers.back();
  EXPECT_EQ(last.type, 0x3FFu);
  ASSERT_TRUE(std::holds_alternative<Opaque>(last.body));
  EXPECT_TRUE(base::Equal(std::get<Opaque>(last.body).content, sample.unknown));
  EXPECT_EQ(NameOf(last.type), "");
}

TEST(Igvm, BrokenRulesAreRefusedByWriterAndReader) {
  struct Row {
    const char* what;
    const char* reason;
    std::function<void(SampleFile&)> spoil;
  };
  const auto first = []<typename T>(SampleFile& s, T*) -> T& {
    for (Header& header : s.file.headers) {
      if (auto* body = std::get_if<T>(&header.body)) return *body;
    }
    ADD_FAILURE();
    static T none{};
    return none;
  };
  const Row rows[] = {
      {"two bits", "IG5",
       [&](SampleFile& s) {
         first(s, (SupportedPlatform*)nullptr).compatibility_mask = 3;
       }},
      {"same bit", "IG5",
       [&](SampleFile& s) {
         first(s, (SupportedPlatform*)nullptr).compatibility_mask = 2;
       }},
      {"platform after policy", "IG6",
       [](SampleFile& s) { std::swap(s.file.headers[1], s.file.headers[2]); }},
      {"policy after directive", "IG6",
       [](SampleFile& s) { s.Add(HeaderType::kGuestPolicy, GuestPolicy{}); }},
      {"page between pages", "IG5",
       [&](SampleFile& s) { first(s, (PageData*)nullptr).gpa += 8; }},
      {"large page between", "IG5",
       [](SampleFile& s) {
         s.Add(HeaderType::kPageData,
               PageData{.gpa = 0x1000, .flags = kPageIsLarge});
       }},
      {"page at the end of the address space", "IG5",
       [](SampleFile& s) {
         s.Add(HeaderType::kPageData, PageData{.gpa = ~uint64_t{0xFFF}});
       }},
      {"relocation alignment", "IG5",
       [&](SampleFile& s) {
         first(s, (RelocatableRegion*)nullptr).alignment = 0;
       }},
      {"relocation place", "IG5",
       [&](SampleFile& s) {
         first(s, (RelocatableRegion*)nullptr).minimum_gpa = 0x1000;
       }},
      {"more used than there", "IG5",
       [&](SampleFile& s) {
         first(s, (PageTableRelocationRegion*)nullptr).used_size = 0x4000;
       }},
      {"area of half a page", "IG5",
       [&](SampleFile& s) { first(s, (ParameterArea*)nullptr).size = 0x800; }},
      {"empty area", "IG5",
       [&](SampleFile& s) { first(s, (ParameterArea*)nullptr).size = 0; }},
      {"area twice", "IG8",
       [&](SampleFile& s) { first(s, (ParameterArea*)nullptr).index = 0; }},
      {"area not declared", "IG8",
       [&](SampleFile& s) { first(s, (Parameter*)nullptr).area_index = 3; }},
      {"outside its area", "IG8",
       [&](SampleFile& s) {
         first(s, (Parameter*)nullptr).byte_offset = 0x2000;
       }},
      {"inserted twice", "IG8",
       [](SampleFile& s) {
         s.Add(HeaderType::kParameterInsert,
               ParameterInsert{.gpa = 0, .area_index = 7});
       }},
      {"inserted between pages", "IG8",
       [&](SampleFile& s) { first(s, (ParameterInsert*)nullptr).gpa = 8; }},
      {"error range", "IG5",
       [&](SampleFile& s) { first(s, (ErrorRange*)nullptr).gpa = 1; }},
      {"required memory wraps", "IG5",
       [&](SampleFile& s) {
         first(s, (RequiredMemory*)nullptr).gpa = ~uint64_t{0xFFF};
       }},
  };
  for (const Row& row : rows) {
    SampleFile sample;
    row.spoil(sample);
    const auto bytes = Write(sample.file);
    ASSERT_FALSE(bytes.ok()) << row.what;
    EXPECT_TRUE(absl::StrContains(bytes.status().message(), row.reason))
        << row.what << ": " << bytes.status();
  }
}

TEST(Igvm, DataOfAnotherSizeIsNotWritten) {
  SampleFile sample;
  sample.Add(HeaderType::kPageData,
             PageData{.data = base::Bytes(sample.page).first(100)});
  EXPECT_FALSE(Write(sample.file).ok());
}

TEST(Igvm, ABodyOfAnotherKindIsNotWritten) {
  SampleFile sample;
  sample.Add(HeaderType::kPageData, ErrorRange{});
  EXPECT_FALSE(Write(sample.file).ok());
}

TEST(Igvm, OddBytesAreRefused) {
  struct Row {
    const char* reason;
    size_t at;
    uint32_t value;
    bool fix_checksum;
  };
  const SampleFile sample;
  const auto good = Bytes(sample.file);
  const auto size = static_cast<uint32_t>(good.size());
  const Row rows[] = {
      {"IG1", 0, 0, true},
      {"IG2", 4, 3, true},
      {"IG2", 4, 2, true},    // then a page size is where a header was
      {"IG3", 8, 16, false},  // headers inside the fixed header
      {"IG3", 8, 28, false},  // not aligned
      {"IG3", 8, size + 8, false},
      {"IG3", 12, size, false},
      {"IG3", 16, size - 1, true},
      {"IG4", 20, 12345, false},
      {"IG5", 24 + 4, 17, true},  // a platform longer than a platform
      {"IG5", 24 + 4, size, true},
      {"IG5", 24 + 4, UINT32_MAX, true},
      {"IG5", 24 + 2 * 24 + 20, 1, true},  // reserved, of the policy
  };
  for (const Row& row : rows) {
    auto bytes = good;
    base::StoreLe(row.value, std::span(bytes).subspan(row.at).first<4>());
    if (row.fix_checksum) FixChecksum(bytes);
    const auto file = Read(bytes);
    EXPECT_TRUE(absl::StrContains(file.status().message(), row.reason))
        << row.reason << " at " << row.at << ": " << file.status();
  }
}

TEST(Igvm, DataOutsideTheDataIsRefused) {
  SampleFile sample;
  sample.file.headers.erase(sample.file.headers.begin() + 2,
                            sample.file.headers.end());
  sample.Add(HeaderType::kPageData, PageData{.data = sample.page});
  const auto good = Bytes(sample.file);
  const size_t offset_at = 24 + 2 * 24 + 20;
  for (const uint32_t offset : {uint32_t{8}, uint32_t(good.size() - 4095),
                                uint32_t(good.size()), UINT32_MAX}) {
    auto bytes = good;
    base::StoreLe(offset, std::span(bytes).subspan(offset_at).first<4>());
    FixChecksum(bytes);
    const auto file = Read(bytes);
    EXPECT_TRUE(absl::StrContains(file.status().message(), "IG7"))
        << offset << file.status();
  }
}

TEST(Igvm, PaddingIsZeros) {
  SampleFile sample;
  sample.file.headers.back().body = Opaque{sample.unknown};  // 13 bytes
  auto bytes = Bytes(sample.file);
  const auto end = kFixedSize + base::LoadLe<uint32_t>(
                                    std::span(bytes).subspan(12).first<4>());
  bytes[end - 1] = 1;
  FixChecksum(bytes);
  EXPECT_TRUE(absl::StrContains(Read(bytes).status().message(), "IG5"));
}

TEST(Igvm, EveryTruncationFails) {
  const SampleFile sample;
  const auto bytes = Bytes(sample.file);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(Read(base::Bytes(bytes).first(size)).ok()) << size;
  }
}

TEST(Igvm, EveryFlippedBitOfTheHeadersIsNoticed) {
  const SampleFile sample;
  auto bytes = Bytes(sample.file);
  const auto end = kFixedSize + base::LoadLe<uint32_t>(
                                    std::span(bytes).subspan(12).first<4>());
  for (size_t bit = 0; bit < 8 * end; ++bit) {
    bytes[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    EXPECT_FALSE(Read(bytes).ok()) << bit;
    bytes[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
  }
}

TEST(Igvm, NoFlippedBitLeadsOutsideEvenWithItsChecksum) {
  const SampleFile sample;
  auto bytes = Bytes(sample.file);
  const auto end = kFixedSize + base::LoadLe<uint32_t>(
                                    std::span(bytes).subspan(12).first<4>());
  const auto good = bytes;
  for (size_t bit = 8 * kFixedSize; bit < 8 * end; ++bit) {
    bytes[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    FixChecksum(bytes);
    const auto file = Read(bytes);
    if (file.ok()) {
      EXPECT_TRUE(PointsInto(*file, bytes)) << bit;
      EXPECT_TRUE(Write(*file).ok()) << bit;
    }
    std::copy_n(good.begin(), end, bytes.begin());
  }
}

}  // namespace
}  // namespace igvm
