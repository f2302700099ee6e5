//! Pools of pCPUs and their changes, as a file has them.

use lockbench_reports::record::{self, Change, Move, NO_POOL, Pool};
use toml::{Table, Value};

use super::vms::is_name;
use crate::Error;
use crate::axes::{Axis, Scheduler, Slice, parse_duration};
use crate::error::unknown;

const POOL_KEYS: [&str; 4] = ["name", "pcpus", "scheduler", "slice"];
const MOVE_KEYS: [&str; 8] = ["at", "vm", "pcpu", "pool", "create", "destroy", "pcpus", "scheduler"];

/// Reads the pools of a case.
pub(super) fn parse(value: &Value) -> Result<Vec<Pool>, Error> {
    each("pools", "{ name = \"a\", pcpus = [0] }", value, |table| {
        known(table, &POOL_KEYS)?;
        let name = text(table, "name")?.ok_or_else(|| Error::usage("`name` is missing"))?;
        pool(&name, "name", table)
    })
}

/// Reads what changes about the pools while a window lasts, and puts it into the order of time.
pub(super) fn moves(value: &Value) -> Result<Vec<Move>, Error> {
    let usual = "{ at = \"100ms\", vm = \"guest\", pool = \"b\" }";
    let mut last_ns = 0;
    each("moves", usual, value, |table| {
        known(table, &[&MOVE_KEYS[..], &["slice"]].concat())?;
        let at = text(table, "at")?.ok_or_else(|| Error::usage("`at` is missing, a time such as 100ms"))?;
        let at_ns = u64::try_from(parse_duration(&at).map_err(|e| e.inside("`at`"))?.as_nanos());
        let at_ns = at_ns.map_err(|_| Error::usage(format!("`at`: {at} is too long")))?;
        if at_ns < last_ns {
            return Err(Error::usage("`at` is before that of the move above it; moves are in order of time"));
        }
        last_ns = at_ns;
        Ok(Move { at_ns, change: change(table)? })
    })
}

fn change(table: &Table) -> Result<Change, Error> {
    let verbs = ["vm", "pcpu", "create", "destroy"];
    let given: Vec<&str> = verbs.into_iter().filter(|verb| table.contains_key(*verb)).collect();
    let [verb] = given[..] else {
        return Err(Error::usage("one of `vm`, `pcpu`, `create` and `destroy` says what changes"));
    };
    let fields: &[&str] = match verb {
        "vm" | "pcpu" => &["pool"],
        "create" => &["pcpus", "scheduler", "slice"],
        _ => &[],
    };
    let foreign = |key: &&String| !["at", verb].contains(&key.as_str()) && !fields.contains(&key.as_str());
    if let Some(key) = table.keys().find(foreign) {
        return Err(Error::usage(format!("`{key}` means nothing beside `{verb}`")));
    }
    let pool_field = || {
        let pool = text(table, "pool")?;
        pool.ok_or_else(|| Error::usage(format!("`pool` is missing, where the {verb} goes to")))
    };
    let named = |key: &str| text(table, key).map(Option::unwrap_or_default);
    Ok(match verb {
        "vm" => Change::Vm { name: named("vm")?, pool: pool_field()? },
        "pcpu" => {
            let number = table
                .get("pcpu")
                .and_then(number)
                .ok_or_else(|| Error::usage("`pcpu` is the number of one of the cell's pCPUs, from 0 on"))?;
            Change::Pcpu { number, pool: Some(pool_field()?).filter(|pool| pool != NO_POOL) }
        }
        "create" => Change::Create(pool(&named("create")?, "create", table)?),
        _ => Change::Destroy { name: named("destroy")? },
    })
}

fn pool(name: &str, key: &str, table: &Table) -> Result<Pool, Error> {
    if !is_name(name) {
        return Err(Error::usage(format!("`{key}` is a name of small letters, digits and hyphens")));
    }
    let scheduler = text(table, "scheduler")?.map(|text| Scheduler::parse(&text)).transpose();
    let scheduler = scheduler.map_err(|e| e.inside("`scheduler`"))?.map(Scheduler::record);
    if let Some(other) = scheduler.as_ref().filter(|scheduler| !is_pool_scheduler(scheduler)) {
        let name = other.name();
        return Err(Error::usage(format!(
            "`scheduler`: {name} is none of a pool's: round-robin, credit, gang"
        )));
    }
    let slice = text(table, "slice")?.map(|text| Slice::parse(&text)).transpose();
    let slice_ns = slice.map_err(|e| e.inside("`slice`"))?.and_then(Slice::ns);
    Ok(Pool {
        name: name.to_owned(),
        pcpus: numbers(table, "pcpus")?.unwrap_or_default(),
        scheduler,
        slice_ns,
    })
}

/// Whether a pool may have this scheduler.
pub(super) fn is_pool_scheduler(scheduler: &record::Scheduler) -> bool {
    matches!(scheduler, record::Scheduler::RoundRobin | record::Scheduler::Credit | record::Scheduler::Gang)
}

/// A list of numbers of pCPUs.
pub(super) fn numbers(table: &Table, key: &str) -> Result<Option<Vec<u32>>, Error> {
    let Some(value) = table.get(key) else { return Ok(None) };
    let list = value.as_array().and_then(|list| list.iter().map(number).collect());
    list.map(Some).ok_or_else(|| {
        Error::usage(format!("`{key}` is a list of numbers of the cell's pCPUs, from 0 on, such as [0, 1]"))
    })
}

