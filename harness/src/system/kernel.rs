//! Settings of this kernel that affect measurements, read from its files.

use std::fs;

use crate::topology::Machine;

const CLOCK_SOURCES: &str = "/sys/devices/system/clocksource/clocksource0";
const NUMA_BALANCING: &str = "/proc/sys/kernel/numa_balancing";

/// A setting, and its effect on measurements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) what: &'static str,
    /// `what` at the beginning of a sentence.
    subject: &'static str,
    /// The setting's value, so that "`subject` is `found`" is a sentence.
    pub(crate) found: String,
    /// Advice; none if the setting does no harm.
    pub(crate) advice: Option<String>,
}

impl Setting {
    /// The sentence for a run's record; none if the setting does no harm.
    pub(crate) fn warning(&self) -> Option<String> {
        self.advice.as_ref().map(|advice| format!("{} is {}; {advice}.", self.subject, self.found))
    }
}

/// The settings of the running kernel, as far as they can be read.
pub(crate) fn settings(machine: &Machine) -> Vec<Setting> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let [current, available] =
        ["current", "available"].map(|which| read(&format!("{CLOCK_SOURCES}/{which}_clocksource")));
    // It looks at all nodes, also at those that this process may not use.
    let nodes = machine.nodes.len() + machine.absent_nodes.len();
    let clock = clock_source(&current, &available);
    clock.into_iter().chain(numa_balancing(&read(NUMA_BALANCING), nodes)).collect()
}

/// The clock source, from its name and the names of those that the kernel could take instead.
///
/// vCPUs take their times with the time-stamp counter, whatever the kernel's clock source is: one that is not made of it
/// often means that the kernel found the counters of different pCPUs out of step.
fn clock_source(current: &str, available: &str) -> Option<Setting> {
    let (what, subject) = ("clock source", "The clock source");
    let setting = |found: String, advice: Option<String>| Setting { what, subject, found, advice };
    let current = current.trim();
    match current {
        "" => None,
        // The counter of the processor: that of x86-64, that of aarch64.
        "tsc" | "arch_sys_counter" => Some(setting(current.to_owned(), None)),
        "kvm-clock" | "hyperv_clocksource_tsc_page" => {
            let found =
                format!("{current}, made of the time-stamp counter and read without a system call (vDSO)");
            Some(setting(found, None))
        }
        _ => {
            let found = format!(
                "{current}, not tsc: reading it takes a system call, often a slow device too, and the kernel may have found the \
                 time-stamp counters, by which vCPUs take their times, out of step"
            );
            let why = "`dmesg | grep -i -e tsc -e clocksource` says why";
            let advice = if available.split_whitespace().any(|name| name == "tsc") {
                format!(
                    "{why}; unless the TSC is called unstable there, `echo tsc > {CLOCK_SOURCES}/current_clocksource`"
                )
            } else {
                format!(
                    "{why}; where host or firmware keep the TSC in step all the same, boot with tsc=reliable"
                )
            };
            Some(setting(found, Some(advice)))
        }
    }
}

/// Whether the kernel moves pages and threads between NUMA nodes on its own. None on a machine with one node, and for a kernel
/// without this feature.
fn numa_balancing(text: &str, nodes: usize) -> Option<Setting> {
    let (what, subject) = ("NUMA balancing", "NUMA balancing");
    let setting = |found: String, advice| Setting { what, subject, found, advice };
    let value = text.trim();
    if value.is_empty() || nodes < 2 {
        return None;
    }
    if value == "0" {
        return Some(setting("off".into(), None));
    }
    let found = format!(
        "on (kernel.numa_balancing is {value}) with {nodes} nodes: behind the placement the kernel moves pages that are not \
         bound and threads that are not pinned, and takes page faults to find out who uses what"
    );
    Some(setting(found, Some("`sysctl kernel.numa_balancing=0` turns it off".into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_source_other_than_the_tsc_is_warned_of() {
        for foreign in ["hpet", "acpi_pm", "xen", "hyperv_clocksource_msr", "jiffies", "refined-jiffies"] {
            let found = clock_source(&format!("{foreign}\n"), &format!("{foreign} acpi_pm\n")).unwrap();
            let warning = found.warning().unwrap();
            assert!(warning.starts_with(&format!("The clock source is {foreign}, not tsc: ")), "{warning}");
            assert!(warning.ends_with("boot with tsc=reliable."), "{warning}");
        }
        let could = clock_source("hpet\n", "tsc hpet acpi_pm \n").unwrap();
        assert!(could.advice.unwrap().ends_with("/clocksource0/current_clocksource`"));
    }

    #[test]
    fn clock_sources_that_need_no_system_call_are_named_and_fine() {
        assert_eq!(clock_source("tsc\n", "tsc hpet\n").unwrap().found, "tsc");
        for fine in ["tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "arch_sys_counter"] {
            let setting = clock_source(fine, "").unwrap();
            assert!(setting.found.starts_with(fine));
            assert_eq!((&setting.advice, setting.warning()), (&None, None));
        }
        assert_eq!(clock_source("", ""), None, "the kernel does not tell");
    }

    #[test]
    fn numa_balancing_matters_on_several_nodes() {
        for on in ["1\n", "2\n", "3"] {
            let warning = numa_balancing(on, 4).unwrap().warning().unwrap();
            let told =
                format!("NUMA balancing is on (kernel.numa_balancing is {}) with 4 nodes: ", on.trim());
            assert!(warning.starts_with(&told), "{warning}");
            assert!(warning.contains("sysctl kernel.numa_balancing=0"));
            assert_eq!(numa_balancing(on, 1), None);
        }
        assert_eq!(numa_balancing("0\n", 4).unwrap().warning(), None);
        assert_eq!(numa_balancing("", 4), None, "a kernel without it");
    }
}
