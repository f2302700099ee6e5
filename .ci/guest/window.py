"""One window: its record against what the kernel said of its cell."""

from collections import Counter
from dataclasses import dataclass


@dataclass
class Checked:
    """How much was compared."""

    pins: int = 0
    pages: int = 0

    def __add__(self, other):
        return Checked(self.pins + other.pins, self.pages + other.pages)


def check_window(cell, record, seen, machine, checked):
    """What differs, in words without the numbers that differ from window to window, so that like faults count together."""
    checked.pins += len(seen.allowed)
    checked.pages += len(seen.pages)
    unusable = [cpu for cpu in cell["pcpus"] if cpu not in machine.cpus or cpu not in seen.cpus_allowed]
    if unusable or not cell["pcpus"]:
        return [f"CPUs {unusable or 'that are none'} cannot be used here"]
    # A machine that moves is observed before it moves or after it, which nobody can tell.
    where = [] if moves(cell) else pins(cell, record, seen)
    return [*where, *placement(cell, seen, machine), *pages(cell, record, seen, machine), *quota(cell, record)]


def quota(cell, record):
    """The counts of a CPU quota that the cell was given."""
    counted = record.get("quota", {}).get("periods", 0)
    if cell.get("scheduler", {}).get("kind") == "quota" and counted == 0:
        yield "a cell with a CPU quota, and the kernel counted no period of it"


def machines(cell):
    """The virtual machines of the cell's case; none where there is one."""
    return (cell.get("case") or {}).get("vms", [])


def moves(cell):
    """Whether its vCPUs move when the window opens."""
    return any(vm.get("moved_from") for vm in machines(cell))


def pins(cell, record, seen):
    """Threads against `placed`."""
    pcpus, placed = cell["pcpus"], record["placed"]
    if len(seen.allowed) != cell["vcpus"]:
        yield f"{cell['vcpus']} vCPUs, but the kernel has {len(seen.allowed)} threads for them"
        return
    if cell["pinning"] == "floating":
        for allowed in seen.allowed:
            if allowed != set(pcpus):
                yield f"a vCPU may run on CPUs {sorted(allowed)} and was to float on {sorted(pcpus)}"
        return
    due = [pcpus[vcpu % len(pcpus)] for vcpu in range(cell["vcpus"])]
    if placed != due:
        yield f"placed says {placed}, where the plan has {due}"
    for vcpu, allowed in enumerate(seen.allowed):
        said = placed[vcpu] if vcpu < len(placed) else None
        if allowed != {said}:
            yield f"vCPU {vcpu} is said to be on CPU {said}, and the kernel lets it run on {sorted(allowed)}"
        elif seen.ran_on[vcpu] != said:
            yield f"vCPU {vcpu} is pinned to CPU {said}, and the kernel ran it on {seen.ran_on[vcpu]}"


def placement(cell, seen, machine):
    """CPUs against what the placement's name promises."""
    pcpus = cell["pcpus"]
    if len(set(pcpus)) != len(pcpus):
        yield f"a CPU is there twice: {pcpus}"
    if cell["env"] == "native" and cell["vcpus"] > len(pcpus):
        yield f"native, yet {cell['vcpus']} vCPUs on {len(pcpus)} CPUs"
    used = Counter(machine.cpus[cpu] for cpu in pcpus)
    room = Counter(node for cpu, node in machine.cpus.items() if cpu in seen.cpus_allowed)
    name, _, wanted = cell["placement"].partition(":")
    if name == "node" and set(used) != {int(wanted)}:
        yield f"CPUs {pcpus} are on nodes {sorted(used)}"
    if name == "compact" and sum(used[node] < room[node] for node in used) > 1:
        yield f"CPUs {pcpus} leave more than one node half used"
    if name in ("scatter", "round-robin") and len(used) < min(len(pcpus), len(room)):
        yield f"CPUs {pcpus} are on {len(used)} nodes, where {min(len(pcpus), len(room))} can be had"


