//! Errors of the operating system in plain words.

use std::io::{Error, ErrorKind};

/// An error as words that can end a sentence: "no file descriptor was free". Error numbers and names of the C library are left
/// out: the words must be enough to act upon.
pub fn words(error: &Error) -> String {
    if let Some(known) = by_number(error.raw_os_error()).or_else(|| by_kind(error)) {
        return known.to_owned();
    }
    let said = error.to_string();
    let said = said.split(" (os error ").next().unwrap_or_default();
    let mut letters = said.chars();
    // Words of the C library like "No message of desired type" get a small first letter, for they stand inside a sentence.
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if first.is_uppercase() && second.is_lowercase() => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => said.to_owned(),
    }
}

/// Errors that `ErrorKind` does not tell apart. The numbers are the same on every Unix.
fn by_number(number: Option<i32>) -> Option<&'static str> {
    match number.filter(|_| cfg!(unix))? {
        3 => Some("there is no such process or thread"),
        5 => Some("the device failed to read or write"),
        6 | 19 => Some("there is no such device"),
        23 => Some("the whole system had no file descriptor free"),
        24 => Some("no file descriptor was free"),
        _ => None,
    }
}

fn by_kind(error: &Error) -> Option<&'static str> {
    // An error without a number is a library's, and has words of its own.
    error.raw_os_error()?;
    Some(match error.kind() {
        ErrorKind::NotFound => "there is no such file or directory",
        ErrorKind::PermissionDenied => "permission was denied",
        ErrorKind::AlreadyExists => "it is there already",
        ErrorKind::WouldBlock => "it was not ready",
        ErrorKind::InvalidInput => "the kernel does not accept that",
        ErrorKind::Unsupported => "the kernel cannot do that",
        ErrorKind::OutOfMemory => "no memory was free",
        ErrorKind::StorageFull => "no space is left on the device",
        ErrorKind::QuotaExceeded => "the disk quota is used up",
        ErrorKind::FileTooLarge => "the file would become larger than is allowed",
        ErrorKind::ReadOnlyFilesystem => "the file system is read-only",
        ErrorKind::NotADirectory => "a part of the path is no directory",
        ErrorKind::IsADirectory => "it is a directory",
        ErrorKind::ResourceBusy => "it is in use",
        ErrorKind::ExecutableFileBusy => "the program is being written",
        ErrorKind::BrokenPipe => "the reader has gone away",
        ErrorKind::Interrupted => "a signal interrupted it",
        ErrorKind::TimedOut => "it took too long",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn no_error_of_the_system_is_told_by_its_number() {
        for number in 1..134 {
            let said = words(&Error::from_raw_os_error(number));
            assert!(!said.is_empty() && !said.contains("os error"), "{number}: {said}");
            let starts = said.chars().take(2).map(char::is_uppercase).collect::<Vec<_>>();
            assert_ne!(starts, [true, false], "{number} begins no sentence: {said}");
        }
        assert_eq!(words(&Error::from_raw_os_error(24)), "no file descriptor was free");
        assert_eq!(words(&Error::from_raw_os_error(12)), "no memory was free");
    }

    #[test]
    fn an_error_of_a_library_keeps_its_words() {
        assert_eq!(words(&Error::other("mmap gave address 0")), "mmap gave address 0");
        assert_eq!(words(&Error::new(ErrorKind::NotFound, "no such cell")), "no such cell");
    }
}
