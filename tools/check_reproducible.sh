#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Builds the guest image of the last commit twice, as ./run build does: of an
# archive and of a clone, in two folders that share nothing, with another time
# zone, umask, user name and number of jobs, and compares. Same bytes, same launch
# digest, whoever builds it with this compiler: what it prints is the same on
# every machine but for the distribution's own words behind the compilers'
# versions.
#
#   tools/check_reproducible.sh [--expect SHA256] [FOLDER]
#
# SHA256: what it printed for this commit on another machine.
# FOLDER: a scratch folder; removed at the end.
set -eu
expected=
if [ "${1:-}" = --expect ]; then
  expected=$2
  shift 2
fi
[ $# -le 1 ] || { echo "usage: tools/check_reproducible.sh [--expect SHA256] [FOLDER]" >&2; exit 2; }
scratch=$(mktemp -d "$(realpath "${1:-${TMPDIR:-/tmp}}")/reproducible.XXXXXX")
cd "$(dirname "$0")/.."
root=$PWD
started=""
finish() {
  for base in $started; do bazel "--output_base=$base" shutdown > /dev/null 2>&1 || true; done
  chmod -R u+w "$scratch"
  rm -rf "$scratch"
}
trap finish EXIT

build() { # FOLDER OUTPUT_BASE TIMEZONE UMASK JOBS
  started="$started $2"
  (
    cd "$1"
    umask "$4"
    TZ=$3 USER=builder bazel "--output_base=$2" build --config=stamped --disk_cache= "--jobs=$5" \
      "--distdir=$root/.distdir" --noshow_progress --ui_event_filters=-info //svsm:forelock-svsm
  )
}

# It takes a while: HEAD may be another one at the end.
commit=$(git rev-parse HEAD)
mkdir -p "$scratch/a"
git archive "$commit" | tar x -C "$scratch/a"
git clone -q --no-hardlinks "$root" "$scratch/another-place/for/b"
git -C "$scratch/another-place/for/b" checkout -q --detach "$commit"

build "$scratch/a" "$scratch/base-a" UTC 022 1
build "$scratch/another-place/for/b" "$scratch/base-of-another" Pacific/Kiritimati 077 2
one=$scratch/a/bazel-bin/svsm/forelock-svsm.elf
two=$scratch/another-place/for/b/bazel-bin/svsm/forelock-svsm.elf
sum=$(sha256sum < "$one" | cut -d " " -f 1)
grep -aqF "commit $commit" "$one" || {
  echo "the image does not say its commit" >&2
  exit 1
}
echo "commit    $commit"
echo "compiler  $(clang-19 --version | head -n 1)"
echo "linker    $(ld.lld-19 --version)"
echo "image     sha256:$sum"
cmp "$one" "$two" || {
  echo "NOT reproducible on this machine" >&2
  exit 1
}
echo "reproducible: two builds on this machine have the same bytes"
[ -n "$expected" ] || exit 0
[ "${expected#sha256:}" = "$sum" ] || {
  echo "NOT the image of the other machine: $expected" >&2
  exit 1
}
echo "the other machine's image has the same bytes"
