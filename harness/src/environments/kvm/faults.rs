//! Ring 0, as little of it as there can be: what the processor needs to deliver a fault, and stubs that report it.
//!
//! Without them a stray access would end in a triple fault, and on AMD processors the shutdown that follows resets the
//! vCPU and loses the address. The stubs are program text; a vCPU gets one page, with its task state segment at the
//! bottom and a stack that grows down from the top, where a fault leaves a [`Frame`].

use std::{io, ptr};

use super::doorbell;
use super::pages::{PAGE, Page, pages};

/// Selectors in the descriptor table.
pub(super) const KERNEL_CODE: u16 = 1 << 3;
pub(super) const USER_CODE: u16 = 3 << 3 | 3;
pub(super) const USER_DATA: u16 = 4 << 3 | 3;
pub(super) const TASK: u16 = 5 << 3;

/// Exceptions have 32 vectors.
const VECTORS: usize = 32;
/// Word of the shared page at which the interrupt descriptors begin; the segment descriptors are at 0.
const IDT: usize = 64;
/// Bytes of a task state segment.
const TASK_BYTES: u16 = 104;
/// Bytes between stubs.
const STUB: usize = 16;

/// What a fault leaves on the ring-0 stack: `cr2`, vector and error code from the stub, the rest from the processor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub(super) struct Frame {
    pub(super) cr2: u64,
    pub(super) vector: u64,
    pub(super) error: u64,
    pub(super) rip: u64,
    pub(super) cs: u64,
    pub(super) rflags: u64,
    pub(super) rsp: u64,
    pub(super) ss: u64,
}

/// Where a table lies and its last byte's offset, as descriptor-table registers take it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table {
    pub(super) base: u64,
    pub(super) limit: u16,
}

/// The descriptor tables, and each vCPU's page.
#[derive(Clone, Copy)]
pub(super) struct Ring0 {
    first: *const Page,
    vcpus: usize,
}

// SAFETY: the pages are never freed; once the machine runs, the guest alone writes there, and `frame` reads volatile.
unsafe impl Send for Ring0 {}

impl Ring0 {
    /// Tables and pages for so many vCPUs.
    pub(super) fn new(vcpus: usize) -> io::Result<Self> {
        let pages = pages(1 + vcpus)?;
        let (shared, own) = pages.split_at_mut(1);
        let words = &mut shared[0].0;
        // Code and data of ring 0, code and data of ring 3: flat, 64-bit, present, accessed.
        words[1] = 0x00af_9b00_0000_ffff;
        words[2] = 0x00cf_9300_0000_ffff;
        words[3] = 0x00af_fb00_0000_ffff;
        words[4] = 0x00cf_f300_0000_ffff;
        // The task register is loaded from outside, so its descriptor (words 5 and 6) is never read.
        for vector in 0..VECTORS {
            let stub = stubs as *const () as u64 + (vector * STUB) as u64;
            words[IDT + 2 * vector] = gate(vector, stub);
            words[IDT + 2 * vector + 1] = stub >> 32;
        }
        for page in own {
            let top = ptr::from_ref(page) as u64 + PAGE as u64;
            // Bytes 4 to 11 of a task state segment are the ring-0 stack; bytes 102 and 103 say: no I/O permissions.
            page.0[0] = top << 32;
            page.0[1] = top >> 32;
            page.0[12] = u64::from(TASK_BYTES) << 48;
        }
        Ok(Self { first: pages.as_ptr(), vcpus })
    }

    /// All of it, for ring 0 alone.
    pub(super) fn range(&self) -> std::ops::Range<usize> {
        let start = self.first as usize;
        start..start + (1 + self.vcpus) * PAGE
    }

    /// The segment descriptors.
    pub(super) fn gdt(&self) -> Table {
        Table { base: self.first as u64, limit: 7 * 8 - 1 }
    }

    /// The interrupt descriptors.
    pub(super) fn idt(&self) -> Table {
        Table { base: self.first as u64 + 8 * IDT as u64, limit: (16 * VECTORS - 1) as u16 }
    }

    /// A vCPU's task state segment.
    pub(super) fn task(&self, cpu: usize) -> Table {
        Table { base: self.page(cpu) as u64, limit: TASK_BYTES - 1 }
    }

    /// What `cpu`'s first fault left.
    pub(super) fn frame(&self, cpu: usize) -> Frame {
        let frame = self.page(cpu).wrapping_add(1).cast::<Frame>().wrapping_sub(1);
        // SAFETY: the last bytes of a page of ours, aligned; any bytes are a valid frame. The guest writes there, hence
        // volatile; the vCPU that did so has left it.
        unsafe { ptr::read_volatile(frame) }
    }

