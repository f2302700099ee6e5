//! Gang scheduling: the vCPUs of a virtual machine run at the same time.
//!
//! A gang is a virtual machine's vCPUs, each on a pCPU of its own. A machine with more vCPUs than the pool has pCPUs is split
//! into several gangs, for it cannot run at once. Gangs stand in rows: small ones share a row where they fit beside each other,
//! and what is left of a row idles. Each row with somebody to run has all pCPUs for a timeslice, in turn. All pCPUs have the
//! same end of the timeslice, so that the switch is made everywhere at the same instant.
//!
//! A pCPU whose vCPU halts idles for the rest of the timeslice, and is not given to another gang: the halted vCPU has its pCPU
//! at once when a running sibling kicks it, and no vCPU ever runs without its siblings, which is what gangs are for. Only when
//! all vCPUs of a row have halted does the next row come early.
//!
//! Where vCPUs or pCPUs come or go, everybody is seated anew. For that all pCPUs are emptied first: a vCPU that has another seat
//! than before must have left the old one.

use std::collections::BTreeSet;

use super::vms::VmShare;
use super::{Pick, Policy, Pooled};

/// Gang scheduling on one pool of pCPUs.
pub(crate) struct Gang {
    slice_ns: u64,
    vms: Vec<VmShare>,
    /// The vCPUs that are in the pool.
    members: BTreeSet<usize>,
    /// The pCPUs of the pool.
    served: BTreeSet<usize>,
    pcpus: usize,
    /// Who has not left a pCPU yet.
    on: BTreeSet<usize>,
    /// Whether members or pCPUs have changed since everybody was seated.
    stale: bool,
    /// Who runs on each pCPU while a row has the pCPUs.
    rows: Vec<Vec<Option<usize>>>,
    /// Row and pCPU of each vCPU.
    seats: Vec<(usize, usize)>,
    /// Which vCPUs are not blocked.
    awake: Vec<bool>,
    /// The row that has the pCPUs, and until when; none while all are blocked.
    turn: Option<(usize, u64)>,
    /// pCPUs that should ask again, besides those that answers name.
    to_ask: Vec<usize>,
}

impl Gang {
    /// Each of `vcpus` vCPUs belongs to one of `vms`, whose weights and caps have no meaning here.
    pub(crate) fn new(slice_ns: u64, vms: &[VmShare], vcpus: usize, pcpus: usize) -> Self {
        let mut gang = Self::pooled(slice_ns, vms, vcpus, pcpus);
        gang.members.extend(0..vcpus);
        gang.served.extend(0..pcpus);
        gang.seat();
        gang
    }

    /// The scheduler of a pool that has no vCPUs and no pCPUs yet.
    pub(crate) fn pooled(slice_ns: u64, vms: &[VmShare], vcpus: usize, pcpus: usize) -> Self {
        Self {
            slice_ns,
            vms: vms.to_vec(),
            members: BTreeSet::new(),
            served: BTreeSet::new(),
            pcpus,
            on: BTreeSet::new(),
            stale: false,
            rows: Vec::new(),
            seats: vec![(0, 0); vcpus],
            awake: vec![false; vcpus],
            turn: None,
            to_ask: Vec::new(),
        }
    }

    /// Gives every member a seat.
    fn seat(&mut self) {
        self.stale = false;
        self.rows.clear();
        let served: Vec<usize> = self.served.iter().copied().collect();
        if served.is_empty() {
            return;
        }
        for vm in &self.vms {
            let here: Vec<usize> = vm.vcpus.iter().copied().filter(|v| self.members.contains(v)).collect();
            for gang in here.chunks(served.len()) {
                let free = |row: &[Option<usize>]| {
                    served.iter().copied().filter(|&pcpu| row[pcpu].is_none()).collect::<Vec<_>>()
                };
                let row = self.rows.iter().position(|row| free(row).len() >= gang.len());
                let row = row.unwrap_or_else(|| {
                    self.rows.push(vec![None; self.pcpus]);
                    self.rows.len() - 1
                });
                for (pcpu, &vcpu) in free(&self.rows[row]).into_iter().zip(gang) {
                    self.rows[row][pcpu] = Some(vcpu);
                    self.seats[vcpu] = (row, pcpu);
                }
            }
        }
    }

