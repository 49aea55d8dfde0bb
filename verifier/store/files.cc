// SPDX-License-Identifier: Apache-2.0
#include "verifier/store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "hosted/files.h"

namespace verifier {
namespace {

constexpr mode_t kOthers = S_IRWXG | S_IRWXO;

using hosted::Descriptor;
using hosted::SystemError;

absl::Status SyncFolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder =
      slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.open() || fsync(fd.get()) != 0) return SystemError(folder);
  return absl::OkStatus();
}

}  // namespace

absl::Status CreatePrivateFile(const std::string& path, base::Bytes bytes) {
  const Descriptor fd(open(path.c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                           S_IRUSR | S_IWUSR));
  if (!fd.open()) return SystemError(path);
  const absl::Status written = hosted::WriteFully(fd.get(), bytes, path);
  if (!written.ok()) return written;
  if (fsync(fd.get()) != 0) return SystemError(path);
  return SyncFolderOf(path);
}

absl::StatusOr<size_t> ReadPrivateFile(const std::string& path,
                                       base::MutableBytes out) {
  const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat about;
  if (!fd.open() || fstat(fd.get(), &about) != 0) return SystemError(path);
  if ((about.st_mode & kOthers) != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat(path, ": others than its owner may use it; chmod 600"));
  }
  return hosted::ReadFully(fd.get(), out, path);
}

absl::Status MakePrivateFolder(const std::string& path) {
  if (mkdir(path.c_str(), S_IRWXU) == 0) return absl::OkStatus();
  struct stat about;
  if (errno != EEXIST || stat(path.c_str(), &about) != 0)
    return SystemError(path);
  if (!S_ISDIR(about.st_mode) || (about.st_mode & kOthers) != 0 ||
      about.st_uid != geteuid()) {
    return absl::PermissionDeniedError(
        absl::StrCat(path, ": not a folder of this user alone; chmod 700"));
  }
  return absl::OkStatus();
}

}  // namespace verifier
