#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# forelock-emulator as a process: init, serve, noise on the socket, SIGTERM.
set -u
emulator=$1
image=$2
# Socket paths are at most 107 characters: not below TEST_TMPDIR.
dir=$(mktemp -d /tmp/flXXXXXX)
trap 'rm -rf "$dir"' EXIT
failed=0
fail() {
  echo "FAILED: $*"
  failed=1
}
serve() { "$emulator" serve --hierarchy "$dir/h" --socket "$dir/s" --ram "$dir/ram" "$@"; }

serve --image "$image" 2> "$dir/err" && fail "served without a hierarchy"
grep -q 'EM1 ' "$dir/err" || fail "no reason: $(cat "$dir/err")"
"$emulator" init --hierarchy "$dir/h" || fail "init"
before=$(cat "$dir"/h/*/* | sha256sum)
"$emulator" init --hierarchy "$dir/h" || fail "init again"
[ "$(cat "$dir"/h/*/* | sha256sum)" = "$before" ] || fail "init again changed the keys"
[ "$(stat -c %a "$dir/h/private" "$dir/h/private/vcek.pem" | tr '\n' ' ')" = "700 600 " ] ||
  fail "keys are readable"

"$emulator" init --hierarchy "$dir/h" --product turin 2> "$dir/err" && fail "init of another kind"
grep -q 'EM1 ' "$dir/err" || fail "no reason: $(cat "$dir/err")"
"$emulator" init --hierarchy "$dir/t" --product turin --vlek CN=cc.example.com || fail "init turin"
[ -e "$dir/t/public/asvk.der" ] && [ -e "$dir/t/public/crl.der" ] || fail "nothing for a VLEK"
"$emulator" revoke --hierarchy "$dir/t" --output "$dir/crl.der" || fail "revoke"
[ -s "$dir/crl.der" ] || fail "revoke wrote nothing"
"$emulator" revoke --hierarchy "$dir/t" --output "$dir/none/crl.der" 2> "$dir/err" && fail "no folder"
grep -q 'EM9 ' "$dir/err" || fail "no reason: $(cat "$dir/err")"
mkdir "$dir/new"
"$emulator" rotate --hierarchy "$dir/t" --output "$dir/new" || fail "rotate"
(cd "$dir/t/public" && ls asvk.der vlek-*.der crl.der) > "$dir/names"
(cd "$dir/new" && ls ./* | sed 's,^\./,,') | sort > "$dir/made"
sort "$dir/names" | cmp - "$dir/made" || fail "rotate made other files: $(cat "$dir/made")"
while read -r name; do
  cmp -s "$dir/new/$name" "$dir/t/public/$name" && fail "rotate made no new $name"
done < "$dir/names"
"$emulator" rotate --hierarchy "$dir/t" --output "$dir/none" 2> "$dir/err" && fail "no folder"
grep -q 'EM9 ' "$dir/err" || fail "no reason: $(cat "$dir/err")"
"$emulator" init --hierarchy "$dir/u" --product ryzen 2> "$dir/err" && fail "unknown product"
grep -q 'EM8 ' "$dir/err" || fail "no reason: $(cat "$dir/err")"
serve --image "$image" --report-version 6 2> "$dir/err" && fail "unknown version"
grep -q 'EM8 ' "$dir/err" || fail "no reason: $(cat "$dir/err")"

serve --image /dev/null 2> "$dir/err" && fail "served without an image"
grep -q "EM2 " "$dir/err" || fail "no reason: $(cat "$dir/err")"
serve --image "$image" --fault nonsense 2> "$dir/err" && fail "unknown fault"
grep -q 'EM4 ' "$dir/err" || fail "no reason: $(cat "$dir/err")"

truncate -s 1M "$dir/ram"
python3 - "$emulator" "$dir" "$image" << 'END' || fail "serve"
import os, signal, socket, subprocess, sys, threading
emulator, folder, image = sys.argv[1:]
server = subprocess.Popen(
    [emulator, "serve", "--hierarchy", folder + "/h", "--socket", folder + "/s",
     "--ram", folder + "/ram", "--image", image], stdout=subprocess.PIPE, text=True)
assert " info listening on " in server.stdout.readline()
# Noise, connections that come and go, two at a time.
for size in (0, 1, 27, 28, 5000):
    with socket.socket(socket.AF_UNIX) as first, socket.socket(socket.AF_UNIX) as second:
        first.connect(folder + "/s")
        first.sendall(os.urandom(size))
        second.connect(folder + "/s")
        second.sendall(b"FLCR" * size)
assert server.poll() is None
# A socket that is in use is not taken away.
second = subprocess.run(server.args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
assert second.returncode != 0 and "EM3" in second.stderr, second
# SIGHUP ends nothing.
server.send_signal(signal.SIGHUP)
while " info SIGHUP: " not in server.stdout.readline():
    assert server.poll() is None
# SIGTERM is served under a flood.
def flood():
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(folder + "/s")
        try:
            while True:
                peer.sendall(b"D" * 4096)
        except OSError:
            pass  # The server has ended.
flooding = threading.Thread(target=flood)
flooding.start()
server.send_signal(signal.SIGTERM)
assert server.wait(60) == 0, server.returncode
flooding.join()
assert not os.path.exists(folder + "/s")
END
exit $failed