fn number(value: &Value) -> Option<u32> {
    u32::try_from(value.as_integer()?).ok()
}

fn text(table: &Table, key: &str) -> Result<Option<String>, Error> {
    match table.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Error::usage(format!("`{key}` is a text"))),
    }
}

fn known(table: &Table, keys: &[&'static str]) -> Result<(), Error> {
    match table.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(key) => Err(unknown("key", key, keys.iter().copied())),
        None => Ok(()),
    }
}

/// Reads each table of a list.
fn each<T>(
    field: &str,
    usual: &str,
    value: &Value,
    mut read: impl FnMut(&Table) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let list = value.as_array().filter(|list| !list.is_empty());
    let list = list.ok_or_else(|| Error::usage(format!("`{field}` is a list of tables, such as {usual}")))?;
    let one = |(index, value): (usize, &Value)| {
        let table = value.as_table().ok_or_else(|| Error::usage("it is no table"));
        table.and_then(&mut read).map_err(|e| e.inside(format!("{field}, number {}", index + 1)))
    };
    list.iter().enumerate().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn pools_and_moves_are_read() {
        let table = table(
            "pools = [{ name = 'a', pcpus = [0, 2], scheduler = 'gang', slice = '5ms' }, { name = 'b' }]\n\
             moves = [{ at = '10ms', vm = 'guest', pool = 'b' }, { at = '20ms', pcpu = 1, pool = 'b' }, \
             { at = '20ms', pcpu = 2, pool = 'none' }, { at = '30ms', create = 'c', pcpus = [2], slice = '1ms' }, \
             { at = '40ms', destroy = 'c' }]",
        );
        let pools = parse(&table["pools"]).unwrap();
        assert_eq!(pools[0].pcpus, [0, 2]);
        assert_eq!(
            (&pools[0].scheduler, pools[0].slice_ns),
            (&Some(record::Scheduler::Gang), Some(5_000_000))
        );
        assert_eq!((&pools[1].scheduler, pools[1].slice_ns, pools[1].pcpus.len()), (&None, None, 0));
        let moves = moves(&table["moves"]).unwrap();
        assert_eq!(moves.iter().map(|one| one.at_ns / 1_000_000).collect::<Vec<_>>(), [10, 20, 20, 30, 40]);
        assert_eq!(moves[0].change, Change::Vm { name: "guest".into(), pool: "b".into() });
        assert_eq!(moves[1].change, Change::Pcpu { number: 1, pool: Some("b".into()) });
        assert_eq!(moves[2].change, Change::Pcpu { number: 2, pool: None });
        assert!(matches!(&moves[3].change, Change::Create(pool) if pool.pcpus == [2]));
        assert_eq!(moves[4].change, Change::Destroy { name: "c".into() });
    }

    #[test]
    fn a_mistake_names_the_row_and_the_field() {
        for (text, row, field) in [
            ("pools = []", "pools", "list of tables"),
            ("pools = [{ name = 'a' }, { nam = 'b' }]", "pools, number 2", "nam"),
            ("pools = [{ pcpus = [0] }]", "pools, number 1", "`name`"),
            ("pools = [{ name = 'A b' }]", "pools, number 1", "`name`"),
            ("pools = [{ name = 'a', pcpus = 0 }]", "pools, number 1", "`pcpus`"),
            ("pools = [{ name = 'a', pcpus = [-1] }]", "pools, number 1", "`pcpus`"),
            ("pools = [{ name = 'a', scheduler = 'host' }]", "pools, number 1", "`scheduler`"),
            ("pools = [{ name = 'a', scheduler = 'gong' }]", "pools, number 1", "`scheduler`: "),
            (
                "moves = [{ at = '1ms', create = 'a', scheduler = 'gong' }]",
                "moves, number 1",
                "`scheduler`: ",
            ),
            ("pools = [{ name = 'a', slice = '1h' }]", "pools, number 1", "`slice`"),
            ("moves = 3", "moves", "list of tables"),
            ("moves = [{ vm = 'a', pool = 'b' }]", "moves, number 1", "`at`"),
            ("moves = [{ at = 'soon', vm = 'a', pool = 'b' }]", "moves, number 1", "`at`"),
            ("moves = [{ at = '1ms', vm = 'a' }]", "moves, number 1", "`pool`"),
            ("moves = [{ at = '1ms', vm = 'a', pcpu = 1, pool = 'b' }]", "moves, number 1", "`pcpu`"),
            ("moves = [{ at = '1ms', pcpu = 'x', pool = 'b' }]", "moves, number 1", "`pcpu`"),
            ("moves = [{ at = '1ms', destroy = 'a', slice = '1ms' }]", "moves, number 1", "`slice`"),
            (
                "moves = [{ at = '2ms', destroy = 'a' }, { at = '1ms', destroy = 'b' }]",
                "moves, number 2",
                "`at`",
            ),
        ] {
            let table = table(text);
            let said = table
                .get("pools")
                .map_or_else(|| moves(&table["moves"]).map(|_| ()), |pools| parse(pools).map(|_| ()));
            let said = said.unwrap_err().to_string();
            assert!(said.contains(row) && said.contains(field), "{text}: {said}");
        }
    }
}
