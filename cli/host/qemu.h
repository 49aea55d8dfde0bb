// SPDX-License-Identifier: Apache-2.0
//
// What a QEMU says of itself: two runs that start no machine.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "cli/host/check.h"
#include "cli/host/host.h"
#include "launch/qemu_args.h"

namespace cli {

struct QemuFacts {
  launch::QemuVersion version;
  bool has_snp = false;   // sev-snp-guest
  bool has_igvm = false;  // igvm-cfg: built with libigvm
};

// `program --version` and `program -object help`.
//   As hosted::RunChild(). Unknown: it is no QEMU.
absl::StatusOr<QemuFacts> AskQemu(const Host& host, const std::string& program);

// What forelock's images can be launched by.
LaunchWay WayOf(const QemuFacts& qemu);

}  // namespace cli
