#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs a Python test of the harness: python_test.sh FILE ARGUMENTS...
# (py_test of this Bazel wants a program called `python`.)
export PYTHONPATH=tests PYTHONDONTWRITEBYTECODE=1
exec /usr/bin/python3 "$@"
