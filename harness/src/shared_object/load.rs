//! Loads a lock into this process: a cell's process, or one that only looks.

use std::ffi::{CStr, CString, c_int, c_void};
use std::ops::Range;
use std::path::Path;
use std::sync::OnceLock;

use lockbench_reports::format::printable;
use lockbench_reports::plain;
use lockbench_workloads::shared_object::Functions;
use sha2::{Digest, Sha256};

use super::abi::{self, Descriptor};
use super::{Described, Origin, SharedLock, changed, elf};
use crate::input;

/// Largest file that is taken for a shared object.
const LARGEST: u64 = 1 << 30;

/// A lock that was loaded, and the object that it is in, which stays loaded.
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "only guests ask where it lies"))]
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) origin: Origin,
    pub(crate) described: Described,
    pub(crate) functions: Functions,
    /// How far the object was moved from the addresses that it was linked at.
    pub(crate) moved: usize,
    /// The addresses between its first segment's beginning and its last one's end.
    pub(crate) extent: Range<usize>,
}

impl Loaded {
    /// The lock for a registry; the process ends with its cell.
    pub(crate) fn as_shared(&self) -> &'static [SharedLock] {
        Vec::leak(vec![SharedLock::new(&self.described, self.origin.clone())])
    }
}

/// The lock that this process has loaded to measure it.
static LOADED: OnceLock<Loaded> = OnceLock::new();

/// The lock that this process has loaded to measure it, if its lock is one of a shared object.
#[cfg(target_arch = "x86_64")]
pub(crate) fn loaded() -> Option<&'static Loaded> {
    LOADED.get()
}

/// Loads the lock that this process measures. An error is a sentence.
pub(crate) fn load(origin: &Origin) -> Result<&'static Loaded, String> {
    let (bytes, sha256) = content(&origin.path)?;
    if sha256 != origin.sha256 {
        return Err(changed(&origin.path));
    }
    drop(bytes);
    let handle = open(&origin.path)?;
    let found = find(&handle, &origin.path, &origin.symbol)?;
    let (moved, extent) = segments(found.at as usize)
        .ok_or_else(|| format!("no loaded object holds the lock of {}", printable(&origin.path)))?;
    let Found { described, functions, .. } = found;
    Ok(LOADED.get_or_init(|| Loaded { origin: origin.clone(), described, functions, moved, extent }))
}

/// A file's content and its hash.
pub(super) fn content(path: &str) -> Result<(Vec<u8>, String), String> {
    let bytes = input::read(Path::new(path), LARGEST)
        .map_err(|e| format!("{} cannot be read: {}", printable(path), plain::words(&e)))?;
    let hash = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((bytes, hash))
}

/// A loaded object; it is never unloaded.
pub(super) struct Handle(*mut c_void);

