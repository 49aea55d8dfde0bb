#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# check_igvm_peers.sh IGVMMEASURE IGVMBUILDER FORELOCK IMAGE.elf
#
# Compares `forelock image` with COCONUT-SVSM's igvmmeasure and igvmbuilder
# (`cargo build -p igvmmeasure -p igvmbuilder` there), which read and write IGVM
# files by Microsoft's igvm crate: launch digests of their files and ours, and
# ID blocks signed by either. IMAGE.elf is a configured image for SNP; that the
# files would not boot is no matter. By hand: needs Rust and that repository.
set -eu
[ $# -eq 4 ] || {
  echo "usage: $0 IGVMMEASURE IGVMBUILDER FORELOCK IMAGE.elf" >&2
  exit 2
}
igvmmeasure=$1 igvmbuilder=$2 forelock=$3 image=$4
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0

check() { # NAME OURS THEIRS
  if [ -n "$2" ] && [ "$2" = "$3" ]; then
    echo "same       $1  $2"
  else
    echo "different  $1  ours: $2, theirs: $3"
    failed=1
  fi
}
# Fails, and prints nothing, if an ID block in the file names another digest.
theirs() {
  said=$("$igvmmeasure" "$1" measure) || return
  echo "$said" | sed -n 's/^Launch Digest: //p' | tr A-F a-f
}
# igvmmeasure goes by the order of the file; QEMU does not.
ours() { "$forelock" image measure --loader in-order "$1"; }

for key in id author; do
  openssl ecparam -name secp384r1 -genkey -noout -out "$dir/$key.pem"
done
"$forelock" image build --output "$dir/forelock.igvm" "$image" > /dev/null
for vmm in qemu hyper-v vanadium; do
  "$igvmbuilder" --snp --policy 0x30000 --bldr "$image" --kernel "$image" \
    --output "$dir/$vmm.igvm" "$vmm" > /dev/null
done

check "forelock, as QEMU launches it" "$("$forelock" image measure "$dir/forelock.igvm")" \
  "$(theirs "$dir/forelock.igvm")"
for name in forelock qemu hyper-v vanadium; do
  file=$dir/$name.igvm
  digest=$(ours "$file")
  check "$name" "$digest" "$(theirs "$file")"
  "$forelock" image list "$file" > /dev/null
  "$forelock" image dump "$file" > /dev/null

  "$igvmmeasure" "$file" sign --output "$dir/theirs.igvm" --id-key "$dir/id.pem" \
    --author-key "$dir/author.pem" > /dev/null
  said=$("$forelock" image verify --loader in-order --digest "$digest" "$dir/theirs.igvm" | tail -n 1)
  check "$name, signed by igvmmeasure" "$said" "verified (snp), with its ID block"
  "$forelock" image sign --loader in-order --id-key "$dir/id.pem" --author-key "$dir/author.pem" \
    --output "$dir/ours.igvm" "$file" > /dev/null
  check "$name, signed by forelock" "$digest" "$(theirs "$dir/ours.igvm")"
done
exit $failed
