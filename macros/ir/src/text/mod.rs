//! The textual form of a function: a line a node, for file tests, dumps and bug reports.
//!
//! ```text
//! fn loss<N <= 64, const WIDTH> {
//!   %0: f32[N, 3] = input[x]
//!   %1: f32[3] = parameter[net.w]
//!   %2: f32[N] = contract[ab,b->a] %0 %1  ; product
//!   return %2 as out
//! }
//! ```
//!
//! Symbols stand in the head: free dims with their bound, constants behind `const`. The type of a value is what `infer`
//! says, and checked. Names that are no paths are quoted. Invariant: what is printed parses to the same function, up
//! to the places that its nodes come from.

mod bodies;
mod cursor;
mod parse;
mod print;

pub use cursor::ParseError;
pub use parse::{parse, parse_all};

/// Whether a name stands without quotes.
fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_alphabetic() || c == '_') && cursor::word(name) == name
}
