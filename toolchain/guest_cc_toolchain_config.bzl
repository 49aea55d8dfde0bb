# SPDX-License-Identifier: Apache-2.0
"""Debian's own gcc, told to compile for a machine without an OS."""

load("@bazel_tools//tools/build_defs/cc:action_names.bzl", "ACTION_NAMES")
load(
    "@bazel_tools//tools/cpp:cc_toolchain_config_lib.bzl",
    "feature",
    "flag_group",
    "flag_set",
    "tool_path",
    "with_feature_set",
)

_C = [ACTION_NAMES.c_compile]
_CPP = [ACTION_NAMES.cpp_compile, ACTION_NAMES.cpp_header_parsing]
_ASM = [ACTION_NAMES.assemble, ACTION_NAMES.preprocess_assemble]
_LINK = [ACTION_NAMES.cpp_link_executable]

_COMMON = [
    "-ffreestanding",
    # libc.cc has the functions that gcc knows: an 8-byte memcpy is one load.
    "-fbuiltin",
    "-mno-red-zone",
    # No x87/MMX/SSE registers, so an interrupt handler need not save them.
    # mbedtls.BUILD makes the one exception, for AES-NI.
    "-mgeneral-regs-only",
    "-mcmodel=small",
    "-fno-pic",
    "-fno-stack-protector",
    "-fcf-protection=none",
    "-fno-asynchronous-unwind-tables",
    "-fno-common",
    # The image prints a backtrace when it stops.
    "-fno-omit-frame-pointer",
    "-ffunction-sections",
    "-fdata-sections",
    "-Wall",
    # Reproducible.
    "-no-canonical-prefixes",
    "-fno-canonical-system-headers",
    "-Wno-builtin-macro-redefined",
    "-D__DATE__=\"redacted\"",
    "-D__TIMESTAMP__=\"redacted\"",
    "-D__TIME__=\"redacted\"",
]

def _flags(actions, flags, with_features = []):
    return flag_set(
        actions = actions,
        flag_groups = [flag_group(flags = flags)],
        with_features = with_features,
    )

def _impl(ctx):
    opt = [with_feature_set(features = ["opt"])]
    dbg = [with_feature_set(features = ["dbg"])]
    return cc_common.create_cc_toolchain_config_info(
        ctx = ctx,
        toolchain_identifier = "guest-gcc",
        host_system_name = "local",
        target_system_name = "x86_64-none-elf",
        target_cpu = "guest",
        target_libc = "none",
        compiler = "gcc",
        abi_version = "none",
        abi_libc_version = "none",
        # Prefixes; the gcc version does not matter.
        cxx_builtin_include_directories = ["/usr/lib/gcc/", "/usr/include/"],
        tool_paths = [
            tool_path(name = name, path = "/usr/bin/" + name)
            for name in ["gcc", "ld", "ar", "cpp", "gcov", "nm", "objcopy", "objdump", "strip"]
        ],
        features = [
            feature(name = "opt"),
            feature(name = "dbg"),
            feature(name = "fastbuild"),
            feature(
                name = "guest_flags",
                enabled = True,
                flag_sets = [
                    _flags(_C + _CPP + _ASM, _COMMON),
                    # C sees gcc's headers, then our few, never glibc's.
                    _flags(_C, [
                        "-std=c11",
                        "--sysroot=/nonexistent",
                        "-idirafter",
                        "svsm/libc/include",
                    ]),
                    # C++ sees glibc's too, because libstdc++'s need them;
                    # calling a libc function then fails at link time.
                    _flags(_CPP, [
                        "-std=c++20",
                        "-fno-exceptions",
                        "-fno-rtti",
                        "-fno-threadsafe-statics",
                        "-fno-use-cxa-atexit",
                        # Bounds-checked span and array; svsm/runtime has the hook.
                        "-D_GLIBCXX_ASSERTIONS",
                    ]),
                    # The guest is always optimised; -c opt and dbg only differ here.
                    _flags(_C + _CPP, ["-O2"]),
                    _flags(_C + _CPP, ["-DNDEBUG"], opt),
                    _flags(_C + _CPP, ["-g"], dbg),
                    _flags(_LINK, [
                        "-static",
                        "-nostdlib",
                        "-no-pie",
                        "-Wl,--gc-sections",
                        "-Wl,--build-id=none",
                        "-Wl,-z,max-page-size=4096",
                        "-Wl,-z,noexecstack",
                        "-Wl,--no-warn-rwx-segments",
                    ]),
                ],
            ),
        ],
    )

guest_cc_toolchain_config = rule(
    implementation = _impl,
    attrs = {},
    provides = [CcToolchainConfigInfo],
)
