//! What the steps of a wait do.

use lockbench_reports::record::params;
use lockbench_workloads::arena::NEVER_YIELDS;

use super::{Axis, Env, Flag, InId, Lock};
use crate::Error;

/// Pauses before the first yield where none are asked for: as many steps as PostgreSQL's spinlocks (`DEFAULT_SPINS_PER_DELAY` in
/// s_lock.h) and glibc's adaptive mutexes (`max_adaptive_count`) make before they give the processor away.
const USUAL_PAUSES: u32 = 100;
const MOST_PAUSES: u32 = 1_000_000_000;

/// How a waiter spins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Spin {
    /// Every step pauses the processor.
    Pause,
    /// So many steps of a wait pause, and then every step yields the pCPU.
    ThenYield(u32),
}

impl Spin {
    /// How many steps pause before the others yield, as an arena's plan has it.
    pub fn pauses(self) -> u32 {
        match self {
            Self::Pause => NEVER_YIELDS,
            Self::ThenYield(pauses) => pauses,
        }
    }
}

impl Axis for Spin {
    const FLAGS: &'static [Flag] = &[Flag {
        name: params::SPIN,
        key: "spins",
        takes: "NAMES",
        unit: "",
        default: "pause",
        help: "What each step of a wait does: pause, yield (the vCPU gives its pCPU up and stays runnable), or \
               pause-then-yield[:N] (N steps pause, 100 if no number is given, and all after them yield)",
        in_id: InId::Param,
        in_0_1: false,
        examples: &["pause", "yield", "pause-then-yield", "pause-then-yield:16", "pause-then-yield:016"],
    }];

    fn parse(text: &str) -> Result<Self, Error> {
        let refused = || {
            Error::usage(format!(
                "`{}` is no way to spin; give pause, yield, or pause-then-yield:N with 1 to {MOST_PAUSES} pauses",
                text.escape_debug()
            ))
        };
        match text.split_once(':') {
            None if text == "pause" => Ok(Self::Pause),
            None if text == "yield" => Ok(Self::ThenYield(0)),
            None if text == "pause-then-yield" => Ok(Self::ThenYield(USUAL_PAUSES)),
            Some(("pause-then-yield", number)) => match number.parse() {
                Ok(pauses) if (1..=MOST_PAUSES).contains(&pauses) => Ok(Self::ThenYield(pauses)),
                _ => Err(refused()),
            },
            _ => Err(refused()),
        }
    }

    fn show(&self) -> String {
        match self {
            Self::Pause => "pause".to_owned(),
            Self::ThenYield(0) => "yield".to_owned(),
            Self::ThenYield(pauses) => format!("pause-then-yield:{pauses}"),
        }
    }

    fn has_use(lock: Lock, _: Env) -> bool {
        lock.family.relaxes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Registry;

    #[test]
    fn a_way_to_spin_is_a_number_of_pauses_and_the_default_never_yields() {
        let usual: Spin = super::super::table::usual();
        assert_eq!(usual.pauses(), NEVER_YIELDS);
        assert_eq!(Spin::parse("yield").unwrap().pauses(), 0);
        assert_eq!(Spin::parse("pause-then-yield").unwrap().show(), "pause-then-yield:100");
        for bad in [
            "",
            "halt",
            "pause:3",
            "yield:3",
            "pause-then-yield:",
            "pause-then-yield:0",
            "pause-then-yield:4294967295",
        ] {
            let said = Spin::parse(bad).unwrap_err().to_string();
            assert!(said.contains("give pause, yield, or pause-then-yield:N"), "{said}");
        }
    }

    #[test]
    fn a_lock_that_waits_by_code_of_its_own_has_no_use_for_it() {
        let (registry, native) = (Registry::new(&[]), Env::parse("native").unwrap());
        let has_use = |lock| Spin::has_use(registry.lock(lock).unwrap(), native);
        assert!(has_use("tas") && has_use("pv-queued"));
        assert!(!has_use("std-mutex") && !has_use("spin-mutex") && !has_use("pthread-mutex"));
    }
}
