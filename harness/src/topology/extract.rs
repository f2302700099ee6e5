//! Makes a plain [`Machine`] from hwloc's tree.

use std::collections::{BTreeMap, HashMap, HashSet};

use hwlocality::{
    Topology,
    cpu::cpuset::CpuSet,
    memory::nodeset::NodeSet,
    object::{
        TopologyObject,
        attributes::ObjectAttributes,
        distance::DistancesKind,
        types::{CacheType, ObjectType},
    },
};

use super::{
    Absences, Cache, CacheKind, Core, CpuList, Distances, Machine, Node, NodeIndex, Package, Pu, PuIndex, Why,
};

/// Copies what lockbench needs out of hwloc's tree, with every CPU that hwloc lists.
///
/// The caller sets whether it is this machine.
pub(super) fn machine(topology: &Topology, source: String) -> Machine {
    let mut packages = Grouping::default();
    let mut cores = Grouping::default();
    let mut pus = Vec::new();
    for (position, pu) in topology.objects_with_type(ObjectType::PU).enumerate() {
        let Some(os_index) = number(pu).map(PuIndex) else { continue };
        let package = pu.first_ancestor_with_type(ObjectType::Package);
        let core = pu.first_ancestor_with_type(ObjectType::Core);
        // A CPU without a package joins the nameless one; a CPU without a core is a core.
        let package = packages.add(package.map_or(Key::Nameless, Key::object), package, os_index);
        let core = cores.add(core.map_or(Key::Alone(position), Key::object), core, os_index);
        let sibling_rank = (cores.groups[core].1.len() - 1) as u32;
        pus.push(Pu { os_index, sibling_rank, core, package, nodes: Vec::new() });
    }
    let mut machine = Machine {
        source,
        is_this_system: false,
        cpu_model: cpu_model(topology),
        packages: packages.map(|os_index, cpus| Package { os_index, cpus }),
        nodes: Vec::new(),
        cores: cores.map(|os_index, cpus| Core { os_index, cpus }),
        pus,
        caches: Vec::new(),
        distances: distances(topology),
        unavailable: CpuList::default(),
        absent: Absences::default(),
        absent_nodes: BTreeMap::new(),
    };
    let positions: HashMap<PuIndex, usize> =
        machine.pus.iter().enumerate().map(|(position, pu)| (pu.os_index, position)).collect();
    machine.nodes = nodes(topology, &positions);
    machine.caches = caches(topology, &positions);
    let mut nearest: Vec<_> = machine.nodes.iter().collect();
    nearest.sort_by_key(|node| (node.cpus.len(), node.os_index));
    for node in nearest {
        for cpu in node.cpus.iter() {
            machine.pus[positions[&cpu]].nodes.push(node.os_index);
        }
    }
    machine.unavailable =
        all(&topology.complete_cpuset()).filter(|cpu| !positions.contains_key(cpu)).collect();
    let nodes = node_indices(&topology.complete_nodeset()).into_iter();
    let absent = nodes.filter(|&node| machine.node(node).is_none());
    machine.absent_nodes = absent.map(|node| (node, Why::Untold)).collect();
    machine
}

/// Identity of a package or a core.
#[derive(Eq, Hash, PartialEq)]
enum Key {
    Object(u64),
    Alone(usize),
    Nameless,
}

impl Key {
    fn object(object: &TopologyObject) -> Self {
        Self::Object(object.global_persistent_index())
    }
}

/// CPUs by package or by core, in order of first appearance.
#[derive(Default)]
struct Grouping {
    places: HashMap<Key, usize>,
    groups: Vec<(Option<u32>, Vec<PuIndex>)>,
}

impl Grouping {
    fn add(&mut self, key: Key, object: Option<&TopologyObject>, cpu: PuIndex) -> usize {
        let place = *self.places.entry(key).or_insert_with(|| {
            self.groups.push((object.and_then(number), Vec::new()));
            self.groups.len() - 1
        });
        self.groups[place].1.push(cpu);
        place
    }

    fn map<T>(self, make: impl Fn(Option<u32>, CpuList) -> T) -> Vec<T> {
        self.groups.into_iter().map(|(os_index, cpus)| make(os_index, cpus.into_iter().collect())).collect()
    }
}

fn number(object: &TopologyObject) -> Option<u32> {
    object.os_index().and_then(|index| index.try_into().ok())
}

/// The members of a set. Bounded, since a file may claim an infinite one.
fn all(set: &CpuSet) -> impl Iterator<Item = PuIndex> {
    const MOST: usize = 1 << 20;
    set.iter_set().take(MOST).map(|index| PuIndex(usize::from(index) as u32))
}

