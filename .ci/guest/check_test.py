#!/usr/bin/env python3
"""Tests the checker with made-up guests: a sound one passes, and each doctored one fails for what was done to it."""

import contextlib
import copy
import io
import json
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import check

HERE = Path(__file__).parent

# Two nodes of two CPUs; node 0 has the page frames below 0x1000, node 1 those from 0x1000 on.
MACHINE = """\
/sys/devices/system/node/possible:0-1
/sys/devices/system/node/online:0-1
/sys/devices/system/node/has_cpu:0-1
/sys/devices/system/node/has_memory:0-1
/sys/devices/system/cpu/online:0-3
/sys/devices/system/node/node0/cpulist:0-1
/sys/devices/system/node/node1/cpulist:2-3
/sys/devices/system/node/node0/distance:10 20
/sys/devices/system/node/node1/distance:20 10
"""
ZONES = """\
Node 0, zone      DMA
  pages free     10
        spanned  4095
  start_pfn:           1
Node 1, zone   Normal
  pages free     10
        spanned  4096
  start_pfn:           4096
Node 1, zone  Movable
        spanned  0
"""
FRAMES = {0: 0x10, 1: 0x1010}


def cell(**changes):
    return {
        "id": "mcs/native/short/2v:2p/scatter/pinned",
        "env": "native",
        "placement": "scatter",
        "pinning": "pinned",
        "vcpus": 2,
        "pcpus": [0, 2],
        "params": {},
        **changes,
    }


