// SPDX-License-Identifier: Apache-2.0
//
// What can be seen of a host: of this one, or of a copy of another's files. All
// of it is read, nothing is changed, and everything has a limit; what a file or
// a program says is shown by hosted::Printable() only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hosted/child.h"

namespace cli {

struct CpuidLeaf {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

// Spec: AMD 56860 rev. 1.58, SNP_PLATFORM_STATUS, the parts that are shown.
struct SnpPlatformStatus {
  uint8_t api_major = 0, api_minor = 0;
  uint32_t build = 0;
  bool vlek_enabled = false;
  uint64_t reported_tcb = 0;
};

struct FileRights {
  bool exists = false;
  bool readable = false, writable = false;  // for who runs this
};

using ChipId = std::array<uint8_t, 64>;

// Paths are absolute, and below the root if there is one.
class Host {
 public:
  virtual ~Host() = default;
  // The first `limit` bytes.
  virtual absl::StatusOr<std::string> Read(const std::string& path,
                                           size_t limit) const = 0;
  // Names in a folder, sorted, up to kMostNames of them.
  static constexpr size_t kMostNames = 1 << 16;
  virtual absl::StatusOr<std::vector<std::string>> List(
      const std::string& folder) const = 0;
  virtual FileRights RightsOf(const std::string& path) const = 0;
  virtual absl::StatusOr<uint64_t> FreeBytes(
      const std::string& folder) const = 0;
  // Empty: not known.
  virtual std::optional<CpuidLeaf> Cpuid(uint32_t leaf) const = 0;
  //   Unavailable: of another host, or no such device. PermissionDenied.
  virtual absl::StatusOr<SnpPlatformStatus> PlatformStatus() const = 0;
  virtual absl::StatusOr<ChipId> Chip() const = 0;
  virtual absl::StatusOr<hosted::ChildOutput> Run(
      std::span<const std::string> words) const = 0;
};

// The machine that this runs on.
std::unique_ptr<Host> ThisHost();

// A copy of a host's /proc, /sys, /dev and so on below `root`. Its CPUID is in
// ROOT/cpuid, as `cpuid -1 -r` prints it. Programs are this machine's.
std::unique_ptr<Host> HostCopy(const std::string& root);

// A line of `cpuid -1 -r`: "   0x8000001f 0x00: eax=0x0101fd7f ebx=...". Empty:
// no such leaf in the text.
std::optional<CpuidLeaf> CpuidIn(std::string_view text, uint32_t leaf);

}  // namespace cli
