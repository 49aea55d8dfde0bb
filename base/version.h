// SPDX-License-Identifier: Apache-2.0
//
// What this program was built from. The source is written by
// tools/write_version.sh: docs/develop.md, "Version and commit".
#pragma once

#include <string_view>

namespace base {

// "0.1.0, commit X": what the file VERSION says, and 40 hex digits, with
// "-dirty" if the tree differed from that commit; "unknown" unless the build is
// --config=stamped (./run install, ./run demo). Constant text, for it is part
// of the guest's launch digest.
std::string_view VersionText();

}  // namespace base
