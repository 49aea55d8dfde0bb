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
  --check) set -- --dry-run --Werror ;;
  '') set -- -i ;;
  *)
    echo "usage: ./run format [--check]" >&2
    exit 2
    ;;
esac
git ls-files -z --cached --others --exclude-standard '*.cc' '*.h' '*.c' |
  xargs -0 --no-run-if-empty clang-format-19 --style=file "$@"
