//! The price of halts and kicks that a cell asks for on top of what they cost here.

use lockbench_workloads::arena::Header;
use lockbench_workloads::ticks;

/// Spends the price on the pCPU of the vCPU that halts or kicks, as an exit to a hypervisor would.
pub(super) fn pay(header: &Header) {
    spend(header.plan.kick_cost_ticks);
}

/// As [`pay`], for a price that is known.
pub(super) fn spend(price_ticks: u64) {
    if price_ticks > 0 {
        let began = ticks();
        while ticks().wrapping_sub(began) < price_ticks {
            std::hint::spin_loop();
        }
    }
}
