#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""./run mutants: seeded faults, and whether the tests notice them.

    ./run mutants [NAME...]   tries each, or those named; ends with a table
    ./run mutants --again     forgets earlier results of those
    ./run mutants --table     writes docs/mutants.md from data and last results

A fault is data (mutants.toml): a text that stands once in the tree, what stands
there instead, and the test case that must fail; that another one fails does not
count (outcome.py). It is tried in a copy of the tree, .forelock/mutants/tree, so
that the tree itself is never changed. A result is kept under the hash of all that
it depends on, so a run can be cut off and goes on where it was.
"""

import argparse
import fcntl
import functools
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import tomllib

import outcome

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DATA = "tests/mutants/mutants.toml"
TABLE = "docs/mutants.md"
FIELDS = {"name", "why", "text", "with", "case", "test"}
# A mutant that hangs is noticed too.
TIMEOUT = 300  # seconds for one test
# Raised when an older result would say less, or something else.
FORMAT = 2
# What decides, besides a test's own sources, how it is built and what with: the
# installed packages by their versions, tarballs by their digests (third_party).
COMMON_FILES = (".bazelrc", "WORKSPACE", ".forelock/packages", "tools/build_rules/prelude_bazel")
COMMON_FOLDERS = ("third_party/", "toolchain/", "platforms/")
SKIPPED_FOLDERS = re.compile(r"^(bazel-.*|\.git|\.distdir|\.forelock|__pycache__)$")


class Error(Exception):
    """What is wrong with the data, for people."""


class Tree(dict):
    """Path to text of every file that is text."""

    @functools.cached_property
    def flat(self):
        """The same, each run of white space one space."""
        return {path: " ".join(text.split()) for path, text in self.items()}

    @functools.cached_property
    def cases(self):
        """GoogleTest case to the files that have it."""
        cases = {}
        for path, text in self.items():
            if path.endswith(".cc"):
                for match in re.finditer(r"\bTEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\s*\)", text):
                    cases.setdefault(f"{match[1]}.{match[2]}", []).append(path)
        return cases


def read_tree(root):
    tree = Tree()
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not SKIPPED_FOLDERS.match(name)]
        for name in files:
            path = pathlib.Path(folder) / name
            if path.is_symlink():
                continue
            try:
                tree[str(path.relative_to(root))] = path.read_text()
            except UnicodeDecodeError:
                continue
    return tree


def load(text):
    """The mutants, each a dictionary; their form is checked."""
    mutants = tomllib.loads(text).get("mutant", [])
    names = set()
    for mutant in mutants:
        name = mutant.get("name", "?")
        if unknown := set(mutant) - FIELDS:
            raise Error(f"{name}: unknown {', '.join(sorted(unknown))}")
        for field in ("name", "why", "text", "with"):
            if not isinstance(mutant.get(field), str) or (field != "with" and not mutant[field]):
                raise Error(f"{name}: no {field}")
        if ("case" in mutant) == ("test" in mutant):
            raise Error(f"{name}: either a case or a test")
        if name in names:
            raise Error(f"{name}: twice")
        names.add(name)
    return mutants


def pattern(text):
    """White space is any white space: indented otherwise, it is the same code."""
    return re.compile(r"\s+".join(re.escape(word) for word in text.split()))


def place(mutant, tree):
    """(path, start, end) of the one place that the text stands in."""
    flat, text = " ".join(mutant["text"].split()), pattern(mutant["text"])
    found = [
        (path, match.start(), match.end())
        for path in tree
        if path not in (DATA, TABLE) and flat in tree.flat[path]
        for match in text.finditer(tree[path])
    ]
    if len(found) != 1:
        where = "".join(f"\n  {path}" for path, _, _ in found)
        raise Error(f"{mutant['name']}: its text stands {len(found)} times in the tree{where}")
    if mutant["text"].split() == mutant["with"].split():
        raise Error(f"{mutant['name']}: its replacement is the same")
    return found[0]


def mutated(mutant, tree):
    """(path, its text with the fault)."""
    path, start, end = place(mutant, tree)
    return path, tree[path][:start] + mutant["with"] + tree[path][end:]


def rules(build):
    """(name, source files) of each rule of a BUILD file."""
    for match in re.finditer(r"^\w+\(\n(.*?)^\)", build, re.S | re.M):
        body = match[1]
        name = re.search(r'^    name = "([^"]+)"', body, re.M)
        sources = re.search(r"^    srcs? = (?:\[(.*?)\]|(\"[^\"]+\"))", body, re.S | re.M)
        if name and sources:
            yield name[1], re.findall(r'"([^"]+)"', sources[1] or sources[2])


def label(mutant, tree):
    """The test target: as named, or the one that has the test case."""
    name = mutant["name"]
    if "test" in mutant:
        package, _, target = mutant["test"].removeprefix("//").partition(":")
        build = tree.get(f"{package}/BUILD", "")
        if not re.search(rf'^    name = "{re.escape(target)}"', build, re.M):
            raise Error(f"{name}: there is no {mutant['test']}")
        return mutant["test"]
    files = tree.cases.get(mutant["case"], [])
    if len(files) != 1:
        raise Error(f"{name}: {mutant['case']} stands in {len(files)} files")
    folder, _, file = files[0].rpartition("/")
    targets = [target for target, sources in rules(tree.get(f"{folder}/BUILD", "")) if file in sources]
    if len(targets) != 1:
        raise Error(f"{name}: {len(targets)} targets are made of {files[0]}")
    return f"//{folder}:{targets[0]}"


def check(tree):
    """Every complaint about the data; nothing is built."""
    complaints = []
    try:
        mutants = load(tree[DATA])
    except (Error, tomllib.TOMLDecodeError) as error:
        return [str(error)]
    for mutant in mutants:
        for step in (place, label):
            try:
                step(mutant, tree)
            except Error as error:
                complaints.append(str(error))
    if not complaints and list(verdicts(tree)) != [row(mutant, tree) for mutant in mutants]:
        complaints.append(f"{TABLE} does not list these mutants as they are: ./run mutants --table")
    return complaints


def row(mutant, tree):
    """What the table says of a mutant, but for the verdict."""
    path, _, _ = place(mutant, tree)
    case = f", `{mutant['case']}`" if "case" in mutant else ""
    return f"| `{mutant['name']}` | {path} | {mutant['why']} | `{label(mutant, tree)}`{case} |"


def verdicts(tree):
    """{row: verdict} as the table has them."""
    return dict(re.findall(r"^(\| `.*\|) ([^|]+) \|$", tree.get(TABLE, ""), re.M))


def cases_of(mutants):
    return {mutant["case"] for mutant in mutants if "case" in mutant}


# --- The copy of the tree, where faults are tried.


class Workshop:
    def __init__(self, root, tree):
        self.root = root
        self.tree = tree
        self.copy = root / ".forelock/mutants/tree"
        self.results = root / ".forelock/mutants/results"
        self.results.mkdir(parents=True, exist_ok=True)
        self._digests = {}
        self._sources = {}
        self._lock = None

    def open(self):
        """Takes the copy for this process, and makes it the tree as it is."""
        self._lock = open(self.results.parent / "lock", "w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Error("another ./run mutants is under way") from None
        self._synchronise()

    def _synchronise(self):
        """Whatever an earlier run left there."""
        wanted = set()
        for folder, folders, files in os.walk(self.root):
            folders[:] = [name for name in folders if not SKIPPED_FOLDERS.match(name)]
            wanted |= {(pathlib.Path(folder) / name).relative_to(self.root) for name in files}
        self.copy.mkdir(parents=True, exist_ok=True)
        for folder, folders, files in os.walk(self.copy):
            folders[:] = [name for name in folders if not SKIPPED_FOLDERS.match(name)]
            for name in files:
                path = pathlib.Path(folder) / name
                if path.relative_to(self.copy) not in wanted:
                    path.unlink()
        for path in wanted:
            source, target = self.root / path, self.copy / path
            target.parent.mkdir(parents=True, exist_ok=True)
            # Unchanged files keep their times, so that Bazel need not read them.
            if source.is_symlink():
                target.unlink(missing_ok=True)
                target.symlink_to(os.readlink(source))
            elif not target.is_file() or source.read_bytes() != target.read_bytes():
                shutil.copy(source, target)
        for name in (".distdir", ".forelock/bazelrc"):
            link = self.copy / name
            link.parent.mkdir(exist_ok=True)
            link.unlink(missing_ok=True)
            if (self.root / name).exists():
                link.symlink_to(self.root / name)

    def bazel(self, *arguments, capture=False):
        return subprocess.run(
            ["bazel", *arguments], cwd=self.copy, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if capture else None,
            stderr=subprocess.PIPE if capture else None, text=True, errors="replace",
        )  # fmt: skip

    def look_up(self, targets):
        """Finds all files of the tree that each target is made of."""
        # One query for all: each loads the same packages again.
        query = self.bazel("query", "--noshow_progress", "--output=graph", "--nograph:factored",
                           "--graph:node_limit=-1", f"deps({' + '.join(sorted(targets))})", capture=True)  # fmt: skip
        if query.returncode != 0:
            raise Error(f"bazel query: {query.stderr[-2000:]}")
        self.read_graph(targets, query.stdout)

    def read_graph(self, targets, graph):
        edges = {}
        for source, target in re.findall(r'^ *"([^"]+)" -> "([^"]+)"', graph, re.M):
            edges.setdefault(source, []).append(target)
        for target in targets:
            reached, left = {target}, [target]
            while left:
                new = [label for label in edges.get(left.pop(), []) if label not in reached]
                reached.update(new)
                left += new
            self._sources[target] = self._files_of(reached)

    def _files_of(self, labels):
        names = {name for name in self.tree if name.endswith(".bzl") or (
            name.startswith(COMMON_FOLDERS) and not name.endswith(".md"))}  # fmt: skip
        for label in labels:
            package, _, name = label.removeprefix("//").partition(":")
            if label.startswith("//"):  # the tree's own
                names |= {f"{package}/BUILD", f"{package}/{name}"}
        files = {name.lstrip("/") for name in names} | set(COMMON_FILES)
        return sorted(name for name in files if (self.root / name).is_file())

    def cpu_seconds(self):
        """Of the copy's Bazel and all that it ran so far."""
        server = self.bazel("info", "server_pid", capture=True).stdout.strip()
        try:
            fields = pathlib.Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0
        # utime, stime, and both of the children that were waited for.
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")

    def _digest(self, path):
        if path not in self._digests:
            file = self.root / path
            self._digests[path] = hashlib.sha256(file.read_bytes() if file.is_file() else b"").hexdigest()
        return self._digests[path]

    def key(self, mutant, target):
        state = hashlib.sha256()
        fault = {field: " ".join(mutant[field].split()) for field in ("text", "with")}
        fault["case"] = mutant.get("case", "")
        for part in (str(FORMAT), json.dumps(fault, sort_keys=True), target):
            state.update(part.encode() + b"\0")
        for path in self._sources[target]:
            state.update(f"{path} {self._digest(path)}\n".encode())
        return state.hexdigest()

    def _file(self, name):
        return self.results / f"{name}.json"

    def result(self, mutant, key=None):
        """What came of it last; with a key, only if nothing has changed since."""
        try:
            result = json.loads(self._file(mutant["name"]).read_text())
        except (OSError, ValueError):
            return None
        return result if key is None or result["key"] == key else None

    def is_known(self, mutant, key):
        """What may come of a busy machine is tried again."""
        result = self.result(mutant, key)
        return result is not None and result["verdict"] not in (outcome.NOT_RUN, outcome.UNSURE)

    def keep(self, mutant, key, verdict, seconds):
        result = {"key": key, "verdict": verdict, "seconds": round(seconds, 1)}
        file = self._file(mutant["name"])
        file.with_suffix(".new").write_text(json.dumps(result))
        file.with_suffix(".new").replace(file)
        return result

    def test(self, targets, cases, *options):
        """(exit code, {target: its runs}, output), of these cases only; of all of a
        target that is not GoogleTest's."""
        events = self.results.parent / "events.json"
        events.unlink(missing_ok=True)
        arguments = ["test", "--noshow_progress", "--ui_event_filters=-info", f"--test_timeout={TIMEOUT}",
                     "--test_output=summary", f"--build_event_json_file={events}",
                     # Or another case to run were another build of everything.
                     "--trim_test_configuration"]  # fmt: skip
        if cases:
            arguments.append("--test_filter=" + outcome.filter_of(cases))
        done = self.bazel(*arguments, *options, *targets, capture=True)
        runs = outcome.runs_of(events.read_text()) if events.exists() else {}
        return done.returncode, runs, done.stdout + done.stderr

    def attempt(self, mutant, target):
        path, text = mutated(mutant, self.tree)
        file = self.copy / path
        cases = cases_of([mutant])
        # What a fault makes is of no use to anybody's cache.
        options = ["--disk_cache="]
        try:
            file.write_text(text)
            code, runs, output = self.test([target], cases, *options)
        finally:
            file.write_text(self.tree[path])
        verdict = outcome.verdict(mutant.get("case"), code, runs.get(target, []))
        for run in runs.get(target, []):
            output += f"\n--- {run.status}\n{run.log}"
        if verdict == outcome.TIMEOUT:
            # Or the machine is slow, or the test is.
            code, _, again = self.test([target], cases, *options, "--nocache_test_results")
            output += f"\n--- without the fault\n{again}"
            if code != 0:
                verdict = outcome.UNSURE
        (self.results / f"{mutant['name']}.log").write_text(output)
        return verdict


