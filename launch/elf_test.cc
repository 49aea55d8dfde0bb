// SPDX-License-Identifier: Apache-2.0
#include "launch/elf.h"

#include <functional>

#include "base/bytes.h"
#include "gtest/gtest.h"
#include "launch/elf_for_tests.h"

namespace launch {
namespace {

TEST(Elf, FindsSegmentsInAscendingOrderAndTheSection) {
  const auto file = TestElf().Bytes();
  const auto elf = Elf::Parse(file);
  ASSERT_TRUE(elf.ok()) << elf.status();
  ASSERT_EQ(elf->segments().size(), 2u);
  EXPECT_EQ(elf->segments()[0].physical_address, TestElf::kText);
  EXPECT_EQ(elf->segments()[0].file_bytes.size(), TestElf::kTextSize);
  EXPECT_EQ(elf->segments()[1].physical_address, TestElf::kConfig);
  const auto section = elf->Section(".config");
  ASSERT_TRUE(section.ok()) << section.status();
  EXPECT_EQ(section->offset, TestElf::kConfigOffset);
  EXPECT_EQ(elf->Section(".text").status().code(), absl::StatusCode::kNotFound);
}

TEST(Elf, OddFilesAreRefused) {
  struct Row {
    const char* what;
    std::function<void(TestElf&)> spoil;
  };
  const Row rows[] = {
      {"magic", [](TestElf& e) { e.header.e_ident[0] = 0; }},
      {"32 bits", [](TestElf& e) { e.header.e_ident[EI_CLASS] = ELFCLASS32; }},
      {"machine", [](TestElf& e) { e.header.e_machine = EM_AARCH64; }},
      {"shared object", [](TestElf& e) { e.header.e_type = ET_DYN; }},
      {"entry size", [](TestElf& e) { e.header.e_phentsize = 32; }},
      {"many headers", [](TestElf& e) { e.header.e_phnum = 0xFFFF; }},
      {"headers outside", [](TestElf& e) { e.header.e_phoff = 1 << 20; }},
      {"headers wrap", [](TestElf& e) { e.header.e_phoff = UINT64_MAX - 8; }},
      {"nothing to load",
       [](TestElf& e) { e.programs[0].p_type = e.programs[1].p_type = 0; }},
      {"bytes outside", [](TestElf& e) { e.programs[1].p_offset = 1 << 20; }},
      {"bytes wrap",
       [](TestElf& e) { e.programs[1].p_offset = UINT64_MAX - 1; }},
      {"less memory than file",
       [](TestElf& e) { e.programs[1].p_memsz = 0x100; }},
      {"not page aligned",
       [](TestElf& e) { e.programs[1].p_paddr = 0x200800; }},
      {"memory wraps", [](TestElf& e) { e.programs[1].p_memsz = UINT64_MAX; }},
      {"address wraps",
       [](TestElf& e) { e.programs[1].p_paddr = 0xFFFFFFFFFFFFF000; }},
      {"address and size wrap",
       [](TestElf& e) {
         e.programs[1].p_paddr = e.programs[1].p_memsz = 0xFFFFFFFFFFFFF000;
       }},
      {"overlap", [](TestElf& e) { e.programs[1].p_memsz = 0x10001; }},
  };
  for (const Row& row : rows) {
    TestElf elf;
    row.spoil(elf);
    const auto file = elf.Bytes();
    EXPECT_FALSE(Elf::Parse(file).ok()) << row.what;
  }
}

TEST(Elf, OddSectionsAreRefused) {
  struct Row {
    const char* what;
    std::function<void(TestElf&)> spoil;
  };
  const Row rows[] = {
      {"headers outside", [](TestElf& e) { e.header.e_shoff = 1 << 20; }},
      {"headers wrap", [](TestElf& e) { e.header.e_shoff = UINT64_MAX - 70; }},
      {"no names", [](TestElf& e) { e.header.e_shstrndx = 9; }},
      {"names outside", [](TestElf& e) { e.sections[1].sh_size = 1 << 30; }},
      {"not in the file",
       [](TestElf& e) { e.sections[2].sh_type = SHT_NOBITS; }},
      {"outside", [](TestElf& e) { e.sections[2].sh_offset = 1 << 20; }},
      {"not loaded", [](TestElf& e) { e.programs[0].p_type = PT_NOTE; }},
      {"loaded in part", [](TestElf& e) { e.programs[0].p_filesz = 0x1000; }},
      {"loaded elsewhere", [](TestElf& e) { e.sections[2].sh_addr = 0; }},
      {"two", [](TestElf& e) { e.sections[0] = e.sections[2]; }},
  };
  for (const Row& row : rows) {
    TestElf builder;
    row.spoil(builder);
    const auto file = builder.Bytes();
    const auto elf = Elf::Parse(file);
    ASSERT_TRUE(elf.ok()) << row.what << elf.status();
    EXPECT_FALSE(elf->Section(".config").ok()) << row.what;
  }
}

TEST(Elf, FindsTheNoteAmongOthers) {
  TestElf builder;
  const auto file = builder.Bytes();
  const auto elf = Elf::Parse(file);
  ASSERT_TRUE(elf.ok());
  const auto note = elf->Note("Forelock", 1);
  ASSERT_TRUE(note.ok()) << note.status();
  EXPECT_EQ(note->size(), sizeof(builder.note_words));
  EXPECT_EQ(elf->Note("Forelock", 2).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(elf->Note("Forelocks", 1).status().code(),
            absl::StatusCode::kNotFound);
}

TEST(Elf, OddNotesAreRefused) {
  struct Row {
    const char* what;
    std::function<void(TestElf&)> spoil;
  };
  const Row rows[] = {
      {"outside", [](TestElf& e) { e.programs[2].p_offset = 1 << 20; }},
      {"wrap", [](TestElf& e) { e.programs[2].p_offset = UINT64_MAX - 4; }},
      {"name too long", [](TestElf& e) { e.note.n_namesz = UINT32_MAX; }},
      {"too long", [](TestElf& e) { e.note.n_descsz = UINT32_MAX; }},
      {"cut", [](TestElf& e) { e.programs[2].p_filesz -= 1; }},
      {"half a header", [](TestElf& e) { e.programs[2].p_filesz = 4; }},
      {"rest", [](TestElf& e) { e.programs[2].p_filesz += 4; }},
      {"two", [](TestElf& e) { e.programs[3] = e.programs[2]; }},
  };
  for (const Row& row : rows) {
    TestElf builder;
    row.spoil(builder);
    const auto file = builder.Bytes();
    const auto elf = Elf::Parse(file);
    ASSERT_TRUE(elf.ok()) << row.what << elf.status();
    EXPECT_FALSE(elf->Note("Forelock", 1).ok()) << row.what;
  }
}

TEST(Elf, EveryTruncationFails) {
  const auto file = TestElf().Bytes();
  for (size_t size = 0; size < file.size(); ++size) {
    EXPECT_FALSE(Elf::Parse(base::Bytes(file).first(size)).ok()) << size;
  }
}

TEST(Elf, NoFlippedBitLeadsOutside) {
  auto file = TestElf().Bytes();
  for (size_t bit = 0; bit < 8 * file.size(); ++bit) {
    file[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    const auto elf = Elf::Parse(file);
    if (elf.ok()) {
      uint64_t end = 0;  // of the segment before
      for (const Segment& segment : elf->segments()) {
        EXPECT_GE(segment.file_bytes.data(), file.data()) << bit;
        EXPECT_LE(segment.file_bytes.data() + segment.file_bytes.size(),
                  file.data() + file.size())
            << bit;
        EXPECT_GE(segment.memory_size, segment.file_bytes.size()) << bit;
        EXPECT_GE(segment.physical_address, end) << bit;
        end = segment.physical_address + segment.memory_size;
        EXPECT_GE(end, segment.physical_address) << bit;
      }
      const auto section = elf->Section(".config");
      if (section.ok()) {
        EXPECT_LE(section->offset, file.size()) << bit;
        EXPECT_LE(section->size, file.size() - section->offset) << bit;
      }
      for (const uint32_t type : {1u, 2u}) {
        const auto note = elf->Note("Forelock", type);
        if (!note.ok()) continue;
        EXPECT_GE(note->data(), file.data()) << bit;
        EXPECT_LE(note->data() + note->size(), file.data() + file.size())
            << bit;
      }
    }
    file[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
  }
}

}  // namespace
}  // namespace launch
