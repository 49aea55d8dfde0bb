#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# For the first person with SEV-SNP hardware: collects what confirms or refutes
# each numbered claim of docs/hardware.md into one tar, with a summary.
#
# It changes nothing on the machine, starts no VM, and asks no network. It takes
# the files that it is given and what the system says of itself, and no others:
# a file with a private key, a LUKS header or a disk is left out whatever its
# name, and no option asks for a disk key.
set -eu
export LC_ALL=C
umask 077

usage() {
  cat << 'END'
hardware_checklist.sh [OPTION VALUE]...

  --output FILE.tar     what to write; default: forelock-hardware-DATE.tar here
  --image FILE          the IGVM file that was started
  --console FILE        the guest's console, COM1
  --qemu-log FILE       what QEMU printed
  --proxy-log FILE      what forelock-proxy printed
  --guest-log FILE      the booted guest's kernel log (dmesg)
  --refused FILE        the console of a boot with a changed boot file, or the
                        verifier's words on it
  --report FILE         an attestation report of this image, 1184 bytes
  --certificates DIR    VCEK or VLEK, ASK and ARK for it: *.der, *.pem
  --exits FILE          a trace of one boot, as docs/hardware.md makes it
  --ram FILE            the VM's RAM file while it runs, with
  --marker TEXT         what a secret made for this test holds: is it there?
  --forelock PROGRAM    default: forelock
  --qemu PROGRAM        default: qemu-system-x86_64
  --kernel-log FILE     instead of this host's dmesg and kvm_amd's parameter
  --help

Nothing is judged where this host does not show SEV-SNP, and nothing is confirmed
without the console of a guest that started on it: both can be forged, and this
is no protection against who wants to deceive himself.

The tar has the report and so the chip's id, and nothing that is secret. The
marker itself is not written. Read the summary before you send it.
END
}

output='' image='' console='' qemu_log='' proxy_log='' guest_log='' refused=''
report='' certificates='' exits='' ram='' marker='' kernel_log=''
forelock=forelock qemu=qemu-system-x86_64

while [ $# -gt 0 ]; do
  case $1 in
    --help | -h) usage; exit 0 ;;
    --*) [ $# -ge 2 ] || { echo "$1: no value" >&2; exit 2; } ;;
  esac
  case $1 in
    --output) output=$2 ;;
    --image) image=$2 ;;
    --console) console=$2 ;;
    --qemu-log) qemu_log=$2 ;;
    --proxy-log) proxy_log=$2 ;;
    --guest-log) guest_log=$2 ;;
    --refused) refused=$2 ;;
    --report) report=$2 ;;
    --certificates) certificates=$2 ;;
    --exits) exits=$2 ;;
    --ram) ram=$2 ;;
    --marker) marker=$2 ;;
    --forelock) forelock=$2 ;;
    --qemu) qemu=$2 ;;
    --kernel-log) kernel_log=$2 ;;
    *) echo "unknown: $1" >&2; usage >&2; exit 2 ;;
  esac
  shift 2
done
for given in "$image" "$console" "$qemu_log" "$proxy_log" "$guest_log" "$refused" \
  "$report" "$certificates" "$exits" "$ram" "$kernel_log"; do
  [ -z "$given" ] || [ -r "$given" ] || { echo "cannot read $given" >&2; exit 2; }
done
[ -n "$output" ] || output=forelock-hardware-$(date -u +%Y%m%d-%H%M%S).tar

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
all=$work/forelock-hardware
mkdir "$all" "$all/host" "$all/given" "$all/certificates"

# --- What the host says of itself.

have() { command -v "$1" > /dev/null 2>&1; }

# ask FILE COMMAND...: its output, or that there is none.
ask() {
  file=$all/host/$1
  shift
  if have "$1"; then
    "$@" > "$file" 2>&1 < /dev/null || echo "(exit status $?)" >> "$file"
  else
    echo "($1 is not there)" > "$file"
  fi
}

ask uname.txt uname -srvm
grep -m1 '^model name' /proc/cpuinfo > "$all/host/cpu.txt" 2> /dev/null || true
grep -m1 '^microcode' /proc/cpuinfo >> "$all/host/cpu.txt" 2> /dev/null || true
grep -m1 '^flags' /proc/cpuinfo 2> /dev/null | tr ' ' '\n' |
  grep -E '^(sme|sev|sev_es|sev_snp|debug_swap|svm|npt|rdrand|rdseed|aes)$' \
    >> "$all/host/cpu.txt" || true
for parameter in sev sev_es sev_snp debug_swap; do
  printf '%s=' "$parameter"
  cat "/sys/module/kvm_amd/parameters/$parameter" 2> /dev/null || echo '(not there)'
