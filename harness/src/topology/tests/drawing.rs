//! Machines as text.

use super::{OFFLINES, OPTERON, UV, from_sample, made, synthetic, zoo};
use crate::topology::{Source, describe, load};

#[test]
fn opteron() {
    insta::assert_snapshot!(describe(&from_sample(OPTERON), 12));
}

#[test]
fn uv() {
    insta::assert_snapshot!(describe(&from_sample(UV), 48));
}

#[test]
fn offlines() {
    insta::assert_snapshot!(describe(&from_sample(OFFLINES), 4));
}

#[test]
fn smt() {
    insta::assert_snapshot!(describe(&synthetic("pack:2 numa:1 l3:1 core:4 pu:2"), 8));
}

#[test]
fn no_packages() {
    insta::assert_snapshot!(describe(&synthetic("pu:4"), 2));
}

#[test]
fn hard_to_come_by() {
    let drawn: Vec<_> = made::all().iter().map(|machine| describe(machine, 6)).collect();
    insta::assert_snapshot!(drawn.join("\n----\n\n"));
}

#[test]
fn stays_within_a_screen() {
    let (here, _) = load(&Source::ThisMachine).unwrap();
    for machine in zoo().into_iter().chain([here]) {
        for vcpus in [0, 1, 7, machine.pus.len() * 3] {
            let drawn = describe(&machine, vcpus);
            assert!(drawn.lines().count() < 150, "{drawn}");
            let too_wide = drawn.lines().find(|line| line.chars().count() > 110);
            assert_eq!(too_wide, None);
        }
    }
}
