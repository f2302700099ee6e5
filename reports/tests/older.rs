//! Records of earlier builds can be read for ever: `records/` has one from before each addition to the format.

use std::path::Path;

use lockbench_reports::derive::digest::{Digest, Metric};
use lockbench_reports::derive::run_dir;
use lockbench_reports::record::{Exclusion, Status};
use lockbench_reports::show::html;

#[test]
fn a_record_from_before_gaps_were_looked_for() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/records/2026-11-22.jsonl");
    let results = run_dir::read(&file).unwrap();
    assert_eq!((results.schema_version, results.cells.len()), (1, 2));
    for cell in &results.cells {
        assert_eq!((cell.status, cell.exclusion), (Status::Ok, Exclusion::Held), "{}", cell.axes.id);
        assert!(cell.ops_per_second.is_some(), "{}", cell.axes.id);
    }
    let causes = results.cells.iter().find_map(|cell| cell.causes.as_ref()).expect("it was traced");
    assert!(causes.time.is_some() && causes.granted_off > 0);
    assert_eq!((causes.gaps, &causes.reacquire_turns), (None, &None), "nobody looked: that is not none");
    assert!(!Digest::of(&results).cells[0].windows(Metric::Rate).is_empty());
    let page = html::render(&[results]).unwrap();
    assert!(page.contains("without such a preemption, were not looked for"));
}
