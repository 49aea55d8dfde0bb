#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# examples_test.sh FORELOCK PROXY IMAGE EXAMPLE...: the programs take each
# example as it stands.
set -u
forelock=$1 proxy=$2 image=$3
shift 3
failed=0
for example in "$@"; do
  case $example in
    */proxy.toml) "$proxy" --config "$example" --check ;;
    */vm-*.toml) "$forelock" image configure --config "$example" --output "$TEST_TMPDIR/vm.elf" "$image" ;;
    *) false ;;
  esac || {
    echo "FAILED: $example"
    failed=1
  }
done
exit $failed