    fn page(&self, cpu: usize) -> *const Page {
        assert!(cpu < self.vcpus, "no vCPU {cpu}");
        self.first.wrapping_add(1 + cpu)
    }
}

/// Lower half of an interrupt gate: present, interrupts off, on the stack that the task state names. `int3` and `into` are
/// instructions of ring 3: behind a gate of ring 0 the processor would report a general protection fault in their place.
/// (Software KVM reports a breakpoint either way; on hardware this is not verified.)
fn gate(vector: usize, stub: u64) -> u64 {
    const RING_3: u64 = 3 << 45;
    let ring = if matches!(vector, 3 | 4) { RING_3 } else { 0 };
    (stub & 0xffff) | u64::from(KERNEL_CODE) << 16 | 0x8e00 << 32 | ring | (stub >> 16 & 0xffff) << 48
}

/// One stub per vector, [`STUB`] bytes apart. Vectors without an error code get 0, so that all frames are alike. The
/// doorbell does not return.
#[unsafe(naked)]
unsafe extern "C" fn stubs() {
    std::arch::naked_asm!(
        ".irp vector,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31",
        ".balign {stub}",
        ".if (\\vector != 8) && ((\\vector < 10) || (\\vector > 14)) && (\\vector != 17) && (\\vector != 21) && (\\vector != 29) && (\\vector != 30)",
        "push 0",
        ".endif",
        "push \\vector",
        "jmp 2f",
        ".endr",
        "2: mov rax, cr2",
        "push rax",
        "movabs rax, {doorbell}",
        "mov dword ptr [rax], eax",
        "3: jmp 3b",
        stub = const STUB,
        doorbell = const doorbell::FAULT_VIRT,
    )
}

impl Frame {
    /// The fault in plain words, without its place.
    pub(super) fn what(&self) -> String {
        let name = match self.vector {
            0 => "division error",
            1 => "debug exception",
            2 => "non-maskable interrupt",
            3 => "breakpoint (int3)",
            4 => "overflow",
            5 => "bound range exceeded",
            6 => "invalid opcode (an instruction that does not exist or is forbidden, or a trap such as ud2)",
            7 => "device not available",
            8 => "double fault",
            10 => "invalid task state",
            11 => "segment not present",
            12 => "stack-segment fault",
            13 => "general protection fault (a privileged instruction, or an address that is none)",
            14 => return self.page_fault(),
            16 => "x87 floating-point error",
            17 => "alignment check",
            18 => "machine check",
            19 => "SIMD floating-point error",
            21 => "control protection",
            _ => "unexpected interrupt",
        };
        format!("{name}, vector {}, error code {:#x}", self.vector, self.error)
    }

    fn page_fault(&self) -> String {
        let did = match self.error {
            e if e & 16 != 0 => "ran code at",
            e if e & 2 != 0 => "wrote to",
            _ => "read from",
        };
        let why = if self.error & 1 == 0 { "not mapped in the guest" } else { "forbidden there" };
        format!("page fault, vector 14, error code {:#x}: {did} {:#x}, which is {why}", self.error, self.cr2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stubs_are_as_far_apart_as_the_gates_say() {
        let code = |vector: usize| {
            let at = (stubs as *const ()).wrapping_byte_add(vector * STUB).cast::<[u8; 4]>();
            // SAFETY: within the stubs' text, which is readable.
            unsafe { *at }
        };
        assert_eq!(code(6), [0x6a, 0, 0x6a, 6], "push 0, push 6");
        assert_eq!(code(14)[..2], [0x6a, 14], "the processor pushes a page fault's error code itself");
        assert_eq!(code(31), [0x6a, 0, 0x6a, 31]);
        assert_eq!(gate(6, 0x1234_5678_9abc), 0x5678_8e00_0008_9abc);
    }

    #[test]
    fn breakpoints_and_overflows_may_be_raised_in_ring_3_and_nothing_else() {
        let open = |vector: &usize| gate(*vector, 0) >> 45 & 3 == 3;
        assert_eq!((0..VECTORS).filter(open).collect::<Vec<_>>(), [3, 4]);
    }

    #[test]
    fn a_page_fault_is_told_in_words() {
        let fault = Frame { vector: 14, error: 6, cr2: 0xdead_0000, ..Frame::default() };
        assert!(fault.what().contains("wrote to 0xdead0000, which is not mapped"), "{}", fault.what());
        assert!(Frame { vector: 6, ..Frame::default() }.what().contains("invalid opcode"));
    }
}
