//! Machines that are hard to come by, written as hwloc XML.

use std::io::Write;

use crate::topology::{Machine, Source, load};

/// What to write: nodes are (number, bytes, kind, CPUs); CPUs are (package, core, number).
pub(crate) struct Made {
    pub(crate) name: &'static str,
    pub(crate) nodes: &'static [(u32, u64, &'static str, &'static [u32])],
    pub(crate) cpus: &'static [(u32, u32, u32)],
    pub(crate) absent: &'static [u32],
}

/// Two small packages with plain memory, and a memory expander that no CPU is near.
pub(crate) const EXPANDER: Made = Made {
    name: "a node without CPUs",
    nodes: &[(0, 1 << 30, "", &[0, 1]), (1, 1 << 30, "", &[2, 3]), (4, 1 << 34, "CXL", &[])],
    cpus: &[(0, 0, 0), (0, 1, 1), (1, 0, 2), (1, 1, 3)],
    absent: &[],
};

/// The second package has no memory bank fitted.
pub(crate) const BARE_PACKAGE: Made = Made {
    name: "CPUs without memory",
    nodes: &[(0, 1 << 30, "", &[0, 1])],
    cpus: &[(0, 0, 0), (0, 1, 1), (1, 0, 2), (1, 1, 3)],
    absent: &[],
};

/// Each package has plain and fast memory; the fast nodes come last.
pub(crate) const FAST_MEMORY: Made = Made {
    name: "two nodes for the same CPUs",
    nodes: &[
        (0, 1 << 36, "", &[0, 1]),
        (1, 1 << 36, "", &[2, 3]),
        (2, 1 << 34, "HBM", &[0, 1]),
        (3, 1 << 34, "HBM", &[2, 3]),
    ],
    cpus: &[(0, 0, 0), (0, 1, 1), (1, 0, 2), (1, 1, 3)],
    absent: &[],
};

/// Sparse numbers, beyond what a fixed mask of 1024 CPUs can name, and CPUs that are not there.
pub(crate) const HIGH: Made = Made {
    name: "CPU numbers above 1023",
    nodes: &[(2, 1 << 30, "", &[7, 1024]), (9, 1 << 30, "", &[1023, 4095])],
    cpus: &[(3, 40, 7), (3, 40, 1024), (11, 8, 1023), (11, 9, 4095)],
    absent: &[0, 2000],
};

/// Some cores with two hardware threads, some with one.
pub(crate) const HYBRID: Made = Made {
    name: "hybrid cores",
    nodes: &[(0, 1 << 33, "", &[0, 1, 2, 3, 4, 5])],
    cpus: &[(0, 0, 0), (0, 0, 1), (0, 1, 2), (0, 1, 3), (0, 2, 4), (0, 3, 5)],
    absent: &[],
};

pub(crate) fn all() -> Vec<Machine> {
    [EXPANDER, BARE_PACKAGE, FAST_MEMORY, HIGH, HYBRID].iter().map(Made::load).collect()
}

impl Made {
    pub(crate) fn load(&self) -> Machine {
        let mut file = tempfile::Builder::new().suffix(".xml").tempfile().unwrap();
        file.write_all(self.xml().as_bytes()).unwrap();
        let (mut machine, _) = load(&Source::File(file.path().to_owned())).unwrap();
        machine.source = self.name.to_owned();
        machine
    }

    fn xml(&self) -> String {
        let all: Vec<u32> = self.cpus.iter().map(|cpu| cpu.2).collect();
        let complete: Vec<u32> = all.iter().chain(self.absent).copied().collect();
        let nodes: Vec<u32> = self.nodes.iter().map(|node| node.0).collect();
        let mut xml = "<?xml version=\"1.0\"?>\n<topology version=\"2.0\">\n".to_owned();
        xml += &open("Machine", 0, &all, &complete, &nodes, 1);
        xml += &self.nodes_near(None);
        let mut packages: Vec<u32> = self.cpus.iter().map(|cpu| cpu.0).collect();
        packages.dedup();
        for package in packages {
            let inside: Vec<_> = self.cpus.iter().filter(|cpu| cpu.0 == package).collect();
            let cpus: Vec<u32> = inside.iter().map(|cpu| cpu.2).collect();
            let near: Vec<u32> =
                self.nodes.iter().filter(|node| node.3.contains(&cpus[0])).map(|node| node.0).collect();
            xml += &open("Package", package, &cpus, &cpus, &near, 10_000 + package);
            xml += &self.nodes_near(Some(&cpus));
            let mut cores: Vec<u32> = inside.iter().map(|cpu| cpu.1).collect();
            cores.dedup();
            for core in cores {
                let threads: Vec<u32> = inside.iter().filter(|cpu| cpu.1 == core).map(|cpu| cpu.2).collect();
                xml += &open("Core", core, &threads, &threads, &near, 20_000 + threads[0]);
                for thread in threads {
                    xml += &open("PU", thread, &[thread], &[thread], &near, 30_000 + thread);
                    xml += "</object>";
                }
                xml += "</object>\n";
            }
            xml += "</object>\n";
        }
        xml + "</object>\n</topology>\n"
    }

    /// The nodes whose CPUs are exactly these; without, those whose CPUs are no package's.
    fn nodes_near(&self, cpus: Option<&[u32]>) -> String {
        let of_package = |cpus: &[u32]| {
            let package = self.cpus.iter().find(|cpu| cpus.first() == Some(&cpu.2)).map(|cpu| cpu.0);
            let inside: Vec<u32> =
                self.cpus.iter().filter(|cpu| Some(cpu.0) == package).map(|cpu| cpu.2).collect();
            inside == cpus
        };
        let near = self.nodes.iter().filter(|node| match cpus {
            Some(cpus) => node.3 == cpus,
            None => node.3.is_empty() || !of_package(node.3),
        });
        near.map(|&(index, bytes, kind, cpus)| {
            let kind = if kind.is_empty() { String::new() } else { format!(" subtype=\"{kind}\"") };
            open("NUMANode", index, cpus, cpus, &[index], 40_000 + index)
                .replace('>', &format!(" local_memory=\"{bytes}\"{kind}></object>"))
        })
        .collect()
    }
}

fn open(kind: &str, index: u32, cpus: &[u32], complete: &[u32], nodes: &[u32], id: u32) -> String {
    let (cpus, complete, nodes) = (mask(cpus), mask(complete), mask(nodes));
    format!(
        "<object type=\"{kind}\" os_index=\"{index}\" cpuset=\"{cpus}\" complete_cpuset=\"{complete}\" \
         nodeset=\"{nodes}\" complete_nodeset=\"{nodes}\" gp_index=\"{id}\">\n"
    )
}

/// hwloc's way to write a set: words of 32 bits, the highest first.
fn mask(indices: &[u32]) -> String {
    let words = indices.iter().max().map_or(1, |most| most / 32 + 1);
    let word = |word: u32| {
        indices.iter().filter(|&&index| index / 32 == word).fold(0, |bits, index| bits | 1 << (index % 32))
    };
    let words: Vec<_> = (0..words).rev().map(|at| format!("0x{:08x}", word(at) as u32)).collect();
    words.join(",")
}
