#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# fetch_kernel.sh against made-up mirrors: apt's programs are replaced by ones
# that read a folder, $MIRROR/SUITE, with "index" (PACKAGE VERSION DEPENDS, a line
# each) and the packages. A suite without a folder cannot be had.
set -eu
root=$PWD
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
export MIRROR="$here/mirror" DEBIAN_MIRROR=http://mirror.example/debian
mkdir -p "$here/bin" "$here/repo/tools" "$MIRROR"
cp "$root/tools/fetch_kernel.sh" "$root/tools/apt.sh" "$here/repo/tools"
cd "$here/repo"

# The suite that the sources in use name.
cat > "$here/bin/suite" << 'END'
#!/bin/sh
sed -n 's/^deb .* \([^ ]*\) main$/\1/p' "$(dirname "$APT_CONFIG")/sources.list"
END
cat > "$here/bin/apt-get" << 'END'
#!/bin/sh
suite=$(suite)
echo "$* $suite" >> "$MIRROR/calls"
case "$*" in
  *update*) [ -d "$MIRROR/$suite" ] || { echo "E: no Release file for $suite"; exit 100; } ;;
  *download*) cp "$MIRROR/$suite/$3"_*.deb . 2> /dev/null || { echo "E: 404 $3" >&2; exit 100; } ;;
esac
END
cat > "$here/bin/apt-cache" << 'END'
#!/bin/sh
index=$MIRROR/$(suite)/index
command=$1
shift
case $command in
  pkgnames) cut -d' ' -f1 "$index" ;;
  madison) for package; do sed -n "s/^\($package\) \([^ ]*\).*/ \1 | \2 | some mirror/p" "$index"; done ;;
  depends) sed -n "s/^$1 [^ ]* \(.*\)/$1\n  Depends: \1/p" "$index" ;;
esac
END
chmod +x "$here/bin/"*
export PATH="$here/bin:$PATH"

failed=0
check() { # WHAT COMMAND...: the command must succeed
  what=$1
  shift
  "$@" > /dev/null 2>&1 || {
    echo "FAILED: $what" >&2
    failed=1
  }
}

# package SUITE NAME VERSION DEPENDS FILE...: with these files, and in the index.
package() {
  suite=$1 name=$2 version=$3 depends=$4
  shift 4
  tree=$(mktemp -d "$here/deb.XXXXXX")
  chmod 755 "$tree"
  mkdir -p "$tree/DEBIAN" "$MIRROR/$suite"
  printf 'Package: %s\nVersion: %s\nArchitecture: amd64\nMaintainer: x <x@example.org>\nDescription: x\n' \
    "$name" "$version" > "$tree/DEBIAN/control"
  [ -z "$depends" ] || echo "Depends: $depends" >> "$tree/DEBIAN/control"
  for file; do
    mkdir -p "$tree/$(dirname "$file")"
    echo "$name $version" > "$tree/$file"
  done
  dpkg-deb -Znone -b "$tree" "$MIRROR/$suite/${name}_$(echo "$version" | tr : %)_amd64.deb" > /dev/null
  echo "$name $version" >> "$MIRROR/$suite/index"
}

# whole SUITE RELEASE VERSION: a kernel in one package; split: in four.
whole() {
  package "$1" "linux-image-$2-cloud-amd64" "$3" "kmod, linux-base (>= 4.3)" \
    "boot/vmlinuz-$2-cloud-amd64" "lib/modules/$2-cloud-amd64/kernel/a.ko"
}
split() {
  package "$1" "linux-image-$2-cloud-amd64" "$3" \
    "dracut | initramfs-tools (>= 0.120), linux-base-$2 (= $3), linux-binary-$2 (= $3), linux-modules-$2 (= $3)"
  package "$1" "linux-base-$2" "$3" "" "usr/share/doc/x"
  package "$1" "linux-binary-$2" "$3" "linux-base-$2 (= $3)" "usr/lib/modules/$2/vmlinuz"
  package "$1" "linux-modules-$2" "$3" "kmod, linux-base-$2 (= $3)" "usr/lib/modules/$2/kernel/a.ko.xz"
}
meta() { echo "linux-image-cloud-amd64 $2 linux-image-$3-cloud-amd64" >> "$MIRROR/$1/index"; }

kernels=.forelock/kernels
fetch() { tools/fetch_kernel.sh "$@" > "$here/log" 2>&1; }

# --- The oldest must be had.

