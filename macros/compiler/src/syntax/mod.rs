//! From tokens to the compiler's own syntax trees. Each parser notes its faults in `Errors` and goes on.

pub mod ast;

pub mod dims;
pub mod generics;
pub mod tensor;

pub mod model;
pub mod options;
pub mod params;

/// A type's text without the spaces that tokens print with.
pub(crate) fn tidy(ty: impl quote::ToTokens) -> String {
    let text = ty.to_token_stream().to_string();
    let spaces =
        [(" :: ", "::"), (":: ", "::"), (" <", "<"), ("< ", "<"), (" >", ">"), ("& ", "&"), (" ,", ",")];
    spaces.iter().fold(text, |text, (from, to)| text.replace(from, to))
}
