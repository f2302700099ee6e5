"""What a guest's kernel said: of the machine, and of the cells that ran on it."""

import re
import struct
from dataclasses import dataclass, field


def numbers(text):
    """The numbers of a kernel's list: 0-2,5."""
    found = set()
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        if first:
            found.update(range(int(first), int(last or first) + 1))
    return found


@dataclass
class Machine:
    """CPUs, NUMA nodes and the memory of each, as /sys and /proc/zoneinfo have them."""

    cpus: dict[int, int]  # node of each CPU that is online
    memory: set[int]  # nodes with memory
    distances: dict[int, dict[int, int]]
    spans: list[tuple[int, int, int]]  # first page frame, the first behind, node

    @classmethod
    def read(cls, folder):
        told = {}
        for line in (folder / "machine").read_text().splitlines():
            path, _, value = line.partition(":")
            told[path] = value
        system = "/sys/devices/system"
        online = numbers(told[f"{system}/cpu/online"])
        nodes = sorted(numbers(told[f"{system}/node/online"]))
        cpus, distances = {}, {}
        for node in nodes:
            for cpu in numbers(told[f"{system}/node/node{node}/cpulist"]) & online:
                cpus[cpu] = node
            distances[node] = dict(zip(nodes, map(int, told[f"{system}/node/node{node}/distance"].split())))
        memory = numbers(told[f"{system}/node/has_memory"])
        return cls(cpus, memory, distances, spans((folder / "zoneinfo").read_text()))

    def node_of_frame(self, frame):
        """The node of a page frame; None where the kernel has no such frame."""
        return next((node for first, behind, node in self.spans if first <= frame < behind), None)

    def nearest(self, node, among):
        """The nodes of `among` that are nearest to `node`: itself, or all at the shortest distance."""
        return self._at(min, node, among)

    def farthest(self, node, among):
        """The nodes of `among` that are farthest from `node`."""
        return self._at(max, node, among)

    def _at(self, which, node, among):
        far = self.distances[node]
        wanted = which((far[other] for other in among), default=None)
        return {other for other in among if far[other] == wanted}


def spans(zoneinfo):
    """Where each node's memory lies, from /proc/zoneinfo."""
    found = []
    for zone in re.split(r"^(?=Node )", zoneinfo, flags=re.MULTILINE):
        node = re.match(r"Node (\d+), zone", zone)
        first = re.search(r"^\s*start_pfn:\s*(\d+)", zone, re.MULTILINE)
        length = re.search(r"^\s*spanned\s+(\d+)", zone, re.MULTILINE)
        if node and first and length and int(length[1]) > 0:
            found.append((int(first[1]), int(first[1]) + int(length[1]), int(node[1])))
    return found


@dataclass
class Seen:
    """One cell's process, observed once while its vCPUs ran."""

    pid: int
    after: int  # lines that the run's journal had
    allowed: list[set[int]] = field(default_factory=list)  # CPUs that each vCPU's thread may run on
    ran_on: list[int] = field(default_factory=list)  # CPU that each vCPU's thread ran on last
    cpus_allowed: set[int] = field(default_factory=set)  # CPUs that the process itself may run on
    nodes_allowed: set[int] = field(default_factory=set)  # nodes that it may have memory on
    pages: list[int | None] = field(default_factory=list)  # node of each page of the arena; None for one not in memory
    totals: dict[int, int] = field(default_factory=dict)  # pages of the arena on each node, by numa_maps


def observations(step, machine):
    """By how many lines a step's journal had, the last whole observation of the last cell that was there then: of a window that
    was repeated the record is of the last. Cells that were never observed whole are left out."""
    last = {}
    for part in re.split(r"^(?=cell \d+ after \d+$)", (step / "observed").read_text(), flags=re.MULTILINE)[1:]:
        head, _, lines = part.partition("\n")
        _, pid, _, after = head.split()
        whole = re.search(r"^whole (\d+)\n\Z", lines, re.MULTILINE)
        seen = Seen(int(pid), int(after))
        if whole:
            entries = (step / "pages" / whole[1]).read_bytes()
            seen.pages = [node_of(entry, machine) for (entry,) in struct.iter_unpack("<Q", entries)]
            read_lines(lines, seen)
        before = last.get(seen.after)
        if whole or before is None or before[0].pid != seen.pid:
            last[seen.after] = seen, whole
    return {after: seen for after, (seen, whole) in last.items() if whole}


def read_lines(lines, seen):
    """What the files of /proc said of a cell's tasks and memory."""
    allowed, ran_on = {}, {}
    for line in lines.splitlines():
        path, _, value = line.partition(":")
        task = re.fullmatch(r"/proc/\d+/task/(\d+)/(status|stat)", path)
        if task and int(task[1]) == seen.pid:
            # The process's first thread runs no vCPU.
            if value.startswith("Cpus_allowed_list:"):
                seen.cpus_allowed = numbers(value.partition(":")[2])
            elif value.startswith("Mems_allowed_list:"):
                seen.nodes_allowed = numbers(value.partition(":")[2])
        elif task and value.startswith("Cpus_allowed_list:"):
            allowed[int(task[1])] = numbers(value.partition(":")[2])
        elif task and task[2] == "stat":
            # Field 39; the second, a name in brackets, may hold blanks.
            ran_on[int(task[1])] = int(value.rpartition(")")[2].split()[36])
        elif path.endswith("/numa_maps"):
            for node, pages in re.findall(r" N(\d+)=(\d+)", value):
                seen.totals[int(node)] = seen.totals.get(int(node), 0) + int(pages)
    # Threads are numbered as they are started: vCPU 0 first.
    seen.allowed = [allowed[tid] for tid in sorted(allowed)]
    seen.ran_on = [ran_on[tid] for tid in sorted(ran_on)]


def node_of(entry, machine):
    """The node of the page behind an entry of /proc/PID/pagemap."""
    present, frame = entry >> 63, entry & ((1 << 55) - 1)
    return machine.node_of_frame(frame) if present else None
