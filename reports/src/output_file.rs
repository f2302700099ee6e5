//! Writes a file that a user named, whatever is at that path already.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Error;

/// How many symbolic links are followed to a file that does not exist yet; Linux follows as many.
const MOST_LINKS: u32 = 40;

/// Writes `content` to `path`.
///
/// Where there is a regular file or nothing, the content is written to a temporary file that is then renamed, so that no reader
/// sees half of it and nothing is left behind if writing fails. The permissions and owner of the old file stay. A symbolic link
/// stays and leads to the new content. Into anything else (a device, a pipe) the content is written. A directory is refused.
pub fn write(path: &Path, content: &[u8]) -> Result<(), Error> {
    let cannot = |source| Error::io("write", path, source);
    match target(path).map_err(cannot)? {
        Target::Directory => Err(Error::input(path, "is a directory: name a file")),
        Target::Special => into(path, content).map_err(cannot),
        Target::File(place, None) => aside(&place, None, content).map_err(cannot),
        Target::File(place, Some(old)) => {
            if stays_in_place(&old) {
                return into(&place, content).map_err(cannot);
            }
            match aside(&place, Some(&old), content) {
                // The directory takes no other file, or the file is a mount point: then it is overwritten in place.
                Err(e) if is_bound_to_its_place(&e) => into(&place, content).map_err(cannot),
                written => written.map_err(cannot),
            }
        }
    }
}

/// What a path leads to.
enum Target {
    Directory,
    /// Something that cannot be replaced by a regular file: a device, a pipe, a file without a name.
    Special,
    /// The path of a regular file with all symbolic links resolved, and its metadata; none if it does not exist yet.
    File(PathBuf, Option<Metadata>),
}

fn target(path: &Path) -> io::Result<Target> {
    let found = match fs::metadata(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => return absent(path, MOST_LINKS),
        found => found?,
    };
    if found.is_dir() {
        return Ok(Target::Directory);
    }
    if !found.is_file() {
        return Ok(Target::Special);
    }
    // A path like /dev/fd/3 may lead to a file that has no name any more.
    match fs::canonicalize(path) {
        Ok(place) if fs::metadata(&place).is_ok_and(|there| is_same(&there, &found)) => {
            Ok(Target::File(place, Some(found)))
        }
        _ => Ok(Target::Special),
    }
}

/// Where a file that does not exist is to be created: at the end of the links, if `path` is a symbolic link.
fn absent(path: &Path, links: u32) -> io::Result<Target> {
    let Ok(next) = fs::read_link(path) else { return Ok(Target::File(path.to_owned(), None)) };
    if links == 0 {
        return Err(io::Error::other("too many symbolic links lead one to another"));
    }
    let next = path.parent().unwrap_or(Path::new("")).join(next);
    match fs::symlink_metadata(&next) {
        Ok(_) => absent(&next, links - 1),
        Err(_) => Ok(Target::File(next, None)),
    }
}

/// Writes a temporary file in the directory of `place` and renames it.
fn aside(place: &Path, old: Option<&Metadata>, content: &[u8]) -> io::Result<()> {
    static WRITTEN: AtomicU32 = AtomicU32::new(0);
    // The temporary name is short and not made of the file's own, which may be as long as names can be.
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let name = format!(".lockbench-{}-{number}.tmp", std::process::id());
    let dir = place.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let temporary = dir.join(name);
    let written = OpenOptions::new().write(true).create_new(true).open(&temporary).and_then(|mut file| {
        old.map_or(Ok(()), |old| keep_owner_and_permissions(&file, old))?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&temporary, place)
    });
    if written.is_err() {
        // The temporary file may not exist; that is no further error.
        let _ = fs::remove_file(&temporary);
    }
    written?;
    // The directory is synchronised so that the name outlasts a power cut; not every file system can do that.
    let _ = File::open(dir).and_then(|dir| dir.sync_all());
    Ok(())
}

/// Writes into whatever is at `path`.
fn into(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).truncate(true).open(path)?;
    file.write_all(content)?;
    // Devices and pipes cannot be synchronised, which is no error.
    let _ = file.sync_all();
    Ok(())
}

