//! Sizes and strides as fields of kernels that are alike but for them, so that rustc compiles one for all layers of a net.
//!
//! Invariant: what LLVM makes use of stays a constant: numbers in which kernels don't differ, lengths of short loops, what an index
//! of the innermost loop is multiplied or divided by, and that a length is a multiple of a block.

use proc_macro2::{Delimiter, Group, Ident, Literal, Span, TokenStream, TokenTree};
use quote::quote;
use std::collections::HashMap;

/// Lengths up to here stay constants, as loops so short are unrolled.
const SHORT: usize = 64;
/// Strides up to here stay constants.
const SMALL: usize = 8;
/// The runtime sums by blocks of so many elements, and knows of no rest where a row is a multiple of that.
const BLOCK: usize = 64;

/// A kernel's code with its numbers apart.
pub struct Template {
    code: String,
    numbers: Vec<usize>,
    /// Which of them are lengths of whole blocks.
    blocks: Vec<bool>,
}

/// What kernels of one template have as fields.
#[derive(Clone)]
pub struct Fields {
    /// Their names.
    pub names: Vec<Ident>,
    /// Those that are multiples of a block.
    blocks: Vec<Ident>,
    /// For each number of the template its field, or what it is in all of them.
    numbers: Vec<Number>,
}

#[derive(Clone, Copy)]
enum Number {
    Field(usize),
    Constant(usize),
}

/// What a number is in the code.
#[derive(Clone, Copy, PartialEq)]
enum Use {
    Length,
    Divisor,
    Stride,
}

impl Template {
    /// Takes the numbers out of a kernel's code.
    pub fn of(code: TokenStream) -> Template {
        let (mut numbers, mut blocks) = (Vec::new(), Vec::new());
        let code = replaced(code, &mut |number, used| {
            let whole = used == Use::Length && number.is_multiple_of(BLOCK);
            numbers.push(number);
            blocks.push(whole);
            // No kernel has text in it.
            Some(Literal::string(if whole { "blocks" } else { "size" }).into())
        });
        Template { code: code.to_string(), numbers, blocks }
    }

    /// Equal for kernels that are alike.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Equal, beside equal code, for kernels that are equal.
    pub fn numbers(&self) -> &[usize] {
        &self.numbers
    }
}

impl Fields {
    /// Their values in a kernel of the template, unless it differs elsewhere as well.
    pub fn values(&self, template: &Template) -> Option<Vec<usize>> {
        let mut values = vec![None; self.names.len()];
        for (number, here) in self.numbers.iter().zip(&template.numbers) {
            let same = match number {
                Number::Field(field) => values[*field].get_or_insert(*here) == here,
                Number::Constant(there) => there == here,
            };
            if !same {
                return None;
            }
        }
        values.into_iter().collect()
    }

    /// What stands behind the fields' being read: blocks are whole, which is a constant again.
    pub fn known(&self) -> TokenStream {
        let (blocks, bits) = (&self.blocks, Literal::u32_unsuffixed(BLOCK.trailing_zeros()));
        quote!(#(let #blocks = #blocks >> #bits << #bits;)*)
    }

    /// A kernel's code with fields for numbers.
    pub fn put(&self, code: TokenStream) -> TokenStream {
        let mut numbers = self.numbers.iter();
        replaced(code, &mut |_, _| match numbers.next()? {
            Number::Field(field) => Some(self.names[*field].clone().into()),
            Number::Constant(_) => None,
        })
    }
}

/// The fields of each template of which there are kernels that differ.
pub fn fields<'t>(
    templates: impl Iterator<Item = &'t Template>,
    taken: &dyn Fn(&str) -> bool,
) -> HashMap<String, Fields> {
    let mut alike: HashMap<&str, Vec<&Template>> = HashMap::new();
    templates.for_each(|t| alike.entry(t.code()).or_default().push(t));
    let differ = alike.into_iter().filter(|(_, all)| all.iter().any(|one| one.numbers != all[0].numbers));
    differ.map(|(code, all)| (code.to_string(), together(&all, taken))).collect()
}

