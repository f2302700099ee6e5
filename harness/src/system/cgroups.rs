//! The control groups whose CPU quotas hold for this process: its own and those above it, as far as they can be seen.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// Directories that a search for one's own group looks at before it gives up.
const MOST_SEARCHED: usize = 20_000;

/// Which of the two interfaces a group has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// A hierarchy of its own for the `cpu` controller.
    V1,
    /// The unified hierarchy.
    V2,
}

/// The control groups of this process, as far as they can be seen.
#[derive(Clone, Debug)]
pub(super) struct Groups {
    /// The contents of the files in /proc that they were found by.
    membership: String,
    root: PathBuf,
    pid: u32,
    pub(super) version: Version,
    /// Directories, from its own group upwards.
    pub(super) dirs: Vec<PathBuf>,
    /// Whether there are groups above the last one, or instead of all, that cannot be seen from here: in a container.
    pub(super) hidden: bool,
}

impl Groups {
    /// As /proc under `root` tells of process `pid`, which this is.
    pub(super) fn read(root: &Path, pid: u32) -> Self {
        let read = |file: &str| fs::read_to_string(root.join("proc/self").join(file)).unwrap_or_default();
        let mut groups = Self {
            membership: read("cgroup"),
            root: root.to_owned(),
            pid,
            version: Version::V2,
            dirs: Vec::new(),
            hidden: false,
        };
        let Some((version, path)) = membership(&groups.membership) else { return groups };
        (groups.version, groups.hidden) = (version, true);
        let mountinfo = read("mountinfo");
        let mut mounts: Vec<Mount> =
            mountinfo.lines().filter_map(|line| Mount::parse(line, version)).collect();
        // The mount whose root is highest shows most; of two alike the later one covers the other.
        mounts.reverse();
        mounts.sort_by_key(|mount| Relative::of(&mount.root));
        for mount in mounts {
            let top = root.join(mount.point.strip_prefix("/").unwrap_or(&mount.point));
            let Some(own) = own_dir(&top, &mount.root, &path, pid) else { continue };
            groups.dirs =
                own.ancestors().take_while(|dir| dir.starts_with(&top)).map(Path::to_owned).collect();
            groups.hidden = !is_root(&top, version);
            break;
        }
        groups
    }

    /// The same groups, found anew if those files have changed since.
    pub(super) fn anew(&self) -> Self {
        let now = fs::read_to_string(self.root.join("proc/self/cgroup")).unwrap_or_default();
        if now == self.membership { self.clone() } else { Self::read(&self.root, self.pid) }
    }
}

/// The hierarchy that has the `cpu` controller, and the path of the process's group in it.
fn membership(cgroup: &str) -> Option<(Version, String)> {
    let lines = cgroup.lines().filter_map(|line| {
        let mut parts = line.splitn(3, ':');
        Some((parts.next()?, parts.next()?, parts.next()?.trim_end_matches(" (deleted)")))
    });
    let lines: Vec<_> = lines.collect();
    // A controller that a v1 hierarchy has the unified one has not.
    let v1 = lines.iter().find(|(_, controllers, _)| controllers.split(',').any(|name| name == "cpu"));
    let v2 = || lines.iter().find(|(number, controllers, _)| *number == "0" && controllers.is_empty());
    let v1 = v1.map(|(.., path)| (Version::V1, (*path).to_owned()));
    v1.or_else(|| v2().map(|(.., path)| (Version::V2, (*path).to_owned())))
}

/// A mounted hierarchy.
struct Mount {
    /// The group that is its top, as this process's cgroup namespace names it.
    root: PathBuf,
    point: PathBuf,
}

impl Mount {
    /// A line of mountinfo, if it is one of this hierarchy's.
    fn parse(line: &str, version: Version) -> Option<Self> {
        let (mount, filesystem) = line.split_once(" - ")?;
        let mut mount = mount.split(' ').skip(3);
        let (root, point) = (mount.next()?, mount.next()?);
        let mut filesystem = filesystem.split(' ');
        let (kind, options) = (filesystem.next()?, filesystem.nth(1).unwrap_or(""));
        let ours = match version {
            Version::V1 => kind == "cgroup" && options.split(',').any(|option| option == "cpu"),
            Version::V2 => kind == "cgroup2",
        };
        ours.then(|| Self { root: unescaped(root).into(), point: unescaped(point).into() })
    }
}

/// mountinfo writes blanks, and what else would break its lines, as a backslash and three octal digits.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let octal = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok();
        match (*first == b'\\').then(|| after.get(..3).and_then(octal)).flatten() {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[3..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A group's path: so many groups up from the top of this process's cgroup namespace, then down by these names.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Relative {
    /// Negative, so that what lies higher sorts first.
    up: isize,
    names: Vec<PathBuf>,
}

impl Relative {
    fn of(path: &Path) -> Self {
        let up = path.components().filter(|part| *part == Component::ParentDir).count();
        let names = path.components().filter_map(|part| match part {
            Component::Normal(name) => Some(name.into()),
            _ => None,
        });
        Self { up: -(up as isize), names: names.collect() }
    }
}

/// Directory of the group `path` below `top`, which is the group `root`; both as the namespace names them.
fn own_dir(top: &Path, root: &Path, path: &str, pid: u32) -> Option<PathBuf> {
    let (root, path) = (Relative::of(root), Relative::of(Path::new(path)));
    let known = |dir: PathBuf| dir.join("cgroup.procs").exists().then_some(dir);
    match usize::try_from(path.up - root.up).ok()? {
        0 => {
            let below = path.names.strip_prefix(root.names.as_slice())?;
            known(below.iter().fold(top.to_owned(), |dir, name| dir.join(name)))
        }
        // The mount's top lies above the namespace's, which does not tell the names between.
        levels if root.names.is_empty() => {
            let mut left = MOST_SEARCHED;
            search(top, levels, &mut left, &|dir| {
                let own = path.names.iter().fold(dir.to_owned(), |dir, name| dir.join(name));
                let procs = fs::read_to_string(own.join("cgroup.procs")).ok()?;
                procs.lines().any(|line| line.trim() == pid.to_string()).then_some(own)
            })
        }
        _ => None,
    }
}

/// The first of the directories `levels` below `dir` that `found` takes.
fn search(
    dir: &Path,
    levels: usize,
    left: &mut usize,
    found: &dyn Fn(&Path) -> Option<PathBuf>,
) -> Option<PathBuf> {
    *left = left.checked_sub(1)?;
    if levels == 0 {
        return found(dir);
    }
    let entries = fs::read_dir(dir).ok()?.flatten();
    let dirs = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    dirs.map(|entry| entry.path()).find_map(|below| search(&below, levels - 1, left, found))
}

/// Whether this is the machine's topmost group, not a container's.
fn is_root(top: &Path, version: Version) -> bool {
    match version {
        Version::V1 => top.join("cgroup.sane_behavior").exists() || top.join("release_agent").exists(),
        Version::V2 => !top.join("cgroup.events").exists(),
    }
}
