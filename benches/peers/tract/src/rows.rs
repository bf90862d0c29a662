//! One pass over each of 1024 rows, and square products.

use crate::graph::{Attribute, Graph};

/// `gelu(layer_norm(x)) + x`.
pub fn norm_gelu(g: &mut Graph) -> String {
    let h = g.layer_norm("x0", 1024);
    let h = g.op("Gelu", &[&h], &[]);
    g.op("Add", &[&h, "x0"], &[])
}

/// Softmax of each row.
pub fn softmax(g: &mut Graph) -> String {
    g.op("Softmax", &["x0"], &[("axis", Attribute::Int(-1))])
}

/// A product of two inputs.
pub fn product(g: &mut Graph) -> String {
    g.op("MatMul", &["x0", "x1"], &[])
}
