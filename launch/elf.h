// SPDX-License-Identifier: Apache-2.0
//
// What launching needs of an ELF file: its PT_LOAD segments in ascending
// address, where one section lies in the file, and one note.
//
// Spec: System V ABI (gABI) 4.1 chapters 4 and 5, x86-64 psABI. The file may be
// anything: every offset is checked before it is used.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <span>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/bytes.h"

namespace launch {

struct Segment {
  uint64_t physical_address = 0;  // 4 KiB aligned
  base::Bytes file_bytes;         // Into the file; may be shorter than memory.
  uint64_t memory_size = 0;       // At least file_bytes.size().
};

// A range of the file.
struct FileRange {
  size_t offset = 0;
  size_t size = 0;
};

class Elf {
 public:
  static constexpr size_t kMaxFileSize = 64 << 20;

  // `file` outlives the result.
  //   InvalidArgument (LA1): not a little-endian x86-64 ELF64 executable whose
  //   PT_LOAD segments are page aligned, inside the file and apart.
  static absl::StatusOr<Elf> Parse(base::Bytes file);

  // PT_LOAD segments with file bytes, in ascending physical address.
  const std::vector<Segment>& segments() const { return segments_; }

  // All PT_LOAD segments, those without file bytes too.
  const std::vector<Segment>& memory() const { return memory_; }

  // The descriptor of the note of this name and type in the PT_NOTE segments.
  //   NotFound (LA10): none. InvalidArgument (LA1): two, or notes that are not
  //   well formed.
  absl::StatusOr<base::Bytes> Note(std::string_view name, uint32_t type) const;

  // A section that lies wholly in the file bytes of one PT_LOAD.
  //   NotFound (LA2): none of that name. InvalidArgument (LA1): two, or one
  //   that is not loaded as it stands in the file.
  absl::StatusOr<FileRange> Section(std::string_view name) const;

 private:
  explicit Elf(base::Bytes file) : file_(file) {}
  absl::Status ParseSegments();
  bool IsLoaded(const FileRange& range, uint64_t address) const;

  base::Bytes file_;
  std::vector<Segment> segments_;
  std::vector<Segment> memory_;
};

}  // namespace launch