/// The CPUs, and the nodes listed like CPUs, that hwloc takes to be allowed.
pub(super) fn allowed(topology: &Topology) -> (CpuList, CpuList) {
    let nodes = node_indices(&topology.allowed_nodeset()).into_iter();
    (all(&topology.allowed_cpuset()).collect(), nodes.map(|node| node.0).collect())
}

/// The numbers of nodes in a set; none where it is infinite, as a file may claim.
fn node_indices(set: &NodeSet) -> Vec<NodeIndex> {
    let finite = set.weight().is_some();
    set.iter_set().take_while(|_| finite).map(|index| NodeIndex(usize::from(index) as u32)).collect()
}

/// The usable CPUs of an object, ascending.
fn cpus(object: &TopologyObject, usable: &HashMap<PuIndex, usize>) -> CpuList {
    match object.cpuset() {
        Some(set) => all(&set).filter(|cpu| usable.contains_key(cpu)).collect(),
        None => CpuList::default(),
    }
}

fn nodes(topology: &Topology, usable: &HashMap<PuIndex, usize>) -> Vec<Node> {
    let mut nodes: Vec<_> = topology
        .objects_with_type(ObjectType::NUMANode)
        .filter_map(|node| {
            let memory_bytes = match node.attributes() {
                Some(ObjectAttributes::NUMANode(attributes)) => attributes.local_memory().map(u64::from),
                _ => None,
            };
            let kind = node.subtype().map(|kind| kind.to_string_lossy().into_owned());
            let side_cache = node
                .parent()
                .filter(|parent| parent.object_type() == ObjectType::MemCache)
                .and_then(|cache| cache_of(cache).1);
            Some(Node {
                os_index: NodeIndex(number(node)?),
                kind,
                memory_bytes,
                memory_side_cache_bytes: side_cache,
                cpus: cpus(node, usable),
                unavailable: CpuList::default(),
                forbidden: false,
            })
        })
        .collect();
    nodes.sort_by_key(|node| node.os_index);
    nodes.dedup_by_key(|node| node.os_index);
    let expanders: Vec<bool> = nodes.iter().map(|node| spans_others(node, &nodes)).collect();
    for (node, _) in nodes.iter_mut().zip(expanders).filter(|(_, expander)| *expander) {
        node.cpus = CpuList::default();
    }
    nodes
}

/// Whether a node lies above others in the tree, as hwloc hangs a memory expander that is near no CPU in particular.
fn spans_others(node: &Node, nodes: &[Node]) -> bool {
    let cpus: HashSet<PuIndex> = node.cpus.iter().collect();
    nodes.iter().any(|other| {
        (1..cpus.len()).contains(&other.cpus.len()) && other.cpus.iter().all(|cpu| cpus.contains(&cpu))
    })
}

fn caches(topology: &Topology, usable: &HashMap<PuIndex, usize>) -> Vec<Cache> {
    let levels = [
        ObjectType::L1Cache,
        ObjectType::L2Cache,
        ObjectType::L3Cache,
        ObjectType::L4Cache,
        ObjectType::L5Cache,
    ];
    let of_level = |(ty, level)| {
        topology.objects_with_type(ty).map(move |cache| {
            let (kind, size_bytes) = cache_of(cache);
            Cache { level, kind, size_bytes, cpus: cpus(cache, usable) }
        })
    };
    levels.into_iter().zip(1..).flat_map(of_level).collect()
}

/// Kind and size in bytes.
fn cache_of(cache: &TopologyObject) -> (CacheKind, Option<u64>) {
    let Some(ObjectAttributes::Cache(attributes)) = cache.attributes() else {
        return (CacheKind::Unified, None);
    };
    let kind = match attributes.cache_type() {
        CacheType::Data => CacheKind::Data,
        CacheType::Instruction => CacheKind::Instruction,
        _ => CacheKind::Unified,
    };
    (kind, attributes.size().map(u64::from))
}

fn cpu_model(topology: &Topology) -> Option<String> {
    std::iter::once(topology.root_object())
        .chain(topology.objects_with_type(ObjectType::Package))
        .find_map(|object| object.info("CPUModel"))
        .map(|model| model.to_string_lossy().split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|model| !model.is_empty())
}

fn distances(topology: &Topology) -> Option<Distances> {
    let matrices =
        topology.distances_with_type(Some(DistancesKind::MEANS_LATENCY), ObjectType::NUMANode).ok()?;
    matrices.iter().find_map(|matrix| {
        let nodes: Option<Vec<_>> =
            matrix.objects().map(|node| node.and_then(number).map(NodeIndex)).collect();
        Some(Distances { nodes: nodes?, values: matrix.distances().to_vec() })
    })
}