def write_table(workshop, mutants, tree):
    lines = [
        "# Seeded faults", "",
        "Written by `./run mutants --table` from `tests/mutants/mutants.toml` and the last results. Each row is a",
        "fault put into the code on purpose, and the test that must notice it. `./run test` checks that each can still",
        "be put there; `./run mutants` tries them, and ends with an error if one survives. `killed`: that test case failed",
        "(that another one fails does not count); `crash`: the test's process ended in it; `time-out`: it did not end, and",
        "does without the fault.", "",
        "| Fault | File | What is broken | Test that fails | Verdict |", "|---|---|---|---|---|",
    ]  # fmt: skip
    # Results are kept on one machine. Where there is none, the last verdict of
    # the same fault and test stands.
    known = verdicts(tree)
    for mutant in mutants:
        result = workshop.result(mutant)
        said = row(mutant, tree)
        verdict = result["verdict"] if result else known.get(said, "not tried")
        lines.append(f"{said} {verdict} |")
    (workshop.root / TABLE).write_text("\n".join(lines) + "\n")


def print_table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    for row in rows:
        print("  ".join([*(row[i].ljust(widths[i]) for i in range(3)), row[3]]))


def print_times(seconds, wall, cpu):
    """`seconds`: of each fault by name."""
    slowest = sorted(seconds.items(), key=lambda each: -each[1])[:10]
    print("slowest: " + ", ".join(f"{name} {took:.0f} s" for name, took in slowest))
    print(f"{len(seconds)} faults tried, {sum(seconds.values()) / len(seconds):.1f} s each; in all "
          f"{wall / 60:.1f} minutes, {cpu / 60:.1f} of CPU")  # fmt: skip


