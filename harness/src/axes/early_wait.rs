//! What makes a queued waiter halt before its spin threshold.

use lockbench_reports::record::params;
use lockbench_workloads::locks::EarlyWait;

use super::{Axis, Env, Flag, InId, Lock};
use crate::Error;
use crate::error::unknown;

impl Axis for EarlyWait {
    const FLAGS: &'static [Flag] = &[Flag {
        name: params::EARLY_WAIT,
        key: "early-waits",
        takes: "NAMES",
        unit: "",
        default: "halted",
        help: "What makes a queued waiter of pv-queued halt before its threshold: halted (the waiter before it has), hint (that, \
               or the host calls it preempted), always",
        in_id: InId::Param,
        in_0_1: true,
        examples: &["halted", "hint", "always"],
    }];

    fn parse(text: &str) -> Result<Self, Error> {
        Self::named(text).ok_or_else(|| unknown("early wait", text, Self::ALL.map(Self::name)))
    }

    fn show(&self) -> String {
        self.name().to_owned()
    }

    fn has_use(lock: Lock, env: Env) -> bool {
        lock.halts_in(env) && lock.family.waits_early
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Registry;

    #[test]
    fn its_help_names_every_reason() {
        for reason in EarlyWait::ALL {
            assert!(EarlyWait::FLAGS[0].help.contains(reason.name()), "{} is not told of", reason.name());
        }
        assert!(EarlyWait::parse("never").is_err());
    }

    #[test]
    fn a_lock_that_cannot_halt_early_has_no_use_for_it() {
        let (registry, env) = (Registry::new(&[]), |name| Env::parse(name).unwrap());
        let has_use = |lock, name| EarlyWait::has_use(registry.lock(lock).unwrap(), env(name));
        assert!(has_use("pv-queued", "emulated"));
        assert!(!has_use("pv-queued", "native"), "nobody halts without a hypervisor");
        assert!(!has_use("pv-ticket", "emulated"), "its waiters do not look at one another");
    }
}
