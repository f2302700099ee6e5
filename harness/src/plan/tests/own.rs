//! Locks of the user's own are measured without being asked for.

use super::{TIMING, ids};
use crate::axes::Lock;
use crate::plan::{BUILT_IN, Fitted, Profile, Resources, expand, fit};
use crate::topology::tests::synthetic;
use crate::{Family, Registry};

/// A lock of a user's, as it is in a build without checks: every environment runs it.
static OWN: &[Family] =
    &[crate::raw_mutex_family!(spin::mutex::SpinMutex<()>, named("mine").spins().against("ticket"))
        .compiled_with_checks(false)];

fn registry() -> Registry {
    Registry::new(OWN)
}

/// The plan of a profile as it fits into the profile's own time.
fn planned(name: &str) -> Fitted {
    let (registry, machine) = (registry(), synthetic("core:2 pu:1"));
    let profile = Profile::built_in(name, &registry).unwrap();
    let on = Resources { registry: &registry, machine: &machine, foreign: true };
    let timing = super::Timing { window_ns: profile.window.as_nanos() as u64, ..TIMING };
    let cells = expand(&profile, &on).0;
    fit(cells, &timing, profile.rounds, profile.time, profile.noise_floor)
}

#[test]
fn every_profile_measures_own_locks_with_one_vcpu_and_overcommitted() {
    for (name, _) in BUILT_IN {
        let plan = planned(name);
        for cell in ["native/empty/1v:1p", "emulated/short/2v:2p", "emulated/short/4v:2p", "kvm/short/4v:2p"]
        {
            let id = format!("mine/{cell}/compact/pinned");
            assert!(ids(&plan).contains(&id.as_str()), "{name} does not measure {id}: {:?}", ids(&plan));
        }
    }
}

#[test]
fn the_record_tells_peers_from_the_catalogue_and_from_own_locks() {
    let registry = registry();
    let whose = |name: &str| {
        let locks: Vec<Lock> = registry.locks().collect();
        let all = registry.descriptors(locks.into_iter());
        let lock = all.into_iter().find(|lock| lock.name == name).unwrap();
        (lock.peer, lock.own)
    };
    let names = ["ticket", "std-mutex", "spin-ticket", "mcslock-barging", "mine"];
    let told = [(false, false), (true, false), (true, false), (true, false), (false, true)];
    assert_eq!(names.map(whose), told);
}

#[test]
fn a_run_that_names_no_locks_measures_own_locks() {
    let names =
        |registry: Registry| Lock::defaults(&registry).into_iter().map(Lock::name).collect::<Vec<_>>();
    assert_eq!(names(registry()), [names(Registry::new(&[])), vec!["mine"]].concat());
}
