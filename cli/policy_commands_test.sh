#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# forelock policy from-image and check: what one prints, the other loads.
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
# says FILE WORDS: FILE has a line with WORDS.
says() {
  grep -q -e "$2" "$1" || fail "no '$2' in: $(cat "$1")"
}
# check CODE FILE...: `policy check` ends with CODE; what it says is in out, err.
check() {
  code=$1
  shift
  "$forelock" policy check "$@" > "$dir/out" 2> "$dir/err"
  got=$?
  [ $got -eq "$code" ] || fail "policy check $*: $got, not $code: $(cat "$dir/out" "$dir/err")"
}

hex=00112233445566778899aabbccddeeff
cat > "$dir/guest.toml" << END
version = 1
platform = "emulated"
vm = "demo/vm1"
verifier = "verifier"
verifier_pins = ["sha256:$hex$hex"]
acpi = "from-host"
[channel]
transport = "page"
END
sed 's/vm1/vm2/; s/from-host/none/' "$dir/guest.toml" > "$dir/other.toml"
sed 's/sha256:0/sha256:1/' "$dir/guest.toml" > "$dir/next.toml"
for name in guest other next; do
  "$forelock" image configure --config "$dir/$name.toml" --output "$dir/$name.elf" "$image" \
    > /dev/null || fail "configure $name"
done
printf 'a kernel' > "$dir/kernel"
digest=$(sha384sum < "$dir/kernel" | cut -d ' ' -f 1)

# For AMD's processors: loads as it is, and says what is still to be filled in.
"$forelock" policy from-image "$dir/guest.elf" "$dir/next.elf" --kernel "$dir/kernel" \
  > "$dir/amd.toml" || fail "from-image"
for made in guest next; do
  says "$dir/amd.toml" "\"$("$forelock" image measure "$dir/$made.elf")\",  # $made.elf"
done
says "$dir/amd.toml" '^vms = \["demo/vm1"\]$'
says "$dir/amd.toml" '^products = \["genoa", "turin"\]$'
says "$dir/amd.toml" '^smt = "forbidden"'
says "$dir/amd.toml" '^vlek = "refused"'
says "$dir/amd.toml" '^crl = "required"'
says "$dir/amd.toml" "^kernel = \\[\"sha384:$digest\"\\]\$"
says "$dir/amd.toml" 'arXiv 2605.12990'
grep -E '^(reported|committed|launch) = .*snp = 0[ ,]' "$dir/amd.toml" && fail "a minimum of 0"
[ "$(grep -Ec '^(reported|committed|launch) = \{' "$dir/amd.toml")" -eq 6 ] || fail "minimum TCBs"
check 0 "$dir/amd.toml"
says "$dir/out" 'amd.toml: loads: policy demo/vm1$'
says "$dir/out" 'warning: boot.initrd: a digest of zeros'
grep 'boot.kernel\|smt\|minimum_tcb\|Milan' "$dir/out" && fail "warns of what is closed"

# Milan, by hand, is named by a warning; so is all that is opened.
sed 's/"amd:genoa", "amd:turin"/"amd:milan"/; s/"genoa", "turin"/"milan"/; /turin\]/,/^launch/d
  s/tcb.genoa/tcb.milan/; s/^launch = .*/launch = "any"/; s/^smt = "forbidden"/smt = "any"/
  s/^smt_enabled = "forbidden"/smt_enabled = "any"/
  s/unattested_boot = false/unattested_boot = true/; s/^kernel = .*/kernel = "any"/
  s/^vlek = "refused"/vlek = "any"/; s/^crl = "required"/crl = "if-present"/' \
  "$dir/amd.toml" > "$dir/milan.toml"
check 0 "$dir/milan.toml"
for words in 'docs/limitations.md, "Milan"' 'guest_policy.smt: ' 'unattested_boot: ' \
  'minimum_tcb.milan.launch: "any"' 'signer.vlek: ' 'signer.crl: '; do
  says "$dir/out" "warning: .*$words"
done

# Emulated.
"$forelock" policy from-image "$dir/other.elf" --emulated --root-sha256 "sha256:$hex$hex" \
  --acpi "sha384:$hex$hex$hex" > "$dir/emulated.toml" || fail "from-image --emulated"
says "$dir/emulated.toml" "^roots = \\[\"sha256:$hex$hex\"\\]\$"
says "$dir/emulated.toml" '^acpi = "none"'
check 0 "$dir/amd.toml" "$dir/emulated.toml"
says "$dir/out" 'loads: policy demo/vm2 (EMULATED evidence only)'
says "$dir/out" 'warning: roots: not AMD'

for product in genoa turin; do
  "$forelock" policy from-image "$dir/other.elf" --emulated --root-sha256 "$hex$hex" \
    --product $product > "$dir/$product.toml" || fail "from-image --product $product"
  says "$dir/$product.toml" "^products = \\[\"$product\"\\]\$"
  check 0 "$dir/$product.toml"
done

