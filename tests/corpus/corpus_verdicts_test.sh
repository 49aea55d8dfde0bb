#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Every entry of a new corpus gets the verdict, and fails the checks, that its
# manifest says.
set -eu
make_corpus=$1
forelock=$2
"$make_corpus" "$TEST_TMPDIR/corpus"
"$forelock" vectors "$TEST_TMPDIR/corpus" > "$TEST_TMPDIR/out" || {
  grep -v "as expected$" "$TEST_TMPDIR/out"
  exit 1
}
tail -n 1 "$TEST_TMPDIR/out"
