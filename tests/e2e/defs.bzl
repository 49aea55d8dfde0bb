# SPDX-License-Identifier: Apache-2.0
"""e2e_test: a Python test that boots the image in QEMU, with all daemons."""

def e2e_test(name, src, size = "large", data = []):
    """A test file on the lab (lab/testing.py).

    Args:
      name: of the test.
      src: the Python file.
      size: the guest runs under TCG on a machine that also builds.
      data: more runfiles.
    """
    native.sh_test(
        name = name,
        size = size,
        srcs = ["//lab:python_test.sh"],
        args = ["$(location %s)" % src],
        data = data + [
            src,
            "//cli:forelock",
            "//host-proxy:forelock-proxy",
            "//lab",
            "//psp:forelock-emulator",
            "//svsm:forelock-svsm",
            "//verifier:forelock-verifier",
        ],
        # A loopback interface of its own: it starts daemons again on the same port.
        tags = [
            "block-network",
            "qemu",
        ],
    )
