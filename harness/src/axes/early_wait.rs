//! What makes a queued waiter halt before its spin threshold.

use lockbench_workloads::locks::EarlyWait;

use super::{Axis, Env, Flag, InId, Lock};
use crate::Error;
use crate::error::unknown;

impl Axis for EarlyWait {
    const FLAGS: &'static [Flag] = &[Flag {
        name: "early-wait",
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
