# SPDX-License-Identifier: Apache-2.0
"""fuzz_test: one LLVMFuzzerTestOneInput, run two ways."""

load("//third_party/pch:pch.bzl", "cc_test")

def fuzz_test(name, srcs, deps, iterations = 20000, data = [], tags = []):
    """A fuzz target that is also an ordinary test.

    Plain and --config=asan: a fixed-seed mutation loop (//tools:fuzz_main) of
    `iterations` inputs, so it is the same everywhere. --config=fuzz: libFuzzer,
    run for longer by `./run fuzz`. A file NAME.seeds beside it, which
    `./run fuzz --minimise` writes, is read by both.

    Args:
      name: ends in _fuzz.
      srcs: defines LLVMFuzzerTestOneInput, and optionally ForelockFuzzSeed
        (tools/fuzz_seed.h) for a seed corpus.
      deps: of the target.
      iterations: of the fixed loop.
      data: runfiles.
      tags: more tags. "fuzz-long": an hour of CPU in a campaign, because the
        bytes are the host's or decide who gets a secret.
    """

    # Not to be named in each BUILD file: one file, of this very name or none.
    seeds = native.glob([name + ".seeds"])
    cc_test(
        name = name,
        size = "small",
        srcs = srcs,
        args = select({
            "//tools:is_fuzz": [],
            "//conditions:default": [str(iterations)] +
                                    ["$(location %s)" % file for file in seeds],
        }),
        data = data + seeds,
        linkopts = select({
            "//tools:is_fuzz": ["$(FUZZ_ENGINE)"],
            "//conditions:default": [],
        }),
        linkstatic = True,
        tags = tags + ["fuzz"],
        deps = deps + ["//tools:fuzz_seed"] + select({
            "//tools:is_fuzz": ["//tools:fuzz_init"],
            "//conditions:default": ["//tools:fuzz_main"],
        }),
    )
