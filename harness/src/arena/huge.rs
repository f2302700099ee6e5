//! Huge pages: an arena's memory from the kernel's pool of pages of 2 MiB, tried and looked at afterwards.
//!
//! They are those of hugetlbfs (the kernel's `Documentation/admin-guide/mm/hugetlbpage.rst`), which the kernel gives or refuses.
//! Transparent huge pages are no more than advice, and for shared memory most kernels do not take it.

use std::os::fd::OwnedFd;
use std::{fs, io};

use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use rustix::param::page_size;

use super::mapping::Mapping;
use crate::Refusal;

/// Bytes of a huge page: the size that x86-64 and most builds for aarch64 have.
pub const HUGE_PAGE: usize = 2 << 20;

const POOL: &str = "/sys/kernel/mm/hugepages/hugepages-2048kB";

/// An anonymous file of huge pages, whose length can be sealed.
pub(super) fn file() -> io::Result<OwnedFd> {
    let huge = MemfdFlags::HUGETLB | MemfdFlags::HUGE_2MB;
    let file = memfd_create("lockbench-arena", MemfdFlags::NOEXEC_SEAL | huge)
        .or_else(|_| memfd_create("lockbench-arena", MemfdFlags::ALLOW_SEALING | huge))?;
    Ok(file)
}

/// Whether huge pages can be had: one is taken, written to, looked at and given back. Says how many are free.
pub fn probe() -> Result<String, Refusal> {
    let free = free()?;
    if free == 0 {
        return Err(Refusal::passing(
            "the kernel's pool has no free huge page of 2 MiB; as root: sysctl vm.nr_hugepages=64".to_owned(),
        ));
    }
    let refused = |e: io::Error| Refusal::of("a huge page of the kernel's pool could not be taken", e);
    let file = file().map_err(refused)?;
    ftruncate(&file, HUGE_PAGE as u64).map_err(|e| refused(e.into()))?;
    let mapping = Mapping::new(file, HUGE_PAGE).map_err(refused)?;
    mapping.make_present(HUGE_PAGE).map_err(refused)?;
    verify(&mapping)?;
    Ok(format!("{free} of 2 MiB are free in the kernel's pool; one was taken and found to be huge"))
}

/// Why an arena of so many bytes was refused that asked for huge pages.
pub(super) fn too_few(bytes: usize) -> Refusal {
    let free = free().map_or_else(|refusal| refusal.reason, |free| format!("{free} are free"));
    Refusal::passing(format!(
        "the arena needs {} huge pages of 2 MiB, and {free}; as root: sysctl vm.nr_hugepages=N makes the pool larger",
        bytes.div_ceil(HUGE_PAGE)
    ))
}

/// How many huge pages of the pool are neither used nor promised to somebody.
fn free() -> Result<u64, Refusal> {
    let read = |name: &str| fs::read_to_string(format!("{POOL}/{name}")).ok()?.trim().parse::<u64>().ok();
    match (read("free_hugepages"), read("resv_hugepages")) {
        (Some(free), Some(promised)) => Ok(free.saturating_sub(promised)),
        _ if page_size() != 4096 => {
            Err("this kernel's usual pages are not of 4 KiB, and it has no huge pages of 2 MiB"
                .to_owned()
                .into())
        }
        _ => Err(format!("this kernel has no pool of huge pages of 2 MiB ({POOL} is missing)").into()),
    }
}

/// Looks whether a mapping, all pages of which are present, lies on huge pages: what the kernel says of it, not what was asked for.
pub(super) fn verify(mapping: &Mapping) -> Result<(), Refusal> {
    let maps = fs::read_to_string("/proc/self/smaps").map_err(|e| {
        Refusal::of("whether memory lies on huge pages cannot be found out (/proc/self/smaps)", e)
    })?;
    let (page_kib, huge_kib) = told(&maps, mapping.base().as_ptr().addr());
    let all_kib = mapping.len() as u64 / 1024;
    if page_kib == HUGE_PAGE as u64 / 1024 && huge_kib == all_kib {
        return Ok(());
    }
    Err(Refusal::passing(format!(
        "of {all_kib} KiB of memory that was asked for on huge pages {huge_kib} KiB lie there, on pages of {page_kib} KiB"
    )))
}

/// What smaps says of the mapping that begins at an address: KiB of one of its pages, and KiB of it that are present in huge pages.
fn told(maps: &str, start: usize) -> (u64, u64) {
    let begin = format!("{start:x}-");
    let mut lines = maps.lines().skip_while(|line| !line.starts_with(&begin)).skip(1);
    let (mut page_kib, mut huge_kib) = (0, 0);
    // The next mapping's head has no colon behind its first word.
    for line in lines.by_ref() {
        let Some((name, rest)) = line.split_once(':').filter(|(name, _)| !name.contains([' ', '-'])) else {
            break;
        };
        let kib = || rest.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0);
        match name {
            "KernelPageSize" => page_kib = kib(),
            "Shared_Hugetlb" | "Private_Hugetlb" => huge_kib += kib(),
            _ => {}
        }
    }
    (page_kib, huge_kib)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two mappings as Linux 6.18 tells of them, shortened.
    const MAPS: &str = "\
7f0000000000-7f0000a00000 rw-s 00000000 00:11 5 /memfd:lockbench-arena (deleted)
Size:              10240 kB
KernelPageSize:     2048 kB
MMUPageSize:        2048 kB
Rss:                   0 kB
Shared_Hugetlb:     2048 kB
Private_Hugetlb:    8192 kB
VmFlags: rd wr sh mr mw me ms de ht
7f0001000000-7f0001a00000 rw-s 00000000 00:01 6 /memfd:lockbench-arena (deleted)
Size:              10240 kB
KernelPageSize:        4 kB
Shared_Hugetlb:        0 kB
";

    #[test]
    fn what_the_kernel_says_of_one_mapping_is_not_that_of_the_next() {
        assert_eq!(told(MAPS, 0x7f00_0000_0000), (2048, 10_240));
        assert_eq!(told(MAPS, 0x7f00_0100_0000), (4, 0));
        assert_eq!(told(MAPS, 0x7f00_0000_1000), (0, 0), "no mapping begins there");
    }

    #[test]
    fn memory_on_small_pages_is_not_taken_for_huge_pages() {
        let file = memfd_create("lockbench-test", MemfdFlags::CLOEXEC).unwrap();
        ftruncate(&file, HUGE_PAGE as u64).unwrap();
        let mapping = Mapping::new(file, HUGE_PAGE).unwrap();
        mapping.make_present(page_size()).unwrap();
        let said = verify(&mapping).unwrap_err();
        assert!(
            said.reason.contains(&format!("0 KiB lie there, on pages of {} KiB", page_size() / 1024)),
            "{said}"
        );
    }

    /// On a machine with a pool this takes a page and says so; elsewhere the reason names what is missing.
    #[test]
    fn a_probe_finds_huge_pages_or_says_what_is_missing() {
        match probe() {
            Ok(found) => assert!(found.contains("found to be huge"), "{found}"),
            Err(missing) => assert!(missing.reason.contains("huge page"), "{missing}"),
        }
    }
}
