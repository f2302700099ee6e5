//! What holds for every axis of the table, a new one too.

use std::collections::HashSet;

use super::{Flag, InId, Lock, Values, flags};

/// The axes but for the lock, whose values are the registry's.
fn axes() -> impl Iterator<Item = &'static Flag> {
    flags().filter(|flag| flag.name != Lock::FLAGS[0].name)
}

#[test]
fn defaults_and_examples_can_be_read() {
    for flag in axes() {
        let defaults = flag.default.split(',').filter(|text| !text.is_empty());
        for text in defaults.chain(flag.examples.iter().copied()) {
            let read = Values::respell(flag, text).unwrap_or_else(|| panic!("{} is no axis", flag.name));
            assert!(read.is_ok(), "--{} {text}: {}", flag.name, read.unwrap_err());
        }
        assert!(flag.examples.len() > 1, "{} shows no values", flag.name);
    }
}

#[test]
fn a_value_has_one_spelling_which_is_read_as_that_value() {
    let mut random = fastrand::Rng::with_seed(7);
    for flag in axes() {
        let mut read = 0;
        for _ in 0..4000 {
            let text = altered(random.choice(flag.examples).unwrap(), &mut random);
            let Some(Ok((shown, same))) = Values::respell(flag, &text) else { continue };
            read += 1;
            assert!(same, "--{} {text} is shown as {shown} and not read as the same", flag.name);
            let again = Values::respell(flag, &shown).unwrap().unwrap().0;
            assert_eq!(again, shown, "--{} {text} has two spellings", flag.name);
        }
        assert!(read > 100, "hardly anything was read of {}", flag.name);
    }
}

/// The text, some of its digits others, some twice.
fn altered(text: &str, random: &mut fastrand::Rng) -> String {
    let mut altered = String::new();
    for character in text.chars() {
        match random.u8(0..8) {
            0 if character.is_ascii_digit() => altered.push(random.digit(10)),
            1 if character.is_ascii_digit() => altered.extend([character, character]),
            2 if character.is_ascii_digit() => altered.extend(['0', character]),
            _ => altered.push(character),
        }
    }
    altered
}

#[test]
fn names_and_keys_are_taken_once() {
    for of in [|flag: &Flag| flag.name, |flag: &Flag| flag.key] {
        let mut seen = HashSet::new();
        assert!(flags().all(|flag| seen.insert(of(flag))), "an axis' name is taken");
    }
}

#[test]
fn parameters_are_read_back_as_they_were() {
    assert!(Values::usual().params().is_empty(), "nothing is named that is at its default");
    for flag in axes().filter(|flag| flag.in_id == InId::Param) {
        for text in flag.examples {
            let (shown, _) = Values::respell(flag, text).unwrap().unwrap();
            let params = [(flag.name.to_owned(), (*text).to_owned())].into();
            let values = Values::of_params(&params).unwrap();
            let usual = Values::respell(flag, flag.default).unwrap().unwrap().0;
            assert_eq!(values.params().get(flag.name), (shown != usual).then_some(&shown), "{}", flag.name);
        }
    }
}

#[test]
fn a_parameter_that_this_build_does_not_know_is_refused() {
    let unknown = [("colour".to_owned(), "red".to_owned())].into();
    assert_eq!(Values::of_params(&unknown).unwrap_err().to_string(), "this build has no axis `colour`");
}
