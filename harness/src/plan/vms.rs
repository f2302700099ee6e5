//! The virtual machines that share the pCPUs of a group's cells, as a file has them.

use lockbench_reports::record::{Case, USUAL_GUEST_SLICE_NS, USUAL_WEIGHT, Vm};
use toml::{Table, Value};

use super::pools::numbers;
use crate::axes::{Axis, Lock, MOST_VCPUS, Slice, Workload};
use crate::error::unknown;
use crate::topology::Placement;
use crate::{Error, Registry};

/// Keys of a virtual machine.
const KEYS: [&str; 13] = [
    "name",
    "vcpus",
    "threads-per-vcpu",
    GUEST_SLICE,
    "weight",
    "cap-pcpus",
    "pool",
    "hard",
    "soft",
    "lock",
    "workload",
    PLACEMENT,
    MOVED_FROM,
];
const GUEST_SLICE: &str = "guest-slice";
const PLACEMENT: &str = "placement";
const MOVED_FROM: &str = "moved-from";

/// Reads the virtual machines of a case. The first is the one that is measured, so that its lock and workload are the cell's.
pub(super) fn parse(value: &Value, registry: &Registry) -> Result<Case, Error> {
    let list = value.as_array().filter(|list| !list.is_empty());
    let list = list
        .ok_or_else(|| Error::usage("`vms` is a list of tables, such as { name = \"guest\", vcpus = 2 }"))?;
    let mut vms: Vec<Vm> = Vec::new();
    for (index, value) in list.iter().enumerate() {
        let place = || format!("vms, number {}", index + 1);
        let table = value.as_table().ok_or_else(|| Error::usage("it is no table").inside(place()))?;
        let vm = vm(table, index == 0, registry).map_err(|e| e.inside(place()))?;
        if vms.iter().any(|known| known.name == vm.name) {
            return Err(Error::usage(format!("`name` is \"{}\", as another's", vm.name)).inside(place()));
        }
        vms.push(vm);
    }
    Ok(Case { vms, ..Case::default() })
}

fn vm(table: &Table, measured: bool, registry: &Registry) -> Result<Vm, Error> {
    if let Some(key) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(unknown("key", key, KEYS));
    }
    let text = |key: &str| match table.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Error::usage(format!("`{key}` is a text"))),
    };
    let number = |key: &str, range: std::ops::RangeInclusive<i64>, usual: Option<i64>| {
        let given = table.get(key).map_or(usual, Value::as_integer).filter(|given| range.contains(given));
        given.and_then(|given| u32::try_from(given).ok()).ok_or_else(|| {
            Error::usage(format!("`{key}` is a number from {} to {}", range.start(), range.end()))
        })
    };
    let cap_pcpus = match table.get("cap-pcpus") {
        None => None,
        Some(value) => {
            let cap = value.as_float().or_else(|| value.as_integer().map(|cap| cap as f64));
            let cap = cap.filter(|cap| *cap > 0.0 && *cap <= f64::from(MOST_VCPUS));
            Some(cap.ok_or_else(|| Error::usage("`cap-pcpus` is a number of pCPUs above 0, such as 0.5"))?)
        }
    };
    let name = text("name")?.filter(|name| is_name(name));
    let name =
        name.ok_or_else(|| Error::usage("`name` must be there, of small letters, digits and hyphens"))?;
    let affinity = |key: &str| match numbers(table, key)? {
        Some(list) if list.is_empty() => {
            Err(Error::usage(format!("`{key}` names no pCPU; leave it out for all of them")))
        }
        list => Ok(list.unwrap_or_default()),
    };
    let lock = text("lock")?;
    let workload = text("workload")?;
    if measured && (lock.is_some() || workload.is_some()) {
        return Err(Error::usage(
            "the first virtual machine is the one that is measured: its `lock` and `workload` are the group's `locks` and `workloads`",
        ));
    }
    let lock = lock.map(|lock| Lock::read(&[lock], registry)).transpose().map_err(|e| inside("lock", e))?;
    if lock.as_ref().is_some_and(|locks| locks.len() != 1) {
        return Err(Error::usage("`lock` names one lock"));
    }
    let workload = workload.map(|text| Workload::parse(&text)).transpose();
    let workload = workload.map_err(|e| inside("workload", e))?;
    let (placement, moved_from) = (text(PLACEMENT)?, text(MOVED_FROM)?);
    if !measured && (placement.as_deref() == Some(Vm::AUTOMATIC) || moved_from.is_some()) {
        return Err(Error::usage(
            "the first virtual machine alone is placed automatically (`placement`) or moves (`moved-from`)",
        ));
    }
    let vcpus = number("vcpus", 1..=i64::from(MOST_VCPUS), None)?;
    let threads_per_vcpu = number("threads-per-vcpu", 1..=i64::from(MOST_VCPUS / vcpus), Some(1))?;
    let guest_slice = text(GUEST_SLICE)?.map(|text| Slice::parse(&text)).transpose();
    let guest_slice_ns = guest_slice.map_err(|e| inside(GUEST_SLICE, e))?.and_then(Slice::ns);
    if guest_slice_ns.is_some() && threads_per_vcpu == 1 {
        return Err(Error::usage(format!(
            "`{GUEST_SLICE}` is for a guest with a scheduler: give `threads-per-vcpu`, 2 or more"
        )));
    }
    let named = placement.as_ref().filter(|name| *name != Vm::AUTOMATIC);
    for (key, named) in [(PLACEMENT, named), (MOVED_FROM, moved_from.as_ref())] {
        named.map(|named| <Placement as Axis>::parse(named)).transpose().map_err(|e| inside(key, e))?;
    }
    Ok(Vm {
        pool: text("pool")?,
        hard: affinity("hard")?,
        soft: affinity("soft")?,
        name,
        vcpus,
        threads_per_vcpu,
        guest_slice_ns: guest_slice_ns.filter(|ns| *ns != USUAL_GUEST_SLICE_NS),
        weight: number("weight", 1..=65_535, Some(i64::from(USUAL_WEIGHT)))?,
        cap_pcpus,
        lock: lock.map(|locks| locks[0].name().to_owned()),
        workload: workload.map(|workload| workload.record()),
        placement,
        moved_from,
    })
}

