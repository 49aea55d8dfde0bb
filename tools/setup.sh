#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Brings what a build, the tests and the demo need, and says what it does:
# Debian packages (tools/packages.txt), third-party sources (.distdir), the
# demo's kernel and initramfs (.forelock). Does nothing where nothing is
# missing, and then needs neither root nor network.
#
#   tools/setup.sh [--newest-kernel]    the tests' second kernel and a stock systemd, too
#   tools/setup.sh --programs           only what builds the programs
set -eu
cd "$(dirname "$0")/.."

say() { echo "setup: $*"; }
die() {
  echo "setup: $*" >&2
  exit 1
}

elsewhere='With podman or docker, the Containerfile builds on Debian (docs/develop.md, "On another system")'
command -v dpkg-query > /dev/null || die "this is not Debian, and Forelock is built on Debian 12 or 13. $elsewhere"
. "${FORELOCK_OS_RELEASE:-/etc/os-release}"
# Its relatives have other packages and mirrors, and none of this was tried there.
[ "${ID:-}" = debian ] || [ -n "${DEBIAN_MIRROR:-}" ] ||
  die "this is ${PRETTY_NAME:-not Debian}: sources and kernels come from a mirror of Debian's. $elsewhere. To try it here
  all the same: install debian-archive-keyring, and set DEBIAN_MIRROR to a URL that ends in /debian"
case ${VERSION_CODENAME:-} in
  bookworm | trixie) ;;
  *) say "this is ${PRETTY_NAME:-another system}; tested are Debian 12 (bookworm) and Debian 13 (trixie)" ;;
esac

# --- Debian packages.

missing=
while read -r package reason; do
  # From there on, what runs a VM.
  [ "${1:-}:$package $reason" != "--programs:# Demo and tests in QEMU" ] || break
  case $package in '' | '#'*) continue ;; esac
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null || true)
  [ "$status" = installed ] && continue
  [ -n "$missing" ] || say "these Debian packages are missing:"
  printf '  %-22s %s\n' "$package" "$reason"
  missing="$missing $package"
done < tools/packages.txt

if [ -n "$missing" ]; then
  install="apt-get install -y --no-install-recommends$missing"
  if [ "$(id -u)" -eq 0 ]; then
    as_root=
  elif command -v sudo > /dev/null; then
    as_root=sudo
    [ -t 0 ] || as_root="sudo -n"  # never wait for a password unseen
  else
    die "not root, and there is no sudo; as root, run: apt-get update && $install"
  fi
  say "installing them"
  export DEBIAN_FRONTEND=noninteractive
  env="env DEBIAN_FRONTEND=noninteractive"
  log=$(mktemp)
  { $as_root $env apt-get update && $as_root $env $install; } > "$log" 2>&1 < /dev/null || {
    tail -n 20 "$log" >&2
    die "apt-get failed (log: $log); as root, run: apt-get update && $install"
  }
  rm -f "$log"
fi

status=$(dpkg-query -W -f '${db:Status-Status}' libabsl-dev 2> /dev/null || true)
[ "$status" != installed ] ||
  say "warning: libabsl-dev is installed; its headers can hide a missing dependency"

# --- Sources, kernel, initramfs.

tools/fetch_sources.sh

# Bazel lists the system's headers once and knows no others (layering_check):
# listed again in a new checkout, which may get an older one's output base, and
# whenever the installed packages changed.
packages=$(dpkg-query -W | sha256sum)
if [ "$packages" != "$(cat .forelock/packages 2> /dev/null || true)" ]; then
  bazel sync --configure --noshow_progress --ui_event_filters=-info
  mkdir -p .forelock
  echo "$packages" > .forelock/packages
fi

[ "${1:-}" != --programs ] || exec /usr/bin/python3 tools/make_assets.py --bazelrc
tools/fetch_kernel.sh oldest
[ "${1:-}" != --newest-kernel ] || {
  tools/fetch_kernel.sh newest
  tools/fetch_stock.sh || say "no stock systemd: the two tests that boot it will fail"
}
/usr/bin/python3 tools/make_assets.py
