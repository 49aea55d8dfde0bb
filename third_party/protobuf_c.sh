#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# protobuf_c.sh OUT FILE.proto: makes OUT/FILE.pb-c.c and .pb-c.h, of packages
# protobuf-compiler and protobuf-c-compiler. Refuses a field of an enumerated
# type: its value comes from outside, and loading one that the enumeration does
# not cover is undefined in C++. Such a field is an int32, the same bytes.
set -eu
/usr/bin/protoc --plugin=protoc-gen-c=/usr/bin/protoc-gen-c -I. --c_out="$1" "$2"
# The generated descriptor of each field says its type.
found=0
grep -B3 'PROTOBUF_C_TYPE_ENUM' "$1/${2%.proto}.pb-c.c" || found=$?
case $found in
  0)
    echo "$2: these fields have an enumerated type; make them int32 (proto/wire_enum.h)" >&2
    exit 1
    ;;
  1) ;; # No line is like that.
  *)
    echo "$2: the generated code cannot be searched" >&2
    exit 1
    ;;
esac
