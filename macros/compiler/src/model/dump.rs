//! `KILN_DUMP=dir`: what was made of each model, for people to read.

use crate::emit::Compiled;
use crate::link::Root;
use crate::traced::Traced;
use proc_macro2::{Ident, TokenStream};
use std::fmt::Write;
use std::path::Path;

/// Writes the emitted source, the graphs and the plans of a model, if the variable is set.
///
/// A folder that can't be written to is no fault of the model: nothing is said then.
pub fn dump(root: &Root, variants: &[(Ident, Traced)], parts: &[Compiled], source: &TokenStream) {
    let Some(folder) = std::env::var_os("KILN_DUMP").filter(|dir| !dir.is_empty()) else { return };
    let _ = write_all(Path::new(&folder), &root.key.to_string(), variants, parts, source);
}

fn write_all(
    folder: &Path,
    key: &str,
    variants: &[(Ident, Traced)],
    parts: &[Compiled],
    source: &TokenStream,
) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    std::fs::write(folder.join(format!("{key}.rs")), pretty(source))?;
    let (mut graphs, mut plans) = (String::new(), String::new());
    for ((name, traced), compiled) in variants.iter().zip(parts) {
        let _ = writeln!(graphs, "// {name}\n{}", traced.func);
        let _ = writeln!(plans, "// {name}\n{}", compiled.plan);
    }
    std::fs::write(folder.join(format!("{key}.graph.txt")), graphs)?;
    std::fs::write(folder.join(format!("{key}.plan.txt")), plans)
}

fn pretty(source: &TokenStream) -> String {
    match syn::parse2(source.clone()) {
        Ok(file) => prettyplease::unparse(&file),
        Err(_) => source.to_string(),
    }
}
