//! Evaluates a function naively, in f64 rounded to each node's element type: the oracle of everything faster.

use crate::ops::{self, Array, Context};
use crate::{Dim, Func, Op, Syms, Value};
use std::collections::HashMap;

/// The sizes of symbols in an evaluation.
pub(crate) struct Sizes<'a> {
    syms: &'a Syms,
    of: Vec<Option<i64>>,
}

impl Sizes<'_> {
    /// The size of a dim.
    pub fn of(&self, d: &Dim) -> usize {
        let size = self.syms.value(d, &|s| self.of[s.0 as usize]);
        let size = size.unwrap_or_else(|| panic!("no input gives {}", d.display(self.syms)));
        usize::try_from(size).expect("a dim is not negative")
    }
}

/// The outputs of `func` for these inputs. The sizes of symbols are read from the inputs.
///
/// # Panics
/// If the inputs don't have the declared types under any assignment of the symbols.
pub fn eval(func: &Func, inputs: &[Array]) -> Vec<Array> {
    run(func, inputs, &Sizes { syms: &func.syms, of: bind(func, inputs) })
}

/// The outputs of `func` where the sizes are known.
pub(crate) fn run(func: &Func, inputs: &[Array], sizes: &Sizes) -> Vec<Array> {
    let size = |d: &Dim| sizes.of(d);
    for (input, array) in func.inputs.iter().zip(inputs) {
        let want: Vec<usize> = input.ty.shape.iter().map(size).collect();
        assert_eq!((array.dtype, &array.shape), (input.ty.dtype, &want), "input {}", input.name);
    }
    let mut values: Vec<Array> = Vec::new();
    let mut loops: HashMap<Value, Vec<Array>> = HashMap::new();
    for (v, node) in func.values() {
        let args = || node.args.iter().map(|a| &values[a.0 as usize]).collect::<Vec<&Array>>();
        let value = match &node.op {
            Op::Input(i) => inputs[*i as usize].clone(),
            Op::Scan(scan) => {
                loops.insert(v, ops::scan::eval(scan, &args(), sizes));
                Array::rounded(node.ty.dtype, vec![0], vec![])
            }
            Op::Result(i, _) => loops[&node.args[0]][*i].clone(),
            op => ops::eval(op, &args(), &Context { ty: &node.ty, size: &size }),
        };
        values.push(value);
    }
    func.outputs.iter().map(|o| values[o.value.0 as usize].clone()).collect()
}

/// The size of each symbol that stands alone as a dim of an input.
fn bind(func: &Func, inputs: &[Array]) -> Vec<Option<i64>> {
    assert_eq!(inputs.len(), func.inputs.len(), "inputs of {}", func.name);
    let mut sizes = vec![None; func.syms.0.len()];
    for (input, array) in func.inputs.iter().zip(inputs) {
        for (dim, size) in input.ty.shape.iter().zip(&array.shape) {
            if let Some(sym) = dim.symbol() {
                sizes[sym.0 as usize].get_or_insert(*size as i64);
            }
        }
    }
    sizes
}
