//! What the hypervisor costs, measured at the start of a run that has kvm cells; takes about 0.15 s.
//!
//! They are measured in a process of their own, so that vCPUs need not be stopped one by one, and that a KVM from which an
//! entry never returns does not hang the run.

mod exits;
mod guest;
mod kicks;
mod parameters;
mod steal_time;

use std::process::{Command, ExitCode};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use lockbench_reports::format::printable;
use lockbench_reports::record::{CostNs, Facility, KvmCosts, Machine};
use serde::{Deserialize, Serialize};

use super::page_tables::Access;
use super::vcpu::{Observer, RunEnd, Vcpu};
use super::vm::{Task, Vm};
use crate::Refusal;
use crate::subprocess::{finish, stay_with};
use crate::topology::{PuIndex, pin_current};

/// The hidden verb under which this program measures KVM.
pub(crate) const VERB: &str = "__kvm";

/// A process that takes longer than this is killed, even one whose vCPUs never leave the guest.
const LONGEST: Duration = Duration::from_secs(5);

/// The result of the process.
#[derive(Serialize, Deserialize)]
struct Found {
    costs: KvmCosts,
    steal: Result<String, Refusal>,
    hint: Result<String, Refusal>,
}

/// Measures KVM between the first two of `pcpus`, and writes what it found into the machine's record.
pub(super) fn examine(machine: &mut Machine, pcpus: &[u32]) {
    let found = ask(machine.calibration.ticks_per_ns, pcpus).unwrap_or_else(|why| {
        machine.warnings.push(format!("What KVM costs here could not be measured: {why}."));
        let why = Refusal::from(format!("not tested: {why}"));
        Found { costs: KvmCosts::default(), steal: Err(why.clone()), hint: Err(why) }
    });
    machine.facilities.push(Facility::new("steal-time", found.steal));
    machine.facilities.push(Facility::new("preempted-hint", found.hint));
    if found.costs.round_trip_ns.samples > 0 {
        if !found.costs.clocks_agree {
            machine.warnings.push(
                "The guest's time-stamp counter is not the host's (KVM takes no TSC offset before Linux 5.16): waits that \
                 the end of a kvm window cut off are not to be trusted."
                    .into(),
            );
        }
        machine.facilities.push(Facility::new("kvm-costs", Ok::<_, Refusal>(sentence(&found.costs))));
        machine.kvm_costs = Some(Box::new(found.costs));
    }
}

/// Notes for readers who know such costs from other machines.
fn sentence(costs: &KvmCosts) -> String {
    let us = |cost: &CostNs| format!("{:.1} us (p99 {:.1})", cost.p50 / 1e3, cost.p99 / 1e3);
    format!(
        "doorbell and back {}, of which entry {}; kick to running {} by ioeventfd, {} by exit; ring 3 at {:.0} % of native \
         speed. A kernel guest's HLT and KVM_HC_KICK_CPU, out of ring 3's reach, save the exit to user space",
        us(&costs.round_trip_ns),
        us(&costs.entry_ns),
        us(&costs.kick_event_ns),
        us(&costs.kick_exit_ns),
        costs.ring3_speed * 100.0
    )
}

/// Runs the process and reads its result.
fn ask(ticks_per_ns: f64, pcpus: &[u32]) -> Result<Found, Refusal> {
    let mut command = Command::new("/proc/self/exe");
    command.arg(VERB).arg(std::process::id().to_string()).arg(ticks_per_ns.to_string());
    command.args(pcpus.iter().take(2).map(u32::to_string));
    let output =
        finish(command, b"", LONGEST).map_err(|e| Refusal::of("its process could not be started", e))?;
    match serde_json::from_slice(&output.stdout) {
        Ok(found) => found,
        Err(_) => {
            let Some(end) = output.end else {
                return Err(format!("its process did not end within {} s", LONGEST.as_secs()).into());
            };
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!("its process {end} {}", printable(said.lines().next().unwrap_or_default())).into())
        }
    }
}

/// The main function of the process.
pub(super) fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(2).filter_map(|word| word.into_string().ok());
    let Some(parent) = arguments.next().and_then(|word| word.parse().ok()) else {
        return crate::output::not_for_people();
    };
    stay_with(parent);
    let arguments: Vec<f64> = arguments.filter_map(|word| word.parse().ok()).collect();
    let found = match arguments[..] {
        [ticks_per_ns, here] => find(ticks_per_ns, (here as u32, here as u32)),
        [ticks_per_ns, here, there] => find(ticks_per_ns, (here as u32, there as u32)),
        _ => Err("no pCPUs to measure on".into()),
    };
    match serde_json::to_string(&found).map(|found| crate::output::print(&found)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        _ => ExitCode::from(2),
    }
}

fn find(ticks_per_ns: f64, pcpus: (u32, u32)) -> Result<Found, Refusal> {
    let _ = pin_current(PuIndex(pcpus.0));
    let exits = exits::measure()?;
    let ring3_speed = exits::ring3_speed()?;
    let event = kicks::measure(kicks::Way::Event, pcpus)?;
    let exit = kicks::measure(kicks::Way::Exit, pcpus)?;
    let (steal, hint) = match steal_time::test(pcpus.0) {
        Ok((steal, hint)) => (Ok(steal), hint),
        Err(why) => (Err(why.clone()), Err(why)),
    };
    let ns = |ticks| cost_ns(ticks, ticks_per_ns);
    let costs = KvmCosts {
        round_trip_ns: ns(exits.round_trip),
        entry_ns: ns(exits.entry),
        kick_event_ns: ns(event),
        kick_exit_ns: ns(exit),
        ring3_speed,
        clocks_agree: exits.clocks_agree,
        parameters: parameters::read(),
    };
    Ok(Found { costs, steal, hint })
}

/// Whether the guest's time-stamp counter is the host's.
#[cfg(test)]
pub(super) fn clocks_agree() -> Result<bool, Refusal> {
    exits::measure().map(|exits| exits.clocks_agree)
}

fn cost_ns(mut ticks: Vec<u64>, ticks_per_ns: f64) -> CostNs {
    ticks.sort_unstable();
    let at = |share: f64| {
        let index = (share * ticks.len() as f64) as usize;
        ticks.get(index).map_or(0.0, |&ticks| ticks as f64 / ticks_per_ns)
    };
    CostNs { p50: at(0.5), p90: at(0.9), p99: at(0.99), samples: ticks.len() as u64 }
}

/// A machine that sees `notes`, with a vCPU for each function.
fn machine(notes: &guest::Notes, functions: &[unsafe extern "C" fn()]) -> Result<(Vm, Vec<Vcpu>), Refusal> {
    let page = notes.page();
    let arguments = [page.start as u64, 0];
    let vm = Vm::new(functions.len(), functions[0] as usize, [(page, Access::Data)])?;
    let vcpus = functions
        .iter()
        .enumerate()
        .map(|(cpu, &function)| vm.vcpu(cpu, Task { function: function as usize, arguments }))
        .collect::<Result<_, _>>()?;
    Ok((vm, vcpus))
}

/// Runs a vCPU on a thread of its own, on `pcpu`.
fn start(
    mut vcpu: Vcpu,
    pcpu: u32,
    mut observer: impl Observer + Send + 'static,
) -> Result<JoinHandle<RunEnd>, Refusal> {
    let run = move || {
        // Where it cannot be pinned, the figures are those of floating vCPUs.
        let _ = pin_current(PuIndex(pcpu));
        vcpu.run(&mut observer)
    };
    let started = thread::Builder::new().spawn(run);
    started.map_err(|e| Refusal::of("a vCPU's host thread could not be started", e))
}
