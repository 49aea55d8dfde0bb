#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""When a failing test is the one that was named: nothing is built or run."""

import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import outcome  # noqa: E402

CASE = "Suite.Case"


def xml(**cases):
    """As GoogleTest writes it: Suite__Case="failed"."""
    inner = {"passed": "", "failed": '<failure message="no" type=""><![CDATA[no]]></failure>',
             "skipped": '<skipped message="why"/>'}  # fmt: skip
    rows = ""
    for name, result in cases.items():
        suite, _, case = name.partition("__")
        word = "skipped" if result == "skipped" else "completed"
        rows += f'<testcase name="{case}" status="run" result="{word}" classname="{suite}">{inner[result]}</testcase>'
    return f'<?xml version="1.0"?><testsuites name="AllTests"><testsuite name="S">{rows}</testsuite></testsuites>'


def bazels(code):
    """As Bazel writes it for a test that wrote none."""
    return ('<?xml version="1.0"?><testsuites><testsuite name="a/f_test" tests="1"><testcase name="a/f_test" '
            f'status="run"><error message="exited with error code {code}"></error></testcase>'
            "<system-out>Generated test.log</system-out></testsuite></testsuites>")  # fmt: skip


def log(*lines):
    words = {"run": "[ RUN      ]", "ok": "[       OK ]", "failed": "[  FAILED  ]"}
    return "".join(f"{words[word]} {name}{' (0 ms)' if word != 'run' else ''}\n" for word, name in lines)


IN_CASE = log(("run", "Suite.Before"), ("ok", "Suite.Before"), ("run", CASE)) + "wild pointer\n"


def verdict(status="FAILED", case=CASE, code=3, **run):
    return outcome.verdict(case, code, [outcome.Run(status, **run)])


class GoogleTest(unittest.TestCase):
    def test_the_named_case_fails(self):
        self.assertEqual(verdict(xml=xml(Suite__Case="failed")), outcome.KILLED)
        self.assertEqual(verdict(xml=xml(Suite__Other="failed", Suite__Case="failed")), outcome.KILLED)

    def test_an_instance_of_it_fails(self):
        one = xml(Suite__Case="failed").replace('name="Case"', 'name="Case/3"').replace('"Suite"', '"All/Suite"')
        self.assertEqual(verdict(xml=one), outcome.KILLED)

    def test_another_case_fails(self):
        for name in ("Suite__CaseToo", "MySuite__Case", "Suite__Other"):
            said = verdict(xml=xml(Suite__Case="passed", **{name: "failed"}))
            self.assertEqual(said, f"another case failed: {name.replace('__', '.')}")
            self.assertNotIn(said, outcome.KILLS)

    def test_no_case_fails(self):
        self.assertEqual(verdict(code=0, status="PASSED", xml=xml(Suite__Case="passed")), outcome.SURVIVED)
        # All passed, and the process failed all the same.
        self.assertEqual(verdict(xml=xml(Suite__Case="passed")), outcome.NOT_RUN)

    def test_a_crash_in_the_case(self):
        for code in (132, 134, 139):
            self.assertEqual(verdict(xml=bazels(code), log=IN_CASE), outcome.CRASH)
        report = IN_CASE + "==7==ERROR: AddressSanitizer: heap-buffer-overflow\n"
        self.assertEqual(verdict(xml=bazels(1), log=report), outcome.CRASH)

    def test_a_crash_elsewhere(self):
        self.assertEqual(verdict(xml=bazels(139), log=log(("run", "Suite.Other"))), "another case failed: Suite.Other")
        done = log(("run", CASE), ("ok", CASE))
        self.assertEqual(verdict(xml=bazels(139), log=done), outcome.NOT_RUN)

    def test_what_never_starts_notices_nothing(self):
        for code in (1, 126, 127, 134):
            text = "error while loading shared libraries: libf.so\n"
            self.assertEqual(verdict(xml=bazels(code), log=text), outcome.NOT_RUN)
        for status in ("INCOMPLETE", "REMOTE_FAILURE", "NO_STATUS", "TOOL_HALTED_BEFORE_TESTING"):
            self.assertEqual(verdict(status, log=IN_CASE), outcome.NOT_RUN)
        self.assertEqual(outcome.verdict(CASE, 3, []), outcome.NOT_RUN)

    def test_a_time_out_in_the_case(self):
        self.assertEqual(verdict("TIMEOUT", xml=bazels(142), log=IN_CASE), outcome.TIMEOUT)
        self.assertEqual(verdict("TIMEOUT", xml=bazels(142), log=""), outcome.NOT_RUN)
        self.assertIn(outcome.OTHER, verdict("TIMEOUT", xml=bazels(142), log=log(("run", "Suite.Other"))))

    def test_not_built(self):
        self.assertEqual(outcome.verdict(CASE, 1, []), outcome.BROKEN)
        for code in (2, 8, 36, 37):  # Bazel's own failures, or an interrupt.
            self.assertEqual(outcome.verdict(CASE, code, []), outcome.NOT_RUN)

    def test_of_shards_one_is_enough(self):
        runs = [outcome.Run("PASSED", xml=xml()), outcome.Run("FAILED", xml=xml(Suite__Case="failed"))]
        self.assertEqual(outcome.verdict(CASE, 3, runs), outcome.KILLED)

    def test_the_filter_takes_all_instances_and_no_other_case(self):
        import fnmatch

        patterns = outcome.filter_of({CASE, "B.C"}).split(":")
        for name in (CASE, "All/Suite.Case/0", "Suite.Case/x", "B.C"):
            self.assertTrue(any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns), name)
        for name in ("Suite.CaseToo", "MySuite.Case", "Suite.Other"):
            self.assertFalse(any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns), name)

    def test_a_case_that_does_not_run_without_a_fault(self):
        run = outcome.Run("PASSED", xml=xml(Suite__Case="passed", Suite__Other="skipped"))
        self.assertEqual(outcome.unheard({CASE, "Suite.Other", "Suite.Gone"}, [run]), ["Suite.Gone", "Suite.Other"])


