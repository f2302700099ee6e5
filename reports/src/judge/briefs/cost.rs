//! What the paravirtual code costs where nothing is preempted.

use super::Brief;
use crate::format::{printable, range, ratio, significant};
use crate::judge::answers::{NativeCost, native_costs, ns_per_pair};
use crate::record::{Interval, Results};
use crate::statistics::{MARGIN, Verdict};

const QUESTION: &str = "What does it cost without preemption?";

/// The sentence names at most this many locks, and as many of the user's own.
const MOST: usize = 2;

pub(super) fn brief(results: &Results) -> Brief {
    let costs = native_costs(results, "native");
    let own = |told: &Told<'_>| results.is_own(&told.cost.carrier.axes.lock);
    let (own, others): (Vec<Told<'_>>, Vec<Told<'_>>) = costs.iter().filter_map(Told::of).partition(own);
    let told: Vec<Told<'_>> = others.into_iter().take(MOST).chain(own.into_iter().take(MOST)).collect();
    let (alike, apart): (Vec<&Told<'_>>, Vec<&Told<'_>>) =
        told.iter().partition(|told| told.cost.comparison.verdict == Verdict::Same);
    let mut said: Vec<String> =
        alike.chunk_by(|a, b| a.names()[1] == b.names()[1]).filter_map(of_alike).collect();
    for told in &apart {
        said.push(told.sentence(said.is_empty()));
    }
    if said.is_empty() {
        said.push("Not measured: no lock that carries paravirtual code was run natively on one vCPU with an empty section.".into());
    }
    let short = (!told.is_empty()).then(|| in_short(&told));
    let short = short.unwrap_or_else(|| said.join(" "));
    let all = alike.iter().chain(&apart).enumerate();
    let small: Vec<String> = all.map(|(index, told)| told.small(index == 0)).collect();
    Brief::new("price", QUESTION, said.join(" "), small.join("; ")).in_short(Some(short))
}

/// `Beside ticket's 5.70 ns: pv-ticket-off 6.19 (0.493 more), pvops-ticket 6.49 (0.801 more).` All locks of one plain lock stand in
/// one sentence, and what holds for all of them is told once.
fn in_short(told: &[Told<'_>]) -> String {
    let sentence = |of: &[Told<'_>]| {
        let [_, beside] = of[0].names();
        let beside = format!("eside {beside}'s {} ns", significant(of[0].plain_ns));
        let figure = |told: &Told<'_>| format!("{} {}", told.names()[0], significant(told.carrier_ns));
        if of.iter().all(|told| told.cost.comparison.verdict == Verdict::Same) {
            let each: Vec<String> = of.iter().map(figure).collect();
            return format!("Under {:.0} % b{beside}: {}.", MARGIN * 100.0, each.join(", "));
        }
        let each: Vec<String> =
            of.iter().map(|told| format!("{} ({})", figure(told), told.verdict())).collect();
        format!("B{beside}: {}.", each.join(", "))
    };
    let sentences: Vec<String> = told.chunk_by(|a, b| a.names()[1] == b.names()[1]).map(sentence).collect();
    sentences.join(" ")
}

/// A lock that carries something of no use, in nanoseconds for a lock and unlock, beside its plain lock.
struct Told<'a> {
    cost: &'a NativeCost<'a>,
    times: Interval,
    carrier_ns: f64,
    plain_ns: f64,
}

impl<'a> Told<'a> {
    fn of(cost: &'a NativeCost<'a>) -> Option<Self> {
        let ns = |cell| ns_per_pair(cell).map(|ns| ns.median);
        Some(Self { cost, times: cost.times?, carrier_ns: ns(cost.carrier)?, plain_ns: ns(cost.plain)? })
    }

    fn names(&self) -> [String; 2] {
        [self.cost.carrier, self.cost.plain].map(|cell| printable(&cell.axes.lock))
    }

    /// The first sentence says what the time is of, for all of them.
    fn sentence(&self, first: bool) -> String {
        let [name, beside] = self.names();
        let unit = if first { " a lock and unlock" } else { "" };
        let pair =
            format!("{} ns{unit}, {beside} {}", significant(self.carrier_ns), significant(self.plain_ns));
        let more = (self.times.median - 1.0) * self.plain_ns;
        match &self.cost.comparison.verdict {
            Verdict::Worse => format!("{name} takes {} ns more: {pair}.", significant(more)),
            Verdict::Same | Verdict::Better => format!("{name} is no slower: {pair}."),
            Verdict::NotEnoughData(why) => format!("Of {name} it cannot be told: {pair}; {why}."),
        }
    }

    /// `0.493 more`.
    fn verdict(&self) -> String {
        match &self.cost.comparison.verdict {
            Verdict::Worse => format!("{} more", significant((self.times.median - 1.0) * self.plain_ns)),
            Verdict::Same => format!("under {:.0} % apart", MARGIN * 100.0),
            Verdict::Better => "no slower".into(),
            Verdict::NotEnoughData(_) => "cannot be told".into(),
        }
    }

    fn small(&self, first: bool) -> String {
        let [name, _] = self.names();
        let unit = if first { " times as long" } else { "" };
        format!("{name} {}{unit} ({})", ratio(self.times.median), range(self.times, ratio))
    }
}

/// Locks that take as long as the plain one of them all, within the margin.
fn of_alike(alike: &[&Told<'_>]) -> Option<String> {
    let first = alike.first()?;
    let each: Vec<String> = alike
        .iter()
        .enumerate()
        .map(|(index, told)| {
            let unit = if index == 0 { " ns a lock and unlock" } else { "" };
            format!("{} {}{unit}", told.names()[0], significant(told.carrier_ns))
        })
        .collect();
    let [_, beside] = first.names();
    Some(format!(
        "Under {:.0} %: {}, {beside} {}.",
        MARGIN * 100.0,
        each.join(", "),
        significant(first.plain_ns)
    ))
}
