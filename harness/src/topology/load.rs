//! Loads a topology from any source.

use std::{collections::HashSet, fmt, fs::File, io::Read, path::Path};

use hwlocality::{
    Topology,
    errors::RawHwlocError,
    topology::builder::{BuildFlags, TopologyBuilder},
};
use lockbench_reports::plain;

use super::{
    Binder, Error, Machine, Source, extract,
    isolate::{hwloc_is_mine, isolated},
    limits::Limits,
    pin,
};
use crate::Refusal;

/// Environment variables that make hwloc describe another machine than this one; with the last it claims that it is this one.
const OVERRIDES: [&str; 6] = [
    "HWLOC_XMLFILE",
    "HWLOC_SYNTHETIC",
    "HWLOC_FSROOT",
    "HWLOC_CPUID_PATH",
    "HWLOC_DUMPED_HWDATA_DIR",
    "HWLOC_THISSYSTEM",
];

/// Loads a topology: the machine as plain data, and what binds to it.
///
/// Of this machine only the CPUs that the calling thread may run on (cgroup and `taskset`) are kept. Load before
/// pinning the thread, or only its one CPU remains. While hwloc looks around, it may move the thread for a moment.
pub fn load(source: &Source) -> Result<(Machine, Binder), Error> {
    match source {
        Source::ThisMachine => this_machine(),
        Source::File(path) => Ok((file(path)?, Binder::foreign())),
        Source::Synthetic(text) => Ok((synthetic(text)?, Binder::foreign())),
    }
}

fn this_machine() -> Result<(Machine, Binder), Error> {
    if let Some(name) = OVERRIDES.into_iter().find(|name| std::env::var_os(name).is_some()) {
        let elsewhere = || {
            discover(format!("another machine ({name} is set)"), BuildFlags::empty())
                .map(|(machine, _)| machine)
        };
        let machine =
            isolated(elsewhere).map_err(|why| Error::Discovery(format!("{name} is set, and {why}")))?;
        return Ok((machine, Binder::foreign()));
    }
    // Where the kernel does not answer this, hwloc asks for ever.
    let mask = pin::affinity(0).map_err(|e| Error::Untold(plain::words(&e)))?;
    let undiscovered = |why: Refusal| Error::Discovery(why.reason);
    // Whatever else may make it stay for ever, or crash: it is tried on somebody else first.
    let tried = || discover(String::new(), BuildFlags::INCLUDE_DISALLOWED).map(drop);
    isolated(tried).map_err(undiscovered)?;
    let guard = hwloc_is_mine();
    // What is not allowed has to be known to be named.
    let (mut machine, topology) =
        discover(Source::ThisMachine.to_string(), BuildFlags::INCLUDE_DISALLOWED).map_err(undiscovered)?;
    drop(guard);
    if !topology.is_this_system() {
        machine.source = "another machine (hwloc was told to look elsewhere)".to_owned();
        return Ok((machine, Binder::foreign()));
    }
    machine.is_this_system = true;
    // Not hwloc's own restriction: it gives up silently when the process's threads have different masks.
    let (_, nodes) = extract::allowed(&topology);
    let mut limits = Limits::of_this_thread(Some(mask), &machine.cpus());
    limits.nodes = limits.nodes.or(Some(nodes));
    Ok((machine.within(&limits)?, Binder::to(topology)))
}

fn discover(source: String, flags: BuildFlags) -> Result<(Machine, Topology), Refusal> {
    let builder = TopologyBuilder::new().with_flags(flags).map_err(|error| error.to_string())?;
    let topology = builder.build().map_err(|error| Plainly(&error).to_string())?;
    Ok((sound(extract::machine(&topology, source))?, topology))
}

fn file(path: &Path) -> Result<Machine, Error> {
    /// A hundred times what the largest machines need, for /dev/zero is a file too.
    const MOST: u64 = 64 << 20;
    let unreadable =
        |error: std::io::Error| Error::Unreadable { path: path.to_owned(), reason: plain::words(&error) };
    let bad = |reason: String| Error::BadXml { path: path.to_owned(), reason };
    // hwlocality can do this itself, but panics where there is no file.
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(MOST + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > MOST {
        return Err(bad(format!("it is longer than {MOST} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|_| bad("it is not text".to_owned()))?;
    // hwloc would merely call these invalid.
    if text.trim().is_empty() {
        return Err(bad("it is empty".to_owned()));
    }
    if !text.contains("<topology") {
        return Err(bad("it has no <topology> element".to_owned()));
    }
    if !text.contains("</topology>") {
        return Err(bad("it is cut short, for </topology> is missing".to_owned()));
    }
    let load = || {
        let builder = TopologyBuilder::new().from_xml(&text).map_err(|_| "hwloc cannot read it")?;
        let topology = builder.build().map_err(|error| Plainly(&error).to_string())?;
        sound(extract::machine(&topology, path.display().to_string()))
    };
    isolated(load).map_err(|why| bad(why.reason))
}

fn synthetic(text: &str) -> Result<Machine, Error> {
    let bad = |reason: String| Error::BadSynthetic { text: text.to_owned(), reason };
    if text.trim().is_empty() {
        return Err(bad("it is empty".to_owned()));
    }
    // hwloc would build whatever is asked for, until the memory is full.
    const MOST: u64 = 1 << 16;
    let counts = text.split([' ', '\t', ':']).filter_map(|word| {
        let digits = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
        word[..digits].parse::<u64>().ok()
    });
    if counts.fold(1, u64::saturating_mul) > MOST {
        return Err(bad(format!("it describes more than {MOST} CPUs")));
    }
    let load = || {
        let builder =
            TopologyBuilder::new().from_synthetic(text).map_err(|_| "hwloc does not understand it")?;
        let topology = builder.build().map_err(|error| Plainly(&error).to_string())?;
        sound(extract::machine(&topology, format!("synthetic {text}")))
    };
    isolated(load).map_err(|why| bad(why.reason))
}

/// A machine that placements can work with. hwloc checks its tree in debug builds only.
fn sound(machine: Machine) -> Result<Machine, Refusal> {
    let mut seen = HashSet::new();
    if let Some(twice) = machine.pus.iter().find(|pu| !seen.insert(pu.os_index)) {
        return Err(format!("two CPUs have the number {}", twice.os_index).into());
    }
    match (machine.pus.is_empty(), machine.nodes.is_empty()) {
        (true, _) => Err("it has no CPU".into()),
        (_, true) => Err("it has no NUMA node".into()),
        _ => Ok(machine),
    }
}

/// hwloc's error without its insides.
struct Plainly<'a>(&'a RawHwlocError);

impl fmt::Display for Plainly<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.errno {
            Some(errno) => write!(f, "hwloc cannot load it ({errno})"),
            None => f.write_str("hwloc cannot load it"),
        }
    }
}
