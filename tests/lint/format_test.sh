#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Every C++ source is as `./run format` would write it.
set -eu
root=$(dirname "$(readlink -f "$1")")
command -v clang-format-19 > /dev/null || {
  echo "clang-format-19 is missing; ./run setup installs it"
  exit 1
}
cd "$root"
# Not git ls-files: the test must also see the tree of a source archive.
wrong=$(find . \( -name 'bazel-*' -o -name '.?*' \) -prune -o \
  -type f \( -name '*.cc' -o -name '*.h' \) -print0 |
  xargs -0 clang-format-19 --style=file --dry-run 2>&1 |
  sed -nE 's/^(.+):[0-9]+:[0-9]+: .*/\1/p' | sort -u)
[ -z "$wrong" ] || {
  echo "$wrong"
  echo "not formatted; run: ./run format"
  exit 1
}
