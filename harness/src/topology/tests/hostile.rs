//! Input that is wrong, broken or malicious: each ends in a sentence, none in a crash.

use std::{fs, path::PathBuf};

use super::{OFFLINES, sample};
use crate::topology::{Error, Source, load};

fn refusal(source: &Source) -> Error {
    let error = load(source).map(|(machine, _)| machine.cpus()).unwrap_err();
    let sentence = error.to_string();
    assert!(sentence.len() < 600 && !sentence.contains('\n'), "{sentence}");
    error
}

/// Loads texts as files one by one, and counts those that were accepted.
fn accepted<T: AsRef<[u8]>>(texts: impl IntoIterator<Item = T>) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hostile.xml");
    let load_it = |text: T| {
        fs::write(&path, text).unwrap();
        load(&Source::File(path.clone())).is_ok()
    };
    texts.into_iter().map(load_it).filter(|&accepted| accepted).count()
}

#[test]
fn files_that_are_no_topology() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| -> PathBuf {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let whole = fs::read(sample(OFFLINES)).unwrap();
    let paths = [
        PathBuf::from("/dev/zero"),
        folder.path().join("missing.xml"),
        folder.path().to_owned(),
        file("empty.xml", b""),
        file("blank.xml", b" \n"),
        file("bytes.xml", &[0xff, 0, 0x80, 7]),
        file("nul.xml", b"<topology>\0</topology>"),
        file("text.xml", b"pack:2 core:4"),
        file("other.xml", b"<html></html>"),
        file("hollow.xml", b"<?xml version=\"1.0\"?><topology version=\"2.0\"></topology>"),
        file("half.xml", &whole[..whole.len() / 2]),
    ];
    let here = folder.path().to_str().unwrap();
    let said = paths.map(|path| refusal(&Source::File(path)).to_string().replace(here, "DIR"));
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn descriptions_that_are_none() {
    let long = "pack:2 ".repeat(100);
    let texts = [
        "",
        " ",
        "garbage",
        "pack:0",
        "pack:-1",
        "pu:2 pack:2",
        "core:99999999 pu:99999999",
        "pu:2\0",
        "\n",
        &long,
    ];
    let said = texts.map(|text| refusal(&Source::Synthetic(text.to_owned())).to_string());
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn a_file_cut_short_anywhere() {
    let whole = fs::read_to_string(sample(OFFLINES)).unwrap();
    let end = whole.rfind("</topology>").unwrap();
    let cuts = (0..end).step_by(101).map(|at| whole[..at].to_owned());
    assert_eq!(accepted(cuts), 0);
    // These get as far as hwloc.
    let closed = (0..end).step_by(307).map(|at| format!("{}</topology>", &whole[..at]));
    assert_eq!(accepted(closed), 0);
}

/// Most of these contradict themselves in some way, and some crash hwloc.
#[test]
fn a_file_with_changed_characters() {
    let whole = fs::read(sample(OFFLINES)).unwrap();
    let mut state = 12345u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize % below
    };
    let digits: Vec<usize> = (0..whole.len()).filter(|&at| whole[at].is_ascii_hexdigit()).collect();
    let texts: Vec<_> = (0..60)
        .map(|_| {
            let mut text = whole.clone();
            for _ in 0..=random(4) {
                text[digits[random(digits.len())]] = b"0123456789abcdef"[random(16)];
            }
            text
        })
        .collect();
    accepted(texts);
}

/// Crashed hwloc 2.9 when loaded in our own process: the CPUs of a package are not the CPUs in it.
#[test]
fn a_file_that_contradicts_itself() {
    let whole = fs::read_to_string(sample(OFFLINES)).unwrap();
    let texts = [
        whole.replace("cpuset=\"0x00001011\"", "cpuset=\"0x0000ffff\""),
        whole.replace("os_index=\"3\"", "os_index=\"4\""),
        whole.replace("type=\"Core\"", "type=\"PU\""),
        whole.replace("type=\"PU\"", "type=\"NUMANode\""),
    ];
    assert!(texts.iter().all(|text| *text != whole));
    accepted(texts);
}
