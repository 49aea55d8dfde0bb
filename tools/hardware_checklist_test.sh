#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# hardware_checklist.sh on a machine without SEV-SNP, and on made-up evidence.
#
#   hardware_checklist_test.sh SCRIPT HARDWARE.md
set -eu
export LC_ALL=C
script=$1
document=$2
at=$(mktemp -d)
trap 'rm -rf "$at"' EXIT

fail() {
  echo "FAIL: $*"
  exit 1
}

# run NAME OPTION...: into $at/NAME.
run() {
  name=$1
  shift
  mkdir "$at/$name"
  "$script" --output "$at/$name/all.tar" "$@" > "$at/$name/out.txt" 2>&1 ||
    { cat "$at/$name/out.txt"; fail "$name: exit status $?"; }
  tar -C "$at/$name" -xf "$at/$name/all.tar"
}
verdict() { sed -nE "s/^ *$2\. (confirmed|refuted|not seen) .*/\1/p" "$at/$1/forelock-hardware/summary.txt"; }
expect() {
  for number in $3; do
    seen=$(verdict "$1" "$number")
    [ "$seen" = "$2" ] || {
      cat "$at/$1/forelock-hardware/summary.txt"
      fail "$1: claim $number is '$seen', not '$2'"
    }
  done
}

# --- Nothing given: nothing seen, and the claims are the document's.
: > "$at/empty"
run nothing
run quiet --kernel-log "$at/empty"
sed -nE 's/^\| ([0-9]+) \| ([^|]*[^| ]) *\|.*/\1. \2/p' "$document" > "$at/documented"
sed -nE 's/^ *([0-9]+\.) not seen  (.*)/\1 \2/p' \
  "$at/quiet/forelock-hardware/summary.txt" > "$at/judged"
[ -s "$at/documented" ] || fail "$document has no claims"
diff "$at/documented" "$at/judged" || fail 'the claims differ from the document'
claims=$(sed 's/\..*//' "$at/documented")
[ "$claims" = "$(seq "$(wc -l < "$at/documented")")" ] || fail 'claims are not numbered from 1'

