#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""docs/verify.md has a row for each check, and each row tells the truth.

checks_test.py checks.h verify.md errors.md TEST_SOURCE...

The rows are those of checks.h in its order. Reason codes are in errors.md. The
tests or rows of tests that the last column names are in the sources.
"""

import re
import sys

COLUMNS = 5
CODE = re.compile(r"\b[A-Z]{2}[0-9]+\b")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def problems(checks, document, errors, sources):
    names = re.findall(r'X\(k\w+, *"(\w+)"\)', checks)
    rows = [line.strip().strip("|").split(" | ")
            for line in document.splitlines() if re.match(r"\| `[a-z0-9_]+` \|", line)]
    if len(names) < 30:
        yield f"only {len(names)} checks found in checks.h"
    documented = [row[0].strip(" `") for row in rows]
    for name in names:
        if name not in documented:
            yield f"{name} has no row in docs/verify.md"
    for name in documented:
        if name not in names:
            yield f"{name} in docs/verify.md is no check"
    if not set(names) ^ set(documented) and names != documented:
        yield "the rows are in another order than checks.h"
    known = set(CODE.findall(errors))
    for row in rows:
        if len(row) != COLUMNS or not all(cell.strip() for cell in row):
            yield f"{row[0]}: not {COLUMNS} columns with something in each"
            continue
        codes = CODE.findall(row[3])
        if not codes:
            yield f"{row[0]}: no reason"
        for code in codes:
            if code not in known:
                yield f"{row[0]}: {code} is not in errors.md"
        tests = re.findall(r"`(\w+)`", row[4])
        if not tests:
            yield f"{row[0]}: no test"
        for test in tests:
            if not re.search(rf'"{test}"|, {test}\)', sources):
                yield f"{row[0]}: there is no test {test}"


def main():
    checks, document, errors = (read(path) for path in sys.argv[1:4])
    sources = "".join(read(path) for path in sys.argv[4:])
    found = list(problems(checks, document, errors, sources))
    print("\n".join(found))
    # It can fail.
    broken = document.replace("| `vmpl_0_3` |", "| `vmpl_0_4` |").replace("`ReportCut`", "`Gone`")
    if len(list(problems(checks, broken, errors, sources))) < len(found) + 3:
        sys.exit("a document with three faults was not noticed")
    if found:
        sys.exit(f"{len(found)} problems")


main()
