//! `KILN_DUMP=dir`: what was made of each model, stage by stage, for people to read.
//!
//! A model has a folder of its own; its files are in the order of the stages, and each holds the model and its
//! derivatives one after the other.

use super::expand::Variant;
use crate::emit::Compiled;
use crate::fuse;
use crate::link::Root;
use crate::part::Part;
use crate::plan::memory;
use crate::traced::Traced;
use kiln_ir::Func;
use proc_macro2::{Ident, TokenStream};
use quote::quote;
use std::path::Path;

/// What makes cargo build anew when the variable changes.
pub fn watched() -> TokenStream {
    quote!(
        const _: ::core::option::Option<&str> = ::core::option_env!("KILN_DUMP");
    )
}

/// Writes the stages of a model, if the variable is set.
///
/// A folder that can't be written to is no fault of the model: nothing is said then.
pub fn dump(root: &Root, variants: &[Variant], parts: &[Compiled], source: &TokenStream) {
    let Some(folder) = std::env::var_os("KILN_DUMP").filter(|dir| !dir.is_empty()) else { return };
    let stages: Vec<Stages> =
        variants.iter().zip(parts).map(|(v, c)| Stages::new(&v.name, &v.traced, c)).collect();
    let _ = write_all(&Path::new(&folder).join(root.key.to_string()), &stages, source);
}

/// A function of the model after each pass.
struct Stages<'a> {
    name: &'a Ident,
    func: &'a Func,
    plan_text: &'a str,
    part: Part,
}

impl<'a> Stages<'a> {
    fn new(name: &'a Ident, traced: &'a Traced, compiled: &'a Compiled) -> Stages<'a> {
        Stages { name, func: &traced.func, plan_text: &compiled.plan, part: Part::of(&traced.func) }
    }
}

fn write_all(folder: &Path, stages: &[Stages], source: &TokenStream) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let (traced, derived) = stages.split_at(1);
    let text = |of: &[Stages], show: &dyn Fn(&Stages) -> String| -> String {
        of.iter().map(|s| format!("// {}\n{}\n", s.name, show(s).trim_end())).collect::<Vec<_>>().join("\n")
    };
    let files = [
        ("01-traced.txt", text(traced, &|s| s.func.to_string())),
        ("02-differentiated.txt", text(derived, &|s| s.func.to_string())),
        ("03-laid-out.txt", text(stages, &|s| s.part.func.to_string())),
        ("04-kernels.txt", text(stages, &|s| fuse::text::text(&s.part.func, &s.part.fused))),
        ("05-plan.txt", text(stages, &|s| s.plan_text.to_string())),
        ("06-memory.txt", text(stages, &|s| memory::text(&s.part.func, &s.part.fused, &s.part.plan))),
        ("07-source.rs", pretty(source)),
    ];
    files.iter().try_for_each(|(name, text)| std::fs::write(folder.join(name), text))
}

fn pretty(source: &TokenStream) -> String {
    match syn::parse2(source.clone()) {
        Ok(file) => prettyplease::unparse(&file),
        Err(_) => source.to_string(),
    }
}
