//! Binding on the machine that the tests run on.

use std::{
    process::{Command, Stdio},
    sync::atomic::{AtomicU8, Ordering},
};

use rustix::{
    fs::{MemfdFlags, ftruncate, memfd_create},
    mm::{MapFlags, ProtFlags, mmap, munmap},
};

use crate::topology::{
    Memory, NodeIndex, Outcome, PuIndex, Source, Via, current_cpu, load, pin, pin_current,
};

#[test]
fn threads_of_this_process() {
    let (machine, binder) = load(&Source::ThisMachine).unwrap();
    std::thread::spawn(move || {
        for pu in &machine.pus {
            assert_eq!(binder.bind_current(pu.os_index), Outcome::Bound(Via::Hwloc));
            assert_eq!(current_cpu(), Some(pu.os_index));
            assert_eq!(pin_current(pu.os_index), Outcome::Bound(Via::CoreAffinity));
            assert_eq!(pin::allowed_cpus().unwrap().iter().collect::<Vec<_>>(), [pu.os_index]);
        }
    })
    .join()
    .unwrap();
}

#[test]
fn threads_of_another_process() {
    let (machine, binder) = load(&Source::ThisMachine).unwrap();
    let mut other = Command::new("sleep").arg("60").stdin(Stdio::null()).spawn().unwrap();
    let outcomes: Vec<_> = machine
        .pus
        .iter()
        .map(|pu| {
            let outcome = binder.bind_thread(other.id(), pu.os_index);
            (outcome, binder.allowed(other.id()).map(|cpus| cpus.to_string()), Ok(pu.os_index.to_string()))
        })
        .collect();
    other.kill().unwrap();
    other.wait().unwrap();
    for (outcome, allowed, expected) in outcomes {
        assert_eq!(outcome, Outcome::Bound(Via::Hwloc));
        assert_eq!(allowed, expected);
    }
}

#[test]
fn what_is_not_there_cannot_be_bound() {
    let (_, binder) = load(&Source::ThisMachine).unwrap();
    let outcomes = [
        binder.bind_thread(0, PuIndex(0)),
        binder.bind_thread(u32::MAX, PuIndex(0)),
        binder.bind_thread(i32::MAX as u32, PuIndex(0)),
        binder.bind_current(PuIndex(1 << 19)),
        pin_current(PuIndex(1 << 19)),
        pin_current(PuIndex(u32::MAX)),
        binder.bind_memory(&[0u8; 64][..], &[NodeIndex(1 << 10)]),
        binder.bind_memory(&[0u8; 64][..], &[]),
        binder.bind_memory(&[0u8; 0][..], &[NodeIndex(0)]),
    ];
    for outcome in outcomes {
        assert!(matches!(&outcome, Outcome::Failed(why) if !why.is_empty()), "{outcome}");
    }
}

#[test]
fn foreign_topologies_refuse() {
    let (_, binder) = load(&Source::Synthetic("pu:2".to_owned())).unwrap();
    assert!(matches!(binder.bind_current(PuIndex(0)), Outcome::Unsupported(_)));
    assert!(matches!(binder.bind_thread(1, PuIndex(0)), Outcome::Unsupported(_)));
    assert!(matches!(binder.bind_memory(&[0u8; 64][..], &[NodeIndex(0)]), Outcome::Unsupported(_)));
}

#[test]
fn shared_memory() {
    let (machine, binder) = load(&Source::ThisMachine).unwrap();
    const PAGES: usize = 1500;
    const PAGE: usize = 4096;
    let file = memfd_create("lockbench-test", MemfdFlags::CLOEXEC).unwrap();
    ftruncate(&file, (PAGES * PAGE) as u64).unwrap();
    // SAFETY: a new mapping at an address of the kernel's choice.
    let start = unsafe {
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        mmap(std::ptr::null_mut(), PAGES * PAGE, protection, MapFlags::SHARED, &file, 0).unwrap()
    };
    // SAFETY: the mapping is that long, zeroed, and unmapped only after the last use of the slice.
    let area = unsafe { std::slice::from_raw_parts(start.cast::<AtomicU8>(), PAGES * PAGE) };

    let nodes = Memory::Local.nodes(&machine, &[machine.pus[0].os_index]).unwrap();
    assert_eq!(binder.locate(area).unwrap().absent(), PAGES);
    let outcome = binder.bind_memory(area, &nodes);
    assert!(outcome.is_bound(), "{outcome}");
    for byte in area.iter().step_by(PAGE) {
        byte.store(1, Ordering::Relaxed);
    }
    let residence = binder.locate(area).unwrap();
    assert!(residence.is_within(&nodes), "{residence}");
    assert_eq!((residence.nodes()[&nodes[0]], residence.absent()), (PAGES, 0));

    let elsewhere = NodeIndex(nodes[0].0 + 1);
    assert!(!residence.is_within(&[elsewhere]));
    // SAFETY: mapped above, and not used afterwards.
    unsafe { munmap(start, PAGES * PAGE).unwrap() };
}
