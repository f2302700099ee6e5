//! Binds memory to NUMA nodes, and finds out where each page lies.

use std::{collections::BTreeMap, fmt, io, ptr};

use hwlocality::{
    Topology,
    bitmap::BitmapIndex,
    memory::{
        binding::{MemoryBindingFlags, MemoryBindingPolicy},
        nodeset::NodeSet,
    },
};
use rustix::param::page_size;

use super::{Binder, CpuList, NodeIndex, Outcome, Via};

/// Where a page lies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Page {
    /// On this node.
    On(NodeIndex),
    /// Not in memory: not touched by this process, or swapped out.
    Absent,
    /// The kernel would not say.
    Unknown,
}

/// Where the pages of an area lie, in their order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Residence(pub Vec<Page>);

impl Residence {
    /// Pages on each node.
    pub fn nodes(&self) -> BTreeMap<NodeIndex, usize> {
        let mut nodes = BTreeMap::new();
        for page in &self.0 {
            if let Page::On(node) = page {
                *nodes.entry(*node).or_default() += 1;
            }
        }
        nodes
    }

    /// Pages that are not in memory.
    pub fn absent(&self) -> usize {
        self.0.iter().filter(|page| **page == Page::Absent).count()
    }

    /// Pages of which the kernel would not say.
    pub fn unknown(&self) -> usize {
        self.0.iter().filter(|page| **page == Page::Unknown).count()
    }

    /// Whether every page that is in memory lies on one of `nodes`, and the kernel told of all.
    pub fn is_within(&self, nodes: &[NodeIndex]) -> bool {
        self.0.iter().all(|page| match page {
            Page::On(node) => nodes.contains(node),
            Page::Absent => true,
            Page::Unknown => false,
        })
    }
}

impl fmt::Display for Residence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pages = |n: usize| if n == 1 { "1 page".to_owned() } else { format!("{n} pages") };
        let nodes = self.nodes().into_iter().map(|(node, n)| format!("node {node} ({})", pages(n)));
        let others = [("nowhere yet", self.absent()), ("unknown", self.unknown())];
        let others = others.into_iter().filter(|(_, n)| *n > 0);
        let parts: Vec<String> =
            nodes.chain(others.map(|(what, n)| format!("{what} ({})", pages(n)))).collect();
        f.write_str(&parts.join(", "))
    }
}

/// "node 0" or "nodes 0-3".
pub struct Nodes<'a>(pub &'a [NodeIndex]);

impl fmt::Display for Nodes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list: CpuList = self.0.iter().map(|node| node.0).collect();
        write!(f, "node{} {list}", if self.0.len() == 1 { "" } else { "s" })
    }
}

impl Binder {
    /// Binds an area strictly to one node, or interleaves it over several. The area is widened to whole pages.
    ///
    /// Bind before anybody touches the memory: pages already in memory stay where they are, and one that lies elsewhere
    /// makes the binding `Failed`. For a shared mapping the policy belongs to the file, so it holds too for pages that
    /// another process touches first. Pages still to be touched cannot be checked now: ask [`Binder::locate`] then.
    ///
    /// Nothing is read or written, so memory that others change is best passed as a slice of atomics.
    pub fn bind_memory<T: ?Sized>(&self, area: &T, nodes: &[NodeIndex]) -> Outcome {
        let topology = match self.topology() {
            Ok(topology) => topology,
            Err(refusal) => return refusal,
        };
        if nodes.is_empty() || size_of_val(area) == 0 {
            return Outcome::Failed("there is no memory to bind, or no node to bind it to".to_owned());
        }
        let tried = by_hwloc(topology, area, nodes);
        let only = only_node(topology);
        match (tried, self.locate(area)) {
            (Ok(()), Ok(residence)) if residence.is_within(nodes) => Outcome::Bound(Via::Hwloc),
            (Ok(()), Ok(residence)) => {
                Outcome::Failed(format!("memory was bound to {} yet lies on {residence}", Nodes(nodes)))
            }
            // Without NUMA in the kernel there is no call to bind or to ask, and no need for either.
            _ if only.is_some_and(|only| nodes == [only]) => Outcome::Bound(Via::OnlyNode),
            (Ok(()), Err(error)) => {
                Outcome::Failed(format!("memory was bound, but where it lies cannot be checked: {error}"))
            }
            (Err(why), _) => why,
        }
    }

    /// Whether this machine has one NUMA node only that this process may use.
    pub fn has_one_node(&self) -> bool {
        self.topology().is_ok_and(|topology| only_node(topology).is_some())
    }

    /// Where each page of an area lies, as seen from this process.
    pub fn locate<T: ?Sized>(&self, area: &T) -> io::Result<Residence> {
        let page = page_size();
        let start = ptr::from_ref(area).cast::<u8>().addr();
        let pages: Vec<usize> = (start & !(page - 1)..start + size_of_val(area)).step_by(page).collect();
        let mut residence = Residence(Vec::with_capacity(pages.len()));
        for pages in pages.chunks(1024) {
            let mut status: Vec<libc::c_int> = vec![0; pages.len()];
            let nowhere: *const libc::c_int = ptr::null();
            // SAFETY: without target nodes the call only reports. It reads `pages.len()` addresses, which it takes as
            // numbers and never follows, and writes as many statuses.
            let answer = unsafe {
                libc::syscall(
                    libc::SYS_move_pages,
                    0,
                    pages.len(),
                    pages.as_ptr(),
                    nowhere,
                    status.as_mut_ptr(),
                    0,
                )
            };
            if answer < 0 {
                return Err(io::Error::last_os_error());
            }
            residence.0.extend(status.into_iter().map(|status| match u32::try_from(status) {
                Ok(node) => Page::On(NodeIndex(node)),
                // EFAULT is also what the shared page of zeroes answers, which a mere read maps.
                Err(_) if [-libc::ENOENT, -libc::EFAULT].contains(&status) => Page::Absent,
                Err(_) => Page::Unknown,
            }));
        }
        Ok(residence)
    }
}

fn by_hwloc<T: ?Sized>(topology: &Topology, area: &T, nodes: &[NodeIndex]) -> Result<(), Outcome> {
    let support = topology.feature_support().memory_binding();
    let policy = if nodes.len() == 1 { MemoryBindingPolicy::Bind } else { MemoryBindingPolicy::Interleave };
    let able = support.is_some_and(|support| {
        support.set_area()
            && if nodes.len() == 1 { support.bind_policy() } else { support.interleave_policy() }
    });
    if !able {
        return Err(Outcome::Unsupported("hwloc cannot bind memory here".to_owned()));
    }
    let failed = |why: String| Outcome::Failed(format!("memory cannot be bound to {}: {why}", Nodes(nodes)));
    let mut set = NodeSet::new();
    for node in nodes {
        let index = BitmapIndex::try_from(node.0 as usize);
        set.set(index.map_err(|_| failed("no such node".to_owned()))?);
    }
    // No MIGRATE: hwlocality refuses it for an area.
    let flags = MemoryBindingFlags::STRICT;
    topology.bind_memory_area(area, &set, policy, flags).map_err(|error| failed(error.to_string()))
}

/// The machine's node, if it has but one that this process may use.
fn only_node(topology: &Topology) -> Option<NodeIndex> {
    let nodes = topology.allowed_nodeset();
    let mut nodes = nodes.iter_set();
    match (nodes.next(), nodes.next()) {
        (Some(only), None) => Some(NodeIndex(usize::from(only) as u32)),
        _ => None,
    }
}
