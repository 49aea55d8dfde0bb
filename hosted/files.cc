// SPDX-License-Identifier: Apache-2.0
#include "hosted/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "base/secret_buffer.h"

namespace hosted {
namespace {

namespace fs = std::filesystem;

bool SameTime(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

// As far as size and times show it.
bool Unchanged(const struct stat& before, const struct stat& after) {
  return before.st_size == after.st_size &&
         SameTime(before.st_mtim, after.st_mtim);
}

// The first buffer; small enough to be had always.
constexpr size_t kFirstBuffer = 1024 * 1024;

absl::Status ReadToEnd(int fd, size_t limit, const std::string& path,
                       std::vector<uint8_t>& bytes) {
  // One more than the limit, to see that there is more.
  const size_t most = limit + 1;
  size_t size = 0;
  for (;;) {
    bytes.resize(std::min(most, std::max(kFirstBuffer, 2 * size)));
    const auto got =
        ReadFully(fd, base::MutableBytes(bytes).subspan(size), path);
    if (!got.ok()) return got.status();
    size += *got;
    if (size < bytes.size()) break;
    if (size == most) {
      return absl::OutOfRangeError(
          absl::StrCat(path, ": longer than ", limit, " bytes"));
    }
  }
  bytes.resize(size);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<uint8_t>> ReadFrom(int fd, size_t limit,
                                              const std::string& path) {
  struct stat before = {}, after = {};
  if (fstat(fd, &before) != 0) return SystemError(path);
  std::vector<uint8_t> bytes;
  absl::Status status = ReadToEnd(fd, limit, path, bytes);
  if (status.ok() && S_ISREG(before.st_mode) &&
      (fstat(fd, &after) != 0 || !Unchanged(before, after))) {
    status = absl::UnavailableError(
        absl::StrCat(path, ": changed while it was read"));
  }
  if (!status.ok()) {
    base::SecureZero(bytes.data(), bytes.size());
    return status;
  }
  return bytes;
}

absl::Status NoFile(const std::string& path, std::string_view what) {
  return absl::FailedPreconditionError(absl::StrCat(path, ": ", what));
}

// Calls take(path) for what `folder` holds until it returns false.
template <typename Take>
absl::Status Walk(const std::string& folder, Take take) {
  std::error_code error;
  fs::recursive_directory_iterator at(folder, error);
  for (; !error && at != fs::recursive_directory_iterator();
       at.increment(error)) {
    if (!take(*at)) return absl::OkStatus();
  }
  if (!error) return absl::OkStatus();
  errno = error.value();
  return SystemError(folder);
}

absl::StatusOr<std::vector<std::string>> Sorted(std::vector<std::string> paths,
                                                const absl::Status& walked,
                                                const std::string& folder,
                                                size_t most) {
  if (!walked.ok()) return walked;
  // Part of a folder is not the folder.
  if (paths.size() > most) {
    return absl::ResourceExhaustedError(
        absl::StrCat(folder, ": more than ", most, " files"));
  }
  std::ranges::sort(paths);
  return paths;
}

}  // namespace

absl::Status SystemError(std::string_view path) {
  return absl::ErrnoToStatus(errno, path);
}

absl::StatusOr<size_t> ReadFully(int fd, base::MutableBytes out,
                                 std::string_view path) {
  size_t size = 0;
  while (size < out.size()) {
    const ssize_t got = read(fd, out.data() + size, out.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError(path);
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  return size;
}

absl::Status WriteFully(int fd, base::Bytes bytes, std::string_view path) {
  while (!bytes.empty()) {
    const ssize_t put = write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return SystemError(path);
    bytes = bytes.subspan(static_cast<size_t>(put));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<uint8_t>> ReadInput(const std::string& path,
                                               size_t limit) {
  if (path == "-") return ReadFrom(STDIN_FILENO, limit, "standard input");
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat about = {};
  if (!file.open() || fstat(file.get(), &about) != 0) return SystemError(path);
  if (S_ISDIR(about.st_mode)) return NoFile(path, "is a folder");
  return ReadFrom(file.get(), limit, path);
}

absl::StatusOr<std::vector<uint8_t>> ReadRegularFile(const std::string& path,
                                                     size_t limit) {
  // Opening a pipe waits for its other end; a regular file does not mind.
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat about = {};
  if (!file.open() || fstat(file.get(), &about) != 0) return SystemError(path);
  if (!S_ISREG(about.st_mode)) return NoFile(path, "is no regular file");
  return ReadFrom(file.get(), limit, path);
}

absl::Status ReplaceFile(const std::string& path, base::Bytes bytes,
                         mode_t mode) {
  // Its own name in the same folder, so that two of us do not mix.
  std::string temporary = path + ".XXXXXX";
  const Descriptor file(mkostemp(temporary.data(), O_CLOEXEC));
  if (!file.open()) return SystemError(path);
  absl::Status status = WriteFully(file.get(), bytes, path);
  if (status.ok() && (fchmod(file.get(), mode) != 0 || fsync(file.get()) != 0 ||
                      rename(temporary.c_str(), path.c_str()) != 0)) {
    status = SystemError(path);
  }
  if (!status.ok()) unlink(temporary.c_str());
  return status;
}

absl::StatusOr<std::vector<std::string>> EntriesBelow(const std::string& folder,
                                                      size_t most) {
  std::vector<std::string> paths;
  const absl::Status walked =
      Walk(folder, [&](const fs::directory_entry& entry) {
        paths.push_back(entry.path());
        return paths.size() <= most;
      });
  return Sorted(std::move(paths), walked, folder, most);
}

absl::StatusOr<std::vector<std::string>> FilesBelow(
    const std::string& folder,
    std::initializer_list<std::string_view> extensions, size_t most) {
  std::vector<std::string> paths;
  const absl::Status walked =
      Walk(folder, [&](const fs::directory_entry& entry) {
        const std::string extension = entry.path().extension();
        std::error_code ignored;
        if (std::find(extensions.begin(), extensions.end(), extension) !=
                extensions.end() &&
            entry.is_regular_file(ignored)) {
          paths.push_back(entry.path());
        }
        return paths.size() <= most;
      });
  return Sorted(std::move(paths), walked, folder, most);
}

}  // namespace hosted
