#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""./run bench: the budgets of the design, measured on this machine.

With --write, also puts the table into docs/performance.md. Fails if a budget is
exceeded.
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from lab import channel, machine, process, programs, site, snp  # noqa: E402

PAGE = ROOT / "docs/performance.md"
BEGIN, END = "<!-- ./run bench --write: begin -->\n", "<!-- ./run bench --write: end -->\n"
KIB = 1024


class Row:
    def __init__(self, what, value, unit, budget=None, note="", floor=False):
        self.what, self.value, self.unit, self.budget, self.note = what, value, unit, budget, note
        self.floor = floor  # the budget is a least value, not a greatest

    def within(self):
        if self.budget is None:
            return True
        return self.value >= self.budget if self.floor else self.value <= self.budget

    def text(self, number):
        if number is None:
            return "-"
        return f"{number:.2f} {self.unit}" if isinstance(number, float) else f"{number} {self.unit}"

    def cells(self):
        budget = self.text(self.budget)
        return [self.what, self.text(self.value), f"at least {budget}" if self.floor else budget, self.note]


def rss_anon_kib(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^RssAnon:\s+(\d+) kB", text, re.M).group(1))


def proxy_memory():
    """(KiB for each of many VMs that have all relayed, how it was measured)."""
    command = ["bazel", "test", "--test_output=all", "--nocache_test_results", "--noshow_progress",
               "--curses=no", "//host-proxy:memory_test"]  # fmt: skip
    text = process.run(command, deadline=900, check=False).stdout
    match = re.search(r"KiB idle, (\d+) KiB each of (\d+) VMs", text)
    if not match:
        raise process.Failure(f"//host-proxy:memory_test measured nothing:\n{text}")
    return int(match.group(1)), f"average of {match.group(2)} that have relayed (//host-proxy:memory_test)"


def verification():
    """What an appraisal costs beside the cryptography in it, by CPU time of one thread."""
    command = ["bazel", "run", "-c", "opt", "--noshow_progress", "--ui_event_filters=-info,-stdout",
               "//verifier/evidence:appraisal_benchmark", "--", "--benchmark_format=json",
               "--benchmark_repetitions=15", "--benchmark_min_time=0.2s",
               "--benchmark_enable_random_interleaving=true"]  # fmt: skip
    text = process.run(command, deadline=1800).stdout
    found = json.loads(text[text.index("{"):])["benchmarks"]
    times = {row["run_name"]: row["cpu_time"] for row in found if row.get("aggregate_name") == "median"}
    rows = []
    for name, what, bare, least in (
            ("AppraiseWarm", "reports verified, chain in the cache", "BareReport", 90),
            ("AppraiseCold", "reports verified, chain new, ASK and ARK seen before", "BareChain", 80),
            ("AppraiseFirst", "reports verified, nothing known but the root's SHA-256", "BareChain", None)):  # fmt: skip
        share = times[bare] / times[name] * 100
        rows.append(Row(f"{what}, against its signatures alone", share, "%", least,
                        f"{1e9 / times[name]:.0f} a second and core; the signatures alone {1e9 / times[bare]:.0f}",
                        floor=least is not None))  # fmt: skip
    return rows


def snp_attestation():
    """One attestation of an SNP guest on the software machine: counts, not times. The boot
    files are tiny, so that hashing them is aside."""
    command = ["bazel", "build", "--noshow_progress", "--ui_event_filters=-info", "//machine:snp_machine"]
    process.run(command, deadline=1800)
    folder = ROOT / ".forelock/bench-snp"
    guest = snp.TinyGuest(folder / "guest")
    here = snp.SnpSite(snp.Tools(ROOT / "bazel-bin"), guest, folder / "site")
    try:
        here.prepare_snp()
        rows = []
        for pages, options in (("2 MiB pages", []), ("4 KiB pages", ["--split-large-pages"])):
            spent = here.start_and_wait(here.image, options).mark(r"\] granted")
            rows += [Row(f"VMGEXITs in one attestation, SNP machine, {pages}", spent["budget_exits"], "exits", 40,
                         "console, fw_cfg, registration and page states aside"),
                     Row(f"instructions from the SNP entry to the secret, {pages}",
                         -(-spent["instructions"] // 10**6), "M", 60,
                         "512 MiB; hashing of the boot files aside; PAUSE waits for the host")]  # fmt: skip
        return rows
    finally:
        here.close()


def snp_suite():
    """Wall clock of all tests of and on the SNP machine, built before."""
    targets = ["//machine/...", "//tests/hostile/...", "//tests/snp/..."]
    quiet = ["--noshow_progress", "--curses=no", "--ui_event_filters=-info"]
    process.run(["bazel", "build", *quiet, *targets], deadline=1800)
    begin = time.monotonic()
    process.run(["bazel", "test", "--nocache_test_results", *quiet, *targets], deadline=1800)
    return [Row("tests of the SNP machine, all of them", time.monotonic() - begin, "s", 180, "wall clock")]


def measure(runs):
    tools = site.Tools(ROOT / "bazel-bin")
    here = site.Site(tools, site.GuestAssets(ROOT / ".forelock/assets"), ROOT / ".forelock/bench")
    try:
        here.prepare(site.WELCOME)
        rows = [Row("guest image, file bytes of the PT_LOAD segments",
                    -(-machine.image_bytes(tools.image) // KIB), "KiB", 512)]  # fmt: skip
        idle = rss_anon_kib(here.proxy.pid)
        peak, times, granted = [idle], [], []

        def on_line(now, text):
            if text.startswith("forelock: ["):
                peak.append(rss_anon_kib(here.proxy.pid))

        for _ in range(runs):
            qemu = here.run(here.boot(here.image, here.disk), on_line=on_line)
            lines = [(now, text) for now, text in qemu.timed_lines()]
            done = [now for now, text in lines if text == f"guest: {site.WELCOME}"]
            if not done:
                raise process.Failure(f"the guest did not boot:\n{qemu.tail(30)}")
            times.append(done[0])
            granted += [now for now, text in lines if re.match(r"forelock: \[.*\] granted", text)]
        rows.append(Row("port writes to the proxy in one attestation",
                        channel.doorbells(qemu.logs / "forelock.port"), "writes", 32,
                        "registrations aside"))  # fmt: skip
        rows.append(Row("port writes to the emulated secure processor",
                        channel.doorbells(qemu.logs / "sp.port"), "writes", None,
                        "emulated platform only"))  # fmt: skip
        for what, pattern, budget in (("guest heap, peak", r"heap (?:peak )?(\d+)", 128),
                                      ("guest stack, peak", r"stack (?:peak )?(\d+)", 64)):  # fmt: skip
            match = qemu.find(rf"^forelock: .*{pattern}")
            if not match:
                raise process.Failure(f"the guest does not print its {what}:\n{qemu.tail(30)}")
            rows.append(Row(what, -(-int(match.group(1)) // KIB), "KiB", budget))
        each, note = proxy_memory()
        rows.append(Row("proxy private memory (RssAnon), each VM", each, "KiB", 64, note))
        rows.append(Row("the same, the first VM alone, at its peak", max(peak) - idle, "KiB", None,
                        f"what the daemon allocates once is in it; idle {idle} KiB"))  # fmt: skip
        rows.append(Row("QEMU start to secret", statistics.median(granted), "s", None,
                        f"median of {runs}"))  # fmt: skip
        rows.append(Row("QEMU start to the line from the encrypted disk", statistics.median(times), "s",
                        None, f"median of {runs}, {min(times):.2f} to {max(times):.2f}; aim: 6 s"))  # fmt: skip
        rows += snp_attestation()
        rows += snp_suite()
        rows += verification()
        return rows
    finally:
        here.close()


def machine_line():
    cpus = os.cpu_count()
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    version = subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, text=True).stdout
    return (f"{cpus} CPUs ({model.group(1) if model else 'unknown'}), "
            f"{version.splitlines()[0]}, TCG, `-cpu max`, load {os.getloadavg()[0]:.1f}")  # fmt: skip


def table(rows):
    lines = ["| What | Measured | Budget | |", "|---|---|---|---|"]
    lines += ["| " + " | ".join(row.cells()) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(prog="./run bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="boots (default 5)")
    options = parser.parse_args()
    try:
        programs.build(ROOT)
        rows = measure(options.runs)
    except process.Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    print(f"\nMeasured on: {machine_line()}\n")
    widths = [max(len(row.cells()[i]) for row in rows) for i in range(3)]
    for row in rows:
        cells = row.cells()
        mark = "" if row.budget is None else ("ok" if row.within() else "OVER")
        print(f"  {cells[0]:<{widths[0]}}  {cells[1]:>{widths[1]}}  {cells[2]:>{widths[2]}}  {mark:<4} {cells[3]}")
    if options.write:
        text = PAGE.read_text()
        start, stop = text.index(BEGIN) + len(BEGIN), text.index(END)
        PAGE.write_text(f"{text[:start]}\nMeasured on: {machine_line()}\n\n{table(rows)}\n{text[stop:]}")
    return 0 if all(row.within() for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
