//! Loading a topology, whatever it comes from.

use std::path::Path;

use hwlocality::{Topology, topology::builder::TopologyBuilder};

use super::{Binder, CpuList, Error, Machine, Source, extract, pin, xml};

/// Any of these makes hwloc look elsewhere than at this machine, and `HWLOC_THISSYSTEM` makes it lie about that.
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
/// pinning the thread, or only its one CPU remains.
pub fn load(source: &Source) -> Result<(Machine, Binder), Error> {
    match source {
        Source::ThisMachine => this_machine(),
        Source::File(path) => finish(file(path)?, source.to_string(), false),
        Source::Synthetic(text) => finish(synthetic(text)?, format!("synthetic {text}"), false),
    }
}

fn this_machine() -> Result<(Machine, Binder), Error> {
    let topology = TopologyBuilder::new().build().map_err(|error| Error::Discovery(error.to_string()))?;
    let overridden = OVERRIDES.into_iter().find(|name| std::env::var_os(name).is_some());
    let here = topology.is_this_system() && overridden.is_none();
    if !here {
        let source = overridden
            .map_or("another machine".to_owned(), |name| format!("another machine ({name} is set)"));
        return finish(topology, source, false);
    }
    let (machine, binder) = finish(topology, Source::ThisMachine.to_string(), true)?;
    // Not hwloc's own restriction: it gives up silently when the process's threads have different masks.
    let mut machine = match pin::allowed_cpus() {
        Some(allowed) => machine.limited_to(&allowed)?,
        None => machine,
    };
    let offline = std::fs::read_to_string("/sys/devices/system/cpu/offline").ok();
    let offline: Option<CpuList> = offline.and_then(|list| list.trim().parse().ok());
    // Linux lists as offline also what could be plugged in one day; hwloc knows what is there.
    machine.offline = machine
        .unavailable
        .iter()
        .filter(|&cpu| offline.as_ref().is_some_and(|offline| offline.contains(cpu)))
        .collect();
    Ok((machine, binder))
}

fn file(path: &Path) -> Result<Topology, Error> {
    let unreadable = |reason: String| Error::Unreadable { path: path.to_owned(), reason };
    let bad = |reason: String| Error::BadXml { path: path.to_owned(), reason };
    let bytes = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| bad("it is not text".to_owned()))?;
    xml::check(&text).map_err(bad)?;
    let builder = TopologyBuilder::new().from_xml(&text).map_err(|error| bad(error.to_string()))?;
    builder.build().map_err(|error| bad(error.to_string()))
}

fn synthetic(text: &str) -> Result<Topology, Error> {
    let bad = |reason: &str| Error::BadSynthetic { text: text.to_owned(), reason: reason.to_owned() };
    if text.trim().is_empty() {
        return Err(bad("it is empty"));
    }
    // hwloc would build whatever is asked for, until the memory is full.
    const MOST: u64 = 1 << 16;
    let levels = text.split(|c: char| c.is_whitespace() || c == ':' || c == '(' || c == '[');
    let cpus = levels.filter_map(|word| word.parse::<u64>().ok()).fold(1u64, u64::saturating_mul);
    if cpus > MOST {
        return Err(bad("it describes more than 65536 objects"));
    }
    let builder =
        TopologyBuilder::new().from_synthetic(text).map_err(|_| bad("hwloc does not understand it"))?;
    builder.build().map_err(|_| bad("hwloc cannot build it"))
}

fn finish(topology: Topology, source: String, is_this_system: bool) -> Result<(Machine, Binder), Error> {
    let machine = extract::machine(&topology, source, is_this_system);
    if machine.pus.is_empty() || machine.nodes.is_empty() {
        return Err(Error::NoCpu);
    }
    Ok((machine, Binder::new(topology, is_this_system)))
}
