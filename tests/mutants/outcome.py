# SPDX-License-Identifier: Apache-2.0
"""What a test said of a seeded fault: from Bazel's build events, and from the
test's own XML and output.

A fault is noticed by the test case that is named for it, and by no other. The
case failed, or the process crashed in it, or it did not end.
"""

import dataclasses
import json
import pathlib
import re
import urllib.parse
import xml.etree.ElementTree as ElementTree

KILLED = "killed"
CRASH = "killed: crash"
TIMEOUT = "killed: time-out"
KILLS = (KILLED, CRASH, TIMEOUT)
SURVIVED = "SURVIVED"
BROKEN = "does not build"
OTHER = "another case failed"
NOT_RUN = "the case did not run"
UNSURE = "a time-out without the fault, too"

# A shell exits with 128 and the signal's number.
FIRST_SIGNAL, LAST_SIGNAL = 129, 128 + 64
SANITIZER = re.compile(r"ERROR: \w+Sanitizer|: runtime error: |SUMMARY: \w+Sanitizer")


@dataclasses.dataclass
class Run:
    """One run of a test target (or one shard of it)."""

    status: str  # of BuildEventStreamProtos.TestStatus
    xml: str = ""
    log: str = ""
    seconds: float = 0


def runs_of(events, read=lambda path: pathlib.Path(path).read_text(errors="replace")):
    """{target: [Run]} of what --build_event_json_file wrote. The last attempt of
    each counts."""
    runs = {}
    for line in events.splitlines():
        event = json.loads(line)
        result = event.get("testResult")
        if result is None:
            continue
        where = event["id"]["testResult"]
        run = Run(result.get("status", "NO_STATUS"))
        run.seconds = int(result.get("testAttemptDurationMillis", 0)) / 1000
        for output in result.get("testActionOutput", []):
            path = urllib.parse.unquote(urllib.parse.urlparse(output.get("uri", "")).path)
            try:
                if output.get("name") == "test.xml":
                    run.xml = read(path)
                elif output.get("name") == "test.log":
                    run.log = read(path)
            except OSError:
                continue
        runs.setdefault(where["label"], {})[where.get("run", 1), where.get("shard", 1)] = run
    return {target: list(each.values()) for target, each in runs.items()}


def filter_of(cases):
    """GoogleTest's, for exactly these; of parameterised ones all instances."""
    patterns = [f"{before}{case}{after}" for case in sorted(cases)
                for before in ("", "*/") for after in ("", "/*")]  # fmt: skip
    return ":".join(patterns)


def is_case(name, case):
    """Whether `name`, Suite.Case, is that case or an instance of it."""
    return re.fullmatch(rf"(?:.*/)?{re.escape(case)}(?:/.*)?", name) is not None


def cases_in(run):
    """{Suite.Case: "passed", "failed" or "skipped"} of GoogleTest's XML; none of
    the one that Bazel writes for a test that wrote none."""
    try:
        root = ElementTree.fromstring(run.xml)
    except ElementTree.ParseError:
        return {}
    cases = {}
    for case in root.iter("testcase"):
        suite, name = case.get("classname"), case.get("name")
        if not suite or not name:
            continue
        if case.find("failure") is not None or case.find("error") is not None:
            result = "failed"
        elif case.get("status") == "notrun" or case.get("result") in ("skipped", "suppressed"):
            result = "skipped"
        else:
            result = "passed"
        cases[f"{suite}.{name}"] = result
    return cases


def running(run):
    """The case that was running when the output ended."""
    last = None
    for word, name in re.findall(r"\[ *(RUN|OK|FAILED|SKIPPED) *\] ([^\s,]+)", run.log):
        if word == "RUN":
            last = name
        elif name == last:
            last = None
    return last


def exit_code(run):
    """As Bazel's XML has it for a test that wrote none."""
    match = re.search(r"exited with error code (\d+)", run.xml)
    return int(match[1]) if match else None


def crashed(run):
    code = exit_code(run)
    by_signal = code is not None and FIRST_SIGNAL <= code <= LAST_SIGNAL
    return by_signal or SANITIZER.search(run.log) is not None


def judge(case, run):
    """The verdict on one run that failed; `case` is None for a test that is not
    GoogleTest's, which is one case as a whole."""
    if run.status == "PASSED":
        return SURVIVED
    if run.status not in ("FAILED", "TIMEOUT"):
        return NOT_RUN
    if case is None:
        if run.status == "TIMEOUT":
            return TIMEOUT
        if crashed(run):
            return CRASH
        # It could not be started.
        return NOT_RUN if exit_code(run) in (126, 127) else KILLED
    cases = cases_in(run)
    if any(result == "failed" and is_case(name, case) for name, result in cases.items()):
        return KILLED
    others = [name for name, result in cases.items() if result == "failed"]
    if others:
        return f"{OTHER}: {others[0]}"
    now = running(run)
    if now is None:
        return NOT_RUN
    if not is_case(now, case):
        return f"{OTHER}: {now}"
    if run.status == "TIMEOUT":
        return TIMEOUT
    # Neither a result nor a signal: it called exit() in the case.
    return CRASH if crashed(run) or exit_code(run) else NOT_RUN


def verdict(case, code, runs):
    """Of a fault: `code` is what `bazel test` exited with, `runs` the target's."""
    if code == 0:
        return SURVIVED
    if code != 3:  # 3: it was built, and a test failed
        return BROKEN if code == 1 else NOT_RUN
    found = [judge(case, run) for run in runs]
    for kill in KILLS:
        if kill in found:
            return kill
    return next((each for each in found if each != SURVIVED), NOT_RUN)


def unheard(cases, runs):
    """Those of `cases` that did not run and pass without a fault."""
    passed = [name for run in runs for name, result in cases_in(run).items() if result == "passed"]
    return sorted(case for case in cases if not any(is_case(name, case) for name in passed))
