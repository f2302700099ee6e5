//! Parameters of the host's KVM and scheduler that change what a halt or a spin costs.

use std::collections::BTreeMap;
use std::fs;

const MODULES: [&str; 4] = ["kvm", "kvm_intel", "kvm_amd", "kvm_pvm"];
/// Halt polling does nothing for our halts, which sleep in user space, but much for a kernel guest's. Pause-loop exiting
/// sees our spinning on AMD only, for Intel's looks at ring 0 alone.
const OF_INTEREST: [&str; 10] = [
    "halt_poll_ns",
    "ple_gap",
    "ple_window",
    "ple_window_max",
    "pause_filter_thresh",
    "pause_filter_count",
    "pause_filter_count_max",
    "nested",
    "ept",
    "npt",
];
const SCHEDULER: [&str; 2] = ["base_slice_ns", "min_granularity_ns"];

/// The parameters that can be read, as `module.name`.
pub(super) fn read() -> BTreeMap<String, String> {
    let of_modules = MODULES.iter().flat_map(|module| {
        OF_INTEREST
            .iter()
            .map(move |name| (format!("{module}.{name}"), format!("/sys/module/{module}/parameters/{name}")))
    });
    let of_scheduler =
        SCHEDULER.iter().map(|name| (format!("sched.{name}"), format!("/sys/kernel/debug/sched/{name}")));
    of_modules
        .chain(of_scheduler)
        .filter_map(|(name, path)| Some((name, fs::read_to_string(path).ok()?.trim().to_owned())))
        .collect()
}
