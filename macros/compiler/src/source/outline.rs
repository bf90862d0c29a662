//! The items of a file: which names each module and block declares, and which it brings in.
//!
//! No parser of Rust: what isn't an item is skipped, and what may declare names that can't be seen here (a macro's call,
//! an unknown attribute) makes its scope open, about which nothing is said that would be wrong if there were more.

use super::lex::{Kind, Token, lex};
use super::uses::{self, Use};
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
        outline.items(0, 0..end, true);
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

    fn is(&self, at: usize, word: &str) -> bool {
        self.word(at) == word
    }

    fn close(&self, at: usize) -> Option<usize> {
        match self.tokens.get(at)?.kind {
            Kind::Open(_, close) => Some(close),
            _ => None,
        }
    }

    /// Reads a module's items or a block's statements. In a module all is items; in a block the rest is skipped.
    fn items(&mut self, scope: usize, range: Range<usize>, module: bool) {
        let mut at = range.start;
        let mut fresh = true;
        while at < range.end {
            let (behind, attributes) = self.attributes(at);
            let start = self.visibility(behind);
            if let Some(end) =
                (fresh || behind > at).then(|| self.item(scope, start, range.end, &attributes)).flatten()
            {
                (at, fresh) = (end, true);
                continue;
            }
            let (word, close) = (self.word(start).to_string(), self.close(start));
            match close {
                Some(close) => {
                    if word == "{" {
                        self.block(scope, start + 1..close);
                    } else {
                        self.nested(scope, start + 1..close);
                    }
                    at = close + 1;
                }
                None => {
                    self.scopes[scope].open |=
                        self.is_call_of_macro(start) || (module && !attributes.is_empty());
                    at = start.max(at) + 1;
                }
            }
            fresh = module || matches!(word.as_str(), ";" | "{") || close.is_some();
        }
    }

    /// The blocks among an expression's tokens.
    fn nested(&mut self, scope: usize, range: Range<usize>) {
        let mut at = range.start;
        while at < range.end {
            match self.close(at) {
                Some(close) => {
                    if self.is(at, "{") {
                        self.block(scope, at + 1..close);
                    } else {
                        self.nested(scope, at + 1..close);
                    }
                    at = close + 1;
                }
                None => at += 1,
            }
        }
    }

    fn block(&mut self, parent: usize, range: Range<usize>) {
        let scope = self.scopes.len();
        self.scopes.push(Scope { parent: Some(parent), ..Scope::default() });
        self.items(scope, range, false);
    }

    /// The attributes from a token on: where they end, and their names.
    fn attributes(&self, mut at: usize) -> (usize, Vec<String>) {
        let mut names = Vec::new();
        while self.is(at, "#") {
            let inner = self.is(at + 1, "!");
            let bracket = at + 1 + usize::from(inner);
            let (true, Some(close)) = (self.is(bracket, "["), self.close(bracket)) else { break };
            let path = (bracket + 1..close).take_while(|i| self.close(*i).is_none() && !self.is(*i, "="));
            let name: String = path.map(|i| self.word(i)).collect();
            names.extend((!inner).then_some(name));
            at = close + 1;
        }
        (at, names)
    }

    /// A macro's call may declare anything, except those of std.
    fn is_call_of_macro(&self, bang: usize) -> bool {
        let called = self.is(bang, "!") && self.close(bang + 1).is_some();
        called && bang > 0 && !STD_MACROS.contains(&self.word(bang - 1))
    }

    fn visibility(&self, at: usize) -> usize {
        match self.is(at, "pub") {
            true if self.is(at + 1, "(") => self.close(at + 1).map_or(at + 1, |close| close + 1),
            true => at + 1,
            false => at,
        }
    }

    /// Reads the item that begins at a token; where it ends. `None` if there is none.
    fn item(&mut self, scope: usize, start: usize, end: usize, attributes: &[String]) -> Option<usize> {
        match self.word(start) {
            "use" => return self.import(scope, start, end),
            "macro_rules" if self.is(start + 1, "!") => {
                self.macros.push(self.word(start + 2).to_string());
                return Some(self.close(start + 3)? + 1);
            }
            "impl" => return self.behind_braces(start, end),
            _ => {}
        }
        let (keyword, at) = self.keyword(start)?;
        let name = self.word(at).trim_start_matches("r#").to_string();
        if self.tokens.get(at)?.kind != Kind::Ident {
            return None;
        }
        let (kind, stop) = match keyword {
            "fn" => {
                let body = self.body(at, end)?;
                let close = self.close(body);
                (ItemKind::Function, close.unwrap_or(body) + 1)
            }
            "mod" => match self.close(at + 1) {
                Some(close) => {
                    let inner = self.scopes.len();
                    self.scopes.push(Scope {
                        parent: Some(scope),
                        module: Some(name.clone()),
                        ..Scope::default()
                    });
                    self.items(inner, at + 2..close, true);
                    (ItemKind::Module(Some(inner)), close + 1)
                }
                None => (ItemKind::Module(None), at + 2),
            },
            "struct" => (ItemKind::Struct, self.behind_struct(at, end)),
            "const" => (ItemKind::Const, self.behind(at, end, ";")),
            "static" => (ItemKind::Static, self.behind(at, end, ";")),
            "type" => (ItemKind::Type("a type alias"), self.behind(at, end, ";")),
            "enum" => (ItemKind::Type("an enum"), self.behind_braces(at, end)?),
            "union" => (ItemKind::Type("a union"), self.behind_braces(at, end)?),
            _ => (ItemKind::Type("a trait"), self.behind_braces(at, end)?),
        };
        let last = |a: &String| a.rsplit("::").next().unwrap_or_default().to_string();
        let marked = attributes.iter().any(|a| matches!(last(a).as_str(), "model" | "params"));
        let changed = !marked && attributes.iter().any(|a| !is_known(a));
        self.scopes[scope].open |= changed;
        self.scopes[scope].items.push(Item { name, kind, marked, changed, at, tokens: start..stop });
        if let (ItemKind::Function, Some(body)) = (kind, self.body(at, end))
            && let Some(close) = self.close(body)
        {
            self.block(scope, body + 1..close);
        }
        Some(stop)
    }

    /// The keyword of an item behind its qualifiers, and the token that names it.
    fn keyword(&self, start: usize) -> Option<(&'static str, usize)> {
        const KEYWORDS: [&str; 9] =
            ["fn", "mod", "struct", "const", "static", "type", "enum", "union", "trait"];
        let mut at = start;
        for _ in 0..6 {
            let word = self.word(at);
            let qualifies =
                word == "const" && matches!(self.word(at + 1), "fn" | "unsafe" | "async" | "extern");
            if let Some(keyword) = KEYWORDS.iter().find(|k| **k == word).filter(|_| !qualifies) {
                let name = at + 1 + usize::from(*keyword == "static" && self.is(at + 1, "mut"));
                return Some((keyword, name));
            }
            if !qualifies
                && !matches!(word, "async" | "unsafe" | "extern" | "safe" | "auto")
                && !word.starts_with('"')
            {
                return None;
            }
            at += 1;
        }
        None
    }

    /// The brace of a function's body, or its `;`. Braces among generic arguments are dims.
    fn body(&self, name: usize, end: usize) -> Option<usize> {
        let (mut at, mut depth) = (name + 1, 0i32);
        while at < end {
            match self.word(at) {
                "<" => depth += 1,
                ">" if !self.is(at - 1, "-") => depth -= 1,
                "{" | ";" if depth <= 0 => return Some(at),
                _ => {}
            }
            at = self.close(at).unwrap_or(at) + 1;
        }
        None
    }

    /// Behind the `;` or the braces that end an item.
    fn behind(&self, mut at: usize, end: usize, stop: &str) -> usize {
        while at < end && !self.is(at, stop) {
            at = self.close(at).unwrap_or(at) + 1;
        }
        self.close(at).unwrap_or(at) + 1
    }

    fn behind_braces(&self, at: usize, end: usize) -> Option<usize> {
        Some(self.close(self.body(at, end)?)? + 1)
    }

    fn behind_struct(&self, at: usize, end: usize) -> usize {
        let body = self.body(at, end).unwrap_or(end);
        self.close(body).unwrap_or(body) + 1
    }

    fn import(&mut self, scope: usize, start: usize, end: usize) -> Option<usize> {
        let stop = self.behind(start, end, ";");
        let words: Vec<&str> = (start + 1..stop - 1).map(|i| self.word(i)).collect();
        let found = uses::read(&words);
        self.scopes[scope].uses.extend(found);
        Some(stop)
    }
}

