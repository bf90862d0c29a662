//! Lints have nothing to say about emitted items, whatever the user's crate denies.

use proc_macro2::TokenStream;
use quote::quote;

/// The attribute. `warnings` alone is no help where a lint is denied by its name, and `missing_docs` may be forbidden,
/// which no attribute can take back: what is emitted has docs where it is seen.
pub fn attribute() -> TokenStream {
    quote! {
        #[allow(
            warnings, unused, nonstandard_style, private_interfaces, unreachable_pub, missing_debug_implementations,
            clippy::all, clippy::pedantic
        )]
    }
}
