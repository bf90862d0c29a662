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
            let (padding, ceil) = (ints("padding")?, c.flag("ceil_mode"));
            // Another divisor than the window's size is a factor.
            let (counted, factor) = match c.config["divisor_override"].as_f64() {
                Some(_) if padding != "[0]" || ceil => return None,
                Some(divisor) => {
                    let list = c.ints("kernel")?;
                    let dims = c.shape("x").len() - 2;
                    let size: i64 =
                        if list.len() == 1 { list[0].pow(dims as u32) } else { list.iter().product() };
                    (true, format!(" * {:?}", size as f64 / divisor))
                }
                None => (c.flag("count_include_pad"), String::new()),
            };
            let (kernel, stride) = (kernel.clone()?, stride()?);
            one(format!("{name}_with(x, {kernel}, {stride}, {padding}, {ceil}, {counted}){factor}"))
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