# --- Good evidence.
cat > "$at/forelock" << 'END'
#!/bin/sh
case "$1 $2" in
  'image measure') printf 'launch digest %s\n' "$(cat "${0%/*}/digest")" ;;
  'report verify')
    status=$(cat "${0%/*}/status")
    [ "$status" -ne 0 ] || printf 'valid at NOW: Genoa, VCEK%s sha256:00\n' "$(cat "${0%/*}/root")"
    exit "$status"
    ;;
esac
END
chmod +x "$at/forelock"
head -c 144 /dev/zero > "$at/report"
i=0
while [ $i -lt 48 ]; do
  printf 'd' >> "$at/report"
  printf '64' >> "$at/digest"
  i=$((i + 1))
done
head -c 992 /dev/zero >> "$at/report"
echo 0 > "$at/status"
echo ", AMD's root" > "$at/root"
echo 'kvm_amd: SEV-SNP enabled (ASIDs 1 - 99)' > "$at/snp"
echo image > "$at/image"
cat > "$at/console" << 'END'
forelock: [    0.346 ms] started: platform snp, vm demo/vm1
forelock: [ 1018.355 ms] measured: boot files copied
forelock: [ 1247.033 ms] connected: verifier verifier
forelock: [ 1265.322 ms] attested: evidence sent
forelock: [ 1290.141 ms] granted: 1 secrets, boot 7
forelock: [ 1570.638 ms] handing-over
END
cat > "$at/guest" << 'END'
Memory Encryption Features active: AMD SEV SEV-ES SEV-SNP
sev-guest sev-guest: Initialized SEV guest driver (using VMPCK1 communication key)
sev-guest sev-guest: Empty VMPCK0 communication key
END
{
  # One registration, one doorbell, one guest request.
  for byte in 46 4c 43 52; do
    echo "qemu-1 [0] 1.0: kvm_pio: pio_write at 0x5f0 size 1 count 1 val 0x$byte"
  done
  i=0
  while [ $i -lt 25 ]; do
    echo 'qemu-1 [0] 1.0: kvm_pio: pio_write at 0x5f0 size 1 count 1 val 0x1'
    i=$((i + 1))
  done
  echo 'qemu-1 [0] 1.0: kvm_vmgexit_enter: vcpu 0, exit_reason 80000011, exit_info1 1, exit_info2 2'
} > "$at/exits"
echo 'forelock: refused: not_authorised decision 00' > "$at/refused"
echo 'some ciphertext' > "$at/ram"
everything() { # NAME OPTION...: where an option stands twice, the last counts
  name=$1
  shift
  run "$name" --image "$at/image" --forelock "$at/forelock" --console "$at/console" \
    --guest-log "$at/guest" --exits "$at/exits" --refused "$at/refused" \
    --report "$at/report" --ram "$at/ram" --marker MARKER-1 --kernel-log "$at/snp" "$@"
}
everything good
expect good confirmed '1 2 3 4 5 6 7 8 9 10 11 12 14 15'
expect good 'not seen' 13
grep -q '14. confirmed .*(2)' "$at/good/forelock-hardware/summary.txt" || fail 'exits are not 2'
if grep -raq -e MARKER-1 -e 'some ciphertext' "$at/good"; then
  fail 'the marker or the RAM is in the tar'
fi

# --- The same without hardware, without the console, and what is not enough.
everything elsewhere --kernel-log "$at/empty"
expect elsewhere 'not seen' "$claims"
sed 's/platform snp/platform emulated/' "$at/console" > "$at/console-6"
everything emulated --console "$at/console-6"
expect emulated 'not seen' "$claims"
: > "$at/nothing-said"
everything unsaid --console "$at/nothing-said"
expect unsaid 'not seen' "$claims"
echo ", a root that is not AMD's" > "$at/root"
everything other-root
expect other-root 'not seen' '3 8 9'
expect other-root confirmed '1 2 4 5 6 7'
echo ", AMD's root" > "$at/root"
grep -v Empty "$at/guest" > "$at/guest-2"
echo 'forelock: failed: SL30 the kernel is no x86 bzImage' > "$at/refused-2"
everything partial --guest-log "$at/guest-2" --refused "$at/refused-2"
expect partial 'not seen' '11 12'
head -n 1 "$at/console" > "$at/console-3"
cp "$at/console-3" "$at/console-4"
echo 'forelock: failed: SL30 the kernel is no x86 bzImage' >> "$at/console-3"
echo 'forelock: failed: SP20 PVALIDATE failed' >> "$at/console-4"
run odd-kernel --console "$at/console-3" --kernel-log "$at/snp"
expect odd-kernel 'not seen' 5
run pvalidate --console "$at/console-4" --kernel-log "$at/snp"
expect pvalidate refuted 5

# --- Bad evidence.
sed 's/64$/65/' "$at/digest" > "$at/digest-2"
mv "$at/digest-2" "$at/digest"
echo 3 > "$at/status"
echo 'qemu: IGVM file is invalid' > "$at/qemu-log"
echo 'qemu: SNP_LAUNCH_FINISH ret=-5 fw_error=11' >> "$at/qemu-log"
cat > "$at/guest" << 'END'
sev-guest sev-guest: Initialized SEV guest driver (using vmpck_id 0)
END
cat > "$at/kernel" << 'END'
kvm_amd: SEV-SNP enabled (ASIDs 1 - 99)
kvm_amd: SEV-ES guest requested termination: 0xf:0x3
END
head -n 2 "$at/console" > "$at/console-2"
printf 'forelock: failed: PC4 the proxy does not answer\r\n' >> "$at/console-2"
i=0
while [ $i -lt 41 ]; do
  echo 'kvm_pio: pio_write at 0x5f0 size 1 count 1 val 0x1'
  i=$((i + 1))
done > "$at/exits"
echo 'forelock: granted: 1 secrets' > "$at/refused"
run bad --image "$at/image" --forelock "$at/forelock" --console "$at/console-2" \
  --guest-log "$at/guest" --exits "$at/exits" --refused "$at/refused" \
  --report "$at/report" --qemu-log "$at/qemu-log" --kernel-log "$at/kernel"
expect bad refuted '1 2 3 6 8 11 12 13 14'
expect bad confirmed '4 5'
expect bad 'not seen' '7 9 10 15'
{
  head -n 1 "$at/console"
  echo 'forelock: refused: not_authorised decision 00'
} > "$at/console-5"
run denied --console "$at/console-5" --kernel-log "$at/kernel"
expect denied refuted 9

# The same failure with its own set and code; a guest that never speaks; a marker.
{
  cat "$at/snp"
  echo 'kvm_amd: SEV-ES guest requested termination: 0xb:0x4'
} > "$at/kernel"
run code --console "$at/console-2" --kernel-log "$at/kernel"
expect code confirmed 13
run silent --console "$at/empty" --kernel-log "$at/kernel"
expect silent refuted 4
echo 'some MARKER-1 text' > "$at/ram"
run found --console "$at/console" --ram "$at/ram" --marker MARKER-1 --kernel-log "$at/snp"
expect found refuted 15

# --- What must not get in.
mkdir "$at/given"
printf -- '-----BEGIN EC %s-----\nSECRET-A\n' 'PRIVATE KEY' > "$at/given/a.pem"
printf '\060\202\001\001\002\001\001SECRET-B' > "$at/given/b.der"
printf '\060\202\001\001\060\202\001\001good' > "$at/given/c.der"
printf 'SECRET-C' > "$at/given/key"
printf 'LUKS\272\276SECRET-D' > "$at/disk"
printf 'SECRET-E' > "$at/short"
run keys --certificates "$at/given" --console "$at/disk" --report "$at/short" \
  --kernel-log "$at/empty"
if grep -raq SECRET "$at/keys/forelock-hardware" "$at/keys/all.tar"; then
  fail 'a key is in the tar'
fi
[ -f "$at/keys/forelock-hardware/certificates/c.der" ] || fail 'a certificate is missing'
[ "$(grep -c 'left out' "$at/keys/forelock-hardware/left-out.txt")" -eq 4 ] ||
  fail 'what was left out is not said'

# --- Wrong usage.
for wrong in '--disk-key x' '--console' "--console $at/none"; do
  status=0
  # shellcheck disable=SC2086 # The words of a command line.
  "$script" --output "$at/none.tar" $wrong > /dev/null 2>&1 || status=$?
  [ "$status" -eq 2 ] || fail "$wrong: exit status $status"
done
[ ! -e "$at/none.tar" ] || fail 'a tar after wrong usage'
echo 'all as it should be'
