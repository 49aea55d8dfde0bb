#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# help_test.sh FORELOCK PAGE...: every command has a manual page that renders
# without a warning and names every option; shells complete what --help lists.
set -u
forelock=$1
shift
failed=0
fail() {
  echo "FAILED: $*"
  failed=1
}

declare -A pages
for page in "$@"; do pages[$(basename "$page")]=$page; done

# The words of each command: up to the first that is no lower-case word.
mapfile -t commands < <("$forelock" --help |
  sed -nE 's/^  forelock ([a-z-]+( [a-z-]+)*)( .*)$/\1/p' | sed -E 's/ bash$//')
[ "${#commands[@]}" -ge 8 ] || fail "only ${#commands[@]} commands: ${commands[*]}"

for command in "${commands[@]}"; do
  name=forelock-${command// /-}.1
  page=${pages[$name]:-}
  if [ -z "$page" ]; then
    fail "no page $name; add \"$command\" to _COMMANDS in cli/BUILD"
    continue
  fi
  unset "pages[$name]"
  # shellcheck disable=SC2086 # The words of a command.
  help=$("$forelock" $command --help)
  for option in $(grep -oE -- '--[a-z][a-z0-9-]*' <<< "$help" | sort -u); do
    grep -qF -- "${option//-/\\-}" "$page" || fail "$name has no $option"
  done
  for code in 0 1 2; do grep -q "^.fB$code.fR$" "$page" || fail "$name has no exit status $code"; done
done
[ "${#pages[@]}" -eq 1 ] || fail "pages of no command: ${!pages[*]}"

for page in "$@"; do
  if command -v groff > /dev/null; then
    warnings=$(groff -man -ww -Tascii -z "$page" 2>&1)
    [ -z "$warnings" ] || fail "groff: $warnings"
  fi
  if command -v mandoc > /dev/null; then
    # A date would change the page with every build.
    warnings=$(mandoc -T lint -W warning "$page" | grep -v 'missing date')
    [ -z "$warnings" ] || fail "mandoc: $warnings"
  fi
done

# Completion, in the shell that runs this.
# shellcheck disable=SC1090 # Made by the program.
source <("$forelock" completion bash) || fail "bash does not read its script"
completes() {
  local want=$1
  shift
  COMP_WORDS=(forelock "$@")
  COMP_CWORD=$#
  _forelock
  [[ " ${COMPREPLY[*]} " == *" $want "* ]] || fail "forelock $*: ${COMPREPLY[*]}, not $want"
}
completes report re
completes verify report ''
completes --certificates report verify --c
completes msg-report-rsp report show --wrapped ''
completes fish completion ''
cd "$(mktemp -d)" && touch somefile
completes somefile report verify --certificates some
completes somefile report show some
rm somefile && rmdir "$PWD"

cd "$OLDPWD" || exit 1
for shell in zsh fish; do
  "$forelock" completion $shell > "$TEST_TMPDIR/script" || fail "no script for $shell"
  command -v $shell > /dev/null || continue
  $shell -n "$TEST_TMPDIR/script" || fail "$shell does not read its script"
done
exit $failed