done > "$all/host/kvm_amd.txt"
# Of the command line only what is about this: the rest may be private.
tr ' ' '\n' < /proc/cmdline 2> /dev/null |
  grep -E '^(mem_encrypt|kvm|kvm_amd|ccp|iommu|amd_iommu|psp)[.=]' \
    > "$all/host/cmdline.txt" || true
for config in "/boot/config-$(uname -r)" /proc/config.gz; do
  [ -r "$config" ] || continue
  case $config in
    *.gz) gzip -cd "$config" ;;
    *) cat "$config" ;;
  esac | grep -E '^CONFIG_(KVM|KVM_AMD|KVM_AMD_SEV|CRYPTO_DEV_SP_PSP|AMD_MEM_ENCRYPT|AMD_IOMMU|KVM_GENERIC_PRIVATE_MEM|SEV_GUEST)=' \
    > "$all/host/config.txt" || true
  break
done
if [ -n "$kernel_log" ]; then
  cat "$kernel_log"
elif have dmesg; then
  dmesg 2> /dev/null || true
fi | grep -E 'SEV|RMP|kvm_amd|ccp |AMD-Vi: .*SNP|SNP' > "$all/host/kernel-log.txt" || true
ls -l /dev/sev /dev/kvm > "$all/host/devices.txt" 2>&1 || true
ask snphost-version.txt snphost show version
ask snphost-ok.txt snphost ok
ask snphost-tcb.txt snphost show tcb
ask qemu-version.txt "$qemu" --version
ask qemu-objects.txt "$qemu" -object help
ask qemu-igvm.txt "$qemu" -object igvm-cfg,help
ask qemu-snp.txt "$qemu" -object sev-snp-guest,help

# --- What was given.

# take FILE NAME: a copy, unless it may hold a key. Text and small files only.
take() {
  [ -n "$1" ] || return 0
  if [ "$(wc -c < "$1")" -gt 16777216 ]; then
    echo "$2: over 16 MiB, left out" >> "$all/left-out.txt"
  elif grep -qa -e 'PRIVATE KEY' -e '^LUKS' "$1"; then
    echo "$2: looks like a key or a disk, left out" >> "$all/left-out.txt"
  else
    cat "$1" > "$all/$2"
  fi
}
take "$console" given/console.txt
take "$qemu_log" given/qemu.txt
take "$proxy_log" given/proxy.txt
take "$guest_log" given/guest.txt
take "$refused" given/refused.txt
take "$exits" given/exits.txt
if [ -n "$report" ]; then
  if [ "$(wc -c < "$report")" -eq 1184 ]; then
    cat "$report" > "$all/given/report.bin"
  else
    echo 'report: not 1184 bytes, left out' >> "$all/left-out.txt"
  fi
fi
if [ -n "$certificates" ]; then
  for file in "$certificates"/*.der "$certificates"/*.pem; do
    [ -f "$file" ] || continue
    # An X.509 certificate or list in DER, or PEM that says what it is. A key in
    # DER is a sequence that starts with a version.
    case $(head -c 6 "$file" | od -An -tx1 | tr -d ' \n') in
      3082????3082 | 3081??3081?? | 2d2d2d2d2d42) take "$file" "certificates/${file##*/}" ;;
      *) echo "certificates/${file##*/}: no certificate, left out" >> "$all/left-out.txt" ;;
    esac
  done
fi
if [ -n "$image" ]; then
  sha256sum < "$image" > "$all/given/image-sha256.txt"
  { "$forelock" image measure "$image" || echo "(exit status $?)"; } \
    > "$all/given/measure.txt" 2>&1 < /dev/null
fi
if [ -s "$all/given/report.bin" ]; then
  status=0
  "$forelock" report verify --certificates "$all/certificates" "$all/given/report.bin" \
    > "$all/given/verify.txt" 2>&1 < /dev/null || status=$?
  echo "$status" > "$all/given/verify-status.txt"
fi

# --- The claims, by the numbers of docs/hardware.md.

# line FILE PATTERN: the last part of a line in FILE that is like PATTERN.
line() { grep -aoE -e "$2" "$all/$1" 2> /dev/null | tail -n1 | tr -d '\r'; }
has() { [ -n "$(line "$1" "$2")" ]; }
summary=$all/summary.txt
console=given/console.txt
on_snp='^forelock: .*started: platform snp'

# The software machine and the emulated platform print the same lines: they
# confirm and refute nothing.
host_is_snp=no
if has host/kernel-log.txt 'kvm_amd: SEV-SNP enabled'; then
  host_is_snp=yes
