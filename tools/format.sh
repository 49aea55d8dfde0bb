#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# clang-format over all C++ sources. --check: changes nothing, fails with the
# names of files that it would change.
set -eu
cd "$(dirname "$0")/.."
command -v clang-format-19 > /dev/null || {
  echo "clang-format-19 is missing; ./run setup installs it" >&2
  exit 1
}
case ${1:-} in
  --check) check=1 ;;
  '') check= ;;
  *)
    echo "usage: ./run format [--check]" >&2
    exit 2
    ;;
esac
list() { git ls-files -z --cached --others --exclude-standard '*.cc' '*.h' '*.c'; }

[ -n "$check" ] || {
  list | xargs -0 --no-run-if-empty clang-format-19 --style=file -i
  exit 0
}
wrong=$(list | xargs -0 --no-run-if-empty -n 50 clang-format-19 --style=file --dry-run --Werror 2>&1 |
  sed -n 's/^\(.*\):[0-9]*:[0-9]*: error: .*/\1/p' | sort -u)
[ -z "$wrong" ] || {
  echo "$wrong"
  echo "./run format changes these files" >&2
  exit 1
}
