//! Makes holes behind sections that touch pages, so that the next section finds a page that is not there.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::{Builder, JoinHandle, sleep};
use std::time::Duration;

use crate::Refusal;
use crate::arena::Memory;

/// Time between two looks for pages that were touched.
const REST: Duration = Duration::from_micros(50);
/// Holes are made for this part of the pages at a time.
const BATCH: u64 = 16;

/// A thread of the parent's that makes holes. Sections never wait for it.
pub(super) struct Digger {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Digger {
    /// Makes the first holes, and starts the thread; none where sections touch no pages. Call before the vCPUs run.
    pub(super) fn start(memory: &Arc<Memory>) -> Result<Option<Self>, Refusal> {
        if memory.plan().touched == 0 {
            return Ok(None);
        }
        let mut made =
            dig(memory, 0).map_err(|e| Refusal::of("pages cannot be taken out of shared memory here", e))?;
        let stop = Arc::new(AtomicBool::new(false));
        let thread = {
            let (memory, stop) = (memory.clone(), stop.clone());
            move || {
                while !stop.load(Relaxed) {
                    match dig(&memory, made) {
                        Ok(more) => made = more,
                        // What worked once fails only where memory is short. Sections then find pages that are there, and count them.
                        Err(_) => return,
                    }
                    sleep(REST);
                }
            }
        };
        let thread = Builder::new()
            .name("holes".into())
            .spawn(thread)
            .map_err(|e| Refusal::of("the thread that makes holes could not be started", e))?;
        Ok(Some(Self { stop, thread: Some(thread) }))
    }
}

impl Drop for Digger {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            // It does not panic; and if it did, the window's count of pages would say what is missing.
            let _ = thread.join();
        }
    }
}

/// Makes holes of the pages that were touched, if there are enough of them, and tells how many were made by now. The page that was
/// touched last stays, for sections that find no hole.
fn dig(memory: &Memory, made: u64) -> io::Result<u64> {
    let plan = memory.plan();
    let pages = plan.touched as u64;
    // The lock under test may have stored anything there: no more is believed than that all pages were touched.
    let taken = memory.data().fresh.load(Relaxed);
    let due = due(made, taken, pages, (plan.memory_page / plan.page) as u64);
    if due == made {
        return Ok(made);
    }
    let first = made % pages;
    let behind = first + (due - made);
    memory.punch(bytes(memory, first..behind.min(pages)))?;
    if behind > pages {
        memory.punch(bytes(memory, 0..behind - pages))?;
    }
    // Relaxed: a section that sees the hole late touches another page. Nothing of the page is read.
    memory.holes().made.store(due, Relaxed);
    Ok(due)
}

/// How many holes there should be of `pages` pages once `taken` were touched, when `made` were made by now. A hole is a page of the
/// memory, which has `of_a_hole` of the pages that sections touch: a huge page has many.
fn due(made: u64, taken: u64, pages: u64, of_a_hole: u64) -> u64 {
    let due = taken.saturating_add(pages - 1).min(made + pages);
    let due = due - due % of_a_hole;
    if due < made + pages / BATCH { made } else { due }
}

fn bytes(memory: &Memory, pages: Range<u64>) -> Range<usize> {
    let plan = memory.plan();
    let at = |page: u64| plan.layout.touched + page as usize * plan.page;
    at(pages.start)..at(pages.end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lockbench_workloads::arena::Extent;
    use std::os::linux::fs::MetadataExt;

    const PAGES: usize = 64;

    fn memory() -> Memory {
        Memory::empty(&Extent { touched: PAGES, ..Extent::plain(1, rustix::param::page_size()) })
    }

    #[test]
    fn holes_in_huge_pages_are_whole_ones_and_that_of_the_last_touch_stays() {
        assert_eq!(due(0, 0, 2048, 512), 1536, "the last page counts as touched last");
        assert_eq!(due(1536, 1, 2048, 512), 2048, "the first one is touched, so the last may go");
        assert_eq!(due(2048, 512, 2048, 512), 2048, "the first one was touched last");
        assert_eq!(due(2048, 513, 2048, 512), 2560, "the second one is touched, so the first may go");
        assert_eq!(due(2048, u64::MAX, 2048, 512), 4096, "a wild store makes no more of it than one round");
        assert_eq!(due(2047, 127, 2048, 1), 2047, "small pages go in batches");
    }

    /// How many pages the arena's file has.
    fn present(memory: &Memory) -> usize {
        let file = std::fs::File::from(memory.fd().try_clone_to_owned().unwrap());
        file.metadata().unwrap().st_blocks() as usize * 512 / rustix::param::page_size()
    }

    #[test]
    fn holes_are_made_of_pages_that_were_touched_and_the_last_one_stays() {
        let memory = memory();
        let all = present(&memory);
        let pages = PAGES as u64;
        let made = dig(&memory, 0).unwrap();
        assert_eq!((made, present(&memory)), (pages - 1, all + 1 - PAGES));
        assert_eq!(memory.holes().made.load(Relaxed), made);
        // Nothing was touched, and then too little.
        assert_eq!(dig(&memory, made).unwrap(), made);
        memory.data().fresh.store(3, Relaxed);
        assert_eq!(dig(&memory, made).unwrap(), made);
        // Ten pages are touched, and become holes but for the last.
        for word in memory.words()[bytes(&memory, 0..10).start / 8..bytes(&memory, 0..10).end / 8].iter() {
            word.store(7, Relaxed);
        }
        memory.data().fresh.store(10, Relaxed);
        assert_eq!(present(&memory), all + 1 - PAGES + 10);
        let more = dig(&memory, made).unwrap();
        assert_eq!((more, present(&memory)), (made + 10, all + 1 - PAGES));
        assert_eq!(memory.words()[bytes(&memory, 9..10).start / 8].load(Relaxed), 7, "the last one stays");
        // A lock that stores where it should not makes no more of it than one round.
        memory.data().fresh.store(u64::MAX, Relaxed);
        assert_eq!(dig(&memory, more).unwrap(), more + pages);
    }
}
