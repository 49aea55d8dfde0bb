#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""./run test: every test, then the host code's under sanitizers, and a count.

Test cases are counted from the test.xml files that Bazel names in its build
events, so cached results count and files left by deleted targets do not. The
last line is "N passed, N failed", with ", N skipped" if there are any.
"""

import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.parse
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent

# The folders that parse bytes from outside. `bazel test --config=asan` takes all
# host code; these are what a new machine has time for.
SANITIZED = [
    "//base/...", "//boot/...", "//crypto/...", "//proto/...", "//sev/...", "//attest/...", "//proxy/...",
    "//svsm/...", "//host-proxy/...", "//launch/...", "//verifier/evidence/...",
    "//verifier/policy/...",
]  # fmt: skip


class Count:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []
        self.skips = collections.Counter()  # by reason

    def fail(self, name):
        self.failed += 1
        self.failures.append(name)

    def add_file(self, label, path, target_passed):
        """Counts the cases of one test.xml. A target that failed without a
        failing case (a crash, a time-out) counts as one failure."""
        failed_before = self.failed
        try:
            cases = list(xml.etree.ElementTree.parse(path).iter("testcase"))
        except (OSError, xml.etree.ElementTree.ParseError):
            cases = []
        for case in cases:
            name = ".".join(filter(None, (case.get("classname"), case.get("name"))))
            if case.find("failure") is not None or case.find("error") is not None:
                self.fail(f"{label} {name}")
            elif (case.find("skipped") is not None or case.get("result") in ("skipped", "suppressed")
                  or case.get("status") == "notrun"):  # fmt: skip
                self.skipped += 1
                detail = case.find("skipped")
                if detail is not None:
                    text = (detail.text or detail.get("message") or "no reason given").strip()
                    self.skips[text.splitlines()[-1]] += 1
            else:
                self.passed += 1
        if not target_passed and self.failed == failed_before:
            self.fail(label)
        if target_passed and not cases:
            self.passed += 1


def local_path(uri):
    return urllib.parse.unquote(urllib.parse.urlparse(uri).path)


def read_events(path, count):
    """Adds the results of one Bazel run; returns how many targets had any."""
    results = {}
    broken = set()
    for line in path.read_text().splitlines():
        try:
            event = json.loads(line)
        except json.JSONDecodeError:  # Bazel was ended in the middle of it
            count.fail("Bazel's list of events is cut off")
            break
        key = event.get("id", {})
        if "testResult" in event:
            outputs = {o["name"]: o.get("uri", "") for o in event["testResult"].get("testActionOutput", [])}
            identity = (key["testResult"]["label"], key["testResult"].get("shard", 0))
            # Of several attempts the last one stands.
            results[identity] = (event["testResult"].get("status"), outputs.get("test.xml", ""))
        elif event.get("aborted", {}).get("reason") == "SKIPPED":
            pass  # for another platform: the guest's own targets
        elif "targetCompleted" in key and not event.get("completed", {}).get("success", False):
            broken.add(key["targetCompleted"]["label"])
    for (label, _), (status, uri) in sorted(results.items()):
        count.add_file(label, local_path(uri), status in ("PASSED", "FLAKY"))
    for label in sorted(broken - {label for label, _ in results}):
        count.fail(f"{label} does not build")
    return len(results)


# gold says so of every local symbol of the sanitizers' runtime, in each link.
NOISE = re.compile(r"ld\.gold: warning: Cannot export local symbol|^INFO: From Linking ")


def run(command):
    """Runs Bazel, shows what it says but for NOISE, and returns its status."""
    bazel = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, errors="replace")  # fmt: skip
    for line in bazel.stdout:
        if not NOISE.search(line):
            print(line, end="", flush=True)
    return bazel.wait()


def bazel_test(name, arguments, count):
    print(f"\n== {name}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        events = pathlib.Path(folder) / "events.json"
        command = ["bazel", "test", "--keep_going", f"--build_event_json_file={events}"]
        command += ["--noshow_progress", "--curses=no", "--color=no"]
        status = run(command + arguments)
        failed_before = count.failed
        targets = read_events(events, count) if events.exists() else 0
    # 0: all passed, 3: some failed, 4: there is no test; the rest: no build.
    if status not in (0, 3, 4) and count.failed == failed_before:
        count.fail(f"bazel test {' '.join(arguments)}: exit {status}")
    return targets


def existing(patterns):
    return [p for p in patterns if (ROOT / re.sub(r"^//|/\.\.\.$", "", p)).is_dir()]


def main():
    # Recorded evidence, where it stands beside the checkout; else those tests
    # say that they are skipped.
    vectors = ROOT.parent / "shared/vectors"
    if "FORELOCK_VECTORS" not in os.environ and vectors.is_dir():
        os.environ["FORELOCK_VECTORS"] = str(vectors)
    count = Count()
    if len(sys.argv) > 1:
        bazel_test("the tests asked for", sys.argv[1:], count)
    else:
        print("On a new machine this compiles everything twice: 24 minutes on two cores, most of them quiet.",
              flush=True)  # fmt: skip
        bazel_test("all tests", ["//..."], count)
        bazel_test(
            "host code under address and undefined-behaviour sanitizers",
            ["--config=asan", "--build_tests_only"] + existing(SANITIZED),
            count,
        )
    if count.passed + count.failed == 0:
        count.fail("no test ran")
    print()
    for failure in count.failures:
        print(f"FAILED  {failure}")
    for reason, number in sorted(count.skips.items()):
        print(f"SKIPPED {number}: {reason}")
    skipped = f", {count.skipped} skipped" if count.skipped else ""
    print(f"{count.passed} passed, {count.failed} failed{skipped}", flush=True)
    sys.exit(1 if count.failed else 0)


if __name__ == "__main__":
    main()
