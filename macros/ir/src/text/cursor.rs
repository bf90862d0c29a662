//! A place in a text: what comes next, and faults that say where.

use std::fmt;

/// Why a text is no function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseError {
    /// Line, from 1 on.
    pub line: usize,
    /// Column, from 1 on, in characters.
    pub column: usize,
    /// What was expected, and what stands there.
    pub message: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for ParseError {}

pub(super) type Parse<T> = Result<T, ParseError>;

/// A place in a text.
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

/// The word with which a text begins: letters, digits, `_`, and `.` and `::` within.
pub(super) fn word(text: &str) -> &str {
    let mut end = 0;
    while let Some(c) = text[end..].chars().next() {
        let rest = &text[end + c.len_utf8()..];
        let goes_on = rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        end += match c {
            _ if c.is_alphanumeric() || c == '_' => c.len_utf8(),
            '.' if end > 0 && goes_on => 1,
            ':' if end > 0 && rest.strip_prefix(':').is_some_and(|r| r.starts_with(char::is_alphabetic)) => 2,
            _ => break,
        };
    }
    &text[..end]
}

impl<'a> Cursor<'a> {
    pub fn new(text: &'a str) -> Cursor<'a> {
        Cursor { text, at: 0 }
    }

    /// What is left, behind white space.
    pub fn rest(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        &self.text[self.at..]
    }

    /// Goes on by what was read.
    pub fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// Where it stands, to come back to with `back`.
    pub fn mark(&mut self) -> usize {
        self.rest();
        self.at
    }

    /// Back to a mark, for a fault that points there.
    pub fn back(&mut self, mark: usize) -> &mut Self {
        self.at = mark;
        self
    }

    /// Whether the line ends here.
    pub fn at_line_end(&self) -> bool {
        self.text[self.at..].trim_start_matches([' ', '\t', '\r']).starts_with('\n')
    }

    /// Takes a sign or word if it comes next.
    pub fn eat(&mut self, what: &str) -> bool {
        let rest = self.rest();
        let next = if what.starts_with(char::is_alphabetic) { word(rest) } else { rest };
        let found = if what.starts_with(char::is_alphabetic) { next == what } else { next.starts_with(what) };
        if found {
            self.skip(what.len());
        }
        found
    }

    /// A sign or word that must come next.
    pub fn expect(&mut self, what: &str) -> Parse<()> {
        if self.eat(what) { Ok(()) } else { Err(self.expected(&format!("`{what}`"))) }
    }

    /// Items up to a closing sign, commas between.
    pub fn list<T>(&mut self, close: &str, mut item: impl FnMut(&mut Self) -> Parse<T>) -> Parse<Vec<T>> {
        let mut items = Vec::new();
        while !self.eat(close) {
            if !items.is_empty() && !self.eat(",") {
                return Err(self.expected(&format!("`,` or `{close}`")));
            }
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// A number without a sign.
    pub fn number<T: std::str::FromStr>(&mut self) -> Parse<T> {
        let rest = self.rest();
        let digits = &rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())];
        let number = digits.parse().map_err(|_| self.expected("a number"))?;
        self.skip(digits.len());
        Ok(number)
    }

    /// A name: a path, or anything in quotes.
    pub fn name(&mut self) -> Parse<String> {
        let rest = self.rest();
        if rest.starts_with('"') {
            return self.quoted();
        }
        let word = word(rest);
        if word.is_empty() || word.starts_with(|c: char| c.is_numeric()) {
            return Err(self.expected("a name"));
        }
        self.skip(word.len());
        Ok(word.to_string())
    }

    /// A string as `{:?}` writes it.
    fn quoted(&mut self) -> Parse<String> {
        let mut out = String::new();
        let rest = self.rest();
        let mut chars = rest.char_indices().skip(1);
        while let Some((i, c)) = chars.next() {
            match c {
                '"' => {
                    self.skip(i + 1);
                    return Ok(out);
                }
                '\\' => out.push(escaped(&mut chars).ok_or_else(|| self.expected("an escape of Rust"))?),
                c => out.push(c),
            }
        }
        Err(self.expected("a name with a closing quote"))
    }

    /// The fault that something else stands here.
    pub fn expected(&mut self, what: &str) -> ParseError {
        let rest = self.rest();
        let long = word(rest).len().max(rest.chars().next().map_or(0, char::len_utf8));
        let found = if long == 0 { "the end".to_string() } else { format!("`{}`", &rest[..long]) };
        self.fault(format!("expected {what}, found {found}"))
    }

    /// A fault here.
    pub fn fault(&self, message: String) -> ParseError {
        let before = &self.text[..self.at];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        ParseError { line, column, message }
    }
}

fn escaped(chars: &mut impl Iterator<Item = (usize, char)>) -> Option<char> {
    match chars.next()?.1 {
        'n' => Some('\n'),
        't' => Some('\t'),
        'r' => Some('\r'),
        '0' => Some('\0'),
        'u' => {
            let code: String = chars.map(|(_, c)| c).skip(1).take_while(|c| *c != '}').collect();
            char::from_u32(u32::from_str_radix(&code, 16).ok()?)
        }
        c => Some(c),
    }
}
