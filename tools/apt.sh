# SPDX-License-Identifier: Apache-2.0
#
# Sourced. An apt of our own in a temporary folder: it needs no root and leaves
# the machine's apt alone, but takes its mirror, proxy and keys.

# The mirror that this machine's own apt uses, or $DEBIAN_MIRROR.
debian_mirror() {
  if [ -n "${DEBIAN_MIRROR:-}" ]; then
    echo "${DEBIAN_MIRROR%/}"
    return
  fi
  {
    apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2> /dev/null
    # No lists yet: what the sources say.
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2> /dev/null |
      sed -nE 's/^deb +(\[[^]]*\] +)?([^ ]+).*/\2/p'
    cat /etc/apt/sources.list.d/*.sources 2> /dev/null | sed -nE 's/^URIs: *([^ ]+).*/\1/p'
  } | grep -m1 -E '/debian/?$' | sed 's|/$||'
}

# private_apt FOLDER [LINE]: an apt in FOLDER, exported, with the machine's own
# sources or with this line, where "@MIRROR" stands for the machine's mirror.
private_apt() {
  apt_folder=$1
  mkdir -p "$apt_folder/lists/partial" "$apt_folder/cache/archives/partial"
  : > "$apt_folder/apt.conf"
  if [ -n "${2:-}" ]; then
    apt_mirror=$(debian_mirror)
    if [ -z "$apt_mirror" ]; then
      echo "no Debian mirror in this machine's apt sources; set DEBIAN_MIRROR to a URL that ends in /debian" >&2
      return 1
    fi
    apt_keys=/usr/share/keyrings/debian-archive-keyring.gpg
    if [ ! -e "$apt_keys" ]; then
      echo "$apt_keys is missing; install debian-archive-keyring" >&2
      return 1
    fi
    echo "$2" | sed "s|@MIRROR|[signed-by=$apt_keys] $apt_mirror|" > "$apt_folder/sources.list"
    cat > "$apt_folder/apt.conf" << END
Dir::Etc::sourcelist "$apt_folder/sources.list";
Dir::Etc::sourceparts "-";
END
  fi
  cat >> "$apt_folder/apt.conf" << END
Dir::State::lists "$apt_folder/lists";
Dir::Cache "$apt_folder/cache";
Acquire::Languages "none";
Acquire::Retries "3";
END
  [ "$(id -u)" -ne 0 ] || echo 'APT::Sandbox::User "root";' >> "$apt_folder/apt.conf"
  export APT_CONFIG="$apt_folder/apt.conf"
  # Hooks of the machine's apt may complain that they are not root.
  apt-get -qq update > "$apt_folder/update.log" 2>&1 || {
    cat "$apt_folder/update.log" >&2
    echo "apt-get update failed${apt_mirror:+ for $apt_mirror}; set DEBIAN_MIRROR to another mirror" >&2
    return 1
  }
}
