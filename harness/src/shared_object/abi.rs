//! What a lock says of itself: `struct lockbench_descriptor` of lockbench.h.

use std::alloc::Layout;
use std::ffi::{CStr, c_char};

use lockbench_workloads::Family;
use lockbench_workloads::locks::Order;
use lockbench_workloads::shared_object::{
    self as worker, CallFn, Functions, InitFn, InitNodeFn, Needs, TryFn,
};
use serde::{Deserialize, Serialize};

/// `LOCKBENCH_ABI`.
const ABI: u32 = 1;
/// The strictest alignment that an arena gives, in bytes; what 0 stands for.
const ALIGN: usize = 128;
/// The largest lock in bytes, the largest part of it for each vCPU, and the largest node.
const MOST: [usize; 3] = [16 << 20, 64 << 10, 1 << 20];
/// Longest name.
pub(crate) const LONGEST: usize = 64;

/// The orders by number: `enum lockbench_order`.
const ORDERS: [Order; 3] = [Order::Unfair, Order::Fifo, Order::Hybrid];

/// As C lays it out.
#[repr(C)]
pub(super) struct Descriptor {
    abi: u32,
    order: u32,
    name: *const c_char,
    about: *const c_char,
    source: *const c_char,
    compare_with: *const c_char,
    size: usize,
    align: usize,
    size_per_vcpu: usize,
    node_size: usize,
    node_align: usize,
    init: Option<InitFn>,
    init_node: Option<InitNodeFn>,
    acquire: Option<CallFn>,
    release: Option<CallFn>,
    try_acquire: Option<TryFn>,
    blocks: u8,
    leaf: u8,
}

/// A lock as it describes itself, checked, without its functions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Described {
    pub(super) name: String,
    pub(super) about: Option<String>,
    pub(super) source: Option<String>,
    pub(super) compare_with: Option<String>,
    /// Index into [`ORDERS`].
    order: usize,
    /// Size and alignment.
    lock: [usize; 2],
    size_per_vcpu: usize,
    node: [usize; 2],
    blocks: bool,
    leaf: bool,
}

impl Described {
    /// Its workers and properties; the names are the caller's to fill in.
    pub(crate) fn family(&self) -> Family {
        let layout = |[size, align]: [usize; 2]| {
            Layout::from_size_align(size, align).expect("sizes and alignments are checked when they are read")
        };
        let mut family = worker::family(&Needs {
            lock: layout(self.lock),
            more_per_vcpu: self.size_per_vcpu,
            node: layout(self.node),
            ordered: self.order != 0,
            blocks: self.blocks,
        });
        family.order = ORDERS[self.order];
        family.leaf = self.leaf;
        family
    }
}

/// Reads a descriptor. `called` is what the lock is called if it does not say so itself. An error is the end of a sentence that begins
/// with the lock.
///
/// # Safety
///
/// `at` must be what a symbol of at least the descriptor's size stands for, in an object that stays loaded.
pub(super) unsafe fn read(at: *const Descriptor, called: &str) -> Result<(Described, Functions), String> {
    // SAFETY: as the caller vouches; any bytes are integers. A descriptor that a C compiler laid out is aligned, another is refused.
    let abi = unsafe { at.cast::<u32>().read_unaligned() };
    if abi != ABI {
        return Err(format!(
            "was compiled with version {abi} of lockbench.h, and this lockbench has version {ABI}; `lockbench new-lock --c NAME` writes it"
        ));
    }
    if !at.is_aligned() {
        return Err("has no descriptor: its symbol is not aligned as one".into());
    }
    // SAFETY: as the caller vouches, and aligned. Of this version, so that its fields are what they are declared to be: integers, and
    // pointers to functions or null.
    let said = unsafe { &*at };
    let order = said.order as usize;
    if order >= ORDERS.len() {
        return Err(format!("says order {order}, which is none of enum lockbench_order"));
    }
    let (Some(acquire), Some(release)) = (said.acquire, said.release) else {
        return Err("lacks acquire or release".into());
    };
    let [most, most_per_vcpu, most_node] = MOST;
    let lock = room("size", said.size, "align", said.align, most)?;
    let node = room("node_size", said.node_size, "node_align", said.node_align, most_node)?;
    if said.size_per_vcpu > most_per_vcpu {
        return Err(format!("says size_per_vcpu {}, which is more than {most_per_vcpu}", said.size_per_vcpu));
    }
    if said.blocks != 0 && said.leaf != 0 {
        return Err("says both blocks and leaf, but what sleeps calls the kernel".into());
    }
    // SAFETY: as the caller vouches, a lock's strings are null or C strings that live as long as the object.
    let text = |text: *const c_char| unsafe { text_at(text) };
    let described = Described {
        name: name(text(said.name).unwrap_or_else(|| called.to_owned()))?,
        about: text(said.about),
        source: text(said.source),
        compare_with: text(said.compare_with),
        order,
        lock,
        size_per_vcpu: said.size_per_vcpu,
        node,
        blocks: said.blocks != 0,
        leaf: said.leaf != 0,
    };
    let functions = Functions {
        init: said.init,
        init_node: said.init_node,
        acquire,
        release,
        try_acquire: said.try_acquire,
    };
    Ok((described, functions))
}

