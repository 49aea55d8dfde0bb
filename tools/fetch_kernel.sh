#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Unpacks Debian's kernels for virtual machines, each into a folder with
# vmlinuz, modules/ and VERSION. Installs nothing. apt verifies the packages.
# Does nothing, and needs no network, for what is there.
#
#   tools/fetch_kernel.sh oldest [--update]  linux-image-cloud-amd64 of Debian 12: .forelock/kernel
#   tools/fetch_kernel.sh newest [--update]  the newest one of any suite: .forelock/kernels/newest
#   tools/fetch_kernel.sh each               the newest package of each series: .forelock/kernels/6.12 ...
#
# --update: a newer one, if there is one. The oldest must be had. Of the others,
# what cannot be had is said, here and in the file .forelock/kernels/NAME.missing;
# that is no error: the mirror decides what there is.
set -eu
cd "$(dirname "$0")/.."
. tools/apt.sh
metapackage=linux-image-cloud-amd64
kernels=.forelock/kernels

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() { echo "setup: $*"; }

# use_suite SUITE: an apt that has this suite's lists, and no other's; fetched
# once. The machine's own may be missing or older than the mirror. Suites apart:
# one that the mirror does not have fails alone, and Debian's pinning of backports
# has no say in what is newest.
use_suite() {
  suite=$1
  if [ ! -e "$work/$suite.status" ]; then
    case $suite in
      machine) line= ;; # its own sources, security updates among them
      *-security) line="deb @MIRROR-security $suite main" ;;
      *) line="deb @MIRROR $suite main" ;;
    esac
    if private_apt "$work/$suite" "$line" 2> "$work/$suite.log"; then
      echo here > "$work/$suite.status"
    else
      echo missing > "$work/$suite.status"
      say "kernels: no $suite: $(grep -m1 . "$work/$suite.log")"
    fi
  fi
  [ "$(cat "$work/$suite.status")" = here ] || return 1
  export APT_CONFIG="$work/$suite/apt.conf"
}

# "VERSION" of the metapackage in the suite in use, nothing if it has none.
metapackage_version() {
  apt-cache madison "$metapackage" | sed -n '1s/^[^|]*| *\([^ |]*\) *|.*/\1/p'
}

# The package that the metapackage stands for.
metapackage_depends() {
  apt-cache depends "$metapackage" |
    sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1
}

