//! What a name leads to, as Rust resolves it, as far as files show it.

use super::Source;
use super::outline::{Item, ItemKind, Outline};
use super::uses::Use;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// A scope of a file.
#[derive(Clone)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    outline: Rc<Outline>,
    /// The scope in it.
    pub scope: usize,
}

/// What a name leads to.
#[derive(Clone)]
pub enum Found {
    /// An item: its scope, and its index there.
    Item(Place, usize),
    /// Nothing of that name is declared or brought in.
    Missing,
    /// It can't be seen.
    Unknown,
}

/// The kinds of names that don't stand in each other's way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Space {
    /// Functions and constants.
    Values,
    /// Types and modules.
    Types,
}

/// How many imports may lead to one another.
const DEEPEST: usize = 16;

impl Place {
    /// The scope of the item whose name stands at that place of a file, and the item's index there.
    pub fn of(source: &Source, line: usize, column: usize) -> Option<(Place, usize)> {
        let outline = source.outline(source.path)?;
        let (scope, at) = outline.find(line, column).map(|(scope, item)| (scope, item.at))?;
        let index = outline.scopes[scope].items.iter().position(|item| item.at == at)?;
        Some((Place { path: source.path.to_owned(), outline, scope }, index))
    }

    /// One of its items.
    pub fn item(&self, index: usize) -> &Item {
        &self.outline.scopes[self.scope].items[index]
    }

    /// The outline of its file.
    pub fn outline(&self) -> &Outline {
        &self.outline
    }

    /// The names of the items that can be seen from here and are of that kind.
    pub fn names(&self, of: impl Fn(&Item) -> bool) -> Vec<&str> {
        let mut names = Vec::new();
        let mut scope = Some(self.scope);
        while let Some(at) = scope {
            let here = &self.outline.scopes[at];
            names.extend(here.items.iter().filter(|i| of(i)).map(|i| i.name.as_str()));
            names.extend(here.uses.iter().filter_map(|u| u.name.as_deref()));
            scope = here.parent.filter(|_| here.module.is_none());
        }
        names
    }

    /// The path by which a name is brought in where it is seen from here first, unless it is declared there.
    pub fn import(&self, name: &str) -> Option<&[String]> {
        let mut scope = Some(self.scope);
        while let Some(at) = scope {
            let here = &self.outline.scopes[at];
            if here.items.iter().any(|item| item.name == name) {
                return None;
            }
            if let Some(found) = here.uses.iter().find(|u| u.name.as_deref() == Some(name)) {
                return Some(&found.path);
            }
            scope = here.parent.filter(|_| here.module.is_none());
        }
        None
    }

    fn at(&self, scope: usize) -> Place {
        Place { scope, ..self.clone() }
    }

    /// The module that this scope is or stands in.
    fn module(&self) -> Place {
        let mut scope = self.scope;
        while let (None, Some(parent)) =
            (&self.outline.scopes[scope].module, self.outline.scopes[scope].parent)
        {
            scope = parent;
        }
        self.at(scope)
    }

    /// What a path leads to.
    pub fn resolve(&self, source: &Source, path: &[String], space: Space) -> Found {
        self.path(source, path, space, DEEPEST)
    }

    fn path(&self, source: &Source, path: &[String], space: Space, deep: usize) -> Found {
        let Some(deep) = deep.checked_sub(1) else { return Found::Unknown };
        let [first, rest @ ..] = path else { return Found::Unknown };
        let start = match first.as_str() {
            "self" => Some(self.module()),
            "super" => self.module().above(source),
            "crate" => self.module().root(source),
            _ if rest.is_empty() => return self.name(source, first, space, deep),
            _ => match self.name(source, first, Space::Types, deep) {
                Found::Item(place, index) => place.inside(source, index),
                other => return if matches!(other, Found::Missing) { Found::Unknown } else { other },
            },
        };
        match start {
            Some(place) if rest.first().is_some_and(|s| s == "super" || s == "self") => {
                place.path(source, rest, space, deep)
            }
            Some(place) if rest.len() == 1 => place.member(source, &rest[0], space, deep),
            Some(place) => match rest {
                [next, rest @ ..] => match place.member(source, next, Space::Types, deep) {
                    Found::Item(at, index) => match at.inside(source, index) {
                        Some(module) => {
                            let path: Vec<String> =
                                std::iter::once("self".to_string()).chain(rest.iter().cloned()).collect();
                            module.path(source, &path, space, deep)
                        }
                        None => Found::Unknown,
                    },
                    _ => Found::Unknown,
                },
                [] => Found::Unknown,
            },
            None => Found::Unknown,
        }
    }

