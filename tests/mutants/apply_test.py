#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each seeded fault can still be put into the tree: no build, a second or two.

    apply_test.py WORKSPACE   the tree is where that link leads
"""

import os
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mutants  # noqa: E402
import outcome  # noqa: E402

CODE = "int F() {\n  if (wild) return Refuse();\n  return 1;\n}\n"
TEST = "TEST_F(Suite, Case) {}\n"
BUILD = 'cc_test(\n    name = "f_test",\n    srcs = ["f_test.cc"],\n)\n'
FAULT = """[[mutant]]
name = "f"
why = "wild is taken"
text = 'if (wild) return Refuse();'
with = ''
case = "Suite.Case"
"""
TABLE = "| `f` | a/f.cc | wild is taken | `//a:f_test`, `Suite.Case` | killed |\n"


def tree(**changes):
    files = mutants.Tree({"a/f.cc": CODE, "a/f_test.cc": TEST, "a/BUILD": BUILD, mutants.DATA: FAULT,
                          mutants.TABLE: TABLE})  # fmt: skip
    for path, text in changes.items():
        files[{"code": "a/f.cc", "test": "a/f_test.cc", "build": "a/BUILD", "data": mutants.DATA,
               "table": mutants.TABLE, "other": "b/g.cc"}[path]] = text  # fmt: skip
    return files


class TheCheckItself(unittest.TestCase):
    def complaints(self, **changes):
        return "\n".join(mutants.check(tree(**changes)))

    def test_a_good_one(self):
        self.assertEqual(mutants.check(tree()), [])
        (fault,) = mutants.load(FAULT)
        self.assertEqual(mutants.label(fault, tree()), "//a:f_test")
        self.assertEqual(mutants.mutated(fault, tree()), ("a/f.cc", "int F() {\n  \n  return 1;\n}\n"))

    def test_code_may_move_and_be_indented_otherwise(self):
        moved = tree(code="", other="int G() {\n      if (wild)\n        return Refuse();\n}\n",
                     table=TABLE.replace("a/f.cc", "b/g.cc"))  # fmt: skip
        self.assertEqual(mutants.check(moved), [])

    def test_a_text_that_is_gone_or_stands_twice(self):
        self.assertIn("stands 0 times", self.complaints(code=""))
        self.assertIn("stands 2 times", self.complaints(other=CODE))

    def test_a_replacement_that_changes_nothing(self):
        same = FAULT.replace("with = ''", "with = 'if (wild)  return Refuse();'")
        self.assertIn("is the same", self.complaints(data=same))

    def test_a_test_that_is_gone(self):
        self.assertIn("Suite.Case stands in 0 files", self.complaints(test=""))
        self.assertIn("0 targets", self.complaints(build=BUILD.replace("f_test.cc", "g_test.cc")))
        named = FAULT.replace('case = "Suite.Case"', 'test = "//a:f_test"')
        self.assertEqual(mutants.check(tree(data=named, table=TABLE.replace(", `Suite.Case`", ""))), [])
        self.assertIn("there is no //a:f_test", self.complaints(data=named, build=""))

    def test_data_of_another_form(self):
        self.assertIn("unknown extra", self.complaints(data=FAULT + "extra = 1\n"))
        self.assertIn("f: twice", self.complaints(data=FAULT * 2))
        self.assertIn("no why", self.complaints(data=FAULT.replace("why", "#")))
        self.assertIn("either a case or a test", self.complaints(data=FAULT.replace("case", "#")))

    def test_a_table_of_other_faults(self):
        for other in ("`g`", "b/g.cc", "wild is refused", "//a:g_test", "Suite.Other"):
            for part in ("`f`", "a/f.cc", "wild is taken", "//a:f_test", "Suite.Case"):
                self.assertIn("./run mutants --table", self.complaints(table=TABLE.replace(part, other)))


class TheKeyOfAResult(unittest.TestCase):
    FILES = {
        "a/f.cc": CODE, "a/f_test.cc": TEST, "a/BUILD": BUILD, "b/g.cc": CODE, "b/BUILD": "", "README.md": "",
        ".bazelrc": "", "WORKSPACE": "", ".forelock/packages": "1", "tools/build_rules/prelude_bazel": "",
        "third_party/x.BUILD": "", "third_party/sources.bzl": "", "tools/fuzz.bzl": "", "toolchain/BUILD": "",
    }  # fmt: skip
    GRAPH = """digraph mygraph {
  node [shape=box];
  "//a:f_test"
  "//a:f_test" -> "//a:f_test.cc"
  "//a:f_test" -> "//a:f"
  "//a:f" -> "//a:f.cc"
  "//a:f" -> "@x//:x"
  "//b:g" -> "//b:g.cc"
}
"""

    def key(self, fault=FAULT, files=None):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for path, text in (self.FILES | (files or {})).items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)
            workshop = mutants.Workshop(root, mutants.read_tree(root))
            workshop.read_graph({"//a:f_test"}, self.GRAPH)
            return workshop.key(mutants.load(fault)[0], "//a:f_test")

    def test_whatever_decides_is_in_it(self):
        known = self.key()
        self.assertEqual(self.key(), known)
        for path in set(self.FILES) - {"b/g.cc", "b/BUILD", "README.md"}:
            self.assertNotEqual(self.key(files={path: "other"}), known, path)
        for path in ("b/g.cc", "b/BUILD", "README.md", "third_party/README.md"):
            self.assertEqual(self.key(files={path: "other"}), known, path)

    def test_the_fault_itself_and_the_tools_form(self):
        known = self.key()
        self.assertNotEqual(self.key(FAULT.replace("Suite.Case", "Suite.Two")), known)
        self.assertNotEqual(self.key(FAULT.replace("with = ''", "with = ';'")), known)
        self.assertEqual(self.key(FAULT.replace("if (wild) ", "if (wild)\n ").replace("'if", "\'\'\'if").replace(
            "Refuse();'", "Refuse();\'\'\'")), known)  # fmt: skip
        mutants.FORMAT += 1
        try:
            self.assertNotEqual(self.key(), known)
        finally:
            mutants.FORMAT -= 1


class Played(mutants.Workshop):
    """A workshop whose tests end as told: (exit code, status, log), one a run."""

    def __init__(self, root, answers):
        super().__init__(root, mutants.read_tree(root))
        self.answers = list(answers)
        self.seen = []  # the file with the fault, at each run

    def test(self, targets, cases, *options):
        self.seen.append((self.copy / "a/f.cc").read_text())
        code, status, log = self.answers.pop(0)
        return code, {"//a:f_test": [outcome.Run(status, log=log)]}, ""


class AnAttempt(unittest.TestCase):
    HANGS = (3, "TIMEOUT", "[ RUN      ] Suite.Case\n")
    PASSES = (0, "PASSED", "")

    def attempt(self, *answers):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            workshop = Played(root, answers)
            (workshop.copy / "a").mkdir(parents=True)
            workshop.tree["a/f.cc"] = CODE
            verdict = workshop.attempt(mutants.load(FAULT)[0], "//a:f_test")
            self.assertEqual((workshop.copy / "a/f.cc").read_text(), CODE)
            self.assertEqual(workshop.answers, [])
            return verdict, workshop.seen

    def test_the_fault_is_there_for_the_run_only(self):
        verdict, seen = self.attempt(self.PASSES)
        self.assertEqual(verdict, outcome.SURVIVED)
        self.assertEqual(seen, [CODE.replace("if (wild) return Refuse();", "")])

    def test_a_time_out_counts_if_the_test_ends_without_the_fault(self):
        verdict, seen = self.attempt(self.HANGS, self.PASSES)
        self.assertEqual(verdict, outcome.TIMEOUT)
        self.assertEqual(seen[1], CODE)

    def test_a_time_out_of_the_test_itself_says_nothing(self):
        for without in (self.HANGS, (3, "FAILED", "")):
            self.assertEqual(self.attempt(self.HANGS, without)[0], outcome.UNSURE)


class ThisTree(unittest.TestCase):
    def test_every_fault_applies_and_has_its_test(self):
        root = pathlib.Path(os.path.realpath(WORKSPACE)).parent
        found = mutants.read_tree(root)
        self.assertGreaterEqual(len(mutants.load(found[mutants.DATA])), 60)
        self.assertEqual(mutants.check(found), [])


if __name__ == "__main__":
    WORKSPACE = sys.argv.pop(1)
    unittest.main()
