//! Textual graph in, textual graph out, pass by pass: each `passes/*.txt` holds a graph and what becomes of it.
//!
//! A file begins with a few words on what it shows, then come sections, each headed `--- pass`. `graph` is the input;
//! every other pass takes the graph of the section before that has one:
//!
//! - `rebuild`: built anew (simplification),
//! - `value_and_grad I…`, `vjp I…`: differentiated with respect to the inputs of these numbers,
//! - `lay_out`: products' rows and columns set apart; from here on the graph is the laid-out one,
//! - `kernels`, `plan`, `source`: fused, planned, and emitted.

mod common;

use kiln_compiler::emit::Unit;
use kiln_compiler::fuse::{self, Fused};
use kiln_compiler::plan::{self, Plan, memory};
use kiln_ir::differentiate::{value_and_grad, vjp};
use kiln_ir::{Builder, Func, Value, text, verify::verify};
use std::path::PathBuf;

fn rebuilt(func: &Func) -> Func {
    let mut b = Builder::new(&func.name, func.syms.clone());
    let args: Vec<Value> = func.inputs.iter().map(|i| b.input(&i.name, i.ty.clone(), i.role)).collect();
    let results = b.inline(func, &args).expect("a sound function");
    func.outputs.iter().zip(results).for_each(|(o, v)| b.output(&o.name, v, o.updates));
    b.finish()
}

fn planned(func: &Func) -> (Fused, Plan) {
    let fused = fuse::fuse(func);
    let plan = plan::plan(func, &fused);
    (fused, plan)
}

/// The text that a pass makes, and the graph for the passes behind it.
fn pass(title: &str, func: Func) -> (String, Func) {
    let mut words = title.split_whitespace();
    let pass = words.next().unwrap_or_default();
    let inputs: Vec<usize> = words.map(|w| w.parse().expect("an input's number")).collect();
    let func = match pass {
        "kernels" => return (fuse::text::text(&func, &fuse::fuse(&func)), func),
        "plan" => {
            let (fused, plan) = planned(&func);
            return (memory::text(&func, &fused, &plan), func);
        }
        "source" => {
            let mut unit = Unit::new();
            unit.add(&func);
            let file = syn::parse2(unit.finish()).expect("what is emitted parses");
            return (prettyplease::unparse(&file), func);
        }
        "rebuild" => rebuilt(&func),
        "value_and_grad" => value_and_grad(&func, &inputs).expect("a float scalar"),
        "vjp" => vjp(&func, &inputs).expect("floats"),
        "lay_out" => fuse::lay_out(&func),
        other => panic!("no pass is named {other}"),
    };
    verify(&func).unwrap_or_else(|e| panic!("{title}: {e}"));
    (func.to_string(), func)
}

/// The file as it should be.
fn run(file: &str) -> String {
    let mut parts = file.split("--- ");
    let mut out = parts.next().unwrap_or_default().to_string();
    let mut func = Func::default();
    for part in parts {
        let (title, body) = part.split_once('\n').unwrap_or((part, ""));
        let text = match title {
            "graph" => {
                func = text::parse(body).unwrap_or_else(|e| panic!("{e}\n{body}"));
                func.to_string()
            }
            _ => {
                let (text, next) = pass(title, func);
                func = next;
                text
            }
        };
        out += &format!("--- {title}\n{text}\n");
    }
    format!("{}\n", out.trim_end())
}

#[test]
fn passes_are_as_recorded() {
    let mut files: Vec<PathBuf> = std::fs::read_dir(common::path("passes"))
        .expect("the folder of passes")
        .map(|e| e.expect("an entry").path())
        .collect();
    files.sort();
    assert!(files.len() > 11, "{} files", files.len());
    let differ: Vec<String> = files
        .iter()
        .filter_map(|file| common::snapshot(file, &run(&std::fs::read_to_string(file).expect("a text"))))
        .collect();
    assert!(differ.is_empty(), "bless with KILN_BLESS=1:\n{}", differ.join("\n"));
}
