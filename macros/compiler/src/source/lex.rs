//! A file's text as tokens with their places.
//!
//! Not `proc_macro2`'s: inside a proc macro the tokens of a text have no place, and a text that rustc can't lex would be
//! reported twice. Invariant: every group is closed, or there are no tokens at all.

/// A token.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Where its text begins, in bytes.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// Its line, from 1.
    pub line: usize,
    /// Its column in characters, from 0.
    pub column: usize,
}

/// The kinds of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A name or keyword.
    Ident,
    /// A character of an operator.
    Punct(u8),
    /// A bracket, and the index of the token that closes it.
    Open(u8, usize),
    /// The end of a group.
    Close,
    /// A number, string, character or lifetime.
    Literal,
}

/// The tokens of a text; `None` if a bracket, a string or a comment has no end.
pub fn lex(text: &str) -> Option<Vec<Token>> {
    let mut lexer = Lexer { text: text.as_bytes(), at: 0, line: 1, line_start: 0, tokens: Vec::new() };
    let mut open: Vec<usize> = Vec::new();
    while lexer.blank()? {
        let start = lexer.at;
        let column = text.get(lexer.line_start..start)?.chars().count();
        let line = lexer.line;
        let kind = lexer.kind()?;
        let index = lexer.tokens.len();
        match kind {
            Kind::Open(..) => open.push(index),
            Kind::Close => {
                let opening = open.pop()?;
                let Kind::Open(bracket, _) = lexer.tokens[opening].kind else { return None };
                lexer.tokens[opening].kind = Kind::Open(bracket, index);
            }
            _ => {}
        }
        lexer.tokens.push(Token { kind, start, end: lexer.at, line, column });
    }
    open.is_empty().then_some(lexer.tokens)
}

struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    line: usize,
    line_start: usize,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.text.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn step(&mut self) {
        if self.peek(0) == b'\n' {
            (self.line, self.line_start) = (self.line + 1, self.at + 1);
        }
        self.at += 1;
    }

    /// Skips spaces and comments: whether a token follows.
    fn blank(&mut self) -> Option<bool> {
        while self.at < self.text.len() {
            match (self.peek(0), self.peek(1)) {
                (b'/', b'/') => {
                    while self.at < self.text.len() && self.peek(0) != b'\n' {
                        self.at += 1;
                    }
                }
                (b'/', b'*') => self.comment()?,
                (c, _) if c.is_ascii_whitespace() => self.step(),
                // A byte order mark, and spaces beyond ASCII.
                (0xEF, 0xBB) | (0xE2, 0x80) => self.at += 3,
                _ => return Some(true),
            }
        }
        Some(false)
    }

    fn comment(&mut self) -> Option<()> {
        let mut depth = 0;
        loop {
            match (self.peek(0), self.peek(1)) {
                _ if self.at >= self.text.len() => return None,
                (b'/', b'*') => (depth, self.at) = (depth + 1, self.at + 2),
                (b'*', b'/') => (depth, self.at) = (depth - 1, self.at + 2),
                _ => self.step(),
            }
            if depth == 0 {
                return Some(());
            }
        }
    }

    fn kind(&mut self) -> Option<Kind> {
        let first = self.peek(0);
        match first {
            b'(' | b'[' | b'{' => self.one(Kind::Open(first, 0)),
            b')' | b']' | b'}' => self.one(Kind::Close),
            b'"' => self.string(),
            b'\'' => self.quote(),
            b'0'..=b'9' => self.number(),
            _ if is_name(first) => self.name(),
            _ => self.one(Kind::Punct(first)),
        }
    }

    fn one(&mut self, kind: Kind) -> Option<Kind> {
        self.at += 1;
        Some(kind)
    }

    /// A name, or the string that a prefix belongs to: `r"…"`, `br#"…"#`, `b'x'`.
    fn name(&mut self) -> Option<Kind> {
        let start = self.at;
        while is_name(self.peek(0)) {
            self.at += 1;
        }
        let prefix = &self.text[start..self.at];
        let raw = matches!(prefix, b"r" | b"br" | b"cr");
        let hashes = self.text[self.at..].iter().take_while(|c| **c == b'#').count();
        match self.peek(hashes) {
            b'"' if raw => self.raw_string(hashes),
            b'"' if hashes == 0 && matches!(prefix, b"b" | b"c") => self.string(),
            b'\'' if hashes == 0 && prefix == b"b" => self.quote(),
            c if prefix == b"r" && hashes == 1 && is_name(c) => {
                self.at += 1;
                self.name()
            }
            _ => Some(Kind::Ident),
        }
    }

    fn raw_string(&mut self, hashes: usize) -> Option<Kind> {
        self.at += hashes + 1;
        while self.at < self.text.len() {
            let closed = self.peek(0) == b'"' && (1..=hashes).all(|i| self.peek(i) == b'#');
            self.step();
            if closed {
                self.at += hashes;
                return Some(Kind::Literal);
            }
        }
        None
    }

    fn string(&mut self) -> Option<Kind> {
        self.at += 1;
        while self.at < self.text.len() {
            match self.peek(0) {
                b'"' => return self.one(Kind::Literal),
                b'\\' => self.at += 1,
                _ => {}
            }
            self.step();
        }
        None
    }

    /// A character or a lifetime.
    fn quote(&mut self) -> Option<Kind> {
        self.at += 1;
        if self.peek(0) == b'\\' {
            self.at += 2;
            while self.at < self.text.len() && self.peek(0) != b'\'' {
                self.step();
            }
            return self.one(Kind::Literal);
        }
        let width = match self.peek(0) {
            0..0x80 => 1,
            0x80..0xE0 => 2,
            0xE0..0xF0 => 3,
            _ => 4,
        };
        if self.peek(width) == b'\'' {
            self.at += width + 1;
            return Some(Kind::Literal);
        }
        while is_name(self.peek(0)) {
            self.at += 1;
        }
        Some(Kind::Literal)
    }

    fn number(&mut self) -> Option<Kind> {
        while self.at < self.text.len() {
            let (before, here, next) = (self.text[self.at.max(1) - 1], self.peek(0), self.peek(1));
            let exponent =
                matches!(here, b'+' | b'-') && matches!(before, b'e' | b'E') && next.is_ascii_digit();
            let fraction = here == b'.' && next.is_ascii_digit();
            if !is_name(here) && !exponent && !fraction {
                break;
            }
            self.at += 1;
        }
        Some(Kind::Literal)
    }
}

fn is_name(c: u8) -> bool {
    c.is_ascii_alphanumeric() || c == b'_' || c >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        lex(text).unwrap().iter().map(|t| &text[t.start..t.end]).collect()
    }

    #[test]
    fn strings_comments_and_lifetimes_hide_what_is_in_them() {
        let text = "fn f<'a>(x: &'a str) /* } /* { */ */ { // }\n \"}\\\"\" r#\"}\"}\"# b'}' '\\'' '}' 'ä' 1.5e-3 0..2 }";
        let want = [
            "fn",
            "f",
            "<",
            "'a",
            ">",
            "(",
            "x",
            ":",
            "&",
            "'a",
            "str",
            ")",
            "{",
            "\"}\\\"\"",
            "r#\"}\"}\"#",
            "b'}'",
            "'\\''",
            "'}'",
            "'ä'",
            "1.5e-3",
            "0",
            ".",
            ".",
            "2",
            "}",
        ];
        assert_eq!(words(text), want);
    }

    #[test]
    fn places_are_those_of_rustc() {
        let tokens = lex("\"ä\" a\n\n  r#type b").unwrap();
        let places: Vec<(usize, usize)> = tokens.iter().map(|t| (t.line, t.column)).collect();
        assert_eq!(places, [(1, 0), (1, 4), (3, 2), (3, 9)]);
    }

    #[test]
    fn what_has_no_end_has_no_tokens() {
        for text in ["fn f() {", "}", "\"", "/*", "r#\"\"", "(]}"] {
            assert!(lex(text).is_none(), "{text}");
        }
    }
}
