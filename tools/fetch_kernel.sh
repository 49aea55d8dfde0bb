#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Unpacks the kernel of Debian's linux-image-cloud-amd64 into .forelock/kernel:
# vmlinuz, modules/, VERSION. Installs nothing. apt verifies the package.
#
#   tools/fetch_kernel.sh [--update]     --update: a newer one, if there is one
set -eu
cd "$(dirname "$0")/.."
. tools/apt.sh
target=.forelock/kernel

[ "${1:-}" = --update ] || [ ! -s "$target/VERSION" ] || exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Lists of its own: the machine's may be missing or older than the mirror.
if [ -n "${DEBIAN_MIRROR:-}" ]; then
  private_apt "$work/apt" "deb @MIRROR bookworm main"
else
  private_apt "$work/apt"  # the machine's sources, security updates among them
fi
package=$(apt-cache depends linux-image-cloud-amd64 |
  sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
[ -n "$package" ] || {
  echo "setup: apt does not know linux-image-cloud-amd64" >&2
  exit 1
}
echo "setup: fetching $package (unpacked into $target, not installed)"
(cd "$work" && apt-get -qq download "$package")
dpkg-deb -x "$work"/linux-image-*.deb "$work/tree"
rm -rf "$target.new"
mkdir -p "$target.new"
mv "$work"/tree/boot/vmlinuz-* "$target.new/vmlinuz"
mv "$work"/tree/lib/modules/* "$target.new/modules"
dpkg-deb -f "$work"/linux-image-*.deb Package Version |
  sed -n 's/^[^:]*: //p' | paste -s -d ' ' > "$target.new/VERSION"
rm -rf "$target"
mv "$target.new" "$target"
echo "setup: kernel $(cat $target/VERSION)"