class Guest:
    """A guest of one window, and how to spoil it."""

    def __init__(self, **changes):
        self.cell = cell(**changes)
        self.record = {
            "line": "round",
            "cell": self.cell["id"],
            "round": 0,
            "outcome": "measured",
            "placed": [0, 2],
            "memory_nodes": [0, 1],
            "residence": {"shared": [{"node": 0, "pages": 2}], "blocks": [[0], [1]], "vcpu_nodes": [0, 1]},
        }
        self.others = []  # further cells and their records
        self.dropped = []
        self.quota = {}
        self.ended = True
        # What the kernel says.
        self.masks = ["0", "2"]
        self.ran_on = [0, 2]
        self.cpus_allowed = "0-3"
        self.mems_allowed = "0-1"
        self.nodes = [0, 0, 0, 1]  # of each page; None: not in memory
        self.totals = " N0=3 N1=1"
        self.whole = True
        self.more = ""
        self.status = 0
        self.files = {}

    def observed(self):
        lines = ["cell 7 after 1", f"/proc/7/task/7/status:Cpus_allowed_list:\t{self.cpus_allowed}"]
        lines += [f"/proc/7/task/7/status:Mems_allowed_list:\t{self.mems_allowed}"]
        for tid, mask in enumerate(self.masks, start=9):
            lines += [f"/proc/7/task/{tid}/status:Cpus_allowed_list:\t{mask}"]
        for tid, cpu in enumerate(self.ran_on, start=9):
            lines += [f"/proc/7/task/{tid}/stat:{tid} (a (b) c) R " + "0 " * 35 + f"{cpu} 0 0"]
        lines += ["/proc/7/maps:1000-5000 rw-s 0 00:01 9 /memfd:lockbench-arena (deleted)"]
        lines += [f"/proc/7/numa_maps:1000 bind:0 file=/memfd:lockbench-arena dirty=4{self.totals} kernelpagesize_kB=4"]
        return "\n".join(lines + ["whole 1"] * self.whole) + "\n" + self.more

    def write(self, folder):
        out = folder / "out"
        run = out / "smoke/runs/r"
        run.mkdir(parents=True)
        (folder / "shape").write_text("2x2\n")
        (out / "scenario-status").write_text("0\n")
        (out / "machine").write_text(MACHINE)
        (out / "zoneinfo").write_text(ZONES)
        step = out / "smoke"
        (step / "status").write_text(f"{self.status}\n")
        (step / "stderr").write_text("")
        (step / "observed").write_text(self.observed())
        entries = [0 if node is None else 1 << 63 | 1 << 61 | FRAMES[node] for node in self.nodes]
        (step / "pages").mkdir()
        (step / "pages/1").write_bytes(struct.pack(f"<{len(entries)}Q", *entries))
        for name, text in self.files.items():
            (step / name).write_text(text)
        cells = [self.cell] + [cell for cell, _ in self.others]
        header = {"line": "header", "cells": cells, "machine": self.quota, "dropped": self.dropped}
        lines = [header, self.record] + [record for _, record in self.others] + [{"line": "end"}] * self.ended
        (run / "rounds.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    def verdict(self):
        """Exit status and words of the checker."""
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as said:
            self.write(Path(folder))
            status = check.main([Path(folder)])
        return status, said.getvalue()


class Checker(unittest.TestCase):
    def passes(self, guest):
        status, said = guest.verdict()
        self.assertEqual(status, 0, said)
        self.assertIn("1 windows, 2 pins, 4 pages: all as the guests' kernels tell", said)

    def fails(self, guest, words):
        status, said = guest.verdict()
        self.assertEqual(status, 1, said)
        self.assertIn(words, said)

    def test_a_sound_record_passes(self):
        self.passes(Guest())

    def test_a_wrong_cpu_fails(self):
        guest = Guest()
        guest.record["placed"] = [0, 3]
        self.fails(guest, "placed says [0, 3], where the plan has [0, 2]")
        guest = Guest()
        guest.masks[1] = "3"
        self.fails(guest, "vCPU 1 is said to be on CPU 2, and the kernel lets it run on [3]")
        guest = Guest()
        guest.masks[1] = "0-3"
        self.fails(guest, "the kernel lets it run on [0, 1, 2, 3]")
        guest = Guest()
        guest.ran_on[1] = 0
        self.fails(guest, "the kernel ran it on 0")
        guest = Guest()
        guest.record["placed"] = []
        self.fails(guest, "vCPU 0 is said to be on CPU None")
        guest = Guest()
        del guest.masks[1]
        self.fails(guest, "2 vCPUs, but the kernel has 1 threads")

    def test_a_wrong_node_fails(self):
        guest = Guest()
        guest.record["memory_nodes"] = [0]
        self.fails(guest, "memory_nodes says [0], and the kernel has pages on [0, 1]")
        guest = Guest()
        guest.nodes, guest.totals = [1, 1, 0, 1], " N0=1 N1=3"
        self.fails(guest, "shared pages are said to lie on {0: 2}, and the kernel has them on {1: 2}")
        self.fails(guest, "local from node 0 is node 0, and the pages lie on [1]")
        guest = Guest()
        guest.nodes, guest.totals = [0, 0, 0, 0], " N0=4"
        self.fails(guest, "vCPU 1 is on node 1, and its block lies on [0]")
        guest = Guest()
        guest.record["residence"]["blocks"] = [[0], [0]]
        self.fails(guest, "the block of vCPU 1 is said to lie on [0], and the kernel has it on [1]")
        guest = Guest()
        guest.nodes[1] = None
        self.fails(guest, "1 of 4 pages are not in memory")
        guest = Guest()
        guest.totals = " N0=2 N1=2"
        self.fails(guest, "the kernel contradicts itself")
        guest = Guest()
        del guest.record["residence"]
        self.fails(guest, "the record has no residence")

    def test_a_wrong_memory_policy_fails(self):
        self.fails(Guest(params={"memory": "remote"}), "remote from node 0 is node 1, and the pages lie on [0]")
        guest = Guest(params={"memory": "interleave"})
        self.fails(guest, "interleaved pages do not alternate")
        guest.nodes, guest.totals = [1, 0, 0, 1], " N0=2 N1=2"
        guest.record["residence"]["shared"] = [{"node": 0, "pages": 1}, {"node": 1, "pages": 1}]
        self.passes(guest)
        guest.record["residence"]["shared"] = [{"node": 1, "pages": 1}]
        guest.nodes, guest.totals = [1, 0, 1], " N0=1 N1=2"
        self.fails(guest, "1 interleaved pages on 2 nodes, and no note of it")

    def test_a_lock_and_data_that_do_not_lie_apart_fail(self):
        for policy, nodes in (("remote-lock", [1, 0]), ("remote-data", [0, 1])):
            guest = Guest(params={"memory": policy})
            guest.nodes, guest.totals = [*nodes, 0, 1], " N0=2 N1=2"
            guest.record["residence"]["shared"] = [{"node": 0, "pages": 1}, {"node": 1, "pages": 1}]
            self.passes(guest)
            guest.nodes = [*reversed(nodes), 0, 1]
            self.fails(guest, f"{policy} from node 0, and the lock lies on node {nodes[1]}, its data on node {nodes[0]}")

    def test_memory_that_follows_a_machine_that_moves_fails(self):
        def guest():
            moving = Guest(pcpus=[2, 3], placement="node:1", case={"vms": [{"name": "guest", "moved_from": "compact"}]})
            moving.record["placed"] = [2, 3]
            return moving

        stays = guest()
        stays.nodes, stays.totals, stays.record["memory_nodes"] = [0, 0, 0, 0], " N0=4", [0]
        stays.record["residence"]["blocks"] = [[0], [0]]
        self.passes(stays)
        self.fails(guest(), "a machine moved to node 1, and its memory, which was to stay, lies on [0, 1]")

    def test_of_several_machines_nothing_is_compared(self):
        guest = Guest(case={"vms": [{"name": "guest"}, {"name": "other"}]})
        self.fails(guest, "no window was compared")

    def test_a_quota_of_which_no_period_was_counted_fails(self):
        guest = Guest(scheduler={"kind": "quota", "cpus": 0.5})
        self.fails(guest, "the kernel counted no period of it")
        guest.record["quota"] = {"cpus": 0.5, "periods": 20, "throttled": 20}
        self.passes(guest)

    def test_a_wrong_placement_fails(self):
        self.fails(Guest(placement="node:1"), "are on nodes [0, 1]")
        self.fails(Guest(placement="compact"), "leave more than one node half used")
        self.fails(Guest(pcpus=[0, 1]), "are on 1 nodes, where 2 can be had")
        self.fails(Guest(pcpus=[0, 9]), "CPUs [9] cannot be used here")
        guest = Guest()
        guest.cpus_allowed = "0-1"
        self.fails(guest, "CPUs [2] cannot be used here")

    def test_floating_vcpus_are_held_to_their_set(self):
        guest = Guest(pinning="floating")
        guest.record["placed"] = []
        guest.masks, guest.ran_on, guest.nodes = ["0,2", "0,2"], [2, 2], [0, 0, 0, 0]
        guest.record["memory_nodes"], guest.totals = [0], " N0=4"
        guest.record["residence"]["blocks"] = [[0], [0]]
        self.passes(guest)
        guest.masks[0] = "0-3"
        self.fails(guest, "was to float on [0, 2]")

    def test_a_run_that_compared_nothing_fails(self):
        guest = Guest()
        guest.whole = False
        self.fails(guest, "no window was compared")
        guest = Guest()
        guest.record = {"line": "round", "cell": guest.cell["id"], "outcome": "skipped", "reason": "no node"}
        self.fails(guest, "a window was skipped: no node")
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(check.main([]), 1)

    def test_of_a_repeated_window_the_last_process_counts(self):
        guest = Guest()
        guest.more = "cell 99 after 2\n"
        self.passes(guest)
        guest.more = "cell 99 after 1\n"
        self.fails(guest, "no window was compared")
        other = Guest()
        other.masks[1] = "3"
        guest.more += other.observed().replace("cell 7", "cell 99").replace("/7/", "/99/")
        self.fails(guest, "the kernel lets it run on [3]")
        guest.more += "cell 99 after 1\n"
        self.fails(guest, "the kernel lets it run on [3]")

    def test_a_window_that_was_not_measured_fails(self):
        for outcome in "skipped", "crashed", "broken":
            guest = Guest()
            guest.record = copy.deepcopy(guest.record) | {"outcome": outcome, "reason": "why"}
            self.fails(guest, f"a window was {outcome}: why")
        guest = Guest()
        guest.record = copy.deepcopy(guest.record) | {"outcome": "hung", "reason": "why"}
        self.fails(guest, "no window was compared")
        guest = Guest()
        guest.dropped = [{"cell": "ticket/native/short/2v:2p/compact/pinned", "reason": "does not fit"}]
        self.fails(guest, "ticket/native/short/2v:2p/compact/pinned was dropped: does not fit")
        for cell in "memory=remote", "placement=node:1", "NUMA nodes":
            guest.dropped = [{"cell": cell, "reason": "one node"}]
            self.fails(guest, f"{cell} was dropped: one node")
        guest.dropped = [{"cell": "ticket/kvm/short/2v:2p/compact/pinned", "reason": "no /dev/kvm"}]
        guest.dropped += [{"cell": "memory=interleave", "reason": "comes out the same as memory=local at 1v:1p"}]
        self.passes(guest)

    def test_a_step_that_went_wrong_fails(self):
        guest = Guest()
        guest.status = 101
        self.fails(guest, "smoke ended with status 101")
        guest = Guest()
        guest.ended = False
        self.fails(guest, "the run has no end")

    def test_a_cpuset_that_was_left_fails(self):
        guest = Guest()
        guest.files = {"cpus": "0-3\n", "mems": "0-1\n"}
        self.passes(guest)
        guest.files = {"cpus": "0-1\n"}
        self.fails(guest, "outside its cpuset [0, 1]")
        guest.files = {"mems": "0\n"}
        self.fails(guest, "pages on nodes [1] outside its cpuset's [0]")

    def test_a_quota_that_the_record_does_not_name_fails(self):
        guest = Guest()
        guest.files = {"cpu-quota": "1.5\n"}
        self.fails(guest, "the quota is 1.5 CPUs, and the record says None")
        guest.quota = {"cpu_quota": {"cpus": 1.5}}
        self.passes(guest)
        guest.files = {"cpu.stat": "usage_usec 9\nnr_periods 7\nnr_throttled 3\n"}
        self.fails(guest, "the quota ran out 3 times, and no window says so")
        guest.record["throttling"] = {"periods": 1, "taken_ns": 9}
        self.passes(guest)

    def test_a_numa_lock_that_crosses_as_often_as_mcs_fails(self):
        def matrix(crossed, stayed):
            return {"node_matrix": [{"from": 0, "to": 1, "count": crossed}, {"from": 1, "to": 1, "count": stayed}]}

        def guest(mcs, cna):
            guest = Guest(lock="mcs")
            guest.record["causes"] = matrix(*mcs)
            other = cell(lock="cna", id="cna/native/work:20us/2v:2p/scatter/pinned", env="nowhere")
            guest.others = [(other, {**guest.record, "cell": other["id"], "causes": matrix(*cna)})]
            guest.files["crosses-most"] = "mcs\n"
            return guest

        self.passes(guest((50, 50), (2, 98)))
        self.fails(guest((50, 50), (30, 70)), "cna crossed in 30 of 100 handovers, mcs in 50 of 100")
        self.fails(guest((0, 0), (0, 0)), "mcs was handed over 0 times")
        alone = guest((50, 50), (2, 98))
        alone.others = []
        self.fails(alone, "no two locks to compare")

    def test_a_refusal_is_one_sentence_with_its_words_and_status_2(self):
        def refusal(status, said):
            with tempfile.TemporaryDirectory() as folder:
                (Path(folder) / "stderr").write_text(said)
                return check.refusal(Path(folder), status, "not allowed")

        self.assertIsNone(refusal(2, "lockbench: CPU 0 is not allowed\n"))
        self.assertIn("status 0", refusal(0, "lockbench: CPU 0 is not allowed\n"))
        self.assertIn("one sentence", refusal(2, "thread panicked\nlockbench: not allowed\n"))
        self.assertIn("did not say", refusal(2, "lockbench: CPU 0 does not exist\n"))

    def test_a_wrong_shape_or_option_is_refused_before_anything_is_done(self):
        for wrong in ["four"], ["2x2,no-memory=x"], ["2x3,smt"], ["2x2,what"], ["--what"], ["--jobs", "0"], ["--keep"]:
            ended = subprocess.run(["bash", HERE / "run", *wrong], capture_output=True, text=True)
            self.assertEqual(ended.returncode, 2, ended)
            self.assertRegex(ended.stderr, r"\Aguest: .*--help\n\Z")


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    unittest.main(verbosity=0)