def main():
    parser = argparse.ArgumentParser(prog="./run mutants", description="Tries seeded faults.")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--again", action="store_true", help="forget earlier results")
    parser.add_argument("--table", action="store_true", help=f"only write {TABLE}")
    options = parser.parse_args()
    tree = read_tree(ROOT)
    try:
        mutants = load(tree[DATA])
        if unknown := set(options.names) - {mutant["name"] for mutant in mutants}:
            raise Error(f"there is no {', '.join(sorted(unknown))}")
        targets = {mutant["name"]: label(mutant, tree) for mutant in mutants}
        files = {mutant["name"]: place(mutant, tree)[0] for mutant in mutants}
        workshop = Workshop(ROOT, tree)
        if options.table:
            write_table(workshop, mutants, tree)
            return 0
        workshop.open()
        return run(workshop, options, mutants, targets, files)
    except Error as error:
        print(f"mutants: {error}", file=sys.stderr)
        return 2


def without_faults(workshop, due, targets):
    """Or what is said of a fault means nothing."""
    wanted = sorted({targets[m["name"]] for m in due})
    print(f"without a fault: {len(wanted)} test targets", flush=True)
    code, runs, output = workshop.test(wanted, cases_of(due), "--keep_going")
    if code != 0:
        print(output)
        raise Error("a test fails without any fault: of the faults it says nothing")
    for target in wanted:
        cases = cases_of(m for m in due if targets[m["name"]] == target)
        if unheard := outcome.unheard(cases, runs.get(target, [])):
            raise Error(f"{target}: {', '.join(unheard)} did not run, or was skipped, without any fault")


