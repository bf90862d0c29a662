//! Names that the library's own hidden macros or std's have: a model of such a name has another one.

use crate::source::STD_MACROS;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;

/// Under which name a hidden macro is found. Beside a glob import of the prelude, rustc finds a macro of the same name
/// ambiguous; one of std's name would take std's away from all that stands beside it.
pub fn name(name: &Ident) -> Ident {
    let text = name.unraw().to_string();
    let clashes = is_std(&text) || super::is_builtin_name(&text);
    if clashes { format_ident!("{OWN}{text}", span = name.span()) } else { name.clone() }
}

const OWN: &str = "__kiln_own_";

/// The path by which a hidden macro is asked that hasn't its item's name alone.
pub fn path(path: &syn::Path) -> TokenStream {
    let mut path = path.clone();
    if let Some(last) = path.segments.last_mut() {
        last.ident = format_ident!("{OWN}{}", last.ident.unraw(), span = last.ident.span());
    }
    quote!(#path)
}

/// The same for the names of std's macros; any other path as it is.
pub fn unless_std(bare: TokenStream) -> TokenStream {
    match syn::parse2::<syn::Path>(bare.clone()) {
        Ok(parsed) if parsed.segments.last().is_some_and(|s| is_std(&s.ident.unraw().to_string())) => {
            path(&parsed)
        }
        _ => bare,
    }
}

/// Whether std has a macro of that name.
pub fn is_std(name: &str) -> bool {
    STD_MACROS.contains(&name)
}