# unpack PACKAGE FOLDER: the kernel of a linux-image package in the suite in use.
# Since Linux 6.19 that package is empty and needs others of its own version.
# "bare" says that a kernel without modules will do: of superseded ones mirrors
# keep the signed parts only.
unpack() {
  rm -rf "$work/debs" "$work/tree" "$2.new" "$2.old"
  mkdir -p "$work/debs" "$work/tree" "$2.new"
  queue=$1 unlisted=
  while [ -n "$queue" ]; do
    next=
    for package in $queue; do
      ! ls "$work/debs/${package}_"*.deb > /dev/null 2>&1 || continue
      [ -n "$(apt-cache madison "$package")" ] || {
        unlisted="$unlisted $package"
        continue
      }
      (cd "$work/debs" && apt-get -qq download "$package") || return 1
      dpkg-deb -x "$work/debs/${package}_"*.deb "$work/tree" || return 1
      version=$(dpkg-deb -f "$work/debs/${package}_"*.deb Version)
      [ "$package" != "$1" ] || echo "$package $version" > "$2.new/VERSION"
      next="$next $(dpkg-deb -f "$work/debs/${package}_"*.deb Depends | tr ',' '\n' |
        sed -n 's/^ *\(linux-[^ ]*\) (= .*).*/\1/p' | paste -s -d ' ')"
    done
    queue=$(echo $next)
  done
  # /boot and /lib, since the split both under /usr/lib/modules.
  for vmlinuz in "$work"/tree/boot/vmlinuz-* "$work"/tree/usr/lib/modules/*/vmlinuz; do
    [ ! -f "$vmlinuz" ] || mv "$vmlinuz" "$2.new/vmlinuz" || return 1
  done
  for modules in "$work"/tree/lib/modules/* "$work"/tree/usr/lib/modules/*; do
    [ ! -d "$modules/kernel" ] || mv "$modules" "$2.new/modules" || return 1
  done
  rm -rf "$work/debs" "$work/tree"
  for part in vmlinuz modules; do
    [ -e "$2.new/$part" ] || [ "$part ${3:-}" = "modules bare" ] || {
      echo "no $part${unlisted:+; the mirror does not list$unlisted}" >&2
      return 1
    }
  done
  # Whole at each moment: the old one or the new one.
  [ ! -d "$2" ] || mv "$2" "$2.old"
  mv "$2.new" "$2" && rm -rf "$2.old"
}

# fetch NAME PACKAGE FOLDER [bare]: says what it does; 1 if it cannot be had.
fetch() {
  say "fetching $2 (unpacked into $3, not installed)"
  if ! unpack "$2" "$3" "${4:-}" 2> "$work/fetch.log"; then
    rm -rf "$3.new"
    why="$2 cannot be had: $(grep -m1 . "$work/fetch.log" || echo "no reason given")"
    return 1
  fi
  rm -f "$kernels/$1.missing"
  say "kernel $(cat "$3/VERSION")"
  [ -d "$3/modules" ] || say "kernels: the mirror has no modules for it"
}

# missing NAME WHY: for the tests, which say it again.
missing() {
  mkdir -p "$kernels"
  if [ -s "$kernels/$1/VERSION" ]; then
    say "kernels: $2; staying with $(cat "$kernels/$1/VERSION")"
    return
  fi
  echo "$2" > "$kernels/$1.missing"
  say "kernels: $2; tests of the kernel $1 are skipped"
}

oldest() {
  target=.forelock/kernel
  [ "${1:-}" = --update ] || [ ! -s "$target/VERSION" ] || return 0
  . /etc/os-release
  if [ -n "${DEBIAN_MIRROR:-}" ] || [ "${VERSION_CODENAME:-}" != bookworm ]; then
    suite=bookworm
  else
    suite=machine
  fi
  use_suite "$suite" || exit 1
  package=$(metapackage_depends)
  [ -n "$package" ] || {
    say "apt does not know $metapackage" >&2
    exit 1
  }
  fetch oldest "$package" "$target" || {
    say "$why" >&2
    exit 1
  }
}

newest() {
  target=$kernels/newest
  [ "${1:-}" = --update ] || [ ! -s "$target/VERSION" ] || return 0
  best= best_suite=
  # trixie-backports comes from the suites after trixie, and is small.
  for candidate in trixie-backports sid trixie; do
    [ "$candidate" != trixie ] || [ -z "$best" ] || continue
    use_suite "$candidate" || continue
    version=$(metapackage_version)
    [ -n "$version" ] || continue
    [ -n "$best" ] && dpkg --compare-versions "$version" le "$best" || {
      best=$version best_suite=$candidate
    }
  done
  [ -n "$best" ] || {
    missing newest "the mirror has $metapackage neither in trixie-backports nor in sid nor in trixie"
    return 0
  }
  use_suite "$best_suite"
  mkdir -p "$kernels"
  fetch newest "$(metapackage_depends)" "$target" || missing newest "$why"
}

each() {
  mkdir -p "$kernels"
  : > "$work/found" # SERIES VERSION SUITE PACKAGE, for each package of each suite
  for candidate in bookworm bookworm-security bookworm-backports trixie trixie-security trixie-backports sid; do
    use_suite "$candidate" || continue
    # Signed first: of two of one version the first one is taken.
    for suffix in '' -unsigned; do
      packages=$(apt-cache pkgnames linux-image- |
        grep -E "^linux-image-[0-9]+\.[0-9]+\.[0-9][^ ]*-cloud-amd64$suffix\$") || continue
      apt-cache madison $packages |
        sed -nE "s/^ *(linux-image-([0-9]+\.[0-9]+)\.[^ ]*) *\| *([^ ]+) *\|.*/\2 \3 $candidate \1/p" \
          >> "$work/found"
    done
  done
  for series in $(cut -d' ' -f1 "$work/found" | sort -uV); do
    best=
    while read -r its_series version its_suite package; do
      [ "$its_series" = "$series" ] || continue
      [ -n "$best" ] && dpkg --compare-versions "$version" le "$best" ||
        { best=$version best_suite=$its_suite best_package=$package; }
    done < "$work/found"
    [ "$(cat "$kernels/$series/VERSION" 2> /dev/null)" = "$best_package $best" ] && continue
    if [ "$(cat "$kernels/newest/VERSION" 2> /dev/null)" = "$best_package $best" ]; then
      rm -rf "$kernels/$series" "$kernels/$series.missing" "$kernels/$series.new"
      mkdir "$kernels/$series.new"
      (cd "$kernels/newest" && cp -al vmlinuz modules VERSION "../$series.new")
      mv "$kernels/$series.new" "$kernels/$series"
      continue
    fi
    use_suite "$best_suite"
    fetch "$series" "$best_package" "$kernels/$series" bare || missing "$series" "$why"
  done
  # What was listed once and is not now.
  for file in "$kernels"/*.missing; do
    series=$(basename "$file" .missing)
    [ -e "$file" ] && [ "$series" != newest ] || continue
    grep -q "^$series " "$work/found" || rm -f "$file"
  done
}

case ${1:-} in
  oldest | newest | each) "$@" ;;
  *)
    echo "usage: tools/fetch_kernel.sh oldest|newest|each [--update]" >&2
    exit 2
    ;;
esac
