//! A value that a machine cannot have is dropped with its reason, beside others that it can.

use super::{dropped, ids, of_group, planned};

#[test]
fn a_wide_machine_drops_the_size_that_cannot_be_had_and_keeps_the_others() {
    let plan = planned("nightly", "pack:2 numa:1 core:192 pu:2", None);
    assert!(ids(&plan).iter().any(|id| id.contains("/3072v:768p/")), "4x is planned");
    assert!(!ids(&plan).iter().any(|id| id.contains("6144v")), "8x is not");
    let sizes: Vec<_> = dropped(&plan).into_iter().filter(|(what, _)| *what == "overcommit=8").collect();
    assert_eq!(
        sizes,
        [("overcommit=8", "a cell of 6144 vCPUs cannot be had; 4096 are the most")],
        "it is told once, not for each lock and environment"
    );
}

#[test]
fn a_size_a_node_a_memory_or_a_rate_that_cannot_be_had_is_dropped_beside_others() {
    let common = "locks = ['ticket', 'mcs']\nenvs = ['emulated']\nworkloads = ['short']\n";
    for (keys, value, kept) in [
        ("vcpus = [2, 5000]", "vcpus=5000", 2),
        ("vcpus = [2]\nplacements = ['node:7', 'compact']", "placement=node:7", 2),
        ("vcpus = [2]\nmemory = ['remote', 'local']", "memory=remote", 2),
        ("vcpus = [1, 2]\narrivals = [15]", "15 arrivals per second on 2 vCPUs", 2),
    ] {
        let plan = of_group(&format!("{common}{keys}"), "core:2 pu:1");
        assert_eq!(plan.cells.len(), kept, "{keys}");
        assert_eq!(dropped(&plan).len(), 1, "{keys}: {:?}", dropped(&plan));
        assert_eq!(dropped(&plan)[0].0, value);
    }
}

#[test]
fn a_workload_with_think_time_takes_no_arrivals_and_says_why() {
    let plan = of_group(
        "locks = ['ticket']\nenvs = ['native']\nvcpus = [2]\nworkloads = ['short', 'lines:8+exp:500ns']\n\
         arrivals = [100_000]",
        "core:2 pu:1",
    );
    assert_eq!(ids(&plan), ["ticket/native/short/2v:2p/compact/pinned/arrivals=100000"]);
    let (what, why) = dropped(&plan)[0];
    assert_eq!(what, "lines:8+exp:500ns with arrivals");
    assert!(why.contains("comes back (`exp`)") && why.ends_with("leave out the think time"), "{why}");
}