/// A field for each row of numbers that templates don't have in common.
fn together(all: &[&Template], taken: &dyn Fn(&str) -> bool) -> Fields {
    let mut rows: Vec<(Vec<usize>, bool)> = Vec::new();
    let mut number = |at: usize| {
        let row: Vec<usize> = all.iter().map(|one| one.numbers[at]).collect();
        if row.iter().all(|n| *n == row[0]) {
            return Number::Constant(row[0]);
        }
        let known = rows.iter().position(|(known, _)| *known == row);
        let field = known.unwrap_or_else(|| {
            rows.push((row, false));
            rows.len() - 1
        });
        rows[field].1 |= all[0].blocks[at];
        Number::Field(field)
    };
    let numbers = (0..all[0].numbers.len()).map(&mut number).collect();
    let free = (0..).map(|n| format!("size{n}")).filter(|name| !taken(name));
    let names: Vec<Ident> = free.take(rows.len()).map(|name| Ident::new(&name, Span::call_site())).collect();
    let blocks = rows.iter().zip(&names).filter(|((_, whole), _)| *whole).map(|(_, name)| name.clone());
    Fields { blocks: blocks.collect(), names, numbers }
}

/// The code with other tokens for numbers that may be fields, in order.
fn replaced(code: TokenStream, other: &mut dyn FnMut(usize, Use) -> Option<TokenTree>) -> TokenStream {
    Replacing { other, longest: 0 }.within(code, None)
}

/// A walk through a kernel's code.
struct Replacing<'o> {
    other: &'o mut dyn FnMut(usize, Use) -> Option<TokenTree>,
    /// The greatest length so far: that of a row stands before what counts rows.
    longest: usize,
}

impl Replacing<'_> {
    /// The code in the brackets behind a function's name.
    fn within(&mut self, code: TokenStream, function: Option<&str>) -> TokenStream {
        let mut before: Vec<TokenTree> = Vec::new();
        for tree in code {
            let next = match tree {
                TokenTree::Group(group) => {
                    let called = match before.last() {
                        Some(TokenTree::Ident(name)) if group.delimiter() == Delimiter::Parenthesis => {
                            Some(name.to_string())
                        }
                        _ => None,
                    };
                    Group::new(group.delimiter(), self.within(group.stream(), called.as_deref())).into()
                }
                TokenTree::Literal(literal) => {
                    let number = number(&literal).zip(used(&before, function));
                    number.and_then(|(number, used)| self.number(number, used)).unwrap_or(literal.into())
                }
                tree => tree,
            };
            before.push(next);
        }
        before.into_iter().collect()
    }

    fn number(&mut self, number: usize, used: Use) -> Option<TokenTree> {
        let constant = match used {
            Use::Length => {
                self.longest = self.longest.max(number);
                SHORT
            }
            // A division is felt in a short row.
            Use::Divisor if self.longest <= SHORT => SHORT,
            Use::Divisor | Use::Stride => SMALL,
        };
        if number > constant { (self.other)(number, used) } else { None }
    }
}

/// A `usize`.
fn number(literal: &Literal) -> Option<usize> {
    let text = literal.to_string();
    text.strip_suffix("usize").unwrap_or(&text).parse().ok()
}

/// What a number behind such tokens is, if it may be a field.
fn used(before: &[TokenTree], function: Option<&str>) -> Option<Use> {
    let (last, earlier) = before.split_last()?;
    let TokenTree::Punct(last) = last else { return None };
    let stride = || earlier.last().is_some_and(is_steady).then_some(Use::Stride);
    match (last.as_char(), function) {
        ('<' | '.', _) => Some(Use::Length),
        ('*', _) | (',', Some("wrapping_mul")) => stride(),
        ('/' | '%', _) => counts_rows(earlier).then_some(Use::Divisor),
        (',', Some("wrapping_add" | "wrapping_sub" | "padded")) | ('+' | '-', _) => Some(Use::Stride),
        _ => None,
    }
}