/// Loads an object with all its symbols bound, so that nothing is looked up once a lock is called.
pub(super) fn open(path: &str) -> Result<Handle, String> {
    let shown = printable(path);
    let file = CString::new(path).map_err(|_| format!("{shown} is no path"))?;
    // SAFETY: a C string. The object's constructors run here, and may do anything: that is why no process does this but those that may
    // crash.
    let handle = unsafe { libc::dlopen(file.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    if handle.is_null() {
        let said = said();
        let said =
            said.strip_prefix(&shown).map_or(said.as_str(), |said| said.trim_start_matches([':', ' ']));
        return Err(format!("{shown} cannot be loaded: {said}"));
    }
    Ok(Handle(handle))
}

/// What the loader says went wrong.
fn said() -> String {
    // SAFETY: the text is the loader's, and valid until the next call into the loader, by this thread.
    let said = unsafe { libc::dlerror() };
    if said.is_null() {
        return "the loader does not say why".into();
    }
    // SAFETY: as above.
    printable(&unsafe { CStr::from_ptr(said) }.to_string_lossy())
}

/// A lock of a loaded object.
pub(super) struct Found {
    at: *const Descriptor,
    pub(super) described: Described,
    pub(super) functions: Functions,
}

/// Reads the lock behind a symbol that [`elf::locks`] has found.
pub(super) fn find(handle: &Handle, path: &str, symbol: &str) -> Result<Found, String> {
    let name = CString::new(symbol).map_err(|_| "a symbol with a zero byte".to_owned())?;
    // SAFETY: a handle of `dlopen`, and a C string.
    let at = unsafe { libc::dlsym(handle.0, name.as_ptr()) }.cast::<Descriptor>().cast_const();
    if at.is_null() {
        return Err(format!("{} has no symbol {symbol}", printable(path)));
    }
    let called = elf::suffix(symbol).or(Path::new(path).file_stem().and_then(|stem| stem.to_str()));
    // SAFETY: the symbol is data of at least a descriptor's size, as `elf::locks` has seen in this very content.
    let read = unsafe { abi::read(at, called.unwrap_or("?")) };
    let (described, functions) =
        read.map_err(|why| format!("the lock {symbol} of {} {why}", printable(path)))?;
    Ok(Found { at, described, functions })
}

/// How far the object that holds an address was moved, and its extent.
fn segments(address: usize) -> Option<(usize, Range<usize>)> {
    struct Search {
        address: usize,
        found: Option<(usize, Range<usize>)>,
    }

    unsafe extern "C" fn look(info: *mut libc::dl_phdr_info, _: usize, search: *mut c_void) -> c_int {
        // SAFETY: the loader passes its description of an object, and the search that it was given, which nobody else uses meanwhile.
        let (info, search) = unsafe { (&*info, &mut *search.cast::<Search>()) };
        if info.dlpi_phdr.is_null() {
            return 0;
        }
        // SAFETY: the loader says that so many headers lie there.
        let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
        let moved = info.dlpi_addr as usize;
        let loads = headers.iter().filter(|header| header.p_type == libc::PT_LOAD).map(|header| {
            let start = moved.wrapping_add(header.p_vaddr as usize);
            start..start.wrapping_add(header.p_memsz as usize)
        });
        let extent = loads.reduce(|a, b| a.start.min(b.start)..a.end.max(b.end));
        search.found = extent.filter(|extent| extent.contains(&search.address)).map(|extent| (moved, extent));
        search.found.is_some().into()
    }

    let mut search = Search { address, found: None };
    // SAFETY: the callback takes what the loader passes and this search, which outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut search).cast()) };
    search.found
}

#[cfg(test)]
mod tests {
    use lockbench_workloads::shared_object::Seat;

    use super::*;

    #[test]
    fn a_file_that_is_another_by_now_is_not_loaded() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.so");
        std::fs::write(&path, "no object").unwrap();
        let path = path.to_str().unwrap();
        let (_, sha256) = content(path).unwrap();
        let origin = |sha256: &str| Origin {
            path: path.into(),
            symbol: "lockbench_lock".into(),
            sha256: sha256.into(),
        };
        let said = load(&origin(&sha256.replace(['0', '1'], "2"))).unwrap_err();
        assert!(said.contains("is not the file any more"), "{said}");
        let said = load(&origin(&sha256)).unwrap_err();
        assert!(said.contains("cannot be loaded: "), "{said}");
    }

    /// A lock whose `try_acquire` is written as the header says, and that tells which arguments it was given.
    const TRIED: &str = r#"
#include "lockbench.h"
static void acquire(void *lock, struct lockbench_vcpu *me) { (void)me; *(uint32_t *)lock = 1; }
static void release(void *lock, struct lockbench_vcpu *me) { (void)me; *(uint32_t *)lock = 0; }
static bool try_acquire(void *lock, struct lockbench_vcpu *me)
{
    uint32_t *word = lock;
    if (*word != 0 || me->number != 0)
        return false;
    *word = 1;
    return true;
}
LOCKBENCH_LOCK(tried) = { .abi = LOCKBENCH_ABI, .size = 4, .acquire = acquire, .release = release, .try_acquire = try_acquire };
"#;

    #[test]
    fn a_lock_in_c_is_tried_as_its_header_says() {
        let dir = tempfile::tempdir().unwrap();
        let [source, object] = ["tried.c", "tried.so"].map(|name| dir.path().join(name));
        std::fs::write(&source, TRIED).unwrap();
        std::fs::write(dir.path().join("lockbench.h"), super::super::HEADER).unwrap();
        let compiled = std::process::Command::new("cc")
            .args(["-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o"])
            .args([&object, &source])
            .status();
        assert!(compiled.unwrap().success());
        let path = object.to_str().unwrap();
        let found = find(&open(path).unwrap(), path, "lockbench_lock_tried").unwrap();
        let Functions { acquire, release, try_acquire, .. } = found.functions;
        let (mut word, seat) = (0_u32, Seat::default());
        let lock = (&raw mut word).cast();
        // SAFETY: the lock's memory is a word of four bytes, zeros are a free lock, and this thread alone uses it.
        unsafe {
            let tried = || try_acquire.unwrap()(lock, &raw const seat) != 0;
            assert!(tried() && !tried(), "it is free, and then taken");
            release(lock, &raw const seat);
            acquire(lock, &raw const seat);
            assert!(!tried());
            release(lock, &raw const seat);
            assert!(tried());
        }
    }

    #[test]
    fn an_address_is_found_in_the_object_that_holds_it() {
        let here = segments as *const () as usize;
        let (_, extent) = segments(here).unwrap();
        assert!(extent.contains(&here));
        let other = libc::getpid as *const () as usize;
        let (_, theirs) = segments(other).unwrap();
        assert!(theirs.contains(&other) && !theirs.contains(&here) && !extent.contains(&other));
        assert_eq!(segments(8), None);
    }
}