/// Size and alignment, if they can be had.
fn room(of: &str, size: usize, aligned: &str, align: usize, most: usize) -> Result<[usize; 2], String> {
    let align = if align == 0 { ALIGN } else { align };
    if size > most {
        return Err(format!("says {of} {size}, which is more than {most}"));
    }
    if !align.is_power_of_two() || align > ALIGN {
        return Err(format!("says {aligned} {align}, which is no power of two up to {ALIGN}"));
    }
    Ok([size, align])
}

/// A name that can stand on the command line and in a cell's id.
fn name(name: String) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.+".contains(c);
    if name.is_empty() || name.len() > LONGEST || !name.chars().all(plain) {
        return Err(format!(
            "is called `{}`; take up to {LONGEST} letters, digits, `-`, `_`, `.` and `+`",
            name.escape_debug()
        ));
    }
    Ok(name)
}

/// A C string, printable; none for a null pointer.
///
/// # Safety
///
/// `text` must be null or point to a C string.
unsafe fn text_at(text: *const c_char) -> Option<String> {
    // SAFETY: as the caller vouches.
    let text = (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) })?;
    Some(lockbench_reports::format::printable(&text.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use lockbench_workloads::shared_object::Seat;

    use super::*;

    unsafe extern "C" fn nothing(_: *mut std::ffi::c_void, _: *const Seat) {}

    fn plain() -> Descriptor {
        Descriptor {
            abi: ABI,
            order: 1,
            name: ptr::null(),
            about: c"one line".as_ptr(),
            source: ptr::null(),
            compare_with: c"ticket".as_ptr(),
            size: 4,
            align: 0,
            size_per_vcpu: 0,
            node_size: 0,
            node_align: 0,
            init: None,
            init_node: None,
            acquire: Some(nothing),
            release: Some(nothing),
            try_acquire: None,
            blocks: 0,
            leaf: 1,
        }
    }

    fn told(descriptor: &Descriptor) -> Result<Described, String> {
        // SAFETY: a whole descriptor, whose strings are literals.
        unsafe { read(descriptor, "x") }.map(|(described, _)| described)
    }

    #[test]
    fn a_descriptor_says_what_the_lock_is() {
        let described = told(&plain()).unwrap();
        assert_eq!((described.name.as_str(), described.compare_with.as_deref()), ("x", Some("ticket")));
        let family = described.family();
        assert_eq!((family.order, family.leaf, family.blocks), (Order::Fifo, true, false));
        assert_eq!((family.lock.size(), family.lock.align()), (128 + 4, 128));
        let slots = told(&Descriptor { size_per_vcpu: 64, blocks: 1, leaf: 0, ..plain() }).unwrap().family();
        assert_eq!(slots.lock_for(10).unwrap().size(), 128 + 4 + 640);
        assert!(slots.blocks && slots.sleeps_unseen());
    }

    #[test]
    fn what_a_lock_cannot_be_is_refused() {
        let refused = |descriptor: Descriptor, why: &str| {
            let said = told(&descriptor).unwrap_err();
            assert!(said.contains(why), "{said}");
        };
        refused(Descriptor { abi: 7, ..plain() }, "version 7 of lockbench.h");
        refused(Descriptor { order: 3, ..plain() }, "order 3");
        refused(Descriptor { acquire: None, ..plain() }, "lacks acquire");
        refused(Descriptor { align: 256, ..plain() }, "align 256");
        refused(Descriptor { node_align: 24, ..plain() }, "node_align 24");
        refused(Descriptor { size: usize::MAX, ..plain() }, "which is more than");
        refused(Descriptor { blocks: 1, ..plain() }, "both blocks and leaf");
        refused(Descriptor { name: c"a/b".as_ptr(), ..plain() }, "is called `a/b`");
    }
}