    /// A name as it is seen from here.
    fn name(&self, source: &Source, name: &str, space: Space, deep: usize) -> Found {
        let mut scope = Some(self.scope);
        while let Some(at) = scope {
            match self.at(at).member(source, name, space, deep) {
                Found::Missing => {}
                other => return other,
            }
            let here = &self.outline.scopes[at];
            scope = here.parent.filter(|_| here.module.is_none());
        }
        Found::Missing
    }

    /// A name that a module has, or a block.
    fn member(&self, source: &Source, name: &str, space: Space, deep: usize) -> Found {
        let Some(deep) = deep.checked_sub(1) else { return Found::Unknown };
        let scope = &self.outline.scopes[self.scope];
        let own: Vec<usize> = (0..scope.items.len())
            .filter(|i| scope.items[*i].name == name && is_in(&scope.items[*i], space))
            .collect();
        match own.as_slice() {
            [] => {}
            [one] => return Found::Item(self.clone(), *one),
            // One of them by `cfg`, say: any of them, if they are of one sort.
            [first, rest @ ..] => {
                let sort = |i: usize| (scope.items[i].kind, scope.items[i].marked, scope.items[i].changed);
                let alike = rest.iter().all(|i| sort(*i) == sort(*first))
                    && scope.items[*first].kind != ItemKind::Const;
                return if alike { Found::Item(self.clone(), *first) } else { Found::Unknown };
            }
        }
        let named: Vec<&Use> = scope.uses.iter().filter(|u| u.name.as_deref() == Some(name)).collect();
        if let [one] = named.as_slice() {
            // A path that begins with the name itself leads out of the crate.
            let outwards = one.path.len() == 1 || one.path.first().is_some_and(|first| first == name);
            return if outwards { Found::Unknown } else { self.path(source, &one.path, space, deep) };
        }
        if !named.is_empty() || scope.open {
            return Found::Unknown;
        }
        let globs = scope.uses.iter().filter(|u| u.name.is_none());
        let mut found = Found::Missing;
        for glob in
            globs.filter(|glob| !is_prelude(source, &glob.path, space) || PRELUDE_MODELS.contains(&name))
        {
            let inner = match self.glob(source, &glob.path, deep) {
                Some(module) if module.path == self.path && module.scope == self.scope => continue,
                Some(module) => module.member(source, name, space, deep),
                None => Found::Unknown,
            };
            match inner {
                Found::Missing => {}
                other => found = other,
            }
        }
        found
    }

    /// The module that `path::*` is of.
    fn glob(&self, source: &Source, path: &[String], deep: usize) -> Option<Place> {
        match path {
            [one] if one == "self" => Some(self.module()),
            [one] if one == "super" => self.module().above(source),
            [one] if one == "crate" => self.module().root(source),
            _ => match self.path(source, path, Space::Types, deep) {
                Found::Item(place, index) => place.inside(source, index),
                _ => None,
            },
        }
    }

    /// The scope of a module that is one of the items here.
    fn inside(&self, source: &Source, index: usize) -> Option<Place> {
        let item = self.item(index);
        match item.kind {
            ItemKind::Module(Some(scope)) => Some(self.at(scope)),
            ItemKind::Module(None) if !item.changed => self.file_of(source, &item.name),
            _ => None,
        }
    }

