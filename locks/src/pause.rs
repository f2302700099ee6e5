//! Pausing and resuming a vCPU that is a thread, or is run by one: how a hypervisor takes a vCPU off its pCPU.
//!
//! Two sides share four words. The hypervisor writes `asked`, a generation that is odd while the vCPU is to be off its pCPU
//! and even while it is to run. The vCPU writes `obeyed`, the last generation that it followed, so that a pause and a resume
//! are each acknowledged; `halted`, which is 1 from a halt until the hypervisor has resumed the vCPU; and `yielding`, which is 1
//! while such a halt is a yield. The doorbell of [`doorbell`](crate::doorbell) keeps a kick that has ended no halt.
//!
//! - A vCPU that is asked to pause is interrupted (by a signal), and calls
//!   [`Pause::interrupted`]. A thread that runs a guest leaves the guest, and calls [`Pause::obey`].
//! - A halted vCPU sleeps until it is resumed, so that a halt hands the pCPU over and the hypervisor decides who runs next.
//!   A kick does not wake the vCPU: it tells the hypervisor that the vCPU is runnable again.
//! - A vCPU that yields does the same, but is runnable all the time: it needs no kick, and takes none.
//! - The hypervisor asks for the next change only when the last one was obeyed. So no pause is lost in a resume, in a halt or
//!   in an exit from the guest, and a resume that was not obeyed is seen.

use crate::sync::{AtomicU32, Ordering, fence};

/// The words that a vCPU and its hypervisor share.
#[derive(Debug)]
#[repr(C)]
pub struct Pause {
    asked: AtomicU32,
    obeyed: AtomicU32,
    halted: AtomicU32,
    yielding: AtomicU32,
}

/// What a vCPU does with the operating system while it obeys: a futex in the product, a model of one where this is checked.
pub trait Os {
    /// Sleeps while `word` is `value`. Must compare and fall asleep in one step towards the waker, and may return early.
    fn sleep(&self, word: &AtomicU32, value: u32);
    /// Wakes whoever sleeps on `word`.
    fn wake(&self, word: &AtomicU32);
    /// The vCPU is about to acknowledge that it is off its pCPU, or on it again.
    fn acknowledging(&self, _off: bool) {}
    /// Tells the hypervisor that this vCPU has halted or yielded.
    fn halting(&self);
}

/// Where a vCPU stands, as its hypervisor sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It runs, or it was resumed and has not acknowledged that yet.
    Running,
    /// It was asked to pause and has not obeyed yet.
    PauseAsked,
    /// It is off its pCPU, and goes on when it is resumed.
    Paused,
    /// It is off its pCPU because it halted, and goes on when it was kicked and is resumed.
    Halted,
    /// It is off its pCPU because it yielded, and goes on when it is resumed.
    Yielded,
}

impl State {
    /// Whether the vCPU is off its pCPU by its own wish.
    pub fn gave_up(self) -> bool {
        matches!(self, Self::Halted | Self::Yielded)
    }
}

fn is_pause(generation: u32) -> bool {
    generation % 2 == 1
}

impl Default for Pause {
    /// A vCPU that nobody has taken off its pCPU.
    fn default() -> Self {
        let zero = || AtomicU32::new(0);
        Self { asked: zero(), obeyed: zero(), halted: zero(), yielding: zero() }
    }
}

/// The vCPU's side. Every function must be called by the thread that is or runs the vCPU.
impl Pause {
    /// Follows the hypervisor's last wish: returns once the vCPU is to run.
    pub fn obey(&self, os: &impl Os) {
        loop {
            // Acquire: what the hypervisor wrote before it resumed the vCPU.
            let asked = self.asked.load(Ordering::Acquire);
            self.acknowledge(asked, os);
            if !is_pause(asked) {
                return;
            }
            os.sleep(&self.asked, asked);
        }
    }

    /// Acknowledges the wish `asked`, unless that was done.
    fn acknowledge(&self, asked: u32, os: &impl Os) {
        // Relaxed: only this thread writes `obeyed`, here or in the handler of a signal that interrupts it here.
        let obeyed = self.obeyed.load(Ordering::Relaxed);
        if obeyed == asked {
            return;
        }
        os.acknowledging(is_pause(asked));
        // Exchanged, because a handler may have obeyed a later wish meanwhile, which must stand. Release: the hypervisor sees
        // what was written in `acknowledging`, and that `halted` fell before a resume was obeyed.
        if self.obeyed.compare_exchange(obeyed, asked, Ordering::Release, Ordering::Relaxed).is_ok() {
            os.wake(&self.obeyed);
        }
    }

    /// What the handler of the pause's signal does on a thread that is the vCPU: it obeys, unless it interrupted a halt, which
    /// obeys itself.
    pub fn interrupted(&self, os: &impl Os) {
        // Relaxed: only this thread writes `halted`.
        if self.halted.load(Ordering::Relaxed) == 0 {
            self.obey(os);
        }
    }

    /// Halts until the vCPU is kicked and resumed. A kick that came earlier is still in the doorbell `bell`: then the halt
    /// returns at once. The doorbell is as in [`doorbell`](crate::doorbell).
    pub fn halt(&self, bell: &AtomicU32, os: &impl Os) {
        // Acquire, here and below: what the kicker did before its kick is seen after the halt that took it.
        if bell.swap(0, Ordering::Acquire) != 0 {
            return;
        }
        self.sleep(os);
        bell.swap(0, Ordering::Acquire);
    }

