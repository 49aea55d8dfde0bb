#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs fuzz targets under libFuzzer with the address and undefined-behaviour
# sanitizers. The corpus of each is kept in .forelock/fuzz; it begins with the
# target's seeds. Read besides, and never written: the emulated firmware's
# evidence, made here once in .forelock/fuzz-corpus, and recorded evidence where
# there is any (FORELOCK_VECTORS, or ../shared/vectors).
#
# Property tests (tag "property") have seeds instead of inputs: they run as they
# are, from a random seed on, and print the seed of what fails. A run of theirs
# is a guest's, so 300 s unless said otherwise: thousands of runs.
#
#   tools/fuzz.sh                          lists the targets, runs each for 60 s
#   tools/fuzz.sh //proxy:frame_fuzz 600   one of them, for 600 s
#   tools/fuzz.sh --campaign               all, each for its share of CPU, resumable
#   tools/fuzz.sh --table | --minimise     what came of it (tools/fuzz_campaign.py)
#   tools/fuzz.sh --evidence               only makes .forelock/fuzz-corpus
set -eu
cd "$(dirname "$0")/.."

# Keys are new each time: made again only if its maker is newer.
evidence=.forelock/fuzz-corpus
make_evidence() {
  bazel build //tests/corpus:make_corpus
  make_corpus=$(bazel info bazel-bin 2> /dev/null)/tests/corpus/make_corpus
  [ ! "$evidence/manifest.json" -nt "$make_corpus" ] || return 0
  rm -rf "$evidence"
  mkdir -p "$evidence"
  "$make_corpus" "$evidence"
}
case ${1:-} in
  --evidence)
    make_evidence
    exit
    ;;
  --campaign | --table | --minimise) exec /usr/bin/python3 tools/fuzz_campaign.py "$@" ;;
esac

tagged() { bazel query "attr(tags, \"\\b$1\\b\", tests(//...))" 2> /dev/null; }
seconds=${2:-}
properties=$(tagged property)
case ${1:-} in
  //*)
    targets=$1
    case " $(echo $properties) " in
      *" $1 "*) targets='' properties=$1 ;;
      *) properties='' ;;
    esac
    ;;
  '') targets=$(tagged fuzz) ;;
  *[!0-9]*)
    echo "usage: ./run fuzz [//folder:target] [seconds] | --campaign | --table | --minimise" >&2
    exit 2
    ;;
  *)
    seconds=$1
    targets=$(tagged fuzz)
    ;;
esac
[ -n "$targets$properties" ] || {
  echo "no fuzz targets" >&2
  exit 1
}
failed=
property_seconds=${seconds:-300}
seconds=${seconds:-60}
for target in $properties; do
  echo "== $target, $property_seconds s"
  bazel test --test_env=FORELOCK_PROPERTY_SECONDS="$property_seconds" --test_output=streamed \
    --nocache_test_results --test_sharding_strategy=disabled \
    --test_timeout=$((property_seconds + 600)) "$target" || failed="$failed $target"
done
[ -n "$targets" ] || {
  [ -z "$failed" ]
  exit
}
make_evidence
vectors=${FORELOCK_VECTORS-../shared/vectors}
# Not the manifests, which are too large to be good inputs.
set --
for folder in "$evidence/entries" "$evidence/shared" ${vectors:+"$vectors/open" "$vectors/common"}; do
  [ ! -d "$folder" ] || set -- "$@" "$(cd "$folder" && pwd -P)"
done
bazel build --config=fuzz $targets
# --config=fuzz builds into a folder of its own; ask for it.
binaries=$(bazel info --config=fuzz bazel-bin 2> /dev/null)
for target in $targets; do
  name=$(echo "${target#//}" | tr ':' '/')
  corpus=.forelock/fuzz/$name
  faults=$PWD/.forelock/fuzz-faults/$name
  mkdir -p "$corpus" "$faults"
  seeds=
  [ ! -f "$name.seeds" ] || seeds=$name.seeds
  "$binaries/$name" --write-seeds "$corpus" $seeds
  echo "== $target, $seconds s"
  # New inputs go into the first folder only.
  "$binaries/$name" -max_total_time="$seconds" -print_final_stats=1 -timeout=10 \
    -artifact_prefix="$faults/" "$corpus" "$@" || failed="$failed $target"
done
[ -z "$failed" ] || {
  echo "failed:$failed (inputs in .forelock/fuzz-faults)" >&2
  exit 1
}