def pages(cell, record, seen, machine):
    """Pages against `memory_nodes`, `residence`, and what the memory policy's name promises."""
    lie = Counter(seen.pages)
    if not seen.pages:
        yield "the kernel shows no arena"
        return
    if lie[None]:
        yield f"{lie[None]} of {len(seen.pages)} pages are not in memory"
        return
    if lie != Counter(seen.totals):
        yield f"the kernel contradicts itself: pagemap {dict(lie)}, numa_maps {seen.totals}"
    if sorted(record["memory_nodes"]) != sorted(lie):
        yield f"memory_nodes says {record['memory_nodes']}, and the kernel has pages on {sorted(lie)}"
    residence = record.get("residence")
    if not residence or not residence["shared"]:
        yield "the record has no residence"
        return
    told = {part["node"]: part["pages"] for part in residence["shared"]}
    shared, own = seen.pages[: sum(told.values())], seen.pages[sum(told.values()) :]
    if dict(Counter(shared)) != told:
        yield f"shared pages are said to lie on {told}, and the kernel has them on {dict(Counter(shared))}"
    if moves(cell):
        home = machine.cpus[cell["pcpus"][0]]
        if len(lie) != 1 or home in lie:
            yield f"a machine moved to node {home}, and its memory, which was to stay, lies on {sorted(lie)}"
        return
    yield from shared_by_policy(cell, record, shared, seen, machine)
    yield from blocks(cell, residence, own, seen, machine)


def shared_by_policy(cell, record, shared, seen, machine):
    """The lock and the data, which all vCPUs share."""
    with_memory = machine.memory & seen.nodes_allowed
    home = machine.cpus[cell["pcpus"][0]]
    policy = cell["params"].get("memory", "local")
    if policy == "interleave":
        counts = Counter(shared)
        if any(first == second for first, second in zip(shared, shared[1:])) and len(with_memory) > 1:
            yield f"interleaved pages do not alternate: {shared}"
        if len(counts) < min(len(shared), len(with_memory)):
            yield f"interleaved pages lie on {sorted(counts)} of {sorted(with_memory)}"
        elif max(counts.values()) - min(counts[node] for node in with_memory) > 1:
            yield f"interleaved pages are not spread evenly: {dict(counts)}"
        if len(shared) < len(with_memory) and not any("interleave" in note for note in record.get("notes", [])):
            yield f"{len(shared)} interleaved pages on {len(with_memory)} nodes, and no note of it"
        return
    if policy in ("remote-lock", "remote-data"):
        near, far = machine.nearest(home, with_memory), machine.farthest(home, with_memory)
        lock, data = (far, near) if policy == "remote-lock" else (near, far)
        if shared[0] not in lock or shared[-1] not in data:
            yield f"{policy} from node {home}, and the lock lies on node {shared[0]}, its data on node {shared[-1]}"
        return
    among = machine.nearest(home, with_memory) if policy == "local" else machine.farthest(home, with_memory)
    if len(set(shared)) != 1 or not set(shared) <= among:
        yield f"{policy} from node {home} is node {' or '.join(map(str, sorted(among)))}, and the pages lie on {sorted(set(shared))}"
    if policy == "remote" and len(with_memory) == 1:
        yield f"remote from node {home}, yet there is one node only"
    if policy == "local" and shared[0] != home and not record.get("notes"):
        yield f"local lies on node {shared[0]} and not on the CPU's own node {home}, and no note of it"


def blocks(cell, residence, own, seen, machine):
    """The vCPUs' own blocks: each on its vCPU's node."""
    vcpus = cell["vcpus"]
    if len(own) % vcpus or not own:
        yield f"{len(own)} pages are not the blocks of {vcpus} vCPUs"
        return
    length = len(own) // vcpus
    with_memory = machine.memory & seen.nodes_allowed
    for vcpu in range(vcpus):
        home = machine.cpus[cell["pcpus"][0 if cell["pinning"] == "floating" else vcpu % len(cell["pcpus"])]]
        lie = set(own[vcpu * length : (vcpu + 1) * length])
        told = set(residence["blocks"][vcpu]) if vcpu < len(residence["blocks"]) else set()
        if lie != told:
            yield f"the block of vCPU {vcpu} is said to lie on {sorted(told)}, and the kernel has it on {sorted(lie)}"
        if len(lie) != 1 or not lie <= machine.nearest(home, with_memory):
            yield f"vCPU {vcpu} is on node {home}, and its block lies on {sorted(lie)}"
