//! What stands in the file around an item: a proc macro can't resolve names, but it can look.
//!
//! A name is said to be something only where the files leave no doubt; whatever may be otherwise is left to rustc. Where
//! there is no file to look at, as in some editors, nothing is said at all.

mod lex;

mod items;
mod outline;
mod uses;

mod scope;

mod constant;
mod cycle;
mod fault;

pub use constant::{Number, parse as parse_number};
pub use fault::{Seen, look};
pub(crate) use items::STD_MACROS;

use outline::Outline;
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Where an item's file is, and how files are read.
pub struct Source<'a> {
    path: &'a Path,
    read: &'a dyn Fn(&Path) -> Option<String>,
    /// The library's name in this crate.
    library: RefCell<String>,
    seen: RefCell<HashMap<PathBuf, Option<Rc<Outline>>>>,
}

thread_local! {
    /// The outlines of files: one of many models is read once for all.
    static KNOWN: RefCell<HashMap<PathBuf, Rc<Outline>>> = RefCell::default();
}

impl<'a> Source<'a> {
    /// The file that an item stands in, and the texts of files.
    pub fn new(path: &'a Path, read: &'a dyn Fn(&Path) -> Option<String>) -> Source<'a> {
        Source { path, read, library: RefCell::new("kiln".to_string()), seen: RefCell::default() }
    }

    /// The outline of a file; its text is looked at once in an expansion.
    fn outline(&self, path: &Path) -> Option<Rc<Outline>> {
        if let Some(seen) = self.seen.borrow().get(path) {
            return seen.clone();
        }
        let outline = (self.read)(path).and_then(|text| known(path, &text));
        self.seen.borrow_mut().insert(path.to_owned(), outline.clone());
        outline
    }
}

fn known(path: &Path, text: &str) -> Option<Rc<Outline>> {
    let known = KNOWN.with_borrow(|known| known.get(path).filter(|o| o.text == text).cloned());
    if known.is_some() {
        return known;
    }
    let outline = Rc::new(Outline::new(text)?);
    KNOWN.with_borrow_mut(|known| known.insert(path.to_owned(), outline.clone()));
    Some(outline)
}
