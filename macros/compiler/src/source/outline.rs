//! The items of a file: which names each module and block declares, and which it brings in.

use super::items;
use super::lex::{Kind, Token, lex};
use super::uses::Use;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;

/// A file's scopes. The first is the file itself.
#[derive(Debug)]
pub struct Outline {
    /// The text.
    pub text: String,
    /// Its tokens.
    pub tokens: Vec<Token>,
    /// Modules and blocks with what they declare.
    pub scopes: Vec<Scope>,
    /// Names of `macro_rules!` anywhere in the file.
    pub macros: Vec<String>,
    /// The paths that its functions call, by the token of the name, as far as they were asked for.
    calls: RefCell<HashMap<usize, Vec<String>>>,
}

/// A module, or a block with items.
#[derive(Debug, Default)]
pub struct Scope {
    /// The scope around it; of a module, the module that declares it.
    pub parent: Option<usize>,
    /// The name, if it is a module.
    pub module: Option<String>,
    /// Its items in order.
    pub items: Vec<Item>,
    /// The names that it brings in.
    pub uses: Vec<Use>,
    /// Whether it may declare names that don't show.
    pub open: bool,
}

/// An item.
#[derive(Debug)]
pub struct Item {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: ItemKind,
    /// Whether `#[model]` or `#[params]` stands on it.
    pub marked: bool,
    /// Whether an attribute stands on it that may make anything of it.
    pub changed: bool,
    /// The token that is its name.
    pub at: usize,
    /// All its tokens behind its attributes.
    pub tokens: Range<usize>,
}

/// The kinds of items that matter here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// `fn`
    Function,
    /// `struct`
    Struct,
    /// `const`
    Const,
    /// `static`
    Static,
    /// `enum`, `union`, `trait`, `type`
    Type(&'static str),
    /// A module: its scope, or `None` if it stands in another file.
    Module(Option<usize>),
}

impl Outline {
    /// The outline of a text; `None` if it has no end of something.
    pub fn new(text: &str) -> Option<Outline> {
        let tokens = lex(text)?;
        let end = tokens.len();
        let scopes = vec![Scope { module: Some(String::new()), ..Scope::default() }];
        let mut outline =
            Outline { text: text.to_string(), tokens, scopes, macros: Vec::new(), calls: RefCell::default() };
        items::read(&mut outline, 0..end);
        Some(outline)
    }

    /// The text of a token.
    pub fn word(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |t| &self.text[t.start..t.end])
    }

    /// The text of tokens.
    pub fn source(&self, range: &Range<usize>) -> &str {
        match (self.tokens.get(range.start), self.tokens.get(range.end.wrapping_sub(1))) {
            (Some(first), Some(last)) if range.start < range.end => &self.text[first.start..last.end],
            _ => "",
        }
    }

    /// The paths that a function calls, which are found in its text.
    pub fn calls(&self, item: &Item, find: impl FnOnce(&str) -> Vec<String>) -> Vec<String> {
        let found = self.calls.borrow().get(&item.at).cloned();
        found.unwrap_or_else(|| {
            let found = find(self.source(&item.tokens));
            self.calls.borrow_mut().insert(item.at, found.clone());
            found
        })
    }

    /// The item whose name stands at that place, with its scope.
    pub fn find(&self, line: usize, column: usize) -> Option<(usize, &Item)> {
        self.scopes.iter().enumerate().find_map(|(scope, s)| {
            let here =
                |item: &&Item| (self.tokens[item.at].line, self.tokens[item.at].column) == (line, column);
            s.items.iter().find(here).map(|item| (scope, item))
        })
    }

    /// Whether a token has that text.
    pub fn is(&self, at: usize, word: &str) -> bool {
        self.word(at) == word
    }

    /// The token that closes a group.
    pub fn close(&self, at: usize) -> Option<usize> {
        match self.tokens.get(at)?.kind {
            Kind::Open(_, close) => Some(close),
            _ => None,
        }
    }
}
