#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs fuzz targets under libFuzzer with the address and undefined-behaviour
# sanitizers. The corpus of each is kept in .forelock/fuzz.
#
#   tools/fuzz.sh                          lists the targets, runs each for 60 s
#   tools/fuzz.sh //proxy:frame_fuzz 600   one of them, for 600 s
set -eu
cd "$(dirname "$0")/.."
seconds=${2:-60}
case ${1:-} in
  //*) targets=$1 ;;
  '') targets=$(bazel query 'attr(tags, "\bfuzz\b", tests(//...))' 2> /dev/null) ;;
  *[!0-9]*)
    echo "usage: ./run fuzz [//folder:target] [seconds]" >&2
    exit 2
    ;;
  *)
    seconds=$1
    targets=$(bazel query 'attr(tags, "\bfuzz\b", tests(//...))' 2> /dev/null)
    ;;
esac
[ -n "$targets" ] || {
  echo "no fuzz targets" >&2
  exit 1
}
bazel build $targets  # the plain ones know their seeds
bazel build --config=fuzz $targets
failed=
for target in $targets; do
  name=$(echo "${target#//}" | tr ':' '/')
  # --config=fuzz builds into a folder of its own; ask for it.
  binary=$(bazel info --config=fuzz bazel-bin 2> /dev/null)/$name
  corpus=.forelock/fuzz/$name
  mkdir -p "$corpus"
  "$(bazel info bazel-bin 2> /dev/null)/$name" --write-seeds "$corpus"
  echo "== $target, $seconds s"
  (cd "$corpus" && "$binary" -max_total_time="$seconds" -print_final_stats=1 -timeout=10 .) ||
    failed="$failed $target"
done
[ -z "$failed" ] || {
  echo "failed:$failed (inputs in .forelock/fuzz)" >&2
  exit 1
}
