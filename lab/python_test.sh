#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs a Python test on the lab: python_test.sh FILE ARGUMENTS...
# (py_test of this Bazel wants a program called `python`.)
# `lab` is found in the root, what tests share (`svsm`, `handover`) below tests/.
export PYTHONPATH=.:tests PYTHONDONTWRITEBYTECODE=1
exec /usr/bin/python3 "$@"
