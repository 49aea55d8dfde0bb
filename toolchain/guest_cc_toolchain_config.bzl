# SPDX-License-Identifier: Apache-2.0
"""clang-19 and lld-19, told to compile for a machine without an OS."""

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

# Of the packages clang-19 and libc++-19-dev; of the latter only headers.
_LLVM = "/usr/lib/llvm-19"

_COMMON = [
    # No file of /etc/clang has a say.
    "--no-default-config",
    "--target=x86_64-unknown-none-elf",
    "-march=x86-64",
    "-mtune=generic",
    # Not -ffreestanding: it would make each memcpy of 8 bytes a call. That
    # libc.cc lacks what else a compiler may assume shows when linking.
    "-mno-red-zone",
    # No x87/MMX/SSE registers, so an interrupt handler need not save them.
    # mbedtls.BUILD makes the one exception, for AES-NI. clang's
    # -mgeneral-regs-only refuses the long double of libc++'s headers; that
    # nothing uses the x87, tests/svsm:instructions_test shows.
    "-mno-mmx",
    "-mno-sse",
    "-mno-implicit-float",
    "-mcmodel=small",
    "-fno-pic",
    "-fno-stack-protector",
    "-fcf-protection=none",
    "-fno-asynchronous-unwind-tables",
    "-fno-common",
    # Address 0 is memory as any other.
    "-fno-delete-null-pointer-checks",
    # The image prints a backtrace when it stops.
    "-fno-omit-frame-pointer",
    "-ffunction-sections",
    "-fdata-sections",
    "-Wall",
    # No header of the distribution's libc: ours, and the compiler's own.
    "-nostdlibinc",
    "-idirafter",
    "svsm/libc/include",
    # Reproducible.
    "-no-canonical-prefixes",
    "-resource-dir=" + _LLVM + "/lib/clang/19",
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
        toolchain_identifier = "guest-clang",
        host_system_name = "local",
        target_system_name = "x86_64-none-elf",
        target_cpu = "guest",
        target_libc = "none",
        compiler = "clang",
        abi_version = "none",
        abi_libc_version = "none",
        cxx_builtin_include_directories = [_LLVM],
        tool_paths = [
            # Bazel's name for what compiles and links.
            tool_path(name = "gcc", path = "/usr/bin/clang-19"),
            tool_path(name = "cpp", path = "/usr/bin/clang-cpp-19"),
            tool_path(name = "ld", path = "/usr/bin/ld.lld-19"),
        ] + [
            tool_path(name = name, path = "/usr/bin/" + name)
            for name in ["ar", "gcov", "nm", "objcopy", "objdump", "strip"]
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
                    _flags(_C, ["-std=c11"]),
                    _flags(_CPP, [
                        "-std=c++20",
                        "-fno-exceptions",
                        "-fno-rtti",
                        "-fno-threadsafe-statics",
                        "-fno-use-cxa-atexit",
                        "-nostdinc++",
                        # Its __config_site: bounds checks on.
                        "-isystem",
                        "svsm/libc/libcxx",
                        "-isystem",
                        _LLVM + "/include/c++/v1",
                    ]),
                    _flags(
                        _CPP,
                        ["-DFORELOCK_ANY_GUEST_COMPILER=%d" % int(ctx.attr.any_compiler)],
                    ),
                    # The guest is always optimised; -c opt and dbg only differ here.
                    _flags(_C + _CPP, ["-O2"]),
                    _flags(_C + _CPP, ["-DNDEBUG"], opt),
                    _flags(_C + _CPP, ["-g"], dbg),
                    _flags(_LINK, [
                        "--no-default-config",
                        # For another target the driver would call gcc.
                        "--target=x86_64-unknown-linux-gnu",
                        "--ld-path=/usr/bin/ld.lld-19",
                        "-static",
                        "-nostdlib",
                        "-Wl,--gc-sections",
                        "-Wl,--build-id=none",
                        "-Wl,-z,max-page-size=4096",
                        "-Wl,-z,noexecstack",
                    ]),
                ],
            ),
        ],
    )

guest_cc_toolchain_config = rule(
    implementation = _impl,
    attrs = {
        # Do not insist on the version that the digest is of.
        "any_compiler": attr.bool(),
    },
    provides = [CcToolchainConfigInfo],
)