elif [ -z "$kernel_log" ] && has host/kvm_amd.txt '^sev_snp=[Y1]'; then
  host_is_snp=yes
fi
guest_is_snp=no
if has $console "$on_snp"; then guest_is_snp=yes; fi

# claim NUMBER VERDICT TEXT
claim() {
  verdict=$2
  why=''
  if [ "$verdict" != 'not seen' ] && [ $host_is_snp = no ]; then
    verdict='not seen'
    why=' (this host does not show SEV-SNP)'
  elif [ "$verdict" = confirmed ] && [ "$guest_is_snp" = no ]; then
    verdict='not seen'
    why=' (the console shows no platform snp)'
  fi
  printf '%2s. %-9s %s\n' "$1" "$verdict" "$3$why" >> "$summary"
}

# judge NUMBER TEXT FILE CONFIRMS FILE REFUTES
judge() {
  if has "$5" "$6"; then
    claim "$1" refuted "$2 ($(line "$5" "$6"))"
  elif has "$3" "$4"; then
    claim "$1" confirmed "$2"
  else
    claim "$1" 'not seen' "$2"
  fi
}

# phase NUMBER TEXT BEFORE PHASE REASONS: the console has BEFORE, and then PHASE
# or a failure with one of REASONS, which are those that the claim is about.
phase() {
  if has $console "$4"; then
    claim "$1" confirmed "$2"
  elif has $console "$3" && has $console "^forelock: failed: $5.*"; then
    claim "$1" refuted "$2 ($(line $console "failed: .*"))"
  else
    claim "$1" 'not seen' "$2"
  fi
}

{
  echo 'Forelock on SEV-SNP hardware: the claims of docs/hardware.md'
  echo
} > "$summary"

judge 1 'QEMU takes the IGVM file' $console "$on_snp" given/qemu.txt \
  '(IGVM.*([Ii]nvalid|[Ff]ailed|[Uu]nknown|not|exceeds)|[Ii]nvalid.*IGVM|VMSA contains).*'
judge 2 'the firmware takes the launch: pages, CPUID page, VMSA, ID block' \
  $console "$on_snp" given/qemu.txt 'SNP_LAUNCH_(START|UPDATE|FINISH) ret.*'

# Does the report verify, and is the root one of AMD's?
verified=no
if [ "$(cat "$all/given/verify-status.txt" 2> /dev/null || true)" = 0 ] &&
  has given/verify.txt "^valid .*, AMD's root sha256:"; then
  verified=yes
fi

# 3: MEASUREMENT is at 0x90 of a report, 48 bytes.
text='the launch digest in the report is the one that image measure prints'
if [ -s "$all/given/report.bin" ] && [ -s "$all/given/measure.txt" ]; then
  seen=$(od -An -v -tx1 -j144 -N48 "$all/given/report.bin" | tr -d ' \n')
  wanted=$(grep -oaE '(^|[^0-9a-f])[0-9a-f]{96}($|[^0-9a-f])' "$all/given/measure.txt" |
    head -n1 | tr -dc '0-9a-f')
  if [ -z "$wanted" ]; then
    claim 3 'not seen' "$text"
  elif [ "$seen" != "$wanted" ]; then
    claim 3 refuted "$text"
  elif [ $verified = yes ]; then
    claim 3 confirmed "$text"
  else
    claim 3 'not seen' "$text (equal, in a report that is not verified)"
  fi
else
  claim 3 'not seen' "$text"
fi

text='the image starts: 32-bit entry, C-bit check, GHCB, console'
ended=$(line host/kernel-log.txt 'guest requested termination: .*')
if [ $guest_is_snp = yes ]; then
  claim 4 confirmed "$text"
elif [ -n "$ended" ]; then
  claim 4 refuted "$text ($ended)"
else
  claim 4 'not seen' "$text"
fi
# PVALIDATE, page states, exceptions; the memory map; fw_cfg's transfers. Not a
# missing, oversized or odd boot file.
phase 5 'memory is accepted, boot files are copied and hashed' \
  'started: platform snp' 'measured: ' '(SP[0-9]|SM[34] |SL([1-57-9]|1[0-367]) )'
phase 6 'the proxy channel works on pages that the guest shares' \
  'measured: ' 'connected: ' '(PC|SP)'
phase 7 'guest requests work: the report came and is for VMPL 0' \
  'connected: ' 'attested: ' '(SR|AT|SV|SP)'

text="the report verifies to one of AMD's roots"
case $verified$(cat "$all/given/verify-status.txt" 2> /dev/null || true) in
  yes0) claim 8 confirmed "$text" ;;
  no3) claim 8 refuted "$text" ;;
  *) claim 8 'not seen' "$text" ;;