/// Whether a factor stays the same within the innermost loop, for all that can be seen: multiples of others are left to LLVM.
fn is_steady(factor: &TokenTree) -> bool {
    match factor {
        TokenTree::Ident(name) => {
            let name = name.to_string();
            name != "j" && name.strip_prefix('d').is_none_or(|n| n.parse::<usize>().is_err())
        }
        TokenTree::Group(group) => group.stream().into_iter().all(|tree| is_steady(&tree)),
        _ => true,
    }
}

/// Whether a quotient is one of the row's number: `row`, or `row / 7`.
fn counts_rows(before: &[TokenTree]) -> bool {
    match before {
        [rest @ .., TokenTree::Punct(by), TokenTree::Literal(_) | TokenTree::Ident(_)]
            if matches!(by.as_char(), '/' | '%') =>
        {
            counts_rows(rest)
        }
        [.., TokenTree::Ident(name)] => name == "row",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> TokenStream {
        text.parse().expect("tokens")
    }

    fn numbers(text: &str) -> Vec<usize> {
        Template::of(code(text)).numbers
    }

    #[test]
    fn what_llvm_makes_use_of_stays() {
        assert_eq!(numbers("for j in 0..65 { x[i0 * 900 + j] }"), [65, 900]);
        assert_eq!(numbers("for j in 0..64 { x[j * 900] + 9i64 + 9.5_f32 }"), []);
        assert_eq!(numbers("usize::wrapping_mul(i0, 900usize)"), [900]);
        assert_eq!(numbers("usize::wrapping_mul(usize::wrapping_mul(i1, N), 441usize)"), [441]);
        assert_eq!(numbers("usize::wrapping_mul(d0, 900usize) + ((col + j) * 900)"), []);
        assert_eq!(numbers("(col + j) / 900"), []);
        assert_eq!(numbers("[..7]; row / 7 % 24 + row / 7 / 96"), [96]);
        assert_eq!(numbers("[..70]; row / 7 % 24 + row / 7 / 96"), [70, 24, 96]);
    }

    #[test]
    fn what_differs_is_a_field() {
        let all = [
            "x[i0 * 200 + i1 * 100..][..100] y[..128] i0 * 30",
            "x[i0 * 800 + i1 * 400..][..400] y[..640] i0 * 30",
        ];
        let templates = all.map(|text| Template::of(code(text)));
        assert_eq!(templates[0].code(), templates[1].code());
        let fields = fields(templates.iter(), &|name| name == "size1");
        let fields = &fields[templates[0].code()];
        let put = fields.put(code(all[1])).to_string();
        let wanted = "x[i0 * size0 + i1 * size2..][..size2] y[..size3] i0 * 30";
        assert_eq!(put, code(wanted).to_string());
        assert_eq!(fields.known().to_string(), code("let size3 = size3 >> 6 << 6;").to_string());
        assert_eq!(fields.values(&templates[1]), Some(vec![800, 400, 640]));
        let other = |text: &str| fields.values(&Template::of(code(text)));
        assert_eq!(other("x[i0 * 9 + i1 * 90..][..90] y[..192] i0 * 30"), Some(vec![9, 90, 192]));
        assert_eq!(other("x[i0 * 9 + i1 * 90..][..91] y[..192] i0 * 30"), None);
        assert_eq!(other("x[i0 * 9 + i1 * 90..][..90] y[..192] i0 * 31"), None);
    }

    #[test]
    fn a_length_of_whole_blocks_is_not_like_others() {
        let [blocks, rest] = ["x[..128]", "x[..129]"].map(|text| Template::of(code(text)));
        assert_ne!(blocks.code(), rest.code());
    }
}
