#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# fetch_stock.sh with an apt-get of our own, which has each package that it is
# asked for, or none.
set -eu
root=$PWD
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
mkdir -p "$here/bin" "$here/repo/tools" "$here/tree/DEBIAN" "$here/tree/lib"
cp "$root/tools/fetch_stock.sh" "$root/tools/apt.sh" "$here/repo/tools"
export DEBIAN_MIRROR=http://mirror.example/debian HERE="$here"
cat > "$here/bin/apt-get" << 'END'
#!/bin/sh
echo "$*" >> "$HERE/calls"
case "$*" in
  *download*)
    [ ! -e "$HERE/gone" ] || { echo "E: 404" >&2; exit 100; }
    # The machine may have newer ones installed, which a mirror of these has not.
    status=$(sed -n 's/^Dir::State::status "\(.*\)";$/\1/p' "$APT_CONFIG")
    [ -f "$status" ] && [ ! -s "$status" ] || { echo "E: Can't find a source" >&2; exit 100; }
    shift 2
    for package; do
      printf 'Package: %s\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n' \
        "$package" > "$HERE/tree/DEBIAN/control"
      rm -f "$HERE"/tree/lib/*
      echo x > "$HERE/tree/lib/$package"
      dpkg-deb -Znone -b "$HERE/tree" "${package}_1_all.deb" > /dev/null
    done
    ;;
esac
END
chmod +x "$here/bin/apt-get"
export PATH="$here/bin:$PATH"
cd "$here/repo"
stock=.forelock/stock

failed=0
check() { # WHAT COMMAND...: the command must succeed
  what=$1
  shift
  "$@" > "$here/log" 2>&1 || {
    echo "FAILED: $what" >&2
    failed=1
  }
}

touch "$here/gone"
check "what cannot be had is an error" sh -c '! tools/fetch_stock.sh'
check "and leaves nothing" test ! -e $stock -a ! -e $stock.new
rm "$here/gone"
check "fetched" tools/fetch_stock.sh
check "systemd" test -s $stock/root/lib/systemd
check "a library" test -s $stock/root/lib/libcryptsetup12
check "its version is kept" grep -q 'systemd.1' $stock/VERSION
: > "$here/calls"
check "again" tools/fetch_stock.sh
check "again: no network" test ! -s "$here/calls"
sed -i 's/^packages="systemd /packages="systemd more /' tools/fetch_stock.sh
touch "$here/gone"
check "another list, not to be had" sh -c '! tools/fetch_stock.sh'
check "the old one is whole" test -s $stock/root/lib/systemd -a -s $stock/VERSION
rm "$here/gone"
check "another list" tools/fetch_stock.sh
check "has what is new" test -s $stock/root/lib/more

[ "$failed" = 0 ] && echo passed
exit "$failed"
