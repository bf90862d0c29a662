//! Numbers as 8-bit integers.

use crate::body::Body;
use crate::file::Case;

/// The body of a case of this family.
pub fn quantized(c: &Case) -> Option<Body> {
    let channelwise = match c.name.as_str() {
        "quantize_per_tensor" => None,
        "quantize_per_channel" => Some(c.int("axis")?),
        "quantized_linear_dynamic" => return Some(linear(c)),
        "quantize_fake" => {
            let (scale, zero) = (c.float("scale")?, c.int("zero_point")?);
            let (low, high) = (c.int("low")?, c.int("high")?);
            let y = format!("fake_quantize_per_tensor_affine(x, {scale}, {zero}, {low}, {high})");
            return Some(Body { statements: String::new(), results: vec![("y".into(), y)] });
        }
        _ => return None,
    };
    let (low, high) = match c.text("dtype") {
        "qint8" => (-128, 127),
        "quint8" => (0, 255),
        _ => return None,
    };
    let (kind, dim) = match channelwise {
        Some(dim) => ("channel", format!(", {dim}")),
        None => ("tensor", String::new()),
    };
    let statements = format!("let q = quantize_per_{kind}(x, scale, zero_point{dim}, {low}, {high});");
    let back = format!("dequantize_per_{kind}(q, scale, zero_point{dim})");
    Some(Body { statements, results: vec![("q".into(), "q".into()), ("dequantized".into(), back)] })
}

/// The range of `x` is found anew: what torch found is an input that isn't needed.
fn linear(c: &Case) -> Body {
    let (reduced, channelwise) = (c.flag("reduce_range"), c.flag("per_channel"));
    let top = if reduced { 127 } else { 255 };
    let (kind, dim) = if channelwise { ("channel", ", 0") } else { ("tensor", "") };
    let statements = format!(
        "let (scale, zero) = choose_qparams_per_tensor(x, {reduced});
        let qw = quantize_per_{kind}(weight, weight_scale, 0{dim}, -128, 127);
        let qx = quantize_per_tensor(x, scale, zero, 0, {top});"
    );
    let results = [
        ("qw", "qw".to_string()),
        ("qx", "qx".to_string()),
        ("acc", "(qx - zero).matmul(qw.t())".to_string()),
        ("y", format!("linear_dynamic(x, qw, weight_scale, Some(bias), {reduced})")),
    ];
    Body { statements, results: results.map(|(n, e)| (n.to_string(), e)).to_vec() }
}
