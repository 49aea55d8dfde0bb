// SPDX-License-Identifier: Apache-2.0
#include "cli/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "cli/error.h"
#include "cli/reasons.h"

namespace cli {
namespace {

absl::Status SystemError(base::Reason reason, const std::string& path) {
  const int error = errno;
  return Error(reason, absl::StrCat(path, ": ", strerror(error)),
               error == ENOENT ? absl::StatusCode::kNotFound
                               : absl::StatusCode::kInternal);
}

// Closes at the end, unless it is standard input.
class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() {
    if (fd_ > STDIN_FILENO) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

absl::StatusOr<std::vector<uint8_t>> ReadInput(const std::string& path,
                                               size_t limit) {
  const File file(path == "-" ? STDIN_FILENO
                              : open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd() < 0) return SystemError(kFileUnreadable, path);
  // Grows: the limit may be far above what a machine has at hand.
  constexpr size_t kFirst = 64 * 1024;
  std::vector<uint8_t> bytes;
  size_t size = 0;
  while (size <= limit) {
    if (size == bytes.size()) {
      bytes.resize(std::min(limit + 1, std::max(kFirst, 2 * size)));
    }
    const ssize_t got =
        read(file.fd(), bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError(kFileUnreadable, path);
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  if (size > limit) return Error(kFileTooLarge, path);
  bytes.resize(size);
  return bytes;
}

absl::Status WriteOutput(const std::string& path, base::Bytes bytes) {
  std::error_code failed;
  const std::filesystem::path folder =
      std::filesystem::path(path).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, failed);
  if (failed) {
    return Error(kFileUnwritable,
                 absl::StrCat(folder.string(), ": ", failed.message()));
  }
  // Its own name in the same folder, so that two of us do not mix.
  std::string temporary = path + ".XXXXXX";
  const File file(mkostemp(temporary.data(), O_CLOEXEC));
  if (file.fd() < 0) return SystemError(kFileUnwritable, path);
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t put =
        write(file.fd(), bytes.data() + done, bytes.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) break;
    done += static_cast<size_t>(put);
  }
  constexpr mode_t kPublicFile = 0644;  // Certificates are no secret.
  if (done < bytes.size() || fchmod(file.fd(), kPublicFile) != 0 ||
      fsync(file.fd()) != 0 || rename(temporary.c_str(), path.c_str()) != 0) {
    const absl::Status status = SystemError(kFileUnwritable, path);
    unlink(temporary.c_str());
    return status;
  }
  return absl::OkStatus();
}

bool IsFolder(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

bool Exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

}  // namespace cli