    /// Members or pCPUs have changed.
    fn changed(&mut self, now_ns: u64) {
        self.stale = true;
        self.to_ask.extend(&self.served);
        self.seat_anew(now_ns);
    }

    /// Seats everybody anew if that is due and all pCPUs are empty.
    fn seat_anew(&mut self, now_ns: u64) {
        if self.stale && self.on.is_empty() {
            self.seat();
            let first = (0..self.rows.len()).find(|&row| self.has_somebody(row));
            self.turn = first.map(|row| (row, now_ns + self.slice_ns));
            self.to_ask.extend(&self.served);
        }
    }

    /// Who runs at the same time: the vCPUs of each row.
    pub(crate) fn rows(&self) -> Vec<Vec<usize>> {
        self.rows.iter().map(|row| row.iter().flatten().copied().collect()).collect()
    }

    fn has_somebody(&self, row: usize) -> bool {
        self.rows[row].iter().flatten().any(|&vcpu| self.awake[vcpu])
    }

    /// The next row that has somebody to run, after `row` and at last `row` itself.
    fn after(&self, row: usize) -> Option<usize> {
        (1..=self.rows.len()).map(|step| (row + step) % self.rows.len()).find(|&row| self.has_somebody(row))
    }

    /// Ends the timeslice if it is over.
    fn look_at_the_clock(&mut self, now_ns: u64) {
        if let Some((row, ends_ns)) = self.turn.filter(|&(_, ends_ns)| now_ns >= ends_ns) {
            // Timeslices follow one another without a gap, except after a pause of the whole machine.
            let next_ns = Some(ends_ns + self.slice_ns).filter(|next| *next > now_ns);
            let next_ns = next_ns.unwrap_or(now_ns + self.slice_ns);
            self.turn = self.after(row).map(|row| (row, next_ns));
        }
    }
}

impl Policy for Gang {
    fn wake(&mut self, vcpu: usize, now_ns: u64) -> Option<usize> {
        self.awake[vcpu] = true;
        if self.stale {
            self.seat_anew(now_ns);
            return None;
        }
        self.look_at_the_clock(now_ns);
        let (row, pcpu) = self.seats[vcpu];
        self.turn.get_or_insert((row, now_ns + self.slice_ns));
        // Also where another row has its turn: the pCPU may not know when that ends.
        Some(pcpu)
    }

    fn pick(&mut self, pcpu: usize, _: Option<usize>, now_ns: u64) -> Pick {
        let idle = Pick { vcpu: None, until_ns: u64::MAX };
        if self.stale {
            return idle;
        }
        self.look_at_the_clock(now_ns);
        let Some((row, until_ns)) = self.turn else { return idle };
        let vcpu = self.rows[row][pcpu].filter(|&vcpu| self.awake[vcpu]);
        self.on.extend(vcpu);
        Pick { vcpu, until_ns }
    }

    /// A vCPU has one pCPU, which asks by itself after the vCPU has left, unless it was to leave the pool and stays after all.
    fn left(&mut self, vcpu: usize, _: usize, now_ns: u64) -> Option<usize> {
        self.on.remove(&vcpu);
        let stays = !std::mem::replace(&mut self.awake[vcpu], true);
        self.seat_anew(now_ns);
        stays.then_some(self.seats[vcpu].1)
    }

    fn blocked(&mut self, vcpu: usize, _: usize, now_ns: u64) {
        self.on.remove(&vcpu);
        self.awake[vcpu] = false;
        if self.stale {
            self.seat_anew(now_ns);
            return;
        }
        self.look_at_the_clock(now_ns);
        if let Some((row, _)) = self.turn
            && !self.has_somebody(row)
        {
            self.turn = self.after(row).map(|row| (row, now_ns + self.slice_ns));
            self.to_ask.extend(&self.served);
        }
    }

