# SPDX-License-Identifier: Apache-2.0
"""snp_test: a Python test that runs the image on the SNP machine."""

def snp_test(name, src, size = "medium", data = []):
    """A test file on the lab (lab/snp.py).

    Args:
      name: of the test.
      src: the Python file.
      size: of the test.
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
            "//machine:snp_machine",
            "//psp:forelock-emulator",
            "//svsm:forelock-svsm",
            "//verifier:forelock-verifier",
        ],
    )