class OtherTests(unittest.TestCase):
    """One case as a whole."""

    def test_each_way_to_fail(self):
        self.assertEqual(verdict(case=None, xml=bazels(1)), outcome.KILLED)
        self.assertEqual(verdict(case=None, xml=bazels(139)), outcome.CRASH)
        self.assertEqual(verdict("TIMEOUT", case=None, xml=bazels(142)), outcome.TIMEOUT)
        self.assertEqual(verdict(case=None, xml=bazels(127)), outcome.NOT_RUN)
        self.assertEqual(verdict("INCOMPLETE", case=None), outcome.NOT_RUN)


class Events(unittest.TestCase):
    def test_what_bazel_writes(self):
        def event(label, status, shard, name):
            return json.dumps({
                "id": {"testResult": {"label": label, "run": 1, "shard": shard, "attempt": 1}},
                "testResult": {"status": status, "testAttemptDurationMillis": "1500", "testActionOutput": [
                    {"name": "test.log", "uri": f"file:///{name}%20l"}, {"name": "test.xml", "uri": f"file:///{name}"}]},
            })  # fmt: skip

        def read(path):
            if path == "/gone":
                raise FileNotFoundError(path)
            return path

        events = "\n".join([
            '{"id":{"started":{}},"started":{}}', event("//a:f_test", "FAILED", 1, "x"),
            event("//a:f_test", "PASSED", 2, "y"), event("//b:g_test", "NO_STATUS", 1, "gone"),
        ])  # fmt: skip
        runs = outcome.runs_of(events, read)
        self.assertEqual(runs["//a:f_test"], [outcome.Run("FAILED", "/x", "/x l", 1.5), outcome.Run("PASSED", "/y", "/y l", 1.5)])
        self.assertEqual(runs["//b:g_test"], [outcome.Run("NO_STATUS", "", "/gone l", 1.5)])


if __name__ == "__main__":
    unittest.main()
