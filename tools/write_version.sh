#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# write_version.sh VERSION [STATUS]: base/version.cc on standard output. STATUS
# is Bazel's stable-status.txt; without it the commit is "unknown".
set -eu
version=$(cat "$1")
commit=unknown
[ -z "${2:-}" ] || commit=$(sed -n 's/^STABLE_FORELOCK_COMMIT //p' "$2")
# Both go into a string of C++, and onto consoles.
for word in "$version" "$commit"; do
  case $word in
    '' | *[!0-9A-Za-z.+-]*)
      echo "write_version.sh: not a version or commit: '$word'" >&2
      exit 1
      ;;
  esac
done
cat << END
// SPDX-License-Identifier: Apache-2.0
#include "base/version.h"

namespace base {

std::string_view VersionText() { return "$version, commit $commit"; }

}  // namespace base
END
