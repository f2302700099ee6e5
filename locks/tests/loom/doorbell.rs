//! The doorbell alone: a halt that a kick ended sees what was done before the kick.

use std::sync::Arc;

use lockbench_locks::Platform;
use loom::cell::UnsafeCell;
use loom::thread;

use super::common::PARAVIRT;
use super::vcpu::{Bell, Halts, Vcpu};

struct World {
    bells: [Bell; 2],
    done: UnsafeCell<bool>,
}

// SAFETY: the cell is written before the kick and read after the halt, or loom fails the model.
unsafe impl Sync for World {}
// SAFETY: as above.
unsafe impl Send for World {}

#[test]
fn a_halt_sees_what_its_kicker_did() {
    for halts in [Halts::Emulated, Halts::Kvm] {
        loom::model(move || {
            let world =
                Arc::new(World { bells: [0, 1].map(|_| Bell::new(halts)), done: UnsafeCell::new(false) });
            let kicker = {
                let world = world.clone();
                thread::spawn(move || {
                    // SAFETY: loom checks that nobody else is at the cell.
                    world.done.with_mut(|done| unsafe { *done = true });
                    Vcpu::<PARAVIRT>::new(1, &world.bells).kick(0);
                })
            };
            Vcpu::<PARAVIRT>::new(0, &world.bells).halt();
            // SAFETY: loom checks that nobody writes the cell meanwhile.
            assert!(world.done.with(|done| unsafe { *done }));
            kicker.join().unwrap();
        });
    }
}
