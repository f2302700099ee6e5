//! Reads which rooms of a crate import which.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, ItemUse, UseTree};

/// One room that names something of another.
pub(crate) struct Import {
    /// The file, below `src`.
    pub(crate) file: String,
    /// Its room.
    pub(crate) from: String,
    /// The room that is named.
    pub(crate) to: String,
}

/// The rooms of a crate: files and folders of `src`, but for its roots.
pub(crate) fn rooms(src: &Path) -> Vec<String> {
    let entries = fs::read_dir(src).unwrap().map(|entry| entry.unwrap());
    let rooms = entries.filter_map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        match name.strip_suffix(".rs") {
            Some("lib" | "main") => None,
            Some(stem) => Some(stem.to_owned()),
            None => entry.path().is_dir().then_some(name),
        }
    });
    let mut rooms: Vec<String> = rooms.collect();
    rooms.sort();
    rooms.dedup();
    rooms
}

/// Every import between two rooms of a crate.
pub(crate) fn of_crate(src: &Path) -> Vec<Import> {
    let rooms = rooms(src);
    let exported = re_exports(src, &rooms);
    let mut imports = Vec::new();
    for room in &rooms {
        for (file, module) in files(src, room) {
            let text = fs::read_to_string(src.join(&file)).unwrap();
            let parsed = syn::parse_file(&text).unwrap_or_else(|e| panic!("{file}: {e}"));
            let mut reader = Reader { module, paths: Vec::new() };
            reader.visit_file(&parsed);
            for path in reader.paths {
                let Some(first) = path.first() else { continue };
                let to = if rooms.contains(first) { Some(first) } else { exported.get(first) };
                if let Some(to) = to.filter(|to| *to != room) {
                    imports.push(Import { file: file.clone(), from: room.clone(), to: to.clone() });
                }
            }
        }
    }
    imports
}

/// What `lib.rs` re-exports, by the name it has there, with the room that it comes from.
fn re_exports(src: &Path, rooms: &[String]) -> HashMap<String, String> {
    let Ok(text) = fs::read_to_string(src.join("lib.rs")) else { return HashMap::new() };
    let mut exported = HashMap::new();
    for item in syn::parse_file(&text).unwrap().items {
        let Item::Use(item) = item else { continue };
        let mut leaves = Vec::new();
        flatten(&item.tree, &mut Vec::new(), &mut leaves);
        for (path, name) in leaves {
            let room = path.iter().find(|part| *part != "self" && *part != "crate");
            if let Some(room) = room.filter(|room| rooms.contains(room)) {
                exported.insert(name, room.clone());
            }
        }
    }
    exported
}

/// The files of a room, each with its module path.
fn files(src: &Path, room: &str) -> Vec<(String, Vec<String>)> {
    let mut files = Vec::new();
    let single = format!("{room}.rs");
    if src.join(&single).exists() {
        files.push((single, vec![room.to_owned()]));
    }
    walk(src, room, &[room.to_owned()], &mut files);
    files
}

fn walk(src: &Path, below: &str, module: &[String], files: &mut Vec<(String, Vec<String>)>) {
    let Ok(entries) = fs::read_dir(src.join(below)) else { return };
    for entry in entries.map(|entry| entry.unwrap()) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{below}/{name}");
        let inner = |name: &str| module.iter().cloned().chain([name.to_owned()]).collect::<Vec<_>>();
        if entry.path().is_dir() {
            // Test modules may look anywhere.
            if name != "tests" {
                walk(src, &path, &inner(&name), files);
            }
        } else if let Some(stem) = name.strip_suffix(".rs") {
            match stem {
                "mod" => files.push((path, module.to_vec())),
                "tests" => {}
                stem => files.push((path, inner(stem))),
            }
        }
    }
}

/// Collects every path that leads to the crate's root or through it, as the rest behind `crate::`.
struct Reader {
    module: Vec<String>,
    paths: Vec<Vec<String>>,
}

impl Reader {
    /// Resolves `crate::…`, `self::…` and `super::…`; anything else is another crate's or local.
    fn take(&mut self, path: &[String]) {
        let mut at: Vec<String> = match path.first().map(String::as_str) {
            Some("crate") => Vec::new(),
            Some("self" | "super") => self.module.clone(),
            _ => return,
        };
        for part in path {
            match part.as_str() {
                "crate" | "self" => {}
                "super" => {
                    at.pop();
                }
                name => at.push(name.to_owned()),
            }
        }
        self.paths.push(at);
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|condition| condition == "test")
    })
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if is_test(&item.attrs) {
            return;
        }
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if is_test(&item.attrs) {
            return;
        }
        let mut leaves = Vec::new();
        flatten(&item.tree, &mut Vec::new(), &mut leaves);
        leaves.iter().for_each(|(path, _)| self.take(path));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.take(&parts);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        // What stands in a macro's arguments is tokens; most of them are expressions.
        let arguments = syn::punctuated::Punctuated::<syn::Expr, syn::Token![,]>::parse_terminated;
        if let Ok(arguments) = item.parse_body_with(arguments) {
            // The visitor borrows for as long as the file; a path is all that is needed of these.
            for argument in &arguments {
                let mut inner = Reader { module: self.module.clone(), paths: Vec::new() };
                inner.visit_expr(argument);
                self.paths.append(&mut inner.paths);
            }
        }
        visit::visit_macro(self, item);
    }
}

/// Every leaf of a use tree, as its path and the name that it gets.
fn flatten(tree: &UseTree, above: &mut Vec<String>, leaves: &mut Vec<(Vec<String>, String)>) {
    let with = |above: &[String], name: String| above.iter().cloned().chain([name]).collect::<Vec<_>>();
    match tree {
        UseTree::Path(path) => {
            above.push(path.ident.to_string());
            flatten(&path.tree, above, leaves);
            above.pop();
        }
        UseTree::Name(name) => leaves.push((with(above, name.ident.to_string()), name.ident.to_string())),
        UseTree::Rename(name) => {
            leaves.push((with(above, name.ident.to_string()), name.rename.to_string()));
        }
        UseTree::Glob(_) => leaves.push((above.clone(), String::new())),
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, above, leaves)),
    }
}
