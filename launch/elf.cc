// SPDX-License-Identifier: Apache-2.0
#include "launch/elf.h"

#include <elf.h>

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "launch/error.h"
#include "launch/reasons.h"

namespace launch {
namespace {

constexpr uint64_t kPageSize = 4096;
constexpr uint16_t kMaxHeaders = 256;  // program or section headers

absl::Status Malformed(std::string_view what) {
  return Error(kElfMalformed, what);
}

// The structure of type T at `offset`, copied out: files have no alignment.
template <typename T>
std::optional<T> At(base::Bytes file, uint64_t offset) {
  if (offset > file.size() || sizeof(T) > file.size() - offset) {
    return std::nullopt;
  }
  T value;
  memcpy(&value, file.data() + offset, sizeof(T));
  return value;
}

std::optional<base::Bytes> Range(base::Bytes file, uint64_t offset,
                                 uint64_t size) {
  if (offset > file.size() || size > file.size() - offset) return std::nullopt;
  return file.subspan(offset, size);
}

absl::Status CheckHeader(const Elf64_Ehdr& header) {
  if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    return Malformed("no ELF magic");
  }
  if (header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_ident[EI_DATA] != ELFDATA2LSB || header.e_machine != EM_X86_64 ||
      header.e_type != ET_EXEC) {
    return Malformed("no x86-64 executable");
  }
  if (header.e_phentsize != sizeof(Elf64_Phdr) ||
      header.e_phnum > kMaxHeaders) {
    return Malformed("odd program headers");
  }
  if (header.e_shnum != 0 && (header.e_shentsize != sizeof(Elf64_Shdr) ||
                              header.e_shnum > kMaxHeaders)) {
    return Malformed("odd section headers");
  }
  return absl::OkStatus();
}

// The NUL-terminated name at `offset` of a string table.
std::string_view NameAt(base::Bytes names, uint32_t offset) {
  if (offset >= names.size()) return {};
  const base::Bytes rest = names.subspan(offset);
  const auto end = std::find(rest.begin(), rest.end(), uint8_t{0});
  if (end == rest.end()) return {};
  // EDGE: char may alias the bytes.
  return {reinterpret_cast<const char*>(rest.data()),
          static_cast<size_t>(end - rest.begin())};
}

struct NoteView {
  std::string_view name;  // without its NUL
  uint32_t type = 0;
  base::Bytes descriptor;
};

// The first note of `rest`, which then begins behind it. The padding of the
// last one may be missing.
std::optional<NoteView> TakeNote(base::Bytes& rest, uint64_t alignment) {
  const auto header = At<Elf64_Nhdr>(rest, 0);
  if (!header) return std::nullopt;
  const auto padded = [alignment](uint64_t size) {
    return (size + alignment - 1) / alignment * alignment;
  };
  // 32-bit sizes: no overflow.
  const uint64_t descriptor_at = padded(sizeof(*header) + header->n_namesz);
  const auto name = Range(rest, sizeof(*header), header->n_namesz);
  const auto descriptor = Range(rest, descriptor_at, header->n_descsz);
  if (!name || !descriptor) return std::nullopt;
  const NoteView note = {.name = NameAt(*name, 0),
                         .type = header->n_type,
                         .descriptor = *descriptor};
  const uint64_t end = padded(descriptor_at + header->n_descsz);
  rest = rest.subspan(std::min<uint64_t>(end, rest.size()));
  return note;
}

}  // namespace

absl::StatusOr<Elf> Elf::Parse(base::Bytes file) {
  if (file.size() > kMaxFileSize) return Malformed("larger than 64 MiB");
  const auto header = At<Elf64_Ehdr>(file, 0);
  if (!header) return Malformed("too short");
  if (auto status = CheckHeader(*header); !status.ok()) return status;
  Elf elf(file);
  if (auto status = elf.ParseSegments(); !status.ok()) return status;
  return elf;
}

