# SPDX-License-Identifier: Apache-2.0
"""Precompiled headers, and the cc_library and cc_test that use them.

Most of what a compiler does for this repository is to read the same headers of
libstdc++, Abseil and GoogleTest again. tools/build_rules/prelude_bazel loads
cc_library and cc_test from here into every BUILD file, so none has to say more.

What is included is as before: a precompiled header is read before the first line
of a source, but a target that includes a header without depending on its library
still fails (layering_check). Only a missing #include of a header that stands in
it goes unnoticed; --define=pch=off finds those.
"""

load("@bazel_tools//tools/build_defs/cc:action_names.bzl", "ACTION_NAMES")
load("@bazel_tools//tools/cpp:toolchain_utils.bzl", "find_cpp_toolchain")

def _precompiled_header_impl(ctx):
    cc_toolchain = find_cpp_toolchain(ctx)
    features = cc_common.configure_features(
        ctx = ctx,
        cc_toolchain = cc_toolchain,
        requested_features = ctx.features,
        # Its flags want a module map, which only Bazel's own rules have.
        unsupported_features = ctx.disabled_features + ["layering_check"],
    )
    contexts = [dep[CcInfo].compilation_context for dep in ctx.attr.deps]
    source = ctx.file.src
    out = ctx.actions.declare_file(ctx.label.name + ".pch")
    variables = cc_common.create_compile_variables(
        cc_toolchain = cc_toolchain,
        feature_configuration = features,
        include_directories = depset(transitive = [c.includes for c in contexts]),
        preprocessor_defines = depset(transitive = [c.defines for c in contexts]),
        quote_include_directories = depset(transitive = [c.quote_includes for c in contexts]),
        system_include_directories = depset(transitive = [c.system_includes for c in contexts]),
        use_pic = True,
        user_compile_flags = ctx.fragments.cpp.copts + ctx.fragments.cpp.cxxopts + ctx.attr.copts,
    )
    arguments = ctx.actions.args()
    arguments.add(cc_common.get_tool_for_action(
        feature_configuration = features,
        action_name = ACTION_NAMES.cpp_compile,
    ))
    arguments.add_all(cc_common.get_memory_inefficient_command_line(
        feature_configuration = features,
        action_name = ACTION_NAMES.cpp_compile,
        variables = variables,
    ))
    if "layering_check" in ctx.features:
        # One that was built without is refused by a source that is built with.
        arguments.add("-fmodules-strict-decluse")
    arguments.add("-Xclang").add("-fpch-instantiate-templates")

    # It names the headers that it was made of. Times of files differ between
    # checkouts, and each action has its own sandbox: neither may be in it.
    arguments.add("-Xclang").add("-fno-pch-timestamp")
    arguments.add("-Xclang").add("-relocatable-pch")
    arguments.add("-x").add("c++-header")
    arguments.add("-c").add(source)
    arguments.add("-o").add(out)
    headers = depset([source], transitive = [c.headers for c in contexts])
    ctx.actions.run_shell(
        arguments = [arguments],
        # The same words for every directory that an action may have, or no two
        # of them are the same file.
        command = 'PWD=/proc/self/cwd exec "$@" -Xclang -isysroot -Xclang /proc/self/cwd',
        env = dict(
            cc_common.get_environment_variables(
                feature_configuration = features,
                action_name = ACTION_NAMES.cpp_compile,
                variables = variables,
            ),
            # Made again when a package was updated: clang refuses one that was
            # made of other headers, and Bazel does not watch the system's.
            SYSTEM_PACKAGES = ctx.var.get("system_packages", ""),
        ),
        inputs = depset(transitive = [headers, cc_toolchain.all_files]),
        mnemonic = "CppPrecompile",
        outputs = [out],
        progress_message = "Precompiling " + source.short_path,
    )

    # Who uses it needs the headers as files, but gets no way to include them.
    return [
        DefaultInfo(files = depset([out])),
        CcInfo(compilation_context = cc_common.create_compilation_context(
            headers = depset([out], transitive = [headers]),
        )),
    ]

precompiled_header = rule(
    implementation = _precompiled_header_impl,
    attrs = {
        "copts": attr.string_list(),
        "deps": attr.label_list(providers = [CcInfo]),
        "src": attr.label(allow_single_file = [".h"], mandatory = True),
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
    },
    fragments = ["cpp"],
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
)

def _with_pch(name, kwargs):
    """Adds //third_party/pch:<name> to the attributes of a C++ rule."""
    path = "$(BINDIR)/third_party/pch/%s.pch" % name
    kwargs["copts"] = kwargs.get("copts", []) + select({
        "//third_party/pch:is_used": [
            "-include-pch",
            path,
            # The list of headers that Bazel reads does not have it otherwise.
            "-Xclang",
            "-fdepfile-entry=" + path,
            "-Xclang",
            "-isysroot",
            "-Xclang",
            ".",
        ],
        "//conditions:default": [],
    })
    kwargs["deps"] = kwargs.get("deps", []) + select({
        "//third_party/pch:is_used": ["//third_party/pch:" + name],
        "//conditions:default": [],
    })

def _names(value, part):
    return type(value) == "list" and bool([v for v in value if part in v])

def _only_cc(srcs, suffix):
    return type(srcs) == "list" and bool(srcs) and not [
        s
        for s in srcs
        if not (s.endswith(suffix) or s.endswith(".h"))
    ]

def _host_pch(kwargs):
    """The precompiled header for sources that are not tests of GoogleTest."""
    if native.repository_name() == "@" and _only_cc(kwargs.get("srcs"), ".cc"):
        # Without Abseil among its deps, it must not see Abseil.
        abseil = _names(kwargs.get("deps"), "@abseil-cpp//")
        _with_pch("host" if abseil else "std", kwargs)

def cc_library(**kwargs):
    """cc_library; C++ sources get //third_party/pch:host or :std."""
    _host_pch(kwargs)
    native.cc_library(**kwargs)

def cc_test(**kwargs):
    """cc_test; those of GoogleTest get //third_party/pch:test, others as cc_library.

    One with a library's sources besides its own gets none: they are compiled with
    other flags (.bazelrc).
    """
    srcs = kwargs.get("srcs")
    if native.repository_name() == "@" and _only_cc(srcs, "_test.cc"):
        if _names(kwargs.get("deps"), "@googletest//"):
            _with_pch("test", kwargs)
    elif not _names(srcs, "_test.cc"):
        _host_pch(kwargs)
    native.cc_test(**kwargs)
