#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# docs/errors.md is what the generator prints.
set -eu
"$1" | diff -u "$2" - || {
  echo "docs/errors.md is not what the reasons.h files say; run: ./run docs"
  exit 1
}
