# SPDX-License-Identifier: Apache-2.0
"""lab_test: a Python test on the lab, alone or around a whole VM."""

# What runs around one VM, and makes its image.
_PROGRAMS = [
    "//cli:forelock",
    "//host-proxy:forelock-proxy",
    "//psp:forelock-emulator",
    "//svsm:forelock-svsm",
    "//verifier:forelock-verifier",
]

# A loopback interface of its own: daemons are started again on the same port.
_QEMU = [
    "block-network",
    "qemu",
]

def lab_test(name, src, size = "medium", data = [], qemu = False):
    """A test file on the lab (lab/testing.py).

    Args:
      name: of the test.
      src: the Python file.
      size: of the test; "large" where the guest runs under TCG for long, on a
        machine that also builds.
      data: runfiles beside the lab's.
      qemu: whether it starts QEMU.
    """
    native.sh_test(
        name = name,
        size = size,
        srcs = ["//lab:python_test.sh"],
        args = ["$(location %s)" % src],
        data = data + [
            src,
            "//lab",
        ],
        tags = _QEMU if qemu else [],
    )

def e2e_test(name, src, data = []):
    """One that boots the image in QEMU, with all daemons."""
    lab_test(name, src, size = "large", data = data + _PROGRAMS, qemu = True)

def snp_test(name, src, data = []):
    """One that runs the image on the SNP machine, with all daemons (lab/snp.py)."""
    lab_test(name, src, data = data + _PROGRAMS + ["//machine:snp_machine"])