    /// Gives up the pCPU, and goes on when the hypervisor gives it back. A kick that waits in the doorbell stays there for the
    /// next halt.
    pub fn give_way(&self, os: &impl Os) {
        // Relaxed, here and below: only this thread writes it, and the store to `halted` that follows passes it on.
        self.yielding.store(1, Ordering::Relaxed);
        self.sleep(os);
        self.yielding.store(0, Ordering::Relaxed);
    }

    /// Waits for the first resume of a vCPU that [`hold`](Self::hold) keeps from running. It counts as halted and kicked.
    pub fn arrive(&self, bell: &AtomicU32, os: &impl Os) {
        // Relaxed: the fence in `sleep` comes before the hypervisor is told.
        bell.store(1, Ordering::Relaxed);
        self.sleep(os);
        bell.swap(0, Ordering::Acquire);
    }

    fn sleep(&self, os: &impl Os) {
        os.acknowledging(true);
        // Release: the hypervisor sees what was written in `acknowledging`.
        self.halted.store(1, Ordering::Release);
        // With the fences in `ask_to_pause` and `kick`: either they see that the vCPU has halted, or this vCPU sees the pause
        // below, and the hypervisor, which is told after this fence, sees the kick.
        fence(Ordering::SeqCst);
        os.halting();
        loop {
            let asked = self.asked.load(Ordering::Acquire);
            if is_pause(asked) {
                // A pause that came before the hypervisor saw the halt waits for its acknowledgement.
                self.acknowledge(asked, os);
            } else if asked != self.obeyed.load(Ordering::Relaxed) {
                // A resume that this vCPU has not obeyed: only the hypervisor ends a halt.
                break;
            }
            os.sleep(&self.asked, asked);
        }
        // Relaxed: the next pause is asked for only once the resume is acknowledged, which passes this store on.
        self.halted.store(0, Ordering::Relaxed);
        self.obey(os);
    }

    /// Kicks this vCPU, whose doorbell is `bell`, from another one. Returns whether the kicker must tell the hypervisor.
    #[must_use]
    pub fn kick(&self, bell: &AtomicU32) -> bool {
        // Release: what the kicker did is seen by the halt that takes the kick. Only the first of several kicks tells.
        if bell.swap(1, Ordering::Release) != 0 {
            return false;
        }
        // See `sleep`.
        fence(Ordering::SeqCst);
        self.halted.load(Ordering::Relaxed) != 0
    }
}

/// The hypervisor's side. One thread at a time may call these for a vCPU.
impl Pause {
    /// Keeps a vCPU off its pCPU from the start. Call before the vCPU's thread runs.
    pub fn hold(&self) {
        for word in [&self.asked, &self.obeyed, &self.halted] {
            word.store(1, Ordering::Relaxed);
        }
    }

    /// Where the vCPU stands.
    pub fn state(&self) -> State {
        let asked = self.asked.load(Ordering::Relaxed);
        // Acquire, and `obeyed` before `halted`: a vCPU that has obeyed its resume has left the halt before.
        let obeyed = self.obeyed.load(Ordering::Acquire) == asked;
        // Acquire: when it halted is known too.
        let halted = self.halted.load(Ordering::Acquire) != 0;
        match (is_pause(asked), obeyed, halted) {
            // Relaxed: `halted` passed it on, and the vCPU writes it again only after a resume.
            (false, true, true) | (true, _, true) => match self.yielding.load(Ordering::Relaxed) {
                0 => State::Halted,
                _ => State::Yielded,
            },
            (false, ..) => State::Running,
            (true, true, false) => State::Paused,
            (true, false, false) => State::PauseAsked,
        }
    }

    /// Whether the vCPU has followed the last wish.
    pub fn obeyed(&self) -> bool {
        self.obeyed.load(Ordering::Acquire) == self.asked.load(Ordering::Relaxed)
    }

    /// Asks a vCPU that has [obeyed](Self::obeyed) its resume to pause. Returns whether it must be interrupted; if not, it has
    /// halted or yielded, and so is off its pCPU already.
    pub fn ask_to_pause(&self) -> bool {
        debug_assert!(self.obeyed(), "the last wish was not obeyed yet");
        // Relaxed: a pause passes nothing on.
        self.asked.fetch_add(1, Ordering::Relaxed);
        // See `sleep`: a vCPU that is about to halt sees this pause, or is seen here.
        fence(Ordering::SeqCst);
        self.halted.load(Ordering::Relaxed) == 0
    }

    /// Resumes a vCPU that is [paused](State::Paused), [halted](State::Halted) or [yielded](State::Yielded). `wake` wakes whoever sleeps on the word.
    pub fn resume(&self, wake: impl FnOnce(&AtomicU32)) {
        debug_assert!(is_pause(self.asked.load(Ordering::Relaxed)), "the vCPU was not asked to pause");
        // Release: the vCPU sees what the hypervisor wrote while it was off.
        self.asked.fetch_add(1, Ordering::Release);
        wake(&self.asked);
    }

    /// The word that changes when the vCPU obeys, and its value now: to sleep on.
    pub fn to_wait_on(&self) -> (&AtomicU32, u32) {
        (&self.obeyed, self.obeyed.load(Ordering::Acquire))
    }

    /// Whether a kick waits in the doorbell `bell`. Ask for a halted vCPU, after having been told.
    pub fn kicked(bell: &AtomicU32) -> bool {
        // Relaxed: being told orders this load, see `sleep`.
        bell.load(Ordering::Relaxed) != 0
    }
}
