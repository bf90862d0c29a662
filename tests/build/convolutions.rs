//! Convolutions and pools.

use crate::body::Body;
use crate::file::Case;

/// The body of a case of this family.
pub fn convolution(c: &Case) -> Option<Body> {
    let name = &c.name;
    let one = |y: String| Some(Body { statements: String::new(), results: vec![("y".into(), y)] });
    let ints = |key: &str| c.ints(key).map(|list| format!("{list:?}"));
    let kernel = ints("kernel");
    let stride = || ints("stride").or(kernel.clone());
    if name.starts_with("conv") {
        let bias = if c.has("param.bias") { "Some(bias)" } else { "None" };
        let (x, padding) = match ints("padding") {
            Some(padding) => ("x".to_string(), padding),
            None if c.text("padding") == "valid" => ("x".to_string(), "[0]".to_string()),
            None => (same(c)?, "[0]".to_string()),
        };
        let (stride, dilation, groups) = (ints("stride")?, ints("dilation")?, c.int("groups")?);
        return one(match ints("output_padding") {
            Some(more) => {
                format!("{name}_with(x, weight, {bias}, {stride}, {padding}, {more}, {groups}, {dilation})")
            }
            None => format!("{name}_with({x}, weight, {bias}, {stride}, {padding}, {dilation}, {groups})"),
        });
    }
    match name.rsplit_once("_pool")?.0 {
        "max" => {
            let (padding, dilation, ceil) = (ints("padding")?, ints("dilation")?, c.flag("ceil_mode"));
            one(format!("{name}_with(x, {}, {}, {padding}, {dilation}, {ceil})", kernel.clone()?, stride()?))
        }
        "avg" => {
            if let Some(divisor) = c.config["divisor_override"].as_f64() {
                return one(divided(c, divisor)?);
            }
            let (padding, ceil) = (ints("padding")?, c.flag("ceil_mode"));
            let (kernel, stride, counted) = (kernel.clone()?, stride()?, c.flag("count_include_pad"));
            one(format!("{name}_with(x, {kernel}, {stride}, {padding}, {ceil}, {counted})"))
        }
        "adaptive_avg" => one(format!("{name}(x, {})", ints("to")?)),
        _ => None,
    }
}

/// `x` padded so that the result has its size: torch adds more at the end.
fn same(c: &Case) -> Option<String> {
    if c.config["padding"].as_str() != Some("same") {
        return None;
    }
    let kernel = &c.types["param.weight"].shape[2..];
    let dilation = c.ints("dilation")?;
    let mut amounts = Vec::new();
    for (i, size) in kernel.iter().enumerate() {
        let total = dilation[i % dilation.len()] * (*size as i64 - 1);
        amounts.splice(0..0, [total / 2, total - total / 2]);
    }
    Some(format!("x.pad({amounts:?}, 0.0)"))
}

/// Sums over windows divided by a number of its own: what is added around `x` makes all windows whole, and another divisor
/// than the window's size is a factor.
fn divided(c: &Case, divisor: f64) -> Option<String> {
    let (from, to) = (&c.shape("x")[2..], &c.types["out.y"].shape[2..]);
    let each = |key: &str| {
        let list = c.ints(key)?;
        Some((0..from.len()).map(|i| list[i % list.len()]).collect::<Vec<i64>>())
    };
    let (kernel, padding) = (each("kernel")?, each("padding")?);
    let stride = each("stride").unwrap_or(kernel.clone());
    let mut amounts = Vec::new();
    for i in 0..from.len() {
        let reached = (to[i] as i64 - 1) * stride[i] + kernel[i];
        amounts.splice(0..0, [padding[i], reached - from[i] as i64 - padding[i]]);
    }
    let factor = kernel.iter().product::<i64>() as f64 / divisor;
    let name = &c.name;
    Some(format!(
        "{name}_with(x.pad({amounts:?}, 0.0), {kernel:?}, {stride:?}, [0], false, true) * {factor:?}"
    ))
}
