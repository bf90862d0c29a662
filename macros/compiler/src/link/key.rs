//! Keys: a name for an item that is unique over modules and crates.

use proc_macro2::{Ident, Span, TokenStream};
use quote::format_ident;
use syn::ext::IdentExt;

/// The item's name with a hash of where it stands: crate, file, line, column and tokens.
///
/// The tokens are in it because items that come from one `macro_rules!` stand at the same place.
pub fn key(ident: &Ident, item: &TokenStream) -> Ident {
    let place = Span::call_site().start();
    let from = |name: &str| std::env::var(name).unwrap_or_default();
    let text = [
        from("CARGO_PKG_NAME"),
        from("CARGO_PKG_VERSION"),
        from("CARGO_CRATE_NAME"),
        Span::call_site().file(),
        format!("{}:{}", place.line, place.column),
        item.to_string(),
    ]
    .join("\n");
    format_ident!("{}_{:016x}", ident.unraw(), fnv(text.as_bytes()), span = Span::call_site())
}

/// FNV-1a: the same in every release of Rust, unlike the hash of its library.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, b| (hash ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
}
