#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""./run fuzz --campaign: every fuzz target under libFuzzer for its share of CPU.

    --campaign [--share S] [--long-share S] [--jobs N] [TARGET...]
        600 s of CPU a target, 3600 s one that is tagged "fuzz-long"; N at a
        time (default: one a CPU). It may be cut off at any time and begun
        again: a target whose binary is still the same goes on where it was, a
        slice of at most five minutes is lost. Fails if an input does.
    --table
        the results so far as the table of docs/develop.md.
    --minimise [TARGET...]
        what campaigns found and what adds coverage to a target's built-in
        seeds goes into NAME.seeds beside it, small inputs first and 16 KiB at
        most.

A campaign reads the targets' seeds and what //tests/corpus:make_corpus
makes, never recorded evidence: its corpora may be given away.

State, all in .forelock/fuzz-campaign: results.json (what --table prints),
corpus/NAME, faults/NAME (inputs that fail: run first the next time), log/NAME.
"""

import argparse
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
STATE = ROOT / ".forelock" / "fuzz-campaign"
RESULTS = STATE / "results.json"
EVIDENCE = ROOT / ".forelock" / "fuzz-corpus"  # as tools/fuzz.sh makes it

SLICE_S = 300  # what is lost at most when a campaign is cut off
# A target that hardly uses its CPU (or never gets one) ends all the same.
WALL_PER_CPU = 10
MAX_SEED = 2048  # bytes of one input of a .seeds file
MAX_SEEDS = 16 * 1024  # bytes of all of them
EXIT_INTERRUPTED = 72  # libFuzzer's

SEEDS_HEADER = """\
# Inputs that add coverage to the built-in seeds of {label}, in hexadecimal.
# Written by `./run fuzz --minimise`; made from seeds and emulated evidence only.
"""


def bazel(*arguments):
    done = subprocess.run(["bazel", *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL if arguments[0] in ("query", "info") else None)  # fmt: skip
    return done.stdout.decode().split()


def tagged(tag):
    return bazel("query", f'attr(tags, "\\b{tag}\\b", tests(//...))')


class Target:
    def __init__(self, label, share, folder):
        self.label = label
        self.share = share  # seconds of CPU
        self.name = label[2:].replace(":", "/")
        self.binary = folder / self.name
        self.seeds = ROOT / (self.name + ".seeds")
        self.corpus = STATE / "corpus" / self.name
        self.faults = STATE / "faults" / self.name
        self.log = STATE / "log" / (self.name + ".txt")
        self.hash = hashlib.sha256(self.binary.read_bytes()).hexdigest()

    def write_seeds(self, folder, with_file):
        folder.mkdir(parents=True, exist_ok=True)
        file = [str(self.seeds)] if with_file and self.seeds.exists() else []
        subprocess.run([str(self.binary), "--write-seeds", str(folder), *file], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip


def build(labels):
    subprocess.run(["bazel", "build", "--config=fuzz", *labels], cwd=ROOT, check=True)
    return pathlib.Path(bazel("info", "--config=fuzz", "bazel-bin")[0])


def empty_result(target):
    return {"binary": target.hash, "cpu_s": 0.0, "wall_s": 0.0, "executions": 0, "coverage": 0,
            "counters": 0, "features": 0, "inputs": 0, "faults": []}  # fmt: skip


def read_log(text):
    """What libFuzzer says of one run: executions, coverage, features, inputs."""
    found = {}
    if counters := re.search(r"Loaded \d+ modules\s+\((\d+) inline 8-bit counters\)", text):
        found["counters"] = int(counters[1])
    if executions := re.search(r"^stat::number_of_executed_units:\s*(\d+)", text, re.M):
        found["executions"] = int(executions[1])
    for line in re.finditer(r"cov: (\d+) ft: (\d+)(?: corp: (\d+))?", text):
        found["coverage"], found["features"] = int(line[1]), int(line[2])
        found["inputs"] = int(line[3] or 0)
    return found


def read_results():
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


class Campaign:
    def __init__(self, targets, extra):
        self.extra = extra
        self.lock = threading.Lock()
        self.running = {}  # label: its process
        self.stopping = False
        self.results = read_results()
        self.targets = targets
        self.busy = set()
        self.again = set()  # failed the last time: run once more in any case
        for target in targets:
            if self.results.get(target.label, {}).get("binary") != target.hash:
                self.results[target.label] = empty_result(target)
            if self.results[target.label]["faults"] or (target.faults.is_dir() and any(target.faults.iterdir())):
                self.results[target.label]["faults"] = []
                self.again.add(target.label)

    def save(self):
        partial = RESULTS.with_suffix(".partial")
        partial.write_text(json.dumps(self.results, indent=1, sort_keys=True) + "\n")
        partial.replace(RESULTS)

    def left(self, target):
        """Seconds of CPU it still has to run."""
        result = self.results[target.label]
        if result["faults"]:
            return 0
        if target.label in self.again:
            return target.share
        return target.share - max(result["cpu_s"], result["wall_s"] / WALL_PER_CPU)

    def next_target(self):
        """The one that has run the smallest part of its share, if one has not all."""
        with self.lock:
            waiting = [t for t in self.targets if t.label not in self.busy and self.left(t) > 0]
            if self.stopping or not waiting:
                return None
            target = max(waiting, key=lambda t: self.left(t) / t.share)
            self.busy.add(target.label)
            return target

    def run_slice(self, target):
        for folder in (target.corpus, target.faults, target.log.parent):
            folder.mkdir(parents=True, exist_ok=True)
        target.write_seeds(target.corpus, with_file=True)
        before = time.monotonic()
        cpu = 0.0
        # What failed before comes first; mended, it is an input as any other.
        faults = sorted(target.faults.iterdir())
        if faults:
            code, cpu = self.start(target, [str(file) for file in faults])
        if not faults or code == 0:
            for file in faults:
                file.replace(target.corpus / file.name)
            seconds = max(1, min(SLICE_S, int(self.left(target) + 0.5)))
            code, used = self.start(target, [
                f"-max_total_time={seconds}", "-print_final_stats=1", "-timeout=120",
                f"-artifact_prefix={target.faults}/", str(target.corpus), *self.extra])  # fmt: skip
            cpu += used
        with self.lock:
            if not self.stopping and code != EXIT_INTERRUPTED:
                self.record(target, code, cpu, time.monotonic() - before)

    def record(self, target, code, cpu, wall):
        self.again.discard(target.label)
        result = self.results[target.label]
        said = read_log(target.log.read_text(errors="replace"))
        result["executions"] += said.pop("executions", 0)
        result.update(said)
        result["cpu_s"] = round(result["cpu_s"] + cpu, 3)
        result["wall_s"] = round(result["wall_s"] + wall, 3)
        if code != 0:
            result["faults"] = [file.name for file in sorted(target.faults.iterdir())] or [f"exit {code}"]
            print(f"FAULT {target.label}: {target.log}", flush=True)
        else:
            print(f"{target.label}: {result['cpu_s']:.0f} of {target.share} s of CPU, "
                  f"{result['executions']} executions, cov {result['coverage']}", flush=True)  # fmt: skip
        self.save()

    def start(self, target, arguments):
        """Runs it, its output in its log; its exit code and seconds of CPU."""
        with open(target.log, "wb") as log, self.lock:
            if self.stopping:
                return 0, 0.0
            process = subprocess.Popen([str(target.binary), *arguments], cwd=target.faults,
                                       stdout=log, stderr=log, stdin=subprocess.DEVNULL)  # fmt: skip
            self.running[target.label] = process
        _, status, usage = os.wait4(process.pid, 0)
        with self.lock:
            del self.running[target.label]
        process.returncode = os.waitstatus_to_exitcode(status)  # it is reaped
        return process.returncode, usage.ru_utime + usage.ru_stime

    def work(self):
        while target := self.next_target():
            try:
                self.run_slice(target)
            except (OSError, subprocess.SubprocessError) as error:
                with self.lock:
                    self.results[target.label]["faults"] = [str(error)]
                    print(f"FAULT {target.label}: {error}", flush=True)
                    self.save()
            with self.lock:
                self.busy.discard(target.label)

    def run(self, jobs):
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        workers = [threading.Thread(target=self.work) for _ in range(jobs)]
        try:
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
        except KeyboardInterrupt:
            with self.lock:
                self.stopping = True
                for process in self.running.values():
                    process.terminate()
            for worker in workers:
                worker.join()
            print("cut off; the same command goes on from here", file=sys.stderr)
            return False
        return not any(self.results[t.label]["faults"] for t in self.targets)


def evidence():
    """Folders of what the emulated firmware signed; made once, as for ./run fuzz."""
    subprocess.run(["tools/fuzz.sh", "--evidence"], cwd=ROOT, check=True)
    return [str(EVIDENCE / name) for name in ("entries", "shared") if (EVIDENCE / name).is_dir()]


def print_table():
    results = read_results()
    print("| Target | CPU, s | Executions | Coverage, of edges | Features | Inputs | Faults |")
    print("|---|---|---|---|---|---|---|")
    for label, r in sorted(results.items()):
        print(f"| `{label}` | {r['cpu_s']:.0f} | {r['executions']} | {r['coverage']} of {r['counters']} | "
              f"{r['features']} | {r['inputs']} | {len(r['faults'])} |")  # fmt: skip


def chosen_seeds(folder, built_in):
    """The smallest first, while they fit; none that is a built-in one."""
    inputs = {file.read_bytes() for file in folder.iterdir()}
    inputs -= {file.read_bytes() for file in built_in.iterdir()}
    chosen, size = [], 0
    for data in sorted(inputs, key=lambda data: (len(data), data)):
        if 0 < len(data) <= MAX_SEED and size + len(data) <= MAX_SEEDS:
            chosen.append(data)
            size += len(data)
    return chosen


def minimise(target):
    if not target.corpus.is_dir():
        print(f"{target.label}: no campaign ran it")
        return
    with tempfile.TemporaryDirectory() as work:
        built_in, merged = pathlib.Path(work, "built-in"), pathlib.Path(work, "merged")
        target.write_seeds(built_in, with_file=False)
        shutil.copytree(built_in, merged)
        # Into `merged` goes only what covers something that is not yet covered.
        done = subprocess.run([str(target.binary), "-set_cover_merge=1", str(merged), str(target.corpus)],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)  # fmt: skip
        if done.returncode != 0:
            sys.exit(f"{target.label}: {done.stderr[-2000:].decode(errors='replace')}")
        chosen = chosen_seeds(merged, built_in)
        found = len(list(merged.iterdir())) - len(list(built_in.iterdir()))
    print(f"{target.label}: {len(chosen)} of {found} inputs, {sum(map(len, chosen))} bytes")
    if chosen:
        target.seeds.write_text(SEEDS_HEADER.format(label=target.label) + "".join(d.hex() + "\n" for d in chosen))


def parse(arguments):
    parser = argparse.ArgumentParser(prog="./run fuzz", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--campaign", action="store_true")
    mode.add_argument("--table", action="store_true")
    mode.add_argument("--minimise", action="store_true")
    parser.add_argument("--share", type=int, default=600, metavar="S")
    parser.add_argument("--long-share", type=int, default=3600, metavar="S")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N")
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    return parser.parse_args(arguments)


def main():
    arguments = parse(sys.argv[1:])
    if arguments.table:
        print_table()
        return
    STATE.mkdir(parents=True, exist_ok=True)
    labels = arguments.targets or tagged("fuzz")
    long = set(tagged("fuzz-long"))
    folder = build(labels)
    targets = [Target(label, arguments.long_share if label in long else arguments.share, folder) for label in labels]
    if arguments.minimise:
        for target in targets:
            minimise(target)
        return
    passed = Campaign(targets, evidence()).run(arguments.jobs)
    print_table()
    if not passed:
        sys.exit(1)


if __name__ == "__main__":
    main()
