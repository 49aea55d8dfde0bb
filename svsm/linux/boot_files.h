// SPDX-License-Identifier: Apache-2.0
//
// BootFiles: everything the host supplies that the kernel will get.
//
// Each fw_cfg file is copied once into memory of our own, hashed there, and
// those very bytes are used: the boot manifest says what boots (promise P5).
// The ACPI files are hashed as copied, before the table loader patches them.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <array>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "boot/rules.h"
#include "svsm/fw_cfg/fw_cfg.h"
#include "svsm/linux/bzimage.h"
#include "svsm/memory/memory_map.h"
#include "svsm/memory/physical_window.h"

namespace svsm {

inline constexpr std::string_view kKernelFile = "opt/org.forelock/kernel";
inline constexpr std::string_view kInitrdFile = "opt/org.forelock/initrd";
inline constexpr std::string_view kCmdlineFile = "opt/org.forelock/cmdline";
inline constexpr std::string_view kAcpiRsdpFile = "etc/acpi/rsdp";
inline constexpr std::string_view kAcpiTablesFile = "etc/acpi/tables";
inline constexpr std::string_view kAcpiLoaderFile = "etc/table-loader";

inline constexpr uint64_t kMaxKernel = boot::kKernelSize.max;
inline constexpr uint64_t kMaxInitrd = boot::kInitrdSize.max;
inline constexpr uint64_t kMaxCmdline = boot::kCommandLineSize.max;
inline constexpr uint64_t kMaxAcpiRsdp = 4096;
inline constexpr uint64_t kMaxAcpiTables = uint64_t{4} << 20;
inline constexpr uint64_t kMaxAcpiLoader = uint64_t{256} << 10;

enum class AcpiSource : uint8_t { kNone, kFromHost };

struct BootFile {
  std::string_view name;  // of the fw_cfg file; empty: the host has none
  Range memory;           // `length` bytes from its begin on, zeros after
  uint64_t length = 0;
  std::array<uint8_t, 48> sha384{};

  bool present() const { return !name.empty(); }
};

// Fills `out`. `reserve_behind_initrd` bytes are kept free after the initrd,
// for the cpio segment with the secrets. No initrd or no command line from the
// host is one of length 0, with the digest of nothing.
//   SL10 to SL16, SL20 to SL27, SL30 to SL35, SL6.
struct BootFiles {
  BootFile kernel;
  BootFile initrd;
  // How many of the initrd's last bytes Linux wants to be the last: a boot
  // configuration (boot/bootconfig.h).
  uint64_t initrd_trailer = 0;
  BootFile cmdline;
  // rsdp, tables, loader: the order of the manifest. All or none present.
  std::array<BootFile, 3> acpi;
  BzImage image;  // points into kernel.memory
};

base::Status LoadBootFiles(FwCfg& fw_cfg, MemoryMap& map,
                           const PhysicalWindow& window, AcpiSource acpi,
                           uint64_t reserve_behind_initrd, BootFiles& out);

}  // namespace svsm