absl::Status Elf::ParseSegments() {
  const auto header = *At<Elf64_Ehdr>(file_, 0);
  for (uint16_t i = 0; i < header.e_phnum; ++i) {
    uint64_t at = 0;
    if (__builtin_add_overflow(header.e_phoff, uint64_t{i} * sizeof(Elf64_Phdr),
                               &at)) {
      return Malformed("program headers outside the file");
    }
    const auto program = At<Elf64_Phdr>(file_, at);
    if (!program) return Malformed("program headers outside the file");
    if (program->p_type != PT_LOAD || program->p_memsz == 0) continue;
    const auto bytes = Range(file_, program->p_offset, program->p_filesz);
    uint64_t end = 0;
    if (!bytes || program->p_filesz > program->p_memsz ||
        program->p_paddr % kPageSize != 0 ||
        // A page more, for the rounding below.
        __builtin_add_overflow(program->p_paddr, program->p_memsz, &end) ||
        __builtin_add_overflow(end, kPageSize, &end)) {
      return Malformed("a segment outside file or memory, or not page aligned");
    }
    segments_.push_back({.physical_address = program->p_paddr,
                         .file_bytes = *bytes,
                         .memory_size = program->p_memsz});
  }
  if (segments_.empty()) return Malformed("nothing to load");
  std::ranges::sort(segments_, {}, &Segment::physical_address);
  for (size_t i = 1; i < segments_.size(); ++i) {
    const Segment& before = segments_[i - 1];
    const uint64_t end = before.physical_address + before.memory_size;
    // Two segments on one page would be two contents of it.
    if ((end + kPageSize - 1) / kPageSize * kPageSize >
        segments_[i].physical_address) {
      return Malformed("segments overlap");
    }
  }
  memory_ = segments_;
  std::erase_if(segments_,
                [](const Segment& s) { return s.file_bytes.empty(); });
  return absl::OkStatus();
}

absl::StatusOr<base::Bytes> Elf::Note(std::string_view name,
                                      uint32_t type) const {
  const auto header = *At<Elf64_Ehdr>(file_, 0);
  std::optional<base::Bytes> found;
  for (uint16_t i = 0; i < header.e_phnum; ++i) {
    // In the file, as Parse() saw.
    const auto program =
        *At<Elf64_Phdr>(file_, header.e_phoff + i * sizeof(Elf64_Phdr));
    if (program.p_type != PT_NOTE) continue;
    const auto notes = Range(file_, program.p_offset, program.p_filesz);
    if (!notes) return Malformed("notes outside the file");
    // Names and descriptors are padded alike; GNU's properties to 8.
    const uint64_t alignment = program.p_align == 8 ? 8 : 4;
    base::Bytes rest = *notes;
    while (!rest.empty()) {
      const auto note = TakeNote(rest, alignment);
      if (!note) return Malformed("a note outside its segment");
      if (note->name != name || note->type != type) continue;
      if (found) return Malformed(absl::StrCat("two notes ", name));
      found = note->descriptor;
    }
  }
  if (!found) {
    return Error(kElfNoLaunchNote, absl::StrCat("no note ", name),
                 absl::StatusCode::kNotFound);
  }
  return *found;
}

bool Elf::IsLoaded(const FileRange& range, uint64_t address) const {
  for (const Segment& segment : segments_) {
    const auto begin =
        static_cast<size_t>(segment.file_bytes.data() - file_.data());
    if (range.offset < begin) continue;
    const size_t into = range.offset - begin;
    if (into > segment.file_bytes.size() ||
        range.size > segment.file_bytes.size() - into) {
      continue;
    }
    return address == segment.physical_address + into;
  }
  return false;
}

absl::StatusOr<FileRange> Elf::Section(std::string_view name) const {
  const auto header = *At<Elf64_Ehdr>(file_, 0);
  const auto section_at = [&](uint16_t i) -> std::optional<Elf64_Shdr> {
    uint64_t at = 0;
    if (i >= header.e_shnum ||
        __builtin_add_overflow(header.e_shoff, uint64_t{i} * sizeof(Elf64_Shdr),
                               &at)) {
      return std::nullopt;
    }
    return At<Elf64_Shdr>(file_, at);
  };
  const auto names_header = section_at(header.e_shstrndx);
  if (!names_header) return Malformed("no section names");
  const auto names =
      Range(file_, names_header->sh_offset, names_header->sh_size);
  if (!names) return Malformed("section names outside the file");

  std::optional<FileRange> found;
  for (uint16_t i = 0; i < header.e_shnum; ++i) {
    const auto section = section_at(i);
    if (!section) return Malformed("section headers outside the file");
    if (NameAt(*names, section->sh_name) != name) continue;
    if (found) return Malformed(absl::StrCat("two sections ", name));
    const FileRange range = {.offset = section->sh_offset,
                             .size = section->sh_size};
    if (section->sh_type != SHT_PROGBITS ||
        !Range(file_, section->sh_offset, section->sh_size) ||
        !IsLoaded(range, section->sh_addr)) {
      return Malformed(absl::StrCat(name, " is not loaded from the file"));
    }
    found = range;
  }
  if (!found) {
    return Error(kElfNoConfigSection, absl::StrCat("no section ", name),
                 absl::StatusCode::kNotFound);
  }
  return *found;
}

}  // namespace launch
