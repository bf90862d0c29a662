//! Reads the items of a file.
//!
//! No parser of Rust: what isn't an item is skipped, and what may declare names that can't be seen here (a macro's call,
//! an unknown attribute) makes its scope open, about which nothing is said that would be wrong if there were more.

use super::lex::Kind;
use super::outline::{Item, ItemKind, Outline, Scope};
use super::uses;
use std::ops::Range;

/// Reads the whole file into its first scope.
pub fn read(outline: &mut Outline, range: Range<usize>) {
    outline.items(0, range, true);
}

impl Outline {
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
        for at in start..start + 6 {
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