check "no oldest kernel is an error" sh -c '! tools/fetch_kernel.sh oldest'
whole bookworm 6.1.0-5 6.1.100-1
meta bookworm 6.1.100-1 6.1.0-5
check "oldest" fetch oldest
check "oldest: version" grep -qx 'linux-image-6.1.0-5-cloud-amd64 6.1.100-1' .forelock/kernel/VERSION
check "oldest: files" test -s .forelock/kernel/vmlinuz -a -s .forelock/kernel/modules/kernel/a.ko
: > "$MIRROR/calls"
check "oldest again" fetch oldest
check "oldest again: no network" test ! -s "$MIRROR/calls"

# --- The newest, of whichever suite.

check "no newest kernel is no error" fetch newest
check "no newest kernel is said" grep -q 'tests of the kernel newest are skipped' "$here/log"
check "and kept for the tests" grep -q 'sid' $kernels/newest.missing
whole trixie 6.12.5+deb13 6.12.5-1
meta trixie 6.12.5-1 6.12.5+deb13
check "trixie, if there is no other" fetch newest
check "trixie's version" grep -q '6.12.5-1' $kernels/newest/VERSION
check "it is missing no more" test ! -e $kernels/newest.missing
split sid 7.2.9+deb14 7.2.9-1
meta sid 7.2.9-1 7.2.9+deb14
check "sid" fetch newest --update
check "sid's version" grep -q '7.2.9-1' $kernels/newest/VERSION
split trixie-backports 7.2.10+deb13 '7.2.10-1~bpo13+1'
meta trixie-backports '7.2.10-1~bpo13+1' 7.2.10+deb13
check "without --update it stays" fetch newest
check "stayed" grep -q '7.2.9-1' $kernels/newest/VERSION
check "backports" fetch newest --update
check "backports' version, 10 after 9" grep -q '7.2.10-1~bpo13+1' $kernels/newest/VERSION
check "of several packages" grep -q linux-binary $kernels/newest/vmlinuz
check "and modules" grep -q linux-modules $kernels/newest/modules/kernel/a.ko.xz

# --- A package that is listed and not there leaves what there was.

split sid 7.4.1+deb14 7.4.1-1
sed -i '/linux-image-cloud-amd64/d' "$MIRROR/sid/index"
meta sid 7.4.1-1 7.4.1+deb14
rm "$MIRROR"/sid/linux-modules-7.4.1*
check "a package that is gone is no error" fetch newest --update
check "is said" grep -q 'staying with .*7.2.10' "$here/log"
check "the old one is whole" grep -q linux-binary $kernels/newest/vmlinuz
check "no half one" test ! -e $kernels/newest.new -a ! -e $kernels/newest.old

# --- Each series.

whole bookworm-security 6.1.0-12 6.1.120-1
package bookworm-security linux-image-6.12-cloud-amd64 6.12.99-1 "linux-image-6.12.9" # a metapackage
package trixie linux-image-6.12.5+deb13-cloud-amd64-unsigned 6.12.5-1 "" boot/vmlinuz-x
check "each" fetch each
check "the newest of 6.1" grep -q 'linux-image-6.1.0-12-cloud-amd64' $kernels/6.1/VERSION
check "signed before unsigned" grep -qx 'linux-image-6.12.5+deb13-cloud-amd64 6.12.5-1' $kernels/6.12/VERSION
check "7.2 is the newest one" grep -q 7.2.10 $kernels/7.2/VERSION
check "7.4 cannot be had" grep -q 'linux-image-7.4.1+deb14-cloud-amd64 cannot be had' $kernels/7.4.missing
check "is said, too" grep -q '7.4.1.* tests of the kernel 7.4 are skipped' "$here/log"
check "no half one" test ! -e $kernels/7.4 -a ! -e $kernels/7.4.new
split sid 7.5.1+deb14 7.5.1-1
sed -i '/^linux-\(modules\|base\)-7.5/d' "$MIRROR/sid/index"
check "7.5 has no modules" fetch each
check "7.5 is there without" test -s $kernels/7.5/vmlinuz -a ! -e $kernels/7.5/modules
check "is said" grep -q 'no modules for it' "$here/log"
meta sid 7.5.1-1 7.5.1+deb14
check "no newest kernel without modules" fetch newest --update
check "but the one before" grep -q '7.2.10' $kernels/newest/VERSION
rm -r "$MIRROR/sid"
check "each, without a suite" fetch each
check "the suite is said" grep -q 'kernels: no sid: ' "$here/log"
check "what is listed no more is not missing" test ! -e $kernels/7.4.missing
check "nothing is fetched twice" sh -c '! grep -q fetching "$1"' - "$here/log"
check "7.5 stays" test -s $kernels/7.5/vmlinuz

[ "$failed" = 0 ] && echo passed
exit "$failed"
