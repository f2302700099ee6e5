//! What the paravirtual code costs where nothing is preempted.

use super::Brief;
use crate::format::{printable, range, ratio, significant};
use crate::judge::answers::{NativeCost, native_costs, ns_per_pair};
use crate::record::Results;
use crate::statistics::Verdict;

const QUESTION: &str = "What does that code cost where nothing is preempted?";

/// The sentence names at most this many locks.
const MOST: usize = 2;

pub(super) fn brief(results: &Results) -> Brief {
    let costs = native_costs(results, "native");
    let told: Vec<(String, String)> = costs.iter().filter_map(told).take(MOST).collect();
    let (said, small): (Vec<String>, Vec<String>) = told.into_iter().unzip();
    let said = match said.as_slice() {
        [] => "Not measured: no such lock was run natively on one vCPU with an empty section.".into(),
        _ => said.join(" "),
    };
    Brief::new("price", QUESTION, said, small.join("; "))
}

fn told(cost: &NativeCost<'_>) -> Option<(String, String)> {
    let (carrier, plain) = (ns_per_pair(cost.carrier)?, ns_per_pair(cost.plain)?);
    let (name, beside) = (printable(&cost.carrier.axes.lock), printable(&cost.plain.axes.lock));
    let times = cost.times?;
    let pair = format!(
        "{} ns a lock and unlock, {beside} {}",
        significant(carrier.median),
        significant(plain.median)
    );
    let said = match cost.comparison.verdict {
        Verdict::Same => format!("Nothing that can be measured for {name}: {pair}."),
        Verdict::Worse => {
            format!("{name} takes {} ns more: {pair}.", significant((times.median - 1.0) * plain.median))
        }
        Verdict::Better => format!("{name} is no slower: {pair}."),
        Verdict::NotEnoughData(_) => format!("Too close to tell for {name}: {pair}."),
    };
    let small = format!("{name} takes {} times as long ({})", ratio(times.median), range(times, ratio));
    Some((said, small))
}