fn is_bound_to_its_place(e: &io::Error) -> bool {
    [ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem, ErrorKind::ResourceBusy].contains(&e.kind())
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same(_: &Metadata, _: &Metadata) -> bool {
    true
}

/// Whether the file has other hard links, which a new file would not have.
#[cfg(unix)]
fn stays_in_place(old: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(old) > 1
}

#[cfg(not(unix))]
fn stays_in_place(_: &Metadata) -> bool {
    false
}

/// Gives a new file the owner and permissions of the old one. Where the owner cannot be set this fails, and the old file is
/// overwritten instead.
fn keep_owner_and_permissions(file: &File, old: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, fchown};
        let new = file.metadata()?;
        if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
            fchown(file, Some(old.uid()), Some(old.gid()))?;
        }
    }
    file.set_permissions(old.permissions())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_regular_file_is_replaced_and_keeps_its_permissions() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("page");
        write(&path, b"one").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let old = fs::metadata(&path).unwrap().ino();
        write(&path, b"two").unwrap();
        let new = fs::metadata(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(new.permissions().mode() & 0o777, 0o640);
        assert_ne!(new.ino(), old, "a reader of the old one sees all of it");
        assert_eq!(names(dir.path()), ["page"]);
    }

    #[test]
    fn a_link_stays_and_leads_to_the_new_content() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir(at("sub")).unwrap();
        fs::write(at("sub/there"), "old").unwrap();
        symlink("sub/there", at("to-file")).unwrap();
        symlink("to-file", at("to-link")).unwrap();
        symlink("sub/not-yet", at("to-nothing")).unwrap();
        symlink("loop", at("loop")).unwrap();
        write(&at("to-link"), b"new").unwrap();
        write(&at("to-nothing"), b"made").unwrap();
        assert_eq!(fs::read(at("sub/there")).unwrap(), b"new");
        assert_eq!(fs::read(at("sub/not-yet")).unwrap(), b"made");
        for link in ["to-file", "to-link", "to-nothing"] {
            assert!(fs::symlink_metadata(at(link)).unwrap().is_symlink(), "{link}");
        }
        assert!(write(&at("loop"), b"x").is_err());
        assert_eq!(names(&at("sub")), ["not-yet", "there"]);
    }

    #[test]
    fn a_file_with_two_names_keeps_both() {
        let dir = tempfile::tempdir().unwrap();
        let (one, other) = (dir.path().join("one"), dir.path().join("other"));
        fs::write(&one, "a longer old content").unwrap();
        fs::hard_link(&one, &other).unwrap();
        write(&one, b"new").unwrap();
        assert_eq!(fs::read(&other).unwrap(), b"new");
    }

    #[test]
    fn what_is_no_regular_file_is_written_into() {
        write(Path::new("/dev/null"), b"gone").unwrap();
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        let full = write(Path::new("/dev/full"), b"x").unwrap_err().to_string();
        assert_eq!(full, "cannot write /dev/full: no space is left on the device");
        assert!(fs::metadata("/dev/full").unwrap().file_type().is_char_device());
        // Through a link, as /dev/stdout is one.
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("link");
        symlink("/dev/full", &link).unwrap();
        assert!(write(&link, b"x").is_err());
        assert_eq!(names(dir.path()), ["link"]);
    }

    #[test]
    fn a_pipe_takes_the_content() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let reader = {
            let path = path.clone();
            std::thread::spawn(move || fs::read(path).unwrap())
        };
        let content = vec![b'x'; 300_000];
        write(&path, &content).unwrap();
        assert_eq!(reader.join().unwrap(), content);
        assert!(fs::symlink_metadata(&path).unwrap().file_type().is_fifo());
    }

    #[test]
    fn a_directory_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let said = write(dir.path(), b"x").unwrap_err().to_string();
        assert!(said.ends_with("is a directory: name a file"), "{said}");
        let nowhere = write(&dir.path().join("no/such/file"), b"x").unwrap_err().to_string();
        assert!(nowhere.contains("no such file or directory"), "{nowhere}");
        assert!(names(dir.path()).is_empty());
    }

    #[test]
    fn a_name_may_be_as_long_as_names_can_be() {
        let dir = tempfile::tempdir().unwrap();
        let name = "x".repeat(255);
        write(&dir.path().join(&name), b"x").unwrap();
        assert_eq!(names(dir.path()), [name]);
    }
}