    fn others_to_ask(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.to_ask)
    }
}

impl Pooled for Gang {
    fn serve(&mut self, pcpus: &BTreeSet<usize>, now_ns: u64) {
        self.served.clone_from(pcpus);
        self.changed(now_ns);
    }

    fn admit(&mut self, vcpu: usize, now_ns: u64) {
        self.members.insert(vcpu);
        self.changed(now_ns);
    }

    fn withdraw(&mut self, vcpu: usize, now_ns: u64) {
        self.members.remove(&vcpu);
        self.awake[vcpu] = false;
        self.changed(now_ns);
    }

    /// The vCPU keeps its seat until it has left, and is not picked.
    fn evict(&mut self, vcpu: usize, _: usize, _: u64) {
        self.awake[vcpu] = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hypervisor::policy::virtual_time::{DECISION_NS, Habit, Machine, Stretch};

    const MS: u64 = 1_000_000;
    const SLICE_NS: u64 = 10 * MS;

    fn machine(vms: &[VmShare], habits: Vec<Habit>, pcpus: usize, seed: u64) -> (Machine, Vec<Vec<usize>>) {
        let policy = Gang::new(SLICE_NS, vms, habits.len(), pcpus);
        let rows = policy.rows();
        let seats = policy.seats.clone();
        let mut machine = Machine::new(policy, habits, pcpus, seed);
        for (vcpu, (_, pcpu)) in seats.into_iter().enumerate() {
            machine.confine(vcpu, &[pcpu]);
        }
        (machine, rows)
    }

    fn row_of(rows: &[Vec<usize>], vcpu: usize) -> usize {
        rows.iter().position(|row| row.contains(&vcpu)).unwrap()
    }

    /// Members of two rows ran at the same time only while a switch was made.
    fn assert_rows_run_alone(schedule: &[Stretch], rows: &[Vec<usize>]) {
        let mut looked = 0;
        for one in schedule {
            for other in schedule.iter().filter(|other| row_of(rows, other.vcpu) != row_of(rows, one.vcpu)) {
                let both_ns = one.to_ns.min(other.to_ns).saturating_sub(one.from_ns.max(other.from_ns));
                assert!(both_ns <= DECISION_NS, "{one:?} and {other:?} ran together for {both_ns} ns");
                looked += 1;
            }
        }
        assert!(looked > 0);
    }

    #[test]
    fn members_of_a_gang_come_and_go_within_one_decision() {
        let vms = [VmShare::usual(0..4), VmShare::usual(4..8), VmShare::usual(8..11)];
        for seed in 0..5 {
            let (mut machine, rows) = machine(&vms, vec![Habit::Runs; 11], 4, seed);
            assert_eq!(rows, [vec![0, 1, 2, 3], vec![4, 5, 6, 7], vec![8, 9, 10]]);
            machine.run(1_000 * MS);
            for row in &rows {
                let of = |vcpu: usize| machine.schedule.iter().filter(move |stretch| stretch.vcpu == vcpu);
                for &vcpu in &row[1..] {
                    assert!(of(vcpu).count() > 30);
                    for (first, member) in of(row[0]).zip(of(vcpu)) {
                        assert!(
                            first.from_ns.abs_diff(member.from_ns) <= DECISION_NS,
                            "{first:?}, {member:?}"
                        );
                        assert!(first.to_ns.abs_diff(member.to_ns) <= DECISION_NS, "{first:?}, {member:?}");
                    }
                }
            }
            assert_rows_run_alone(&machine.schedule, &rows);
            for vcpu in 0..11 {
                let share = machine.share(vcpu);
                assert!((share - 1.0 / 3.0).abs() < 0.01, "vCPU {vcpu} had {share}");
            }
        }
    }

    #[test]
    fn small_gangs_share_a_row_and_a_machine_wider_than_the_pool_is_split() {
        let rows = |vms: &[VmShare], vcpus| Gang::new(SLICE_NS, vms, vcpus, 4).rows();
        let small = [VmShare::usual(0..3), VmShare::usual(3..5), VmShare::usual(5..6), VmShare::usual(6..8)];
        assert_eq!(rows(&small, 8), [vec![0, 1, 2, 5], vec![3, 4, 6, 7]]);
        assert_eq!(rows(&[VmShare::usual(0..9)], 9), [vec![0, 1, 2, 3], vec![4, 5, 6, 7], vec![8]]);
    }

    #[test]
    fn a_pcpu_whose_vcpu_halted_idles_and_a_kick_brings_the_vcpu_back_at_once() {
        let vms = [VmShare::usual(0..2), VmShare::usual(2..4)];
        let mut habits = vec![Habit::Runs; 4];
        habits[1] = Habit::WaitsForKicks { runs_ns: 2 * MS };
        let (mut machine, _) = machine(&vms, habits, 2, 1);
        machine.run(MS);
        if machine.runs_on(0) == Some(2) {
            machine.run(SLICE_NS);
        }
        assert_eq!([machine.runs_on(0), machine.runs_on(1)], [Some(0), None]);
        machine.kick(1);
        machine.run(MS);
        assert_eq!([machine.runs_on(0), machine.runs_on(1)], [Some(0), Some(1)]);
        machine.run(2 * MS);
        assert_eq!([machine.runs_on(0), machine.runs_on(1)], [Some(0), None]);
        // A kick while the other gang runs waits for the gang.
        machine.run(SLICE_NS);
        machine.kick(1);
        machine.run(MS);
        assert_eq!([machine.runs_on(0), machine.runs_on(1)], [Some(2), Some(3)]);
        machine.run(SLICE_NS - 4 * MS);
        assert_eq!([machine.runs_on(0), machine.runs_on(1)], [Some(0), Some(1)]);
    }

    #[test]
    fn where_a_whole_gang_has_halted_the_next_comes_at_once_on_all_pcpus() {
        let vms = [VmShare::usual(0..2), VmShare::usual(2..4)];
        let wakes = Habit::WaitsForKicks { runs_ns: MS };
        let (mut machine, _) = machine(&vms, vec![wakes.clone(), wakes, Habit::Runs, Habit::Runs], 2, 1);
        machine.run(MS);
        machine.kick(0);
        machine.kick(1);
        machine.run(SLICE_NS);
        assert_eq!([machine.runs_on(0), machine.runs_on(1)], [Some(0), Some(1)]);
        machine.run(MS);
        assert_eq!([machine.runs_on(0), machine.runs_on(1)], [Some(2), Some(3)]);
    }

    #[test]
    fn rows_run_alone_and_nobody_starves_while_vcpus_halt_at_random() {
        for seed in 0..20 {
            let mut random = fastrand::Rng::with_seed(seed);
            let (pcpus, machines) = (random.usize(2..5), random.usize(2..5));
            let (mut vms, mut habits) = (Vec::new(), Vec::new());
            for _ in 0..machines {
                let width = random.usize(1..6);
                vms.push(VmShare::usual(habits.len()..habits.len() + width));
                for _ in 0..width {
                    let runs_ns = random.u64(MS / 10..3 * MS);
                    habits.push(Habit::Halts { runs_ns, halts_ns: random.u64(MS / 10..3 * MS) });
                }
            }
            let vcpus = habits.len();
            let (mut machine, rows) = machine(&vms, habits, pcpus, seed);
            machine.run(500 * MS);
            if rows.len() > 1 {
                assert_rows_run_alone(&machine.schedule, &rows);
            }
            for vcpu in 0..vcpus {
                assert!(machine.schedule.iter().any(|stretch| stretch.vcpu == vcpu), "seed {seed}: {vcpu}");
            }
        }
    }
}
