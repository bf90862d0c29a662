//! Names for the local variables of emitted code: the user's, made distinct.

use proc_macro2::Ident;
use quote::format_ident;
use std::collections::BTreeSet;

/// The names that were given away.
pub struct Names {
    taken: BTreeSet<String>,
}

impl Names {
    /// No names but these, which have another meaning.
    pub fn besides<'a>(taken: impl IntoIterator<Item = &'a Ident>) -> Names {
        Names { taken: taken.into_iter().map(Ident::to_string).collect() }
    }

    /// A name like the one wished, of its own.
    pub fn fresh(&mut self, wish: &str) -> Ident {
        let plain: String = wish.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
        let plain = plain.trim_start_matches('_');
        // A letter first, and no keyword: every name has an underscore in it.
        let base = if plain.contains('_') { plain.to_string() } else { format!("{plain}_") };
        let mut name = if base.starts_with(|c: char| c.is_ascii_digit()) { format!("n{base}") } else { base };
        while !self.taken.insert(name.clone()) {
            name.push('_');
        }
        format_ident!("{name}")
    }
}
