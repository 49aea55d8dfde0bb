#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The guest image, and so its launch digest, is that of one compiler, of its
# headers and its linker. Says which, and that another compiler is refused.
set -eu
config=$1
version=19.1.7

fail() {
  echo "$*" >&2
  exit 1
}
found=$(clang-19 -dumpversion)
[ "$found" = $version ] || fail "clang-19 is $found; the guest image is built by $version"
ld.lld-19 --version | grep -qF "LLD $version " ||
  fail "$(ld.lld-19 --version); the guest image is linked by LLD $version"
headers=$(printf '#include <version>\n_LIBCPP_VERSION\n' |
  clang-19 -E -P -x c++ -nostdinc++ -isystem /usr/lib/llvm-19/include/c++/v1 - | tail -n 1)
[ "$headers" = 190107 ] || fail "libc++-19-dev is $headers; the guest image has headers of 190107"

compile() { # THE CHECK OFF, OPTIONS
  clang-19 -fsyntax-only -w -x c++ \
    "-DFORELOCK_ANY_GUEST_COMPILER=$1" "$2" "$config" 2>&1
}
compile 0 -DNOTHING || fail "$version is refused"
for other in -D__clang_major__=20 -D__clang_minor__=0 -D__clang_patchlevel__=6; do
  ! said=$(compile 0 "$other") || fail "$other is taken"
  case $said in
    *"the guest image is built by clang $version only"*) ;;
    *) fail "$other: $said" ;;
  esac
  compile 1 "$other" || fail "$other is refused with --define=guest_compiler=any"
done
