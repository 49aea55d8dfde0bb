#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Prints what this source tree is, for --config=stamped (Bazel's workspace
# status): 40 hex digits, with "-dirty" if a tracked file differs from them, or
# "unknown". Without .git an archive of `git archive` still knows its commit;
# whether it was changed since, nobody knows.
#
#   tools/commit.sh            STABLE_FORELOCK_COMMIT and the commit
#   tools/commit.sh --plain    the commit
set -u
cd "$(dirname "$0")/.." || exit 1

# In a container the checkout may belong to another user. Only this tree's own
# repository counts, not one around an unpacked archive.
of_tree() { git -c safe.directory='*' "$@" 2> /dev/null; }

commit=unknown
archived=$(cat tools/archived_commit.txt 2> /dev/null || true)
# An archive that somebody keeps in a repository of his own is that one's.
if [ -e .git ] && head=$(of_tree rev-parse --verify HEAD); then
  commit=$head
  # Untracked files are in no build (no glob).
  [ -z "$(of_tree status --porcelain --untracked-files=no)" ] || commit=$head-dirty
elif expr "$archived" : '[0-9a-f]\{40\}$' > /dev/null; then
  commit=$archived
fi
[ "${1:-}" = --plain ] || printf 'STABLE_FORELOCK_COMMIT '
echo "$commit"
