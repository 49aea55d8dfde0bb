#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The forelock command on the image as built: configure, measure, show.
set -u
forelock=$1
image=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0
fail() {
  echo "FAILED: $*"
  failed=1
}

hex=00112233445566778899aabbccddeeff
cat > "$dir/guest.toml" << END
version = 1
platform = "emulated"
vm = "demo/vm1"
verifier = "verifier"
verifier_pins = ["sha256:$hex$hex"]
acpi = "none"
[channel]
transport = "page"
END
sed 's/vm = /vn = /' "$dir/guest.toml" > "$dir/wrong.toml"
sed 's/vm1/vm2/' "$dir/guest.toml" > "$dir/other.toml"

"$forelock" image show "$image" 2> "$dir/err" && fail "an empty image has a configuration"
grep -q 'PR1 ' "$dir/err" || fail "no reason: $(cat "$dir/err")"

"$forelock" image configure --config "$dir/guest.toml" --output "$dir/vm1.elf" "$image" ||
  fail "configure"
"$forelock" image show "$dir/vm1.elf" | grep -q '^vm = "demo/vm1"$' || fail "show"
# Without a name: the image installed with the program, at either end of a link.
mkdir -p "$dir/prefix/bin" "$dir/prefix/share/forelock"
cp "$forelock" "$dir/prefix/bin/forelock"
ln -s "$dir/prefix/bin/forelock" "$dir/link"
"$dir/link" image configure --config "$dir/guest.toml" --output "$dir/none.elf" 2> "$dir/err"
[ $? -eq 2 ] || fail "configures without an image"
grep -q "there is no $dir/prefix/share/forelock/forelock-svsm.elf" "$dir/err" || fail "$(cat "$dir/err")"
cp "$image" "$dir/prefix/share/forelock/forelock-svsm.elf"
"$dir/link" image configure --config "$dir/guest.toml" --output "$dir/installed.elf" ||
  fail "configure what is installed"
cmp "$dir/installed.elf" "$dir/vm1.elf" || fail "the installed image is another one"

digest=$("$forelock" image measure "$dir/vm1.elf")
echo "$digest" | grep -Eq '^[0-9a-f]{96}$' || fail "measure: $digest"
"$forelock" image measure --json "$dir/vm1.elf" | grep -q "\"$digest\"" || fail "measure --json"

# The same again is the same image; another VM is another digest.
"$forelock" image configure --config "$dir/guest.toml" --output "$dir/again.elf" "$image" ||
  fail "configure again"
cmp "$dir/vm1.elf" "$dir/again.elf" || fail "not reproducible"
"$forelock" image configure --config "$dir/other.toml" --output "$dir/vm2.elf" "$image" ||
  fail "configure vm2"
[ "$("$forelock" image measure "$dir/vm2.elf")" != "$digest" ] || fail "same digest"

# Refusals name file, line, column and reason, and write nothing.
"$forelock" image configure --config "$dir/wrong.toml" --output "$dir/no.elf" "$image" \
  2> "$dir/err" && fail "a wrong key was accepted"
grep -q 'LA5 .*: .*wrong.toml:3:1: ' "$dir/err" || fail "no place: $(cat "$dir/err")"
[ ! -e "$dir/no.elf" ] || fail "an image was written"
"$forelock" image configure --config "$dir/other.toml" --output "$dir/no.elf" "$dir/vm1.elf" \
  2> "$dir/err" && fail "configured twice"
grep -q 'LA3 ' "$dir/err" || fail "no reason: $(cat "$dir/err")"
"$forelock" image configure --force --config "$dir/other.toml" --output "$dir/forced.elf" \
  "$dir/vm1.elf" || fail "--force"
cmp "$dir/forced.elf" "$dir/vm2.elf" || fail "--force leaves something of the old one"

# The image says that it knows each field that this tool can set.
{ cat "$dir/guest.toml"; printf '[deadlines]\nboot_ms = 90000\n'; } > "$dir/boot.toml"
"$forelock" image configure --config "$dir/boot.toml" --output "$dir/boot.elf" "$image" \
  2> "$dir/err" || fail "configure boot_ms"
