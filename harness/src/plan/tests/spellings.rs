//! One cell has one id, however its axes are spelled.

use super::{ids, of_group};

#[test]
fn two_spellings_are_one_cell() {
    let common = "locks = ['ticket']\nenvs = ['emulated']\n";
    for (keys, id) in [
        ("vcpus = [2]\nworkloads = ['work:1us', 'work:1000ns']", "work:1us/2v:2p/compact/pinned"),
        ("vcpus = [2]\nworkloads = ['lines:8', 'lines:08']", "lines:8/2v:2p/compact/pinned"),
        ("vcpus = [2]\nworkloads = ['short+exp', 'short+exp:500ns']", "short+exp:500ns/2v:2p/compact/pinned"),
        (
            "vcpus = [2]\nworkloads = ['short']\nslices = ['4ms', '4000us']",
            "short/2v:2p/compact/pinned/slice=4ms",
        ),
        (
            "vcpus = [2]\nworkloads = ['short']\narrivals = [1e6, 1_000_000]",
            "short/2v:2p/compact/pinned/arrivals=1000000",
        ),
        (
            "vcpus = [2]\nworkloads = ['short']\nplacements = ['node:0', 'node:00']",
            "short/2v:2p/node:0/pinned",
        ),
        ("overcommit = [1, 1.0]\nworkloads = ['short']", "short/2v:2p/compact/pinned"),
    ] {
        let plan = of_group(&format!("{common}{keys}"), "core:2 pu:1");
        assert_eq!(ids(&plan), [format!("ticket/emulated/{id}")], "{keys}");
    }
}