def try_faults(workshop, due, targets, keys):
    began, cpu, seconds = time.monotonic(), workshop.cpu_seconds(), {}
    without_faults(workshop, due, targets)
    print(f"... {time.monotonic() - began:.0f} s", flush=True)
    for number, mutant in enumerate(due, 1):
        name = mutant["name"]
        start = time.monotonic()
        verdict = workshop.attempt(mutant, targets[name])
        seconds[name] = time.monotonic() - start
        workshop.keep(mutant, keys[name], verdict, seconds[name])
        print(f"[{number}/{len(due)}] {name}: {verdict}, {seconds[name]:.0f} s", flush=True)
    cpu = workshop.cpu_seconds() - cpu
    workshop.bazel("shutdown", capture=True)
    print_times(seconds, time.monotonic() - began, cpu)


def run(workshop, options, mutants, targets, files):
    chosen = [m for m in mutants if not options.names or m["name"] in options.names]
    # Neighbours share what Bazel has loaded and built.
    chosen.sort(key=lambda m: (targets[m["name"]], files[m["name"]]))
    workshop.look_up({targets[m["name"]] for m in chosen})
    keys = {m["name"]: workshop.key(m, targets[m["name"]]) for m in chosen}
    due = [m for m in chosen if options.again or not workshop.is_known(m, keys[m["name"]])]
    print(f"{len(chosen)} faults, {len(chosen) - len(due)} known", flush=True)
    if due:
        try_faults(workshop, due, targets, keys)
    rows, bad = [], 0
    for mutant in chosen:
        result = workshop.result(mutant, keys[mutant["name"]])
        bad += result["verdict"] not in outcome.KILLS
        test = targets[mutant["name"]] + (" " + mutant["case"] if "case" in mutant else "")
        rows.append((mutant["name"], files[mutant["name"]], result["verdict"], test))
    print()
    print_table(rows)
    print(f"\n{len(rows) - bad} killed, {bad} not" + ("" if bad == 0 else ": see .forelock/mutants/results"))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