/// The macros that are in scope everywhere.
pub const STD_MACROS: [&str; 41] = [
    "assert",
    "assert_eq",
    "assert_ne",
    "cfg",
    "column",
    "compile_error",
    "concat",
    "concat_idents",
    "dbg",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "env",
    "eprint",
    "eprintln",
    "file",
    "format",
    "format_args",
    "include",
    "include_bytes",
    "include_str",
    "is_x86_feature_detected",
    "line",
    "log_syntax",
    "matches",
    "module_path",
    "option_env",
    "panic",
    "print",
    "println",
    "stringify",
    "thread_local",
    "todo",
    "trace_macros",
    "try",
    "unimplemented",
    "unreachable",
    "vec",
    "write",
    "writeln",
    "ready",
];

/// Attributes that leave an item as it is.
fn is_known(attribute: &str) -> bool {
    const KNOWN: [&str; 20] = [
        "allow",
        "cfg",
        "cold",
        "default",
        "deny",
        "deprecated",
        "derive",
        "doc",
        "expect",
        "forbid",
        "inline",
        "macro_use",
        "must_use",
        "no_mangle",
        "non_exhaustive",
        "repr",
        "target_feature",
        "test",
        "track_caller",
        "warn",
    ];
    KNOWN.contains(&attribute) || attribute.starts_with("rustfmt::") || attribute.starts_with("clippy::")
}
