#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# `forelock vectors`, as a person runs it: lines and exit codes.
set -eu
forelock=$PWD/$1
cd "$TEST_TMPDIR"

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# expect CODE ARGUMENTS...: runs forelock, output in out and err
expect() {
  wanted=$1
  shift
  code=0
  "$forelock" "$@" > out 2> err || code=$?
  [ "$code" = "$wanted" ] || {
    cat out err
    fail "exit code $code, wanted $wanted: forelock $*"
  }
}

mkdir folder
head -c 24 /dev/zero > folder/table.bin
sum=$(sha256sum folder/table.bin | cut -d ' ' -f 1)
entry() { # ID KIND SHA256 VERDICT
  printf '{"id": "%s", "kind": "%s", "file": "table.bin", "sha256": "%s",
    "expected": {"verdict": "%s"}}' "$@"
}
manifest() {
  printf '{"default_eval_time": "2026-09-15T00:00:00Z", "vectors": [%s]}\n' \
    "$1" > folder/manifest.json
}

manifest "$(entry empty cert-table "$sum" valid)"
expect 0 vectors folder
grep -q '^empty  *valid  *-  as expected$' out || fail "the line of an entry"
grep -q '^1 vectors, 1 as expected, 0 not$' out || fail "the summary"
expect 0 vectors folder --json
grep -q '"failing_checks": \[\]' out || fail "JSON"
expect 0 vectors folder --only empty --kind cert-table
expect 1 vectors folder --only other
grep -q CL44 err || fail "the reason: no such entry"

manifest "$(entry empty cert-table "$sum" invalid)"
expect 3 vectors folder
grep -q '^empty .*UNEXPECTED, wanted invalid' out || fail "an unexpected one"

manifest "$(entry empty weather "$sum" unverifiable)"
expect 3 vectors folder
grep -q 'unverifiable .*unknown kind weather' out || fail "an unknown kind"

manifest "$(entry empty cert-table "$(echo | sha256sum | cut -d ' ' -f 1)" valid)"
expect 3 vectors folder
grep -q '^empty  *error .*CL42' out || fail "a changed file"

echo nonsense > folder/manifest.json
expect 1 vectors folder
expect 1 vectors missing
expect 2 vectors
echo "all good"
