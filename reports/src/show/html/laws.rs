//! The table of laws: what they predict for each cell that they speak of, beside what was measured.

use super::view::{Table, TableEntry, class};
use crate::format::{overcommit, range, rate, ratio};
use crate::judge::laws::{Standing, band, name, standing};
use crate::record::{Cell, LawCheck, Results};
use crate::show::columns::Tone;

/// A row for each cell that a law speaks of; none where no law does. The results must have been judged.
pub(super) fn table(results: &Results) -> Option<Table> {
    let rows: Vec<_> = results.cells.iter().filter_map(|cell| Some(row(cell, cell.law.as_ref()?))).collect();
    let columns = [
        ("Lock", false),
        ("Environment", false),
        ("Law", false),
        ("vCPUs : pCPUs", true),
        ("Overcommit", true),
        ("Predicted", true),
        ("Measured", true),
        ("Measured : predicted", true),
        ("Band of the law", false),
    ];
    (!rows.is_empty()).then(|| Table::new("What laws predict, and what was measured", &columns, rows))
}

fn row(cell: &Cell, law: &LawCheck) -> Vec<TableEntry> {
    let axes = &cell.axes;
    let mut of = vec![axes.env.clone(), axes.workload.name.clone()];
    of.extend(axes.told_params());
    let measured = cell.ops_per_second;
    let interval = |interval| format!("({})", range(interval, rate));
    let [low, high] = band(cell, law.law);
    let (word, tone) = match standing(cell, law) {
        Standing::Inside => ("inside", Tone::Same),
        Standing::Outside => ("outside", Tone::Bad),
        Standing::Untold => ("cannot be told", Tone::Unsure),
        Standing::Fails => ("the law fails here", Tone::Unsure),
    };
    let badge = TableEntry { badge: Some(word.into()), class: Some(class(tone)), ..TableEntry::default() };
    vec![
        TableEntry::text(&axes.lock),
        TableEntry::text(of.join(", ")),
        TableEntry::text(name(law.law)),
        TableEntry::number(Some(f64::from(axes.vcpus)), |_| format!("{} : {}", axes.vcpus, axes.pcpus.len())),
        TableEntry::number(Some(axes.overcommit), overcommit),
        TableEntry::number(Some(law.predicted.median), rate).with_note(interval(law.predicted)),
        TableEntry::number(measured.map(|ops| ops.median), rate)
            .with_note(measured.map_or_else(String::new, interval)),
        TableEntry::number(Some(law.ratio.median), ratio).with_note(format!("({})", range(law.ratio, ratio))),
        match &law.fails {
            Some(why) => badge.with_why(why),
            None => badge.with_why(format!("{low} to {high}")),
        },
    ]
}