esac

# A verifier with --allow-emulated grants as well: only a verified report tells.
text='a verifier that accepts only AMD roots grants'
if has $console 'granted: ' && [ $verified = yes ]; then
  claim 9 confirmed "$text"
elif has $console '^forelock: refused: not_authorised'; then
  claim 9 refuted "$text ($(line $console 'refused: .*'))"
else
  claim 9 'not seen' "$text"
fi
judge 10 'Linux starts, and knows that it is an SNP guest' \
  given/guest.txt 'Memory Encryption.*SEV-SNP' \
  host/kernel-log.txt 'guest requested termination: 0x1:.*'
# 11: both loads of the driver, with vmpck_id=1 and with 0. Linux 6.1 says
# "vmpck id is null" and not of which: that is not seen.
text='Linux has VMPCK1 to 3, and no VMPCK0'
if has given/guest.txt 'SEV guest driver .*(VMPCK|vmpck_id )0'; then
  claim 11 refuted "$text ($(line given/guest.txt 'SEV guest driver .*(VMPCK|vmpck_id )0.*'))"
elif has given/guest.txt 'SEV guest driver .*(VMPCK|vmpck_id )[123]' &&
  has given/guest.txt 'Empty VMPCK0 communication key'; then
  claim 11 confirmed "$text"
else
  claim 11 'not seen' "$text"
fi
judge 12 'a boot with a changed boot file is refused' \
  given/refused.txt 'refused: not_authorised' given/refused.txt 'granted: '

# 13: KVM prints set and code; the console, where it got so far, the reason. The
# set of each pair of letters is in sev/termination.h.
text='a boot that fails shows its reason as set and code in the kernel log'
ended=$(line host/kernel-log.txt 'termination: 0x[6-9a-f]:0x[0-9a-f]+')
ended=${ended#termination: }
named=$(line $console '^forelock: failed: [A-Z]{2}[0-9]+')
named=${named##* }
if [ -n "$named" ] && [ -n "$ended" ]; then
  tags='BA CR PR SV AT PC SM SL SR SP'
  set_number=6
  for tag in $tags; do
    case $named in
      "$tag"*) break ;;
    esac
    set_number=$((set_number + 1))
  done
  if [ "$ended" = "$(printf '0x%x:0x%x' "$set_number" "${named#??}")" ]; then
    claim 13 confirmed "$text ($named, $ended)"
  else
    claim 13 refuted "$text ($named, $ended)"
  fi
elif [ -n "$named" ] && [ -n "$kernel_log" ]; then
  claim 13 refuted "$text ($named, and none in the log)"
else
  claim 13 'not seen' "$text"
fi

# 14: bytes to the channel's port that are no registration, and guest requests. The
# budget's other causes (machine/cause.h) are not counted: it is not confirmed.
text='one attestation takes at most 40 writes to the channel and guest requests'
if has given/exits.txt 'pio_write at 0x5f0'; then
  count=$(awk '
    /pio_write at 0x5f0 / {
      ++writes
      for (i = 1; i < NF; ++i) if ($i == "val") last = last " " $(i + 1)
      if (last ~ / 0x46 0x4c 0x43 0x52$/) ++registrations
    }
    /kvm_vmgexit_enter/ && /(reason|exit_reason) (0x)?8000001[12]/ { ++requests }
    END { print writes - 28 * registrations + requests }
  ' "$all/given/exits.txt")
  if [ "$count" -le 40 ]; then
    claim 14 confirmed "$text ($count)"
  else
    claim 14 refuted "$text ($count)"
  fi
else
  claim 14 'not seen' "$text"
fi

text='what the host can read holds no secret'
if [ -n "$ram" ] && [ -n "$marker" ] && has $console 'granted: '; then
  # The marker goes in by standard input: arguments are for all to see.
  if printf '%s\n' "$marker" | grep -qaF -f - "$ram"; then
    claim 15 refuted "$text"
  else
    claim 15 confirmed "$text"
  fi
else
  claim 15 'not seen' "$text"
fi

number_of() { grep -cE "^ *[0-9]+\. $1" "$summary" || true; }
hardware="host $host_is_snp, guest $guest_is_snp"
counts="confirmed: $(number_of confirmed), refuted: $(number_of refuted)"
counts="$counts, not seen: $(number_of 'not seen')"
{
  echo
  echo "SEV-SNP shown: $hardware"
  echo "$counts"
  if [ -s "$all/left-out.txt" ]; then
    echo
    cat "$all/left-out.txt"
  fi
} >> "$summary"

tar -C "$work" -cf "$output" forelock-hardware
cat "$summary"
echo
echo "written: $output"