    /// The file of `mod name;`.
    fn file_of(&self, source: &Source, name: &str) -> Option<Place> {
        let mut names = vec![name.to_string()];
        let mut scope = self.scope;
        while let Some(parent) = self.outline.scopes[scope].parent {
            names.insert(0, self.outline.scopes[scope].module.clone()?);
            scope = parent;
        }
        let last = names.pop()?;
        let folder = names.iter().fold(folder(&self.path)?, |folder, name| folder.join(name));
        let files = [folder.join(format!("{last}.rs")), folder.join(&last).join("mod.rs")];
        files.iter().find_map(|file| Place::file(source, file))
    }

    fn file(source: &Source, path: &Path) -> Option<Place> {
        Some(Place { path: path.to_owned(), outline: source.outline(path)?, scope: 0 })
    }

    /// The module around a module.
    fn above(&self, source: &Source) -> Option<Place> {
        match self.outline.scopes[self.scope].parent {
            // A module in a block sees the module around it by `super`.
            Some(parent) => Some(self.at(parent).module()),
            None => self.declaring(source),
        }
    }

    /// The module of another file that declares this file.
    fn declaring(&self, source: &Source) -> Option<Place> {
        let stem = self.path.file_stem()?.to_str()?;
        let folder = self.path.parent()?;
        let (name, folder) = match stem {
            "mod" => (folder.file_name()?.to_str()?, folder.parent()?),
            _ => (stem, folder),
        };
        let beside =
            folder.file_name().and_then(|n| n.to_str()).map(|n| folder.with_file_name(format!("{n}.rs")));
        let files = ["lib.rs", "main.rs", "mod.rs"].map(|file| folder.join(file)).into_iter().chain(beside);
        let declares = |place: &Place| {
            let items = &place.outline.scopes[0].items;
            items.iter().any(|i| i.kind == ItemKind::Module(None) && i.name == name)
        };
        let mut all =
            files.filter(|f| *f != self.path).filter_map(|f| Place::file(source, &f)).filter(declares);
        let one = all.next();
        one.filter(|_| all.next().is_none())
    }

    /// The crate's root, if this file is it or is declared by it.
    fn root(&self, source: &Source) -> Option<Place> {
        let mut file = self.at(0);
        for _ in 0..DEEPEST {
            match file.declaring(source) {
                Some(above) => file = above.at(0),
                None => break,
            }
        }
        let name = file.path.file_name()?.to_str()?;
        let single = |folder: &str| file.path.parent().and_then(Path::file_name).is_some_and(|f| f == folder);
        let is_root = matches!(name, "lib.rs" | "main.rs")
            || ["tests", "examples", "benches", "bin"].iter().any(|f| single(f));
        is_root.then_some(file)
    }
}

/// The folder of the files that a file declares.
fn folder(path: &Path) -> Option<PathBuf> {
    let (stem, folder) = (path.file_stem()?.to_str()?, path.parent()?);
    let is_root =
        ["tests", "examples", "benches", "bin"].iter().any(|f| folder.file_name().is_some_and(|n| n == *f));
    let own = matches!(stem, "lib" | "main" | "mod") || is_root;
    Some(if own { folder.to_owned() } else { folder.join(stem) })
}

fn is_in(item: &Item, space: Space) -> bool {
    match item.kind {
        ItemKind::Function | ItemKind::Const | ItemKind::Static => space == Space::Values,
        ItemKind::Struct | ItemKind::Type(_) | ItemKind::Module(_) => space == Space::Types,
    }
}

/// The models in Kiln's prelude.
const PRELUDE_MODELS: [&str; 3] = ["batch_norm1d_train", "batch_norm2d_train", "batch_norm3d_train"];

/// Kiln's prelude has no constants, and but for its models functions that the compiler knows.
fn is_prelude(source: &Source, path: &[String], space: Space) -> bool {
    space == Space::Values && path.len() == 2 && path[0] == *source.library.borrow() && path[1] == "prelude"
}
