#!/usr/bin/env python3
"""check.py FOLDER...: compares what lockbench recorded in guests with what the guests' kernels said meanwhile.

Each folder holds `shape` and `out/`, as the guest wrote it. Exit status 1 if anything differs, or nothing was compared.
"""

import json
import re
import sys
from collections import Counter
from pathlib import Path

import kernel
from window import Checked, check_window, machines

# Environments whose windows a guest without /dev/kvm can take.
ENVIRONMENTS = ("native", "emulated")
# Of all windows this part may have gone unobserved, for the observer shares the CPUs with what it observes, or may have been
# ended as hung, for a lock that convoys may take seconds to move on in an emulated guest.
UNOBSERVED = 0.2
# A lock that keeps to a node crosses between nodes at most this part as often as one in strict order, among so many handovers.
CROSSES_LESS = 0.5
FEWEST_HANDOVERS = 30
# Kinds of fault that are printed of a guest.
MOST_SHOWN = 15


class Guest:
    """One guest: what was compared, and in what it failed."""

    def __init__(self, folder):
        self.name = (folder / "shape").read_text().strip()
        self.out = folder / "out"
        self.faults = Counter()
        self.windows = 0  # taken natively or on emulated vCPUs
        self.checked = Checked()
        self.observed = 0
        self.machine = kernel.Machine.read(self.out)

    def check(self):
        status = (self.out / "scenario-status").read_text().strip()
        if status != "0":
            self.faults[f"the scenario ended with status {status}: {last_line(self.out / 'scenario.txt')}"] += 1
        for step in sorted(path.parent for path in self.out.glob("*/status")):
            self.step(step)
        if self.observed == 0:
            self.faults["no window was compared"] += 1
        elif self.windows - self.observed > UNOBSERVED * self.windows:
            self.faults[f"only {self.observed} of {self.windows} windows were observed"] += 1

    def step(self, step):
        status = int((step / "status").read_text())
        refused = step / "refused"
        if refused.exists():
            fault = refusal(step, status, refused.read_text().strip())
            if fault:
                self.faults[f"{step.name}: {fault}"] += 1
            return
        # 1 is a verdict that is not liked, which says nothing here.
        if status not in (0, 1):
            self.faults[f"{step.name} ended with status {status}: {last_line(step / 'stderr')}"] += 1
        runs = sorted(step.glob("runs/*/rounds.jsonl"))
        seen = kernel.observations(step, self.machine)
        if not runs and (step / "runs").exists():
            self.faults[f"{step.name} left no rounds.jsonl"] += 1
        for path in runs:
            self.run(step, [json.loads(line) for line in path.read_text().splitlines()], seen)

    def run(self, step, lines, seen):
        header = lines[0]
        cells = {cell["id"]: cell for cell in header["cells"]}
        if (step / "cpu-quota").exists():
            due, told = float((step / "cpu-quota").read_text()), header["machine"].get("cpu_quota", {}).get("cpus")
            if told != due:
                self.faults[f"{step.name}: the quota is {due} CPUs, and the record says {told}"] += 1
        for dropped in header.get("dropped", []):
            if not self.may_be_dropped(dropped):
                self.faults[f"{step.name}: {dropped['cell']} was dropped: {dropped['reason']}"] += 1
        if not any(line["line"] == "end" for line in lines):
            self.faults[f"{step.name}: the run has no end"] += 1
        self.throttling(step, lines)
        self.crossings(step, lines, cells)
        for number, line in enumerate(lines):
            if line["line"] != "round" or cells[line["cell"]]["env"] not in ENVIRONMENTS:
                continue
            cell = cells[line["cell"]]
            if line["outcome"] == "hung":
                self.windows += 1
                continue
            if line["outcome"] != "measured":
                self.faults[f"{step.name}: a window was {line['outcome']}: {line.get('reason', '')}"] += 1
                continue
            if len(machines(cell)) > 1:
                # Several processes run at a time, and the observer does not know which of them the record is of.
                continue
            self.windows += 1
            if number not in seen:
                continue
            self.observed += 1
            for fault in self.limits(step, seen[number]) + check_window(cell, line, seen[number], self.machine, self.checked):
                self.faults[f"{step.name}: {cell['env']}, {cell['placement']}, {cell['pinning']}: {fault}"] += 1

    def throttling(self, step, lines):
        """Windows that a quota held up, if the kernel counted that it ran out."""
        if not (step / "cpu.stat").exists():
            return
        counted = re.search(r"^nr_throttled (\d+)$", (step / "cpu.stat").read_text(), re.MULTILINE)
        told = sum(line.get("throttling", {}).get("periods", 0) for line in lines if line["line"] == "round")
        if counted and int(counted[1]) > 0 and told == 0:
            self.faults[f"{step.name}: the quota ran out {counted[1]} times, and no window says so"] += 1

    def crossings(self, step, lines, cells):
        """Locks that keep to a node, against the one that the scenario says does not."""
        if not (step / "crosses-most").exists():
            return
        strict = (step / "crosses-most").read_text().strip()
        counts = {}
        for line in lines:
            if line["line"] == "round" and line["outcome"] == "measured":
                handovers = line.get("causes", {}).get("node_matrix", [])
                crossed = sum(one["count"] for one in handovers if one["from"] != one["to"])
                counts[cells[line["cell"]]["lock"]] = crossed, sum(one["count"] for one in handovers)
        for lock, (_, all) in counts.items():
            if all < FEWEST_HANDOVERS:
                self.faults[f"{step.name}: {lock} was handed over {all} times, which tells no order"] += 1
        others = [lock for lock in counts if lock != strict]
        if strict not in counts or not others:
            self.faults[f"{step.name}: no two locks to compare"] += 1
            return
        crossed, all = counts[strict]
        for lock in others:
            its, of = counts[lock]
            if its * all >= CROSSES_LESS * crossed * of:
                self.faults[f"{step.name}: {lock} crossed in {its} of {of} handovers, {strict} in {crossed} of {all}"] += 1

    def may_be_dropped(self, dropped):
        """Whether a plan may do without this on such a machine: a cell, or a value of an axis."""
        what, reason = dropped["cell"], dropped["reason"]
        if "/kvm/" in what or "comes out the same as" in reason:
            return True
        few = len(self.machine.memory) < 2
        if what == "NUMA nodes":
            return few or len(set(self.machine.cpus.values())) < 2
        return few and re.search(r"\bmemory=(remote|interleave)$", what) is not None

    @staticmethod
    def limits(step, seen):
        """Faults against the cpuset that the scenario made for this step."""
        faults = []
        if (step / "cpus").exists():
            allowed = kernel.numbers((step / "cpus").read_text())
            for cpus in seen.allowed + [seen.cpus_allowed]:
                if not cpus <= allowed:
                    faults.append(f"a thread may run on CPUs {sorted(cpus)} outside its cpuset {sorted(allowed)}")
        if (step / "mems").exists():
            allowed = kernel.numbers((step / "mems").read_text())
            outside = set(seen.pages) - {None} - allowed
            if outside:
                faults.append(f"pages on nodes {sorted(outside)} outside its cpuset's {sorted(allowed)}")
        return faults


