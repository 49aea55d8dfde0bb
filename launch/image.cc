// SPDX-License-Identifier: Apache-2.0
#include "launch/image.h"

#include <array>
#include <optional>

#include "absl/strings/str_cat.h"
#include "launch/elf.h"
#include "launch/error.h"
#include "launch/reasons.h"
#include "proto/config_level.h"
#include "proto/config_section.h"
#include "proto/launch_note.h"

namespace launch {
namespace {

absl::StatusOr<FileRange> ConfigRange(base::Bytes file) {
  const auto elf = Elf::Parse(file);
  if (!elf.ok()) return elf.status();
  auto range = elf->Section(proto::kConfigSectionName);
  if (range.ok() && range->size != proto::kConfigSectionSize) {
    return Error(kElfMalformed, ".config has another size than this tool's");
  }
  return range;
}

absl::Status CheckLevel(base::Bytes file, const proto::Config& config) {
  const auto level = ConfigLevelOfImage(file);
  if (!level.ok()) return level.status();
  const auto field = proto::FieldAboveLevel(config, *level);
  if (!field) return absl::OkStatus();
  return Error(kConfigAboveImage,
               absl::StrCat(field->name, " needs configuration level ",
                            field->level, ", the image's SVSM knows ", *level));
}

}  // namespace

absl::StatusOr<uint32_t> ConfigLevelOfImage(base::Bytes file) {
  const auto elf = Elf::Parse(file);
  if (!elf.ok()) return elf.status();
  const auto note =
      elf->Note(proto::kLaunchNoteName, proto::kConfigLevelNoteType);
  // Images of before the note.
  if (absl::IsNotFound(note.status())) return 1;
  if (!note.ok()) return note.status();
  if (note->size() != sizeof(uint32_t)) {
    return Error(kElfMalformed, "the configuration level is no 32-bit number");
  }
  const auto level = base::LoadLe<uint32_t>(note->first<sizeof(uint32_t)>());
  if (level == 0) {
    return Error(kElfMalformed, "there is no configuration level 0");
  }
  return level;
}

absl::StatusOr<proto::Config> ConfigOfImage(base::Bytes file) {
  const auto range = ConfigRange(file);
  if (!range.ok()) return range.status();
  return ConfigOfSection(file.subspan(range->offset, range->size));
}

absl::StatusOr<proto::Config> ConfigOfSection(base::Bytes section) {
  const auto bytes = proto::ConfigInSection(section);
  if (!bytes.ok()) return FromBase(bytes.status());
  proto::Config config;
  const base::Status status = proto::DecodeConfig(*bytes, config);
  if (!status.ok()) return FromBase(status);
  return config;
}

absl::Status ConfigureImage(base::MutableBytes file,
                            const proto::Config& config,
                            Reconfigure reconfigure) {
  const auto range = ConfigRange(file);
  if (!range.ok()) return range.status();
  const auto section = file.subspan(range->offset, range->size);
  if (!base::AllZero(section) && reconfigure == Reconfigure::kRefuse) {
    return Error(kImageConfigured, "--force replaces it");
  }
  if (auto status = CheckLevel(file, config); !status.ok()) return status;
  std::array<uint8_t, proto::kConfigMaxSize> buffer;
  const auto size = proto::EncodeConfig(config, buffer);
  if (!size.ok()) return FromBase(size.status());
  const base::Status filled =
      proto::FillConfigSection(base::Bytes(buffer).first(*size), section);
  if (!filled.ok()) return FromBase(filled);
  const auto read_back = ConfigOfImage(file);
  if (!read_back.ok()) {
    return Error(kImageChanged, read_back.status().message());
  }
  return absl::OkStatus();
}

}  // namespace launch
