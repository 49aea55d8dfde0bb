#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The bookkeeping of a fuzz campaign, with shell scripts for fuzz targets."""

import contextlib
import io
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import fuzz_campaign as campaign  # noqa: E402

LOG = """\
INFO: Loaded 1 modules   (5193 inline 8-bit counters): 5193 [0x1, 0x2),
#8\tINITED cov: 90 ft: 100 corp: 7/90b exec/s: 0 rss: 40Mb
#99\tDONE   cov: 93 ft: 140 corp: 9/124b lim: 4 exec/s: 9 rss: 41Mb
stat::number_of_executed_units: 99
"""
SEEDS = '[ "$1" != --write-seeds ] || { printf good > "$2/seed-0"; exit 0; }\n'
FUZZES = f"cat << 'END'\n{LOG}END\n"
# An argument that is a file: an input that failed before.
FAILS_ON_BAD = """\
for last; do [ ! -f "$last" ] || exit 77; done
for argument; do case $argument in -artifact_prefix=*) printf bad > "${argument#*=}crash-1" ;; esac; done
exit 77
"""


class CampaignTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        campaign.ROOT = self.root
        campaign.STATE = self.root / "state"
        campaign.RESULTS = campaign.STATE / "results.json"
        campaign.STATE.mkdir()

    def target(self, name, script, share=0.0001):
        binary = self.root / "bin" / "t" / name
        binary.parent.mkdir(parents=True, exist_ok=True)
        ran = self.root / f"{name}.ran"
        binary.write_text(f"#!/bin/sh\n{SEEDS}echo >> {ran}\n{script}")
        binary.chmod(0o755)
        return campaign.Target(f"//t:{name}", share, self.root / "bin")

    def runs(self, name):
        return (self.root / f"{name}.ran").read_text().count("\n")

    def run_all(self, *targets):
        with contextlib.redirect_stdout(io.StringIO()):
            return campaign.Campaign(list(targets), []).run(2)

    def test_adds_up_and_stops_at_the_share(self):
        self.assertTrue(self.run_all(self.target("a_fuzz", FUZZES), self.target("b_fuzz", FUZZES)))
        for label in ("//t:a_fuzz", "//t:b_fuzz"):
            result = campaign.read_results()[label]
            self.assertEqual(result["executions"], 99)
            self.assertEqual((result["coverage"], result["counters"]), (93, 5193))
            self.assertEqual((result["features"], result["inputs"]), (140, 9))
            self.assertEqual(result["faults"], [])

    def test_goes_on_where_it_was(self):
        self.run_all(self.target("a_fuzz", FUZZES))
        self.run_all(self.target("a_fuzz", FUZZES))
        self.assertEqual(self.runs("a_fuzz"), 1)  # its share is used up
        self.run_all(self.target("a_fuzz", FUZZES, share=0.05))
        self.assertGreater(self.runs("a_fuzz"), 1)
        self.assertEqual(campaign.read_results()["//t:a_fuzz"]["executions"], 99 * self.runs("a_fuzz"))

    def test_another_binary_begins_again(self):
        self.run_all(self.target("a_fuzz", FUZZES))
        self.run_all(self.target("a_fuzz", FUZZES + "# changed\n"))
        self.assertEqual(self.runs("a_fuzz"), 2)
        self.assertEqual(campaign.read_results()["//t:a_fuzz"]["executions"], 99)

    def test_a_fault_stays_until_it_is_mended(self):
        for _ in range(2):
            target = self.target("a_fuzz", FAILS_ON_BAD)
            self.assertFalse(self.run_all(target, self.target("b_fuzz", FUZZES)))
            self.assertEqual(campaign.read_results()["//t:a_fuzz"]["faults"], ["crash-1"])
            self.assertEqual(campaign.read_results()["//t:b_fuzz"]["executions"], 99)
        self.assertEqual(self.runs("a_fuzz"), 2)  # the second time only the input itself
        target = self.target("a_fuzz", FUZZES)
        self.assertTrue(self.run_all(target))
        self.assertEqual((target.corpus / "crash-1").read_text(), "bad")
        self.assertEqual(list(target.faults.iterdir()), [])

    def test_an_interrupted_slice_does_not_count(self):
        target = self.target("a_fuzz", FUZZES + f"exit {campaign.EXIT_INTERRUPTED}\n")
        a = campaign.Campaign([target], [])
        a.run_slice(target)
        self.assertEqual(a.results["//t:a_fuzz"]["executions"], 0)

    def test_table(self):
        self.run_all(self.target("a_fuzz", FUZZES))
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            campaign.print_table()
        self.assertRegex(out.getvalue(), r"\| `//t:a_fuzz` \| 0 \| 99 \| 93 of 5193 \| 140 \| 9 \| 0 \|\n$")

    def test_seeds_are_small_and_new(self):
        merged, built_in = self.root / "merged", self.root / "built-in"
        for folder in (merged, built_in):
            folder.mkdir()
            (folder / "seed-0").write_bytes(b"built in")
        (merged / "large").write_bytes(bytes(campaign.MAX_SEED + 1))
        for i in range(20):
            (merged / str(i)).write_bytes(bytes([i]) * (1000 + i))
        chosen = campaign.chosen_seeds(merged, built_in)
        self.assertEqual([len(data) for data in chosen], list(range(1000, 1016)))
        self.assertLessEqual(sum(map(len, chosen)), campaign.MAX_SEEDS)

    def test_minimise_writes_what_merging_added(self):
        merges = '[ "$1" != -set_cover_merge=1 ] || { printf added > "$2/x"; exit 0; }\n'
        target = self.target("a_fuzz", merges)
        target.corpus.mkdir(parents=True)
        target.seeds.parent.mkdir()
        with contextlib.redirect_stdout(io.StringIO()):
            campaign.minimise(target)
        lines = target.seeds.read_text().splitlines()
        self.assertEqual([x for x in lines if not x.startswith("#")], [b"added".hex()])


unittest.main()
