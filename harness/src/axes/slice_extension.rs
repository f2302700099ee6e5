//! Whether a vCPU that holds the lock asks the kernel for a longer timeslice.

use lockbench_reports::record::params;

use super::{Axis, Env, Flag, InId, Scheduler};
use crate::Error;
use crate::measure::slice_extension::UNVERIFIED;

/// Whether holders ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SliceExtension {
    /// Nobody asks.
    Off,
    /// A vCPU asks after it took the lock and until it has freed it.
    On,
}

impl SliceExtension {
    /// Why nobody would grant it in an environment and under a scheduler; none if this kernel may.
    pub fn refusal(self, env: Env, scheduler: Scheduler) -> Option<String> {
        if self == Self::Off {
            None
        } else if env.needs_leaf() {
            Some(format!(
                "a vCPU in {} has no thread of this kernel's own, to which alone the kernel grants longer timeslices",
                env.name()
            ))
        } else if scheduler.is_hypervisor() {
            Some(format!(
                "{} ends timeslices itself, and longer ones are this kernel's to grant; give --scheduler host",
                scheduler.show()
            ))
        } else {
            None
        }
    }

    /// What readers of a cell must know.
    pub fn note(self) -> Option<String> {
        (self == Self::On).then(|| format!("holders asked for longer timeslices; {UNVERIFIED}"))
    }
}

impl Axis for SliceExtension {
    const FLAGS: &'static [Flag] = &[Flag {
        name: params::SLICE_EXTENSION,
        key: "slice-extensions",
        takes: "NAMES",
        unit: "",
        default: "off",
        help: "Whether a vCPU that holds the lock asks this kernel for a longer timeslice: off, or on (rseq slice extension of Linux \
               7.0 and newer; unverified: it could not be tried on any machine of the project)",
        in_id: InId::Param,
        in_0_1: false,
        examples: &["off", "on"],
    }];

    fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "off" => Ok(Self::Off),
            "on" => Ok(Self::On),
            _ => Err(Error::usage(format!("a slice extension is off or on, not `{}`", text.escape_debug()))),
        }
    }

    fn show(&self) -> String {
        match self {
            Self::Off => "off".to_owned(),
            Self::On => "on".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longer_timeslices_are_asked_for_where_this_kernel_schedules_the_vcpus() {
        let refusal = |env, scheduler| {
            SliceExtension::On.refusal(Env::parse(env).unwrap(), Scheduler::parse(scheduler).unwrap())
        };
        assert_eq!(refusal("native", "host"), None);
        assert_eq!(refusal("emulated", "host"), None);
        assert_eq!(refusal("emulated", "quota:0.5"), None);
        assert!(refusal("kvm", "host").unwrap().contains("no thread of this kernel's own"));
        assert!(refusal("emulated", "credit").unwrap().starts_with("credit ends timeslices itself"));
        assert_eq!(
            SliceExtension::Off.refusal(Env::parse("kvm").unwrap(), Scheduler::parse("host").unwrap()),
            None
        );
        assert!(SliceExtension::On.note().unwrap().contains("unverified"));
        assert_eq!(SliceExtension::Off.note(), None);
    }
}
