// SPDX-License-Identifier: Apache-2.0
//
// Configuring and measuring image files.
#include "launch/image.h"

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "base/bytes.h"
#include "gtest/gtest.h"
#include "launch/elf_for_tests.h"
#include "launch/measure.h"
#include "proto/config_level.h"

namespace launch {
namespace {

proto::Config SomeConfig(std::string_view vm = "demo/vm1") {
  proto::Config config;
  config.vm.Assign(vm);
  config.verifier_endpoint.Assign("verifier");
  config.verifier_pins.Add({1});
  return config;
}

std::string HexOf(const sev::LaunchDigest& digest) {
  return absl::BytesToHexString(
      {reinterpret_cast<const char*>(digest.data()), digest.size()});
}

TEST(Image, IsConfiguredOnceUnlessForced) {
  auto file = TestElf().Bytes();
  EXPECT_EQ(ConfigOfImage(file).status().code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(ConfigureImage(file, SomeConfig(), Reconfigure::kRefuse).ok());
  EXPECT_EQ(ConfigOfImage(file)->vm.view(), "demo/vm1");
  const auto refused =
      ConfigureImage(file, SomeConfig("x"), Reconfigure::kRefuse);
  EXPECT_TRUE(absl::StrContains(refused.message(), "LA3")) << refused;
  EXPECT_EQ(ConfigOfImage(file)->vm.view(), "demo/vm1");
  ASSERT_TRUE(ConfigureImage(file, SomeConfig("x"), Reconfigure::kAllow).ok());
  EXPECT_EQ(ConfigOfImage(file)->vm.view(), "x");
}

TEST(Image, OnlyTheSectionChanges) {
  const auto before = TestElf().Bytes();
  auto after = before;
  ASSERT_TRUE(ConfigureImage(after, SomeConfig(), Reconfigure::kRefuse).ok());
  ASSERT_EQ(before.size(), after.size());
  EXPECT_TRUE(base::Equal(base::Bytes(before).first(TestElf::kConfigOffset),
                          base::Bytes(after).first(TestElf::kConfigOffset)));
}

TEST(Image, ABrokenRuleIsRefusedWithItsReason) {
  auto file = TestElf().Bytes();
  const auto status =
      ConfigureImage(file, SomeConfig("UPPER"), Reconfigure::kRefuse);
  EXPECT_TRUE(absl::StrContains(status.message(), "PR8")) << status;
  TestElf other;
  other.names[12] = 'C';
  file = other.Bytes();
  EXPECT_EQ(ConfigureImage(file, SomeConfig(), Reconfigure::kRefuse).code(),
            absl::StatusCode::kNotFound);
}

// Another note in the place of the launch note.
TestElf WithLevelNote(uint32_t level, uint32_t size = 4) {
  TestElf elf;
  elf.note.n_type = proto::kConfigLevelNoteType;
  elf.note.n_descsz = size;
  elf.note_words[0] = level;
  elf.programs[2].p_filesz = sizeof(elf.note) + sizeof(elf.note_name) + size;
  return elf;
}

TEST(Image, LevelIsTheNotesOrOne) {
  EXPECT_EQ(*ConfigLevelOfImage(TestElf().Bytes()), 1u);
  TestElf no_notes;
  no_notes.programs[2].p_type = PT_NULL;
  EXPECT_EQ(*ConfigLevelOfImage(no_notes.Bytes()), 1u);
  EXPECT_EQ(*ConfigLevelOfImage(WithLevelNote(2).Bytes()), 2u);
  EXPECT_EQ(*ConfigLevelOfImage(WithLevelNote(UINT32_MAX).Bytes()), UINT32_MAX);
}

TEST(Image, AnOddLevelNoteIsRefused) {
  auto twice = WithLevelNote(2);
  twice.programs[3] = twice.programs[2];
  auto outside = WithLevelNote(2);
  outside.programs[2].p_offset = UINT64_MAX - 8;
  for (const TestElf& elf :
       {WithLevelNote(0), WithLevelNote(2, 0), WithLevelNote(2, 8),
        WithLevelNote(2, 3), twice, outside}) {
    auto file = elf.Bytes();
    EXPECT_FALSE(ConfigLevelOfImage(file).ok());
    EXPECT_FALSE(ConfigureImage(file, SomeConfig(), Reconfigure::kRefuse).ok());
    EXPECT_EQ(ConfigOfImage(file).status().code(), absl::StatusCode::kNotFound);
  }
}

TEST(Image, AFieldThatItsSvsmDoesNotKnowIsRefused) {
  proto::Config config = SomeConfig();
  config.boot_deadline = base::Milliseconds{90'000};
  auto old = TestElf().Bytes();
  const auto refused = ConfigureImage(old, config, Reconfigure::kRefuse);
  EXPECT_TRUE(
      absl::StrContains(refused.message(),
                        ": deadlines.boot_ms needs configuration level 2, "
                        "the image's SVSM knows 1"))
      << refused;
  EXPECT_EQ(old, TestElf().Bytes());
  // What an older SVSM does anyway is not written into its image.
  config.boot_deadline = SomeConfig().boot_deadline;
  EXPECT_TRUE(ConfigureImage(old, config, Reconfigure::kRefuse).ok());

  config.boot_deadline = base::Milliseconds{90'000};
  auto file = WithLevelNote(2).Bytes();
  ASSERT_TRUE(ConfigureImage(file, config, Reconfigure::kRefuse).ok());
  EXPECT_EQ(ConfigOfImage(file)->boot_deadline, config.boot_deadline);
}

// The digest of TestElf, computed by another program from the same words of
// the specification (Python's hashlib, page by page).
constexpr char kGolden[] =
    "2ddc82ce2ab6192928ba498d9ed7a405d8f8b0df586de602"
    "d7871b7dd26f6c9e003bcc8ac3885db0c0f4659fccbd9b22";

TEST(Measure, IsThePageInfoChain) {
  const auto file = TestElf().Bytes();
  const auto digest = MeasureEmulatedImage(file);
  ASSERT_TRUE(digest.ok());
  EXPECT_EQ(HexOf(*digest), kGolden);
}

TEST(Measure, EveryLoadedByteCountsAndNoOther) {
  const auto original = TestElf().Bytes();
  const auto digest = *MeasureEmulatedImage(original);
  for (const size_t at :
       {TestElf::kTextOffset, TestElf::kTextOffset + TestElf::kTextSize - 1,
        TestElf::kConfigOffset, original.size() - 1}) {
    auto file = original;
    file[at] ^= 1;
    EXPECT_NE(*MeasureEmulatedImage(file), digest) << at;
  }
  for (const size_t at :
       {size_t{0xC00}, TestElf::kTextOffset + TestElf::kTextSize}) {
    auto file = original;
    file[at] ^= 1;
    EXPECT_EQ(*MeasureEmulatedImage(file), digest) << at;
  }
}

TEST(Measure, AnotherAddressIsAnotherDigest) {
  TestElf elf;
  elf.programs[1].p_paddr += 0x1000;
  const auto file = elf.Bytes();
  EXPECT_NE(HexOf(*MeasureEmulatedImage(file)), kGolden);
}

}  // namespace
}  // namespace launch