# An SNP image: its SNP digest, and nothing to mend there.
sed 's/platform = "emulated"/platform = "snp"/' "$dir/guest.toml" > "$dir/snp.toml"
"$forelock" image configure --config "$dir/snp.toml" --output "$dir/snp.elf" "$image" \
  > /dev/null || fail "configure snp"
"$forelock" policy from-image "$dir/snp.elf" > "$dir/policy.toml" || fail "from-image, snp"
sed -n '/^\[launch\]/,/^\]/p' "$dir/policy.toml" > "$dir/launch"
says "$dir/launch" '^  "[0-9a-f]\{96\}",  # snp.elf, platform snp$'
grep 'EDIT' "$dir/launch" && fail "an SNP digest is to be mended"
grep -F "$("$forelock" image measure "$dir/guest.elf")" "$dir/launch" && fail "the emulated digest"
check 0 "$dir/policy.toml"
# KVM launches only what allows SMT; whether it is on, the report's platform says.
grep -q '^smt = "any"' "$dir/policy.toml" || fail "from-image forbids what KVM demands"
grep -q '^smt_enabled = "forbidden"' "$dir/policy.toml" || fail "from-image allows SMT"
grep 'guest_policy.smt' "$dir/out" && fail "warns of SMT that is forbidden"
"$forelock" policy from-image "$dir/snp.elf" "$dir/guest.elf" > "$dir/policy.toml" || fail "both"
says "$dir/policy.toml" 'EDIT: a digest as the emulated processor measures'
# The machine that emulates SNP measures as SNP does, and has a test root.
"$forelock" policy from-image "$dir/snp.elf" --emulated --root-sha256 "$hex$hex" \
  > "$dir/policy.toml" || fail "from-image --emulated, snp"
says "$dir/policy.toml" "$(sed -n 's/^  "\([0-9a-f]*\)".*/\1/p' "$dir/launch")"
check 0 "$dir/policy.toml"

# By the key that signs ID blocks.
for name in id author; do
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out "$dir/$name.pem" 2> /dev/null
done
"$forelock" policy from-image "$dir/snp.elf" --id-key "$dir/id.pem" --svn 7 > "$dir/key.toml" ||
  fail "from-image --id-key"
says "$dir/key.toml" "^id_key_digest = \[\"$("$forelock" image id-key "$dir/id.pem")\"\]\$"
says "$dir/key.toml" '^author_key_digest = "any"'
says "$dir/key.toml" '^minimum_guest_svn = 7$'
says "$dir/key.toml" '^measurement = "any"'
check 0 "$dir/key.toml"
"$forelock" policy from-image "$dir/snp.elf" --id-key "$dir/id.pem" --author-key "$dir/author.pem" \
  > "$dir/key.toml" || fail "from-image --author-key"
says "$dir/key.toml" "^author_key_digest = \[\"$("$forelock" image id-key "$dir/author.pem")\"\]\$"
says "$dir/key.toml" '^minimum_guest_svn = 0$'
check 0 "$dir/key.toml"

# Refusals: usage.
for words in "--svn 1" "--author-key $dir/id.pem" "--id-key $dir/id.pem --svn x" "--product turin" "--emulated" "--root-sha256 $hex" "--acpi sha384:12" "$dir/other.elf" \
  "--emulated --root-sha256 $hex" \
  "--emulated --root-sha256 4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1"; do
  # shellcheck disable=SC2086
  "$forelock" policy from-image $words "$dir/guest.elf" > "$dir/out" 2> "$dir/err"
  code=$?
  [ $code -eq 2 ] || fail "from-image $words: $code: $(cat "$dir/err")"
  [ ! -s "$dir/out" ] || fail "from-image $words printed a policy"
done
"$forelock" policy from-image "$image" > /dev/null 2> "$dir/err" && fail "no configuration, no policy"

# Refusals: every file's first error, and one secret path with two governors.
sed '/^crl/d' "$dir/amd.toml" > "$dir/incomplete.toml"
sed 's/^version = 2/version = 1/' "$dir/amd.toml" > "$dir/old.toml"
check 1 "$dir/incomplete.toml" "$dir/old.toml" "$dir/amd.toml" "$dir/none.toml"
says "$dir/err" 'VP3 .*incomplete.toml:[0-9]*:[0-9]*: key .signer.crl. is missing'
says "$dir/err" 'VP21 .*old.toml:[0-9]*:11: key .version.: 1 is no longer read; write version = 2'
says "$dir/err" 'CL1 .*none.toml'
says "$dir/out" 'amd.toml: loads'
sed 's/^name = .*/name = "twin"/' "$dir/amd.toml" > "$dir/twin.toml"
check 1 "$dir/amd.toml" "$dir/twin.toml"
says "$dir/err" 'amd.toml and .*twin.toml: VP7 both govern demo/vm1/\*'
sed 's/^secrets = .*/secrets = ["elsewhere"]/' "$dir/amd.toml" > "$dir/same-name.toml"
check 1 "$dir/amd.toml" "$dir/same-name.toml"
says "$dir/err" 'both are named demo/vm1'
check 2
exit $failed