/// An error with the field whose value is wrong.
fn inside(key: &str, error: Error) -> Error {
    error.inside(format!("`{key}`"))
}

/// Whether a text can be the name of a scenario, a case or a virtual machine, which stand in ids.
pub(super) fn is_name(text: &str) -> bool {
    let fit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.len() <= 40 && text.chars().all(fit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Case, Error> {
        let table: Table = toml::from_str(text).unwrap();
        parse(&table["vms"], &Registry::new(&[]))
    }

    #[test]
    fn machines_are_read_with_their_defaults() {
        let case = read(
            "vms = [{ name = 'guest', vcpus = 2 }, { name = 'hog', vcpus = 1, weight = 512, cap-pcpus = 0.5, lock = 'tas', \
             workload = 'empty+fixed:100us' }]",
        )
        .unwrap();
        assert_eq!((case.vms[0].weight, case.vms[0].cap_pcpus, &case.vms[0].lock), (256, None, &None));
        assert_eq!((case.vms[0].lock_users(), case.vms[0].thread_slice_ns()), (2, None));
        let hog = &case.vms[1];
        assert_eq!((hog.weight, hog.cap_pcpus, hog.lock.as_deref()), (512, Some(0.5), Some("tas")));
        assert_eq!(hog.workload.as_ref().unwrap().name, "empty+fixed:100us");
    }

    #[test]
    fn a_guests_scheduler_is_read_and_its_usual_timeslice_has_one_spelling() {
        let read = |rest: &str| {
            let text = format!("vms = [{{ name = 'guest', vcpus = 2, threads-per-vcpu = 3{rest} }}]");
            read(&text).unwrap().vms.remove(0)
        };
        let vm = read(", guest-slice = '1ms'");
        assert_eq!((vm.vcpus, vm.lock_users(), vm.thread_slice_ns()), (2, 6, Some(1_000_000)));
        assert_eq!(read(", guest-slice = '4ms'"), read(""));
        assert_eq!(read("").thread_slice_ns(), Some(4_000_000));
    }

    #[test]
    fn a_value_that_cannot_be_read_is_told_with_its_field() {
        for field in ["placement", "moved-from", "lock", "workload"] {
            let text = format!(
                "vms = [{{ name = 'a', vcpus = 1 }}, {{ name = 'b', vcpus = 1, {field} = 'nod:1' }}]"
            );
            let text =
                if field == "moved-from" { text.replace(" }, { name = 'b', vcpus = 1", "") } else { text };
            let error = read(&text).unwrap_err().to_string();
            assert!(error.contains(&format!("`{field}`: ")), "{text}: {error}");
        }
    }

    #[test]
    fn a_mistake_names_the_machine_and_the_field() {
        for (text, field) in [
            ("vms = []", "vms"),
            ("vms = [{ name = 'a', vcpus = 1 }, { name = 'b' }]", "vcpus"),
            ("vms = [{ name = 'a', vcpus = 1 }, { name = 'a', vcpus = 1 }]", "name"),
            ("vms = [{ name = 'a', vcpus = 1, wait = 3 }]", "wait"),
            ("vms = [{ name = 'a', vcpus = 1, weight = 0 }]", "weight"),
            ("vms = [{ name = 'a', vcpus = 1, cap-pcpus = 0 }]", "cap-pcpus"),
            ("vms = [{ name = 'a', vcpus = 1, lock = 'tas' }]", "lock"),
            ("vms = [{ name = 'a', vcpus = 1 }, { name = 'b', vcpus = 1, lock = 'tass' }]", "tass"),
            ("vms = [{ name = 'A b', vcpus = 1 }]", "name"),
            ("vms = [{ name = 'a', vcpus = 1, placement = 'nod:1' }]", "nod:1"),
            ("vms = [{ name = 'a', vcpus = 1, moved-from = 'automatic' }]", "automatic"),
            (
                "vms = [{ name = 'a', vcpus = 1 }, { name = 'b', vcpus = 1, placement = 'automatic' }]",
                "placement",
            ),
            (
                "vms = [{ name = 'a', vcpus = 1 }, { name = 'b', vcpus = 1, moved-from = 'node:0' }]",
                "moved-from",
            ),
            ("vms = [{ name = 'a', vcpus = 1, threads-per-vcpu = 0 }]", "threads-per-vcpu"),
            ("vms = [{ name = 'a', vcpus = 4096, threads-per-vcpu = 4096 }]", "threads-per-vcpu"),
            ("vms = [{ name = 'a', vcpus = 1, guest-slice = '1ms' }]", "threads-per-vcpu"),
            (
                "vms = [{ name = 'a', vcpus = 1, threads-per-vcpu = 2, guest-slice = '1h' }]",
                "`guest-slice`: ",
            ),
            ("vms = [{ name = 'a', vcpus = 1, pool = 1 }]", "pool"),
            ("vms = [{ name = 'a', vcpus = 1, hard = 0 }]", "hard"),
            ("vms = [{ name = 'a', vcpus = 1, hard = [] }]", "hard"),
            ("vms = [{ name = 'a', vcpus = 1, soft = ['x'] }]", "soft"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(field), "{text}: {error}");
        }
    }
}
