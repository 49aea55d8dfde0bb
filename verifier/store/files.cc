// SPDX-License-Identifier: Apache-2.0
#include "verifier/store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "base/secret_buffer.h"

namespace verifier {
namespace {

constexpr mode_t kOthers = S_IRWXG | S_IRWXO;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

absl::Status Failed(const std::string& path) {
  return absl::ErrnoToStatus(errno, path);
}

// read() until the end or `out` is full.
absl::StatusOr<size_t> ReadAll(int fd, base::MutableBytes out,
                               const std::string& path) {
  size_t size = 0;
  while (size < out.size()) {
    const ssize_t got = read(fd, out.data() + size, out.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failed(path);
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  return size;
}

absl::Status SyncFolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder =
      slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || fsync(fd.get()) != 0) return Failed(folder);
  return absl::OkStatus();
}

}  // namespace

absl::Status CreatePrivateFile(const std::string& path, base::Bytes bytes) {
  const Descriptor fd(open(path.c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                           S_IRUSR | S_IWUSR));
  if (fd.get() < 0) return Failed(path);
  size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t put =
        write(fd.get(), bytes.data() + size, bytes.size() - size);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return Failed(path);
    size += static_cast<size_t>(put);
  }
  if (fsync(fd.get()) != 0) return Failed(path);
  return SyncFolderOf(path);
}

absl::StatusOr<size_t> ReadPrivateFile(const std::string& path,
                                       base::MutableBytes out) {
  const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat about;
  if (fd.get() < 0 || fstat(fd.get(), &about) != 0) return Failed(path);
  if ((about.st_mode & kOthers) != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat(path, ": others than its owner may use it; chmod 600"));
  }
  return ReadAll(fd.get(), out, path);
}

absl::Status MakePrivateFolder(const std::string& path) {
  if (mkdir(path.c_str(), S_IRWXU) == 0) return absl::OkStatus();
  struct stat about;
  if (errno != EEXIST || stat(path.c_str(), &about) != 0) return Failed(path);
  if (!S_ISDIR(about.st_mode) || (about.st_mode & kOthers) != 0 ||
      about.st_uid != geteuid()) {
    return absl::PermissionDeniedError(
        absl::StrCat(path, ": not a folder of this user alone; chmod 700"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadWholeFile(const std::string& path,
                                          size_t limit) {
  const bool standard_input = path == "-";
  const Descriptor opened(
      standard_input ? -1 : open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const int fd = standard_input ? STDIN_FILENO : opened.get();
  if (fd < 0) return Failed(path);
  std::string text(limit + 1, '\0');
  // EDGE: chars may be written as bytes.
  auto* bytes = reinterpret_cast<uint8_t*>(text.data());
  const auto size = ReadAll(fd, {bytes, text.size()}, path);
  if (!size.ok()) return size.status();
  if (*size > limit) {
    base::SecureZero(text.data(), text.size());
    return absl::OutOfRangeError(
        absl::StrCat(path, ": longer than ", limit, " bytes"));
  }
  text.resize(*size);
  return text;
}

}  // namespace verifier
