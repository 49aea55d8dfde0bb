// SPDX-License-Identifier: Apache-2.0
#include "cli/host/host.h"

#include <cpuid.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/psp-sev.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/bytes.h"
#include "hosted/files.h"

namespace cli {
namespace {

constexpr char kSevDevice[] = "/dev/sev";

class Files : public Host {
 public:
  explicit Files(std::string root) : root_(std::move(root)) {}

  absl::StatusOr<std::string> Read(const std::string& path,
                                   size_t limit) const override {
    const std::string whole = root_ + path;
    // A pipe in its place is not waited for.
    const hosted::Descriptor file(
        open(whole.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!file.open()) return hosted::SystemError(whole);
    struct stat status;
    if (fstat(file.get(), &status) != 0) return hosted::SystemError(whole);
    if (!S_ISREG(status.st_mode)) {
      return absl::FailedPreconditionError(absl::StrCat(whole, ": no file"));
    }
    std::vector<uint8_t> bytes(limit);
    const auto size = hosted::ReadFully(file.get(), bytes, whole);
    if (!size.ok()) return size.status();
    return std::string(bytes.begin(),
                       bytes.begin() + static_cast<ptrdiff_t>(*size));
  }

  absl::StatusOr<std::vector<std::string>> List(
      const std::string& folder) const override {
    const std::string whole = root_ + folder;
    const std::unique_ptr<DIR, int (*)(DIR*)> open(opendir(whole.c_str()),
                                                   &closedir);
    if (open == nullptr) return hosted::SystemError(whole);
    std::vector<std::string> names;
    while (const dirent* entry = readdir(open.get())) {
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (names.size() >= kMostNames) {
        return absl::ResourceExhaustedError(absl::StrCat(
            whole, ": more than ", kMostNames, " files are in it"));
      }
      names.emplace_back(name);
    }
    std::ranges::sort(names);
    return names;
  }

  FileRights RightsOf(const std::string& path) const override {
    const std::string whole = root_ + path;
    const auto may = [&](int how) {
      return faccessat(AT_FDCWD, whole.c_str(), how, AT_EACCESS) == 0;
    };
    return {.exists = may(F_OK), .readable = may(R_OK), .writable = may(W_OK)};
  }

  absl::StatusOr<uint64_t> FreeBytes(const std::string& folder) const override {
    const std::string whole = root_ + folder;
    struct statvfs status;
    if (statvfs(whole.c_str(), &status) != 0) return hosted::SystemError(whole);
    return uint64_t{status.f_bavail} * status.f_frsize;
  }

  absl::StatusOr<hosted::ChildOutput> Run(
      std::span<const std::string> words) const override {
    return hosted::RunChild(words);
  }

 private:
  const std::string root_;
};

class Copy : public Files {
 public:
  using Files::Files;

  std::optional<CpuidLeaf> Cpuid(uint32_t leaf) const override {
    const auto text = Read("/cpuid", 1 << 16);
    if (!text.ok()) return std::nullopt;
    return CpuidIn(*text, leaf);
  }
  absl::StatusOr<SnpPlatformStatus> PlatformStatus() const override {
    return absl::UnavailableError("another host's is not asked");
  }
  absl::StatusOr<ChipId> Chip() const override {
    return absl::UnavailableError("another host's is not asked");
  }
};

// The kernel's interface to the secure processor; neither command changes
// anything.
absl::Status Command(uint32_t command, void* data) {
  const hosted::Descriptor device(open(kSevDevice, O_RDONLY | O_CLOEXEC));
  if (!device.open()) return hosted::SystemError(kSevDevice);
  sev_issue_cmd issued = {.cmd = command,
                          // EDGE: the kernel takes the address as a number.
                          .data = reinterpret_cast<uintptr_t>(data),
                          .error = 0};
  if (ioctl(device.get(), SEV_ISSUE_CMD, &issued) == 0) {
    return absl::OkStatus();
  }
  const absl::Status status = hosted::SystemError(kSevDevice);
  return issued.error == 0 ? status
                           : absl::UnknownError(absl::StrCat(
                                 status.message(), ", the firmware says ",
                                 uint32_t{issued.error}));
}

class Machine : public Files {
 public:
  Machine() : Files("") {}

  std::optional<CpuidLeaf> Cpuid(uint32_t leaf) const override {
    CpuidLeaf out;
    if (__get_cpuid_count(leaf, 0, &out.eax, &out.ebx, &out.ecx, &out.edx) ==
        0) {
      return std::nullopt;
    }
    return out;
  }

  absl::StatusOr<SnpPlatformStatus> PlatformStatus() const override {
    // Not in Debian 12's headers: SNP_PLATFORM_STATUS is 9. Its 32 bytes.
    constexpr uint32_t kSnpPlatformStatus = 9;
    std::array<uint8_t, 32> bytes{};
    const absl::Status status = Command(kSnpPlatformStatus, bytes.data());
    if (!status.ok()) return status;
    const std::span<const uint8_t, 32> in(bytes);
    return SnpPlatformStatus{
        .api_major = in[0],
        .api_minor = in[1],
        .build = base::LoadLe<uint32_t>(in.subspan<4, 4>()),
        .vlek_enabled = (in[8] & 4) != 0,
        .reported_tcb = base::LoadLe<uint64_t>(in.subspan<24, 8>())};
  }

  absl::StatusOr<ChipId> Chip() const override {
    // The id of each socket's processor, 64 bytes each; the first one's.
    std::array<uint8_t, 2 * sizeof(ChipId)> ids{};
    sev_user_data_get_id2 request = {
        // EDGE: the kernel takes the address as a number.
        .address = reinterpret_cast<uintptr_t>(ids.data()),
        .length = ids.size()};
    const absl::Status status = Command(SEV_GET_ID2, &request);
    if (!status.ok()) return status;
    ChipId id;
    std::copy_n(ids.begin(), id.size(), id.begin());
    return id;
  }
};

}  // namespace

std::unique_ptr<Host> ThisHost() { return std::make_unique<Machine>(); }

std::unique_ptr<Host> HostCopy(const std::string& root) {
  return std::make_unique<Copy>(root);
}

std::optional<CpuidLeaf> CpuidIn(std::string_view text, uint32_t leaf) {
  for (std::string_view line : absl::StrSplit(text, '\n')) {
    std::vector<std::string_view> words =
        absl::StrSplit(line, ' ', absl::SkipEmpty());
    uint32_t number = 0, subleaf = 0;
    if (words.size() != 6 || !absl::ConsumeSuffix(&words[1], ":") ||
        !absl::SimpleHexAtoi(words[0], &number) ||
        !absl::SimpleHexAtoi(words[1], &subleaf) || number != leaf ||
        subleaf != 0) {
      continue;
    }
    CpuidLeaf out;
    uint32_t* const registers[] = {&out.eax, &out.ebx, &out.ecx, &out.edx};
    constexpr std::string_view kNames[] = {"eax=", "ebx=", "ecx=", "edx="};
    bool good = true;
    for (size_t i = 0; i < 4; ++i) {
      good = good && absl::ConsumePrefix(&words[2 + i], kNames[i]) &&
             absl::SimpleHexAtoi(words[2 + i], registers[i]);
    }
    if (good) return out;
  }
  return std::nullopt;
}

}  // namespace cli
