#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# check_id_block.sh ID_BLOCK ID_AUTH [ID_KEY.pem [AUTHOR_KEY.pem]]
#
# Verifies an SNP ID block with nothing but the `openssl` command: no code of
# this repository. The keys are those in ID_AUTH; a PEM file (public or private
# key) must be the same key. Prints what it found; exit 0: everything holds,
# 1: something does not, 2: cannot tell.
#
# Spec: AMD 56860 rev. 1.58, SNP_LAUNCH_FINISH, "ID Block Structure", "ID
# Authentication Information Structure"; "Digital Signatures".
set -eu
umask 077

[ $# -ge 2 ] && [ $# -le 4 ] || {
  echo "usage: $0 ID_BLOCK ID_AUTH [ID_KEY.pem [AUTHOR_KEY.pem]]" >&2
  exit 2
}
id_block=$1
id_auth=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

bad() {
  echo "$*"
  exit 1
}

# bytes FILE OFFSET SIZE: on standard output.
bytes() {
  tail -c +$(($2 + 1)) "$1" | head -c "$3"
}
# number FILE OFFSET SIZE: little-endian, as hex digits.
number() {
  bytes "$1" "$2" "$3" | od -An -v -tx1 | tr -s ' ' '\n' | sed '/^$/d' | tac | tr -d '\n'
}
zeros() {
  [ -z "$(number "$1" "$2" "$3" | tr -d 0)" ]
}
# key_pem STRUCTURE OUT: the public key of a key structure.
key_pem() {
  [ "$(number "$1" 0 4)" = 00000002 ] || bad "a key is not on the curve P-384"
  zeros "$1" 148 880 || bad "a reserved byte of a key is not zero"
  { zeros "$1" 52 24 && zeros "$1" 124 24; } || bad "a coordinate has more than 48 bytes"
  cat > "$dir/conf" << END
asn1 = SEQUENCE:key
[key]
algorithm = SEQUENCE:algorithm
point = FORMAT:HEX,BITSTRING:04$(number "$1" 4 48)$(number "$1" 76 48)
[algorithm]
kind = OID:id-ecPublicKey
curve = OID:secp384r1
END
  openssl asn1parse -genconf "$dir/conf" -noout -out "$dir/der"
  openssl pkey -pubin -inform DER -in "$dir/der" -pubcheck -noout > /dev/null 2>&1 ||
    bad "a key is no point of P-384"
  openssl pkey -pubin -inform DER -in "$dir/der" -pubout -out "$2"
}

# verify WHAT KEY.pem SIGNATURE MESSAGE
verify() {
  zeros "$3" 144 368 || bad "a reserved byte of a signature is not zero"
  { zeros "$3" 48 24 && zeros "$3" 120 24; } || bad "R or S has more than 48 bytes"
  cat > "$dir/conf" << END
asn1 = SEQUENCE:signature
[signature]
r = INTEGER:0x$(number "$3" 0 48)
s = INTEGER:0x$(number "$3" 72 48)
END
  openssl asn1parse -genconf "$dir/conf" -noout -out "$dir/signature.der"
  openssl dgst -sha384 -verify "$2" -signature "$dir/signature.der" "$4" > /dev/null 2>&1 ||
    bad "$1: the signature does not verify"
  echo "$1: signature good"
}

# same_key WHAT FILE.pem OURS.pem
same_key() {
  openssl pkey -in "$2" -pubout -out "$dir/given.pem" 2> /dev/null ||
    openssl pkey -pubin -in "$2" -pubout -out "$dir/given.pem" 2> /dev/null || {
    echo "$2: no key in PEM" >&2
    exit 2
  }
  cmp -s "$dir/given.pem" "$3" || bad "$1: not the key in $2"
}

digest() {
  openssl dgst -sha384 -r "$1" | cut -d ' ' -f 1
}

[ "$(wc -c < "$id_block")" -eq 96 ] || bad "the ID block has not 96 bytes"
[ "$(wc -c < "$id_auth")" -eq 4096 ] || bad "the ID authentication information has not 4096 bytes"
[ "$(number "$id_block" 80 4)" = 00000001 ] || bad "the ID block is not of version 1"
[ "$(number "$id_auth" 0 4)" = 00000001 ] || bad "the ID key is not of ECDSA P-384 with SHA-384"
for reserved in "8 56" "1604 60" "3204 892"; do
  # shellcheck disable=SC2086 # Two words.
  zeros "$id_auth" $reserved || bad "a reserved byte of ID_AUTH is not zero"
done

bytes "$id_auth" 576 1028 > "$dir/id-key"
bytes "$id_auth" 64 512 > "$dir/signature"
key_pem "$dir/id-key" "$dir/id-key.pem"
[ $# -lt 3 ] || same_key "ID key" "$3" "$dir/id-key.pem"
verify "ID block by ID key" "$dir/id-key.pem" "$dir/signature" "$id_block"
echo "ID key digest $(digest "$dir/id-key")"

if zeros "$id_auth" 2176 1028 && zeros "$id_auth" 1664 512; then
  [ $# -lt 4 ] || bad "there is no author key"
  echo "no author key"
  exit 0
fi
[ "$(number "$id_auth" 4 4)" = 00000001 ] || bad "the author key is not of ECDSA P-384 with SHA-384"
bytes "$id_auth" 2176 1028 > "$dir/author-key"
bytes "$id_auth" 1664 512 > "$dir/signature"
key_pem "$dir/author-key" "$dir/author-key.pem"
[ $# -lt 4 ] || same_key "author key" "$4" "$dir/author-key.pem"
verify "ID key by author key" "$dir/author-key.pem" "$dir/signature" "$dir/id-key"
echo "author key digest $(digest "$dir/author-key")"
