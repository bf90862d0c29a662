//! Calls of entries beyond the typical ones, where an argument chooses another formula.
#![allow(dead_code)] // Each test file uses a part.

use kiln_ir::surface::Arg;
use kiln_ir::{DType, Dim};

/// An entry's typical call, changed: the parameters' names and their arguments.
pub struct Row {
    pub name: &'static str,
    pub change: Vec<(&'static str, New)>,
}

/// An argument in place of the typical one.
pub enum New {
    Arg(Arg),
    Tensor(DType, &'static [i64]),
}

pub use New::Tensor as Of;

pub fn ints(list: &[i64]) -> New {
    New::Arg(Arg::Ints(list.iter().map(|n| Dim::from(*n)).collect()))
}

pub fn int(n: i64) -> New {
    New::Arg(Arg::Int(n.into()))
}

fn float(x: f64) -> New {
    New::Arg(Arg::Float(x))
}

fn flag(is: bool) -> New {
    New::Arg(Arg::Bool(is))
}

fn text(word: &str) -> New {
    New::Arg(Arg::Text(word.into()))
}

pub const F64: DType = DType::F64;
const NONE: New = New::Arg(Arg::Absent);

/// All of them.
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut row = |name, change: Vec<(&'static str, New)>| rows.push(Row { name, change });
    row("add", vec![("other", float(0.3))]);
    for exponent in [-1.5, 0.5, 2.0, 3.0] {
        row("pow", vec![("exponent", float(exponent))]);
    }
    for name in ["add", "mul", "div", "maximum", "atan2"] {
        row(name, vec![("other", Of(F64, &[2, 1, 3]))]);
    }
    row("gaussian_nll_loss_with", vec![("eps", float(1e-6))]);
    row(
        "multi_margin_loss_with",
        vec![("p", float(1.0)), ("x", Of(F64, &[3])), ("labels", Of(DType::I64, &[]))],
    );
    row("multilabel_margin_loss", vec![("x", Of(F64, &[3])), ("classes", Of(DType::I64, &[3]))]);
    row("triplet_margin_loss_with", vec![("p", float(2.0)), ("swap", flag(false))]);
    row("poisson_nll_loss_with", vec![("log_input", flag(true)), ("full", flag(false))]);
    row("ctc_loss_with", vec![("zero_infinity", flag(false)), ("reduction", text("none"))]);
    row("softplus_with", vec![("beta", float(3.0)), ("threshold", float(1.0))]);
    row("clamp", vec![("min", float(-0.3)), ("max", float(0.4))]);
    row("matmul", vec![("x", Of(F64, &[2, 1, 4, 3])), ("other", Of(F64, &[5, 3, 2]))]);
    row("matmul", vec![("x", Of(F64, &[3])), ("other", Of(F64, &[3]))]);
    row("linear", vec![("x", Of(F64, &[2, 4, 3])), ("bias", NONE)]);
    for word in ["ij,ij->", "ij,kj->kij", "ij,kl->li"] {
        row("einsum", vec![("equation", text(word))]);
    }
    row("embedding_with", vec![("padding_idx", int(7))]);
    row("roll", vec![("shift", int(-3))]);
    row("slice", vec![("start", int(1)), ("end", int(4)), ("step", int(2))]);
    row("pad", vec![("amounts", ints(&[2, 1, 0, 1]))]);
    row("interpolate_linear", vec![("align_corners", flag(false)), ("size", ints(&[7]))]);
    row("interpolate_linear", vec![("x", Of(F64, &[1, 2, 4, 5])), ("size", ints(&[7, 3]))]);
    row("interpolate_linear_with", vec![("scale", float(1.6)), ("align_corners", flag(false))]);
    row("interpolate_nearest", vec![("x", Of(F64, &[1, 2, 4, 5])), ("size", ints(&[7, 3]))]);
    row("topk", vec![("k", int(2)), ("largest", flag(false))]);
    row("sort", vec![("dim", int(1)), ("descending", flag(false))]);
    for p in [1.0, 3.0] {
        row("norm_dim", vec![("p", float(p))]);
    }
    row("var_dim", vec![("correction", float(0.0))]);
    for name in ["layer_norm", "instance_norm", "batch_norm"] {
        row(name, vec![("weight", NONE), ("bias", NONE)]);
    }
    for name in ["batch_norm", "instance_norm", "batch_norm_train", "local_response_norm"] {
        row(name, vec![("x", Of(F64, &[2, 3, 2, 4]))]);
    }
    row(
        "group_norm",
        vec![("x", Of(F64, &[2, 6, 3])), ("groups", int(2)), ("weight", Of(F64, &[6])), ("bias", NONE)],
    );
    row("local_response_norm", vec![("x", Of(F64, &[2, 7, 3])), ("size", int(5)), ("k", float(2.0))]);
    losses(&mut row);
    windows(&mut row);
    attentions(&mut row);
    rows
}

fn losses(row: &mut impl FnMut(&'static str, Vec<(&'static str, New)>)) {
    let combined = [
        "mse_loss_with",
        "l1_loss_with",
        "huber_loss_with",
        "smooth_l1_loss_with",
        "binary_cross_entropy_with_logits_with",
        "binary_cross_entropy_with",
        "cross_entropy_with",
        "nll_loss_with",
        "kl_div_with",
    ];
    for name in combined {
        row(name, vec![("reduction", text("none"))]);
        row(name, vec![("reduction", text("mean"))]);
    }
    row("kl_div_with", vec![("log_target", flag(false))]);
    row("cross_entropy", vec![("target", Of(F64, &[4, 3]))]);
    row("cross_entropy", vec![("x", Of(F64, &[2, 3, 4])), ("target", Of(DType::I64, &[2, 4]))]);
    row(
        "cross_entropy_with",
        vec![("weight", NONE), ("label_smoothing", float(0.0)), ("ignore_index", int(1))],
    );
}

fn windows(row: &mut impl FnMut(&'static str, Vec<(&'static str, New)>)) {
    let geometry = || {
        vec![("stride", ints(&[2])), ("padding", ints(&[1])), ("dilation", ints(&[2])), ("groups", int(2))]
    };
    let grouped = |x, weight, bias| {
        [geometry(), vec![("x", Of(F64, x)), ("weight", Of(F64, weight)), bias]].concat_rows()
    };
    row("conv1d_with", grouped(&[2, 4, 9], &[6, 2, 3], ("bias", Of(F64, &[6]))));
    row("conv2d_with", grouped(&[1, 4, 5, 7], &[4, 2, 3, 2], ("bias", NONE)));
    row("conv3d_with", grouped(&[1, 2, 4, 5, 3], &[2, 1, 2, 2, 2], ("bias", Of(F64, &[2]))));
    let more = ("output_padding", ints(&[1]));
    row(
        "conv_transpose1d_with",
        [grouped(&[2, 4, 5], &[4, 3, 3], ("bias", Of(F64, &[6]))), vec![more]].concat_rows(),
    );
    let more = ("output_padding", ints(&[1]));
    row(
        "conv_transpose2d_with",
        [grouped(&[1, 4, 3, 2], &[4, 2, 3, 2], ("bias", NONE)), vec![more]].concat_rows(),
    );
    let more = ("output_padding", ints(&[1]));
    row(
        "conv_transpose3d_with",
        [grouped(&[1, 2, 2, 3, 2], &[2, 1, 2, 2, 2], ("bias", NONE)), vec![more]].concat_rows(),
    );
    for ceil in [false, true] {
        let pool = |dilated: bool| {
            let mut all = vec![
                ("kernel", ints(&[3])),
                ("stride", ints(&[2])),
                ("padding", ints(&[1])),
                ("ceil_mode", flag(ceil)),
            ];
            all.extend(dilated.then(|| ("dilation", ints(&[2]))));
            all
        };
        row("max_pool1d_with", [pool(true), vec![("x", Of(F64, &[2, 3, 8]))]].concat_rows());
        row("max_pool2d_with", [pool(true), vec![("x", Of(F64, &[1, 2, 8, 5]))]].concat_rows());
        row("max_pool3d_with", [pool(true), vec![("x", Of(F64, &[1, 1, 5, 6, 8]))]].concat_rows());
        for inside in [false, true] {
            let padded = || vec![("count_include_pad", flag(inside))];
            row("avg_pool1d_with", [pool(false), padded(), vec![("x", Of(F64, &[2, 3, 8]))]].concat_rows());
            row(
                "avg_pool2d_with",
                [pool(false), padded(), vec![("x", Of(F64, &[1, 2, 8, 5]))]].concat_rows(),
            );
            row(
                "avg_pool3d_with",
                [pool(false), padded(), vec![("x", Of(F64, &[1, 1, 4, 5, 6]))]].concat_rows(),
            );
        }
    }
    for name in ["adaptive_avg_pool1d", "adaptive_max_pool1d"] {
        row(name, vec![("x", Of(F64, &[2, 3, 7])), ("sizes", ints(&[3]))]);
    }
    for name in ["adaptive_avg_pool2d", "adaptive_max_pool2d"] {
        row(name, vec![("x", Of(F64, &[1, 2, 7, 5])), ("sizes", ints(&[3, 4]))]);
    }
    for name in ["adaptive_avg_pool3d", "adaptive_max_pool3d"] {
        row(name, vec![("x", Of(F64, &[1, 2, 4, 3, 5])), ("sizes", ints(&[2, 3, 2]))]);
    }
}

