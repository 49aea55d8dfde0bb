// SPDX-License-Identifier: Apache-2.0
//
// Files as a whole: read up to a limit, replaced in one step, listed below a
// folder. A failure is a plain absl::Status "PATH: what happened", whose code
// is errno's unless said otherwise here; the caller puts its own reason on it.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/bytes.h"

namespace hosted {

// Owns a file descriptor; -1: none.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() { Close(); }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      Close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

// errno of a call that failed, as "PATH: ...".
absl::Status SystemError(std::string_view path);

// Until `out` is full or the end; how many bytes that were. A signal between
// two reads does not end it.
absl::StatusOr<size_t> ReadFully(int fd, base::MutableBytes out,
                                 std::string_view path);
absl::Status WriteFully(int fd, base::Bytes bytes, std::string_view path);

// What a person named: a file, a pipe or a device, to its end; "-" is standard
// input. Up to 1 MiB it is read into one buffer that never moves, so that a
// secret is nowhere else; after a failure the buffer is overwritten.
//   OutOfRange: longer than `limit`. FailedPrecondition: a folder.
//   Unavailable: a file that changed while it was read.
absl::StatusOr<std::vector<uint8_t>> ReadInput(const std::string& path,
                                               size_t limit);

// A file that a program found or was configured with: never "-", and a pipe
// in its place is not waited for.
//   As ReadInput. FailedPrecondition: anything but a regular file.
absl::StatusOr<std::vector<uint8_t>> ReadRegularFile(const std::string& path,
                                                     size_t limit);

// Replaces `path`, or makes it, in one step: a reader sees the old file or all
// of the new one, which is on the disk when this returns. `mode` as in chmod.
absl::Status ReplaceFile(const std::string& path, base::Bytes bytes,
                         mode_t mode);
inline constexpr mode_t kPublicFile = 0644;

// Everything below `folder`, sorted; links to folders are not followed.
//   ResourceExhausted: more than `most` of them.
absl::StatusOr<std::vector<std::string>> EntriesBelow(const std::string& folder,
                                                      size_t most);
// Of these the regular files, and links to such, whose names end in one of
// `extensions` (".der"); `most` counts them only.
absl::StatusOr<std::vector<std::string>> FilesBelow(
    const std::string& folder,
    std::initializer_list<std::string_view> extensions, size_t most);
// What certificates and revocation lists are called.
inline constexpr std::initializer_list<std::string_view> kCertificateFiles = {
    ".der", ".pem"};

}  // namespace hosted
