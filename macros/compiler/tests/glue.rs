//! What stands around the kernels of the models in `glue/*.rs`: checks, leaves, results. Kernels have tests of their
//! own.

mod common;

use syn::{File, Item, Stmt};

#[test]
fn glue_is_as_recorded() {
    let mut differ = Vec::new();
    for file in common::sources("glue") {
        let text = std::fs::read_to_string(&file).unwrap();
        let mut out = String::new();
        for (name, tokens) in common::chain::expand_all(&text) {
            if name.starts_with(char::is_uppercase) {
                continue;
            }
            let mut parsed: File = syn::parse2(tokens).unwrap();
            without_kernels(&mut parsed.items);
            out += &format!("// {name}\n{}\n", prettyplease::unparse(&parsed));
        }
        let shown = format!("{}\n", common::without_hashes(out.trim_end()));
        differ.extend(common::snapshot(&file.with_extension("txt"), &shown));
    }
    assert!(differ.is_empty(), "bless with KILN_BLESS=1:\n{}", differ.join("\n"));
}

/// Leaves out kernels, run functions, the stub, and what runs eagerly.
fn without_kernels(items: &mut Vec<Item>) {
    items.retain(|item| match item {
        Item::Struct(s) => !s.ident.to_string().contains("Kernel"),
        Item::Impl(i) => !shown(&*i.self_ty).contains("Kernel") && !shown(i).contains("fn eager"),
        Item::Fn(f) => !f.sig.ident.to_string().starts_with("run_"),
        Item::Mod(_) | Item::Use(_) | Item::Macro(_) => false,
        _ => true,
    });
    for item in items {
        match item {
            Item::Const(c) => {
                if let syn::Expr::Block(block) = &mut *c.expr {
                    inside(&mut block.block.stmts);
                }
            }
            // Their texts are the emission's.
            Item::Fn(f) => f.attrs.retain(|a| !a.path().is_ident("doc")),
            Item::Impl(i) => {
                let figures = ["PLAN", "FLOPS", "SCRATCH_BYTES"].map(String::from);
                i.items.retain(
                    |item| !matches!(item, syn::ImplItem::Const(c) if figures.contains(&c.ident.to_string())),
                );
            }
            _ => {}
        }
    }
}

fn inside(stmts: &mut Vec<Stmt>) {
    let mut items: Vec<Item> = std::mem::take(stmts)
        .into_iter()
        .filter_map(|stmt| if let Stmt::Item(item) = stmt { Some(item) } else { None })
        .collect();
    without_kernels(&mut items);
    stmts.extend(items.into_iter().map(Stmt::Item));
}

fn shown(tokens: impl quote::ToTokens) -> String {
    tokens.to_token_stream().to_string()
}