def refusal(step, status, words):
    """What is wrong with a refusal: it is to be one sentence with these words in it, and exit status 2."""
    said = (step / "stderr").read_text()
    if status != 2:
        return f"ended with status {status} where 2 was due: {last_line(step / 'stderr')}"
    if not re.fullmatch(r"lockbench: [^\n]+\n", said):
        return f"said this where one sentence was due: {said!r}"
    if words not in said:
        return f"did not say `{words}`: {said.strip()}"
    return None


def last_line(path):
    lines = path.read_text().strip().splitlines()
    return lines[-1] if lines else "(it said nothing)"


def main(folders):
    total, windows, names, failed = Checked(), 0, [], False
    for folder in folders:
        guest = Guest(folder)
        guest.check()
        names.append(guest.name)
        total += guest.checked
        windows += guest.observed
        print(
            f"guest {guest.name}: {guest.observed} of {guest.windows} windows observed, "
            f"{guest.checked.pins} pins and {guest.checked.pages} pages compared, {sum(guest.faults.values())} faults"
        )
        kinds = guest.faults.most_common()
        failed |= bool(kinds)
        for fault, times in kinds[:MOST_SHOWN]:
            print(f"  {times} x {fault}")
        if len(kinds) > MOST_SHOWN:
            print(f"  and {len(kinds) - MOST_SHOWN} kinds of fault more")
    verdict = "NOT as the guests' kernels tell" if failed else "all as the guests' kernels tell"
    print(
        f"guests {', '.join(names)}: {windows} windows, {total.pins} pins, {total.pages} pages: "
        f"{verdict}"
    )
    return 1 if failed or windows == 0 or total.pins == 0 or total.pages == 0 else 0


if __name__ == "__main__":
    sys.exit(main([Path(folder) for folder in sys.argv[1:]]))
