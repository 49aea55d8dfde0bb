#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The QEMU command line that docs/hardware.md shows is the one printed.
#
#   qemu_line_test.sh FORELOCK IMAGE.elf HARDWARE.md
set -eu
forelock=$PWD/$1
elf=$PWD/$2
document=$PWD/$3
cd "$TEST_TMPDIR"
cat > vm1.toml << 'END'
version = 1
platform = "snp"
vm = "demo/vm1"
verifier = "verifier"
verifier_pins = ["sha256:0000000000000000000000000000000000000000000000000000000000000001"]
acpi = "none"
END
"$forelock" image configure --config vm1.toml --output vm1.elf "$elf"
"$forelock" image build --output vm1.igvm vm1.elf

# A block's lines with their continuations joined.
block() { sed -n "/^$1/,/^\`\`\`\$/p" "$document" | sed '$d' | tr -d '\\\n' | tr -s ' '; }
command=$(block 'forelock image qemu-args')
shown=$(block 'qemu-system-x86_64 -accel')
# shellcheck disable=SC2086 # The words of a command.
printed=$("$forelock" ${command#forelock } 2> /dev/null)
if [ -z "$printed" ] || [ "$printed" != "$shown" ]; then
  printf 'printed: %s\nshown:   %s\n' "$printed" "$shown"
  exit 1
fi