fn attentions(row: &mut impl FnMut(&'static str, Vec<(&'static str, New)>)) {
    let three =
        |query, key, value| vec![("query", Of(F64, query)), ("key", Of(F64, key)), ("value", Of(F64, value))];
    row("scaled_dot_product_attention", three(&[2, 3, 4], &[2, 5, 4], &[2, 5, 3]));
    row(
        "scaled_dot_product_attention_with",
        [
            three(&[2, 3, 4], &[2, 5, 4], &[2, 5, 3]),
            vec![("causal", flag(false)), ("mask", Of(F64, &[3, 5]))],
        ]
        .concat_rows(),
    );
    for causal in [false, true] {
        let causal = || vec![("causal", flag(causal))];
        let heads = three(&[2, 4, 3, 2], &[2, 2, 5, 2], &[2, 2, 5, 3]);
        row("grouped_query_attention", [heads, causal()].concat_rows());
        let projected = vec![("projection", Of(F64, &[6, 4])), ("eps", float(0.0))];
        row(
            "performer_attention",
            [three(&[2, 5, 4], &[2, 5, 4], &[2, 5, 3]), projected, causal()].concat_rows(),
        );
    }
    let mixed = vec![("keys", Of(F64, &[2, 5])), ("values", Of(F64, &[2, 5]))];
    row("linformer_attention", [three(&[2, 3, 4], &[2, 5, 4], &[2, 5, 3]), mixed].concat_rows());
    row(
        "rotary_embedding",
        vec![("x", Of(F64, &[2, 3, 4, 6])), ("interleaved", flag(false)), ("base", float(100.0))],
    );
    row("rotary_embedding", vec![("base", float(100.0))]);
    for name in ["rnn", "lstm", "gru"] {
        row(name, vec![("h", NONE), ("bias_ih", NONE), ("reverse", flag(false))]);
    }
    row("rnn", vec![("nonlinearity", text("relu"))]);
}

/// Lists of changes, one behind the other.
trait ConcatRows {
    fn concat_rows(self) -> Vec<(&'static str, New)>;
}

impl<const N: usize> ConcatRows for [Vec<(&'static str, New)>; N] {
    fn concat_rows(self) -> Vec<(&'static str, New)> {
        self.into_iter().flatten().collect()
    }
}
