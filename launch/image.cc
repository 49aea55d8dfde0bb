// SPDX-License-Identifier: Apache-2.0
#include "launch/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <optional>

#include "absl/strings/str_cat.h"
#include "launch/elf.h"
#include "launch/error.h"
#include "launch/reasons.h"
#include "proto/config_level.h"
#include "proto/config_section.h"
#include "proto/launch_note.h"
#include "proto/reasons.h"

namespace launch {
namespace {

constexpr mode_t kImageMode = 0644;

absl::Status FileError(std::string_view what, const std::string& path) {
  const std::string text = absl::StrCat(base::NameOf(kFileUnusable).text,
                                        ": cannot ", what, " ", path);
  return absl::ErrnoToStatus(errno, text);
}

std::string_view TextOf(base::Reason wanted) {
  constexpr base::ReasonRow kRows[] = {FORELOCK_PROTO_REASONS(BASE_REASON_ROW)};
  for (const base::ReasonRow& row : kRows) {
    if (row.reason == wanted) return row.what;
  }
  return "configuration is malformed";
}

absl::Status FromBase(base::Status status) {
  const std::string text = absl::StrCat(base::NameOf(status.reason()).text,
                                        ": ", TextOf(status.reason()));
  return absl::Status(static_cast<absl::StatusCode>(status.code()), text);
}

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

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

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
    return Error(kImageConfigured,
                 "the image is configured already (--force replaces it)");
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

absl::StatusOr<std::vector<uint8_t>> ReadFile(const std::string& path,
                                              size_t max_size) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info{};
  if (fd.get() < 0 || fstat(fd.get(), &info) != 0) {
    return FileError("open", path);
  }
  if (S_ISDIR(info.st_mode)) {
    errno = EISDIR;
    return FileError("read", path);
  }
  std::vector<uint8_t> bytes;
  for (;;) {
    std::array<uint8_t, 65536> chunk;
    const ssize_t got = read(fd.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FileError("read", path);
    if (got == 0) return bytes;
    if (bytes.size() + static_cast<size_t>(got) > max_size) {
      return Error(kFileUnusable,
                   absl::StrCat(path, " is larger than ", max_size, " bytes"));
    }
    bytes.insert(bytes.end(), chunk.begin(), chunk.begin() + got);
  }
}

absl::Status WriteFile(const std::string& path, base::Bytes bytes) {
  std::string staging = path + ".XXXXXX";
  const Fd fd(mkstemp(staging.data()));
  if (fd.get() < 0) return FileError("write beside", path);
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t put =
        write(fd.get(), bytes.data() + done, bytes.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) break;
    done += static_cast<size_t>(put);
  }
  if (done != bytes.size() || fchmod(fd.get(), kImageMode) != 0 ||
      rename(staging.c_str(), path.c_str()) != 0) {
    const absl::Status status = FileError("write", path);
    unlink(staging.c_str());
    return status;
  }
  return absl::OkStatus();
}

}  // namespace launch
