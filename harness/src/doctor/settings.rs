//! Checks that read files only: facilities, governor, load, the kernel's settings.

use std::fs;

use super::{Finding, quota};
use crate::suite::{HUGE_PAGES, SLICE_EXTENSION, Session};
use crate::system::kernel::{self, Setting};
use lockbench_reports::format::counted;

pub(super) fn examine(session: &Session) -> Vec<Finding> {
    let mut findings = Vec::new();
    for facility in &session.machine.facilities {
        findings.push(match (facility.name.as_str(), facility.available) {
            ("pinning", true) => Finding::fine("pinning", &facility.detail),
            ("pinning", false) => Finding::unfit(
                "pinning",
                &facility.detail,
                "allow sched_setaffinity (a container's profile may forbid it)",
            ),
            ("preemption-counting", true) => Finding::fine("preemption counting", &facility.detail),
            ("preemption-counting", false) => Finding::care(
                "preemption counting",
                &facility.detail,
                "rates are measured all the same; who was preempted is not",
            ),
            ("thread-times", true) => Finding::fine("times of threads", &facility.detail),
            ("thread-times", false) => Finding::care(
                "times of threads",
                &facility.detail,
                "rates are measured all the same; the vCPUs' shares of their pCPUs and switches are not",
            ),
            // Only cells with `--pages huge` want them, and these are skipped with the same words.
            (HUGE_PAGES, true) => Finding::fine("huge pages", &facility.detail),
            (HUGE_PAGES, false) => Finding::fine("huge pages", format!("none: {}", facility.detail)),
            (SLICE_EXTENSION, true) => Finding::fine("slice extension", &facility.detail),
            (SLICE_EXTENSION, false) => {
                Finding::fine("slice extension", format!("none: {}", facility.detail))
            }
            ("kvm", true) => Finding::fine("KVM", format!("{}: {}", session.machine.kvm, facility.detail)),
            ("kvm", false) => Finding::care("KVM", &facility.detail, "without it the kvm cells are skipped"),
            ("kvm-costs", true) => Finding::fine("what KVM costs", &facility.detail),
            ("steal-time", true) => Finding::fine("steal time", &facility.detail),
            ("steal-time", false) => Finding::care(
                "steal time",
                &facility.detail,
                "kvm cells are measured all the same; who was preempted is not",
            ),
            _ => continue,
        });
    }
    findings.extend([
        quota::finding(session),
        scheduling(session),
        governor(session),
        beneath(session),
        slice(session),
        load(session),
        swap(),
    ]);
    findings.extend(kernel::settings(&session.topology).into_iter().map(of_kernel));
    findings
}

fn of_kernel(setting: Setting) -> Finding {
    match setting.advice {
        None => Finding::fine(setting.what, setting.found),
        Some(advice) => Finding::care(setting.what, setting.found, advice),
    }
}

fn scheduling(session: &Session) -> Finding {
    match &session.machine.scheduling {
        None => Finding::fine("scheduling class", "SCHED_OTHER, nice value 0"),
        Some(started) => Finding::care(
            "scheduling class",
            format!(
                "started with {}, nice value {}; cells run with SCHED_OTHER",
                started.class, started.nice
            ),
            "start lockbench without chrt and nice",
        ),
    }
}

fn governor(session: &Session) -> Finding {
    match session.machine.governor.as_str() {
        "performance" => Finding::fine("frequency governor", "performance"),
        "" => Finding::fine("frequency governor", "none shown (fixed, or the hypervisor's affair)"),
        other => Finding::care("frequency governor", other, "cpupower frequency-set -g performance"),
    }
}

fn beneath(session: &Session) -> Finding {
    match session.machine.hypervisor.as_str() {
        "none" => Finding::fine("hypervisor beneath", "none"),
        other => Finding::care(
            "hypervisor beneath",
            format!("{other}: its host may take pCPUs away or move them apart"),
            "a machine of one's own, or dedicated pCPUs; else rely on ratios, intervals and the noise floor",
        ),
    }
}

fn slice(session: &Session) -> Finding {
    let ns = session.machine.calibration.slice_ns;
    if ns > 0.0 {
        Finding::fine("scheduler timeslice", lockbench_reports::format::duration(ns))
    } else {
        Finding::care("scheduler timeslice", "could not be measured", "4 ms are assumed for warm-ups")
    }
}

fn load(session: &Session) -> Finding {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Option<f64> = text.split(' ').next().and_then(|load| load.parse().ok());
    let Some(load) = load else {
        return Finding::care("load average", "unknown: /proc/loadavg cannot be read", "mount /proc");
    };
    let share = load / session.topology.pus.len() as f64;
    let found = format!("{load:.2} on {}", counted(session.topology.pus.len(), "CPU"));
    match share {
        s if s > 0.7 => {
            Finding::unfit("load average", found, "stop what else is running, wait a minute, look again")
        }
        s if s > 0.2 => Finding::care("load average", found, "something else has been using the CPUs"),
        _ => Finding::fine("load average", found),
    }
}

fn swap() -> Finding {
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let field = |name: &str| {
        let line = meminfo.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|kb| kb.trim().trim_end_matches(" kB").parse::<u64>().ok())
    };
    let Some((total, free)) = field("SwapTotal:").zip(field("SwapFree:")) else {
        return Finding::care("swap", "unknown: /proc/meminfo does not tell", "mount /proc");
    };
    let used = total.saturating_sub(free);
    if used > 0 {
        Finding::care(
            "swap",
            format!("{} MiB in use", used / 1024),
            "page faults would enter the figures: swapoff -a",
        )
    } else {
        Finding::fine("swap", "none in use")
    }
}
