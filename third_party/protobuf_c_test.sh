#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# protobuf_c.sh makes no code in which a peer chooses an enumerator.
set -eu
make=$(realpath "$1")
cd "$TEST_TMPDIR"
mkdir out
try() {
  printf 'syntax = "proto3";\npackage t;\nenum E { A = 0; }\nmessage M { %s }\n' "$1" > m.proto
  "$make" out m.proto > log 2>&1
}
try 'int32 e = 1; bytes b = 2;' || {
  cat log
  echo "refused a message without such a field"
  exit 1
}
for field in 'E e = 1;' 'int32 a = 1; repeated E e = 2;' 'oneof o { int32 a = 1; E e = 2; }'; do
  if try "$field" || ! grep -q 'm.proto: these fields' log; then
    cat log
    echo "did not refuse: $field"
    exit 1
  fi
done
# A search that fails has not found that there is none.
mkdir bin
printf '#!/bin/sh\nexit 2\n' > bin/grep
chmod +x bin/grep
if PATH="$PWD/bin:$PATH" "$make" out m.proto > log 2>&1; then
  echo "took a failed search for one that found nothing"
  exit 1
fi
/usr/bin/grep -q 'm.proto: the generated code cannot be searched' log || {
  cat log
  exit 1
}
