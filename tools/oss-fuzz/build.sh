#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Builds every fuzz target, or those that are named, the way OSS-Fuzz asks for:
# with its compilers (CC, CXX), flags (CFLAGS, CXXFLAGS) and engine
# (LIB_FUZZING_ENGINE), into OUT, from SRC/forelock. Each target gets the zip of
# its seeds and, in OUT/lib, the libraries that the place where it runs lacks.
set -eu
cd "$SRC/forelock"

options=(
  --repo_env=CC="$CC"
  --define=fuzz=1 --define=pch=off --define=FUZZ_ENGINE="$LIB_FUZZING_ENGINE"
  --platform_suffix=oss-fuzz
  # Another compiler has other warnings.
  --per_file_copt='.*@-Wno-error'
  --linkopt='-Wl,-rpath,$ORIGIN/lib'
  --linkopt=-fsanitize-link-c++-runtime
)
for flag in $CFLAGS; do options+=(--conlyopt="$flag"); done
for flag in $CXXFLAGS; do options+=(--cxxopt="$flag" --linkopt="$flag"); done
case " $CXXFLAGS " in
  *' -stdlib=libc++ '*) options+=(--repo_env=BAZEL_LINKLIBS=-lc++:-lm) ;;
esac

targets=("$@")
[ $# -gt 0 ] || mapfile -t targets < <(bazel query 'attr(tags, "\bfuzz\b", tests(//...))')
bazel build "${options[@]}" "${targets[@]}"
folder=$(bazel info "${options[@]}" bazel-bin)

mkdir -p "$OUT/lib"
for target in "${targets[@]}"; do
  path=$(echo "${target#//}" | tr : /)
  name=$(echo "$path" | tr / _)
  install -m 755 "$folder/$path" "$OUT/$name"
  # Not of the copy: that finds them in OUT/lib.
  ldd "$folder/$path" | awk '$3 ~ /^\// { print $3 }' |
    grep -Ev '/lib(c|m|dl|rt|pthread|resolv)\.so' |
    xargs -r cp -uLt "$OUT/lib"
  seeds=$(mktemp -d)
  file=()
  [ ! -f "$path.seeds" ] || file=("$path.seeds")
  "$OUT/$name" --write-seeds "$seeds" "${file[@]}"
  [ -z "$(ls -A "$seeds")" ] || (cd "$seeds" && zip -q -r "$OUT/${name}_seed_corpus.zip" .)
  rm -r "$seeds"
done
