//! What all axes have in common, written once: made from the list of axes by [`axes!`].

use std::collections::BTreeMap;

use super::{Axis, Flag, InId};
use crate::Error;

/// Makes [`Values`](super::Values), [`Lists`](super::Lists) and [`FLAGS`](super::FLAGS) from a list of axes.
macro_rules! axes {
    (
        around the lock { $($(#[$outer_doc:meta])* $outer:ident: $Outer:ty,)+ }
        of the lock { $($(#[$inner_doc:meta])* $inner:ident: $Inner:ty,)+ }
    ) => {
        $crate::axes::table::axes! { @structs $($(#[$outer_doc])* $outer: $Outer,)+ $($(#[$inner_doc])* $inner: $Inner,)+ }

        impl Lists {
            /// Every combination of the lists' values with the locks.
            pub fn product(&self, locks: &[Lock]) -> Vec<(Values, Lock)> {
                let mut all = vec![Values::usual()];
                $(all = table::times(all, &table::or_default(&self.$outer), |values, value| values.$outer = value);)+
                let mut all: Vec<(Values, Lock)> =
                    all.into_iter().flat_map(|values| locks.iter().map(move |&lock| (values.clone(), lock))).collect();
                $(all = table::times(all, &table::or_default(&self.$inner), |(values, _), value| values.$inner = value);)+
                all
            }
        }
    };
    (@structs $($(#[$doc:meta])* $axis:ident: $Axis:ty,)+) => {
        /// A cell's value on each axis but the lock.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Values {
            $($(#[$doc])* pub $axis: $Axis,)+
        }

        /// Values of each axis that are asked for; where a list is empty, the default.
        #[derive(Clone, Debug, Default)]
        pub struct Lists {
            $($(#[$doc])* pub $axis: Vec<$Axis>,)+
        }

        /// Everything that can be asked for: the locks, then each axis.
        pub static FLAGS: &[&[Flag]] = &[Lock::FLAGS, $(<$Axis as Axis>::FLAGS),+];

        impl Lists {
            /// Adds values as a user spelled them. Nothing is added where `flag` is none of these axes'.
            pub fn add(&mut self, flag: &Flag, texts: &[String]) -> Result<(), Error> {
                $(table::add(&mut self.$axis, flag, texts)?;)+
                Ok(())
            }

            /// Keys of the axes of which several values are asked for.
            pub fn several(&self) -> Vec<&'static str> {
                let mut keys = Vec::new();
                $(if self.$axis.len() > 1 {
                    keys.push(<$Axis as Axis>::FLAGS[0].key);
                })+
                keys
            }

            /// Puts what `given` holds in place of what is here.
            pub fn replace(&mut self, given: &Self) {
                $(if !given.$axis.is_empty() {
                    Axis::replace(&mut self.$axis, given.$axis.clone());
                })+
            }
        }

        impl Values {
            /// Every axis at its default.
            pub fn usual() -> Self {
                Self { $($axis: table::usual(),)+ }
            }

            /// Sets to its default whatever `lock` has no use for.
            pub fn settle(&mut self, lock: Lock) {
                $(if !<$Axis>::has_use(lock, self.env) {
                    self.$axis = table::usual();
                })+
            }

            /// Names and values of the axes that ids name.
            pub fn named(&self) -> Vec<(&'static str, String)> {
                let mut named = Vec::new();
                $(table::name(&self.$axis, &mut named);)+
                named
            }

            /// Axes that are not at their default and have no place of their own in ids and records.
            pub fn params(&self) -> std::collections::BTreeMap<String, String> {
                let mut params = std::collections::BTreeMap::new();
                $(table::show_param(&self.$axis, &mut params);)+
                params
            }

            /// The one spelling of a value, and whether it is read as the same value; none for a flag that is none of these
            /// axes'.
            #[cfg(test)]
            pub(crate) fn respell(flag: &Flag, text: &str) -> Option<Result<(String, bool), Error>> {
                $(if let Some(respelled) = table::respell::<$Axis>(flag, text) {
                    return Some(respelled);
                })+
                None
            }

            /// Every axis at its default, but for these.
            pub fn of_params(params: &std::collections::BTreeMap<String, String>) -> Result<Self, Error> {
                table::all_known(params)?;
                Ok(Self { $($axis: table::read_param(params)?,)+ })
            }
        }
    };
}
pub(super) use axes;

/// The flags of all axes, the lock's first.
pub(crate) fn flags() -> impl Iterator<Item = &'static Flag> {
    super::FLAGS.iter().copied().flatten()
}

impl Flag {
    /// The values that are asked for where none are given.
    fn defaults<A: Axis>(&self) -> Vec<A> {
        let each = self.default.split(',').map(|text| self.read(text));
        each.collect::<Result<_, _>>().expect("defaults can be read: a test reads them all")
    }

    fn read<A: Axis>(&self, text: &str) -> Result<A, Error> {
        if self.unit.is_empty() || text.ends_with(self.unit) {
            A::parse(text)
        } else {
            A::parse(&format!("{text}{}", self.unit))
        }
    }
}

/// The first default.
pub(super) fn usual<A: Axis>() -> A {
    A::FLAGS[0].defaults().swap_remove(0)
}

/// The values of a list; where it names none, the default.
pub(crate) fn or_default<A: Axis>(list: &[A]) -> Vec<A> {
    if list.is_empty() { A::FLAGS[0].defaults() } else { list.to_vec() }
}

pub(super) fn times<V: Clone, A: Axis>(all: Vec<V>, list: &[A], set: impl Fn(&mut V, A)) -> Vec<V> {
    let each = |one: V| {
        let set = &set;
        list.iter().map(move |value| {
            let mut one = one.clone();
            set(&mut one, value.clone());
            one
        })
    };
    all.into_iter().flat_map(each).collect()
}

pub(super) fn add<A: Axis>(list: &mut Vec<A>, flag: &Flag, texts: &[String]) -> Result<(), Error> {
    if A::FLAGS.iter().any(|own| own.name == flag.name) {
        for text in texts {
            list.push(flag.read(text)?);
        }
    }
    Ok(())
}

#[cfg(test)]
pub(super) fn respell<A: Axis>(flag: &Flag, text: &str) -> Option<Result<(String, bool), Error>> {
    A::FLAGS.iter().find(|own| own.name == flag.name)?;
    Some(flag.read::<A>(text).map(|value| {
        let shown = value.show();
        let same = A::parse(&shown).is_ok_and(|again| again == value);
        (shown, same)
    }))
}

pub(super) fn name<A: Axis>(value: &A, named: &mut Vec<(&'static str, String)>) {
    let flag = &A::FLAGS[0];
    if flag.in_id != InId::Counts {
        named.push((flag.name, value.show()));
    }
}

pub(super) fn show_param<A: Axis>(value: &A, params: &mut BTreeMap<String, String>) {
    let flag = &A::FLAGS[0];
    if flag.in_id == InId::Param && *value != usual() {
        params.insert(flag.name.to_owned(), value.show());
    }
}

pub(super) fn read_param<A: Axis>(params: &BTreeMap<String, String>) -> Result<A, Error> {
    let flag = &A::FLAGS[0];
    match params.get(flag.name) {
        Some(text) if flag.in_id == InId::Param => A::parse(text),
        _ => Ok(usual()),
    }
}

/// A parameter that this build does not know must not be passed over.
pub(super) fn all_known(params: &BTreeMap<String, String>) -> Result<(), Error> {
    let known = |name: &str| flags().any(|flag| flag.name == name && flag.in_id == InId::Param);
    match params.keys().find(|name| !known(name)) {
        Some(name) => Err(Error::usage(format!("this build has no axis `{}`", name.escape_debug()))),
        None => Ok(()),
    }
}
