#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Unpacks Debian 12's systemd, udev and what they need into .forelock/stock/root:
# an initrd of a test is made of them (lab/stock.py). Installs nothing. apt
# verifies the packages. Does nothing, and needs no network, for what is there.
set -eu
cd "$(dirname "$0")/.."
. tools/apt.sh
stock=.forelock/stock

# systemd's and cryptsetup's programs, and the libraries that they are linked with.
packages="systemd udev dmsetup kmod mount base-files base-passwd
  libacl1 libapparmor1 libargon2-1 libaudit1 libblkid1 libc6 libcap-ng0 libcap2 libcrypt1
  libcryptsetup12 libdevmapper1.02.1 libfdisk1 libgcc-s1 libgcrypt20 libgpg-error0 libip4tc2
  libjson-c5 libkmod2 liblz4-1 liblzma5 libmount1 libpam0g libpcre2-8-0 libseccomp2 libselinux1
  libssl3 libsystemd-shared libsystemd0 libudev1 libuuid1 libzstd1"
packages=$(echo $packages)

[ "$(sed -n 1p $stock/VERSION 2> /dev/null || true)" != "$packages" ] || exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "setup: fetching Debian 12's systemd for a test (unpacked into $stock, not installed)"
# As in fetch_kernel.sh: the machine's own sources, where they are Debian 12's.
line="deb @MIRROR bookworm main"
. /etc/os-release
[ -n "${DEBIAN_MIRROR:-}" ] || [ "${VERSION_CODENAME:-}" != bookworm ] || line=
private_apt "$work/apt" "$line"
# What this machine has installed may be newer: apt would look for that.
: > "$work/apt/status"
echo "Dir::State::status \"$work/apt/status\";" >> "$work/apt/apt.conf"
mkdir -p "$work/debs"
(cd "$work/debs" && apt-get -qq download $packages)

rm -rf $stock.new
mkdir -p $stock.new/root
echo "$packages" > $stock.new/VERSION
for deb in "$work"/debs/*.deb; do
  dpkg-deb -x "$deb" $stock.new/root
  dpkg-deb -W "$deb" >> $stock.new/VERSION
done
# Whole at each moment: the old one or the new one.
rm -rf $stock
mv $stock.new $stock