"$forelock" image show "$dir/boot.elf" | grep -q '^boot_ms = 90000$' || fail "show boot_ms"
# A boot that ends before one of its waits does is said, and made.
grep -q 'boot_ms' "$dir/err" && fail "warned of 90 s: $(cat "$dir/err")"
{ cat "$dir/guest.toml"; printf '[deadlines]\nboot_ms = 20000\n'; } > "$dir/short.toml"
"$forelock" image configure --config "$dir/short.toml" --output "$dir/short.elf" "$image" \
  2> "$dir/err" || fail "configure a short boot_ms"
grep -q '^warning: verifier_ms = 60000: cut at boot_ms = 20000, ' "$dir/err" ||
  fail "no warning: $(cat "$dir/err")"
{ cat "$dir/guest.toml"; printf '[deadlines]\nboot_ms = 19999\nverifier_ms = 19999\n'; } \
  > "$dir/short.toml"
"$forelock" image configure --config "$dir/short.toml" --output "$dir/short.elf" "$image" \
  2> "$dir/err" || fail "configure a shorter boot_ms"
grep -q '^warning: proxy_ms = 20000, secure_processor_ms = 20000: cut ' "$dir/err" ||
  fail "no warning: $(cat "$dir/err")"
[ "$(grep -c boot_ms "$dir/err")" = 1 ] || fail "not one line: $(cat "$dir/err")"
# An image without the note is of before: its level is 1. (The note's type, 2, becomes 3.)
python3 - "$image" "$dir/old.elf" << 'END' || fail "no level note"
import struct, sys
image = open(sys.argv[1], "rb").read()
note = struct.pack("<III", 9, 4, 2) + b"Forelock"
assert image.count(note) == 1
open(sys.argv[2], "wb").write(image.replace(note, struct.pack("<III", 9, 4, 3) + b"Forelock"))
END
"$forelock" image configure --config "$dir/guest.toml" --output "$dir/old1.elf" "$dir/old.elf" ||
  fail "an old image with old fields"
"$forelock" image configure --config "$dir/boot.toml" --output "$dir/no.elf" "$dir/old.elf" \
  2> "$dir/err" && fail "an old image with a new field"
grep -q 'LA36 .*: deadlines.boot_ms needs configuration level 2' "$dir/err" ||
  fail "no reason: $(cat "$dir/err")"
"$forelock" image measure "$dir/guest.toml" 2> /dev/null && fail "measured a text file"

# Another digest is said to differ.
"$forelock" image verify --digest "$digest" "$dir/vm1.elf" > "$dir/out" || fail "verify"
"$forelock" image verify --digest "$digest" "$dir/vm2.elf" > "$dir/out"
[ $? = 3 ] || fail "verified another image"
grep -q "^it differs: the launch digest (emulated) is [0-9a-f]*, not $digest\$" "$dir/out" ||
  fail "no word of a difference: $(cat "$dir/out")"

# acpi-digest says what it wants, before it starts anything.
refused() {
  words=$1
  shift
  "$forelock" image acpi-digest "$@" 2> "$dir/err" && fail "acpi-digest $*"
  grep -q -e "$words" "$dir/err" || fail "no '$words': $(cat "$dir/err")"
}
refused 'acpi = "none"' "$dir/vm1.elf" --kernel "$dir/vm1.elf"
sed 's/acpi = "none"/acpi = "from-host"/' "$dir/guest.toml" > "$dir/acpi.toml"
"$forelock" image configure --config "$dir/acpi.toml" --output "$dir/acpi.elf" "$image" \
  2> /dev/null || fail "configure acpi"
refused 'wants --kernel, or a QEMU' "$dir/acpi.elf"
refused "not both" "$dir/acpi.elf" --memory 512 -- qemu -kernel x -serial stdio
refused 'starts no image' "$dir/acpi.elf" -- qemu -serial stdio
refused 'CL70 .*: it cannot be started: /nowhere/qemu: No such file' "$dir/acpi.elf" -- \
  /nowhere/qemu -kernel x -serial stdio
refused 'CL70 .*: it said nothing' "$dir/acpi.elf" -- true -kernel x -serial stdio
printf '#!/bin/sh\necho assertion failed\nkill -6 $$\n' > "$dir/crashes"
chmod +x "$dir/crashes"
refused 'CL70 .*: ended by signal 6: assertion failed' "$dir/acpi.elf" -- \
  "$dir/crashes" -kernel x -serial stdio
"$forelock" image rom --output "$dir/acpi.rom" "$dir/acpi.elf" > /dev/null || fail "rom"
refused 'wants the configured ELF file' "$dir/acpi.rom" --kernel "$dir/vm1.elf"
exit $failed
