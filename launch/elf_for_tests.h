// SPDX-License-Identifier: Apache-2.0
//
// Small ELF files that look like a guest image, for tests and fuzz seeds.
#pragma once

#include <elf.h>
#include <stdint.h>
#include <string.h>

#include <array>
#include <vector>

#include "proto/config_section.h"
#include "proto/launch_note.h"

namespace launch {

// Two PT_LOADs: text at 0x200000 (0x1100 bytes in the file, 0x6000 in memory,
// the last three pages named by the launch note) and the configuration at
// 0x210000, with its section. Program headers are in descending address.
struct TestElf {
  static constexpr uint64_t kText = 0x200000;
  static constexpr size_t kTextSize = 0x1100;
  static constexpr uint64_t kConfig = 0x210000;
  static constexpr size_t kTextOffset = 0x1000;
  static constexpr size_t kConfigOffset = 0x3000;

  static constexpr size_t kNoteOffset = 0xE00;
  static constexpr uint64_t kEntry = kText + 0x20;
  static constexpr uint64_t kZeroPage = kText + 0x2000;
  static constexpr uint64_t kSecretsPage = kText + 0x3000;
  static constexpr uint64_t kCpuidPage = kText + 0x4000;
  static constexpr uint64_t kMemoryMapPage = kText + 0x5000;

  Elf64_Ehdr header{};
  std::array<Elf64_Phdr, 4> programs{};  // the last one is empty
  std::array<Elf64_Shdr, 3> sections{};
  std::vector<char> names;
  Elf64_Nhdr note{};
  char note_name[12] = "Forelock";
  std::array<uint64_t, proto::kLaunchNoteSize / 8> note_words = {
      proto::kLaunchNoteVersion, kEntry, kSecretsPage, kCpuidPage,
      kMemoryMapPage};

  TestElf() {
    memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_type = ET_EXEC;
    header.e_machine = EM_X86_64;
    header.e_phoff = sizeof(header);
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = static_cast<uint16_t>(programs.size());
    header.e_shoff = 0x800;
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_shnum = static_cast<uint16_t>(sections.size());
    header.e_shstrndx = 1;
    programs[0] = Load(kConfig, kConfigOffset, proto::kConfigSectionSize,
                       proto::kConfigSectionSize);
    programs[1] = Load(kText, kTextOffset, kTextSize, 0x6000);
    programs[2].p_type = PT_NOTE;
    programs[2].p_offset = kNoteOffset;
    programs[2].p_filesz =
        sizeof(note) + sizeof(note_name) + sizeof(note_words);
    programs[2].p_align = 4;
    note.n_namesz = sizeof(proto::kLaunchNoteName);
    note.n_descsz = sizeof(note_words);
    note.n_type = proto::kLaunchNoteType;
    const char text[] = "\0.shstrtab\0.config";
    names.assign(text, text + sizeof(text));
    sections[1].sh_name = 1;
    sections[1].sh_type = SHT_STRTAB;
    sections[1].sh_offset = 0xC00;
    sections[1].sh_size = names.size();
    sections[2].sh_name = 11;
    sections[2].sh_type = SHT_PROGBITS;
    sections[2].sh_addr = kConfig;
    sections[2].sh_offset = kConfigOffset;
    sections[2].sh_size = proto::kConfigSectionSize;
  }

  static Elf64_Phdr Load(uint64_t address, uint64_t offset, uint64_t file_size,
                         uint64_t memory_size) {
    Elf64_Phdr program{};
    program.p_type = PT_LOAD;
    program.p_paddr = program.p_vaddr = address;
    program.p_offset = offset;
    program.p_filesz = file_size;
    program.p_memsz = memory_size;
    return program;
  }

  std::vector<uint8_t> Bytes() const {
    std::vector<uint8_t> file(kConfigOffset + proto::kConfigSectionSize);
    const auto put = [&](size_t at, const void* data, size_t size) {
      memcpy(file.data() + at, data, size);
    };
    put(0, &header, sizeof(header));
    put(sizeof(header), programs.data(), sizeof(programs));
    put(0x800, sections.data(), sizeof(sections));
    put(0xC00, names.data(), names.size());
    put(kNoteOffset, &note, sizeof(note));
    put(kNoteOffset + sizeof(note), note_name, sizeof(note_name));
    put(kNoteOffset + sizeof(note) + sizeof(note_name), note_words.data(),
        sizeof(note_words));
    for (size_t i = 0; i < kTextSize; ++i) {
      file[kTextOffset + i] = static_cast<uint8_t>(i * 7);
    }
    return file;
  }
};

}  // namespace launch
