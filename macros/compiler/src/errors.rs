//! The error collector: independent faults are all reported, in the order of the source.
//!
//! Invariant: a collector must be finished, so that no fault can be dropped on the way.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use std::cell::RefCell;

/// Collects faults while parsing goes on. It panics when dropped unfinished.
pub struct Errors {
    list: RefCell<Option<Vec<syn::Error>>>,
}

impl Default for Errors {
    fn default() -> Errors {
        Errors { list: RefCell::new(Some(Vec::new())) }
    }
}

impl Errors {
    /// A collector without faults.
    pub fn new() -> Errors {
        Errors::default()
    }

    /// A fault that stands at these tokens; without any, at the macro's call.
    pub fn at(&self, tokens: impl ToTokens, message: impl Into<String>) {
        self.push(syn::Error::new_spanned(tokens, message.into()));
    }

    /// The same, unless it was told before: of a name, say, that is wrong wherever it stands.
    pub fn once(&self, tokens: impl ToTokens, message: impl Into<String>) {
        let message = message.into();
        let told = self.list.borrow().as_ref().is_some_and(|l| l.iter().any(|e| e.to_string() == message));
        if !told {
            self.at(tokens, message);
        }
    }

    /// A fault at a span.
    pub fn at_span(&self, span: Span, message: impl Into<String>) {
        self.push(syn::Error::new(span, message.into()));
    }

    /// One of syn's errors, or several combined in one.
    pub fn push(&self, error: syn::Error) {
        if let Some(list) = self.list.borrow_mut().as_mut() {
            list.extend(error);
        }
    }

    /// The value, or `None` with the fault noted.
    pub fn ok<T>(&self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|e| self.push(e)).ok()
    }

    /// Whether nothing is wrong so far.
    pub fn is_empty(&self) -> bool {
        self.list.borrow().as_ref().is_none_or(Vec::is_empty)
    }

    /// All faults, sorted by position.
    pub fn finish(self) -> Vec<syn::Error> {
        let mut list = self.list.borrow_mut().take().unwrap_or_default();
        list.sort_by_key(|e| {
            let start = e.span().start();
            (start.line, start.column)
        });
        list
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        if !std::thread::panicking() && self.list.borrow().is_some() {
            panic!("an error collector was dropped before it was finished");
        }
    }
}

/// A `compile_error!` for each fault, at its span.
pub fn compile_errors(faults: &[syn::Error]) -> TokenStream {
    faults.iter().map(syn::Error::to_compile_error).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "before it was finished")]
    fn an_unfinished_collector_panics() {
        drop(Errors::new());
    }

    #[test]
    fn faults_are_sorted_by_position() {
        let tokens: Vec<_> = "a\nb c".parse::<TokenStream>().unwrap().into_iter().collect();
        let errors = Errors::new();
        for (i, name) in [(2, "c"), (0, "a"), (1, "b")] {
            errors.at(&tokens[i], name);
        }
        let names: Vec<String> = errors.finish().iter().map(|e| e.to_string()).collect();
        assert_eq!(names, ["a", "b", "c"]);
    }
}
