//! Convolutions and pools, in any number of dims behind `[N, C]`: products and reductions over windows.

use super::norm::channelwise;
use super::{Built, reduce, shape};
use crate::{Builder, Dim, Error, Fault, Op, Reduction, SliceAxis, Value, Window};

/// How windows lie, a number a dim, or one for all dims.
#[derive(Clone, Debug)]
pub struct Geometry {
    /// From one window to the next.
    pub stride: Vec<i64>,
    /// Added on both sides.
    pub padding: Vec<i64>,
    /// From one element of a window to the next.
    pub dilation: Vec<i64>,
}

impl Default for Geometry {
    fn default() -> Self {
        Geometry { stride: vec![1], padding: vec![0], dilation: vec![1] }
    }
}

/// The windows over one dim.
#[derive(Clone)]
struct Line {
    len: Dim,
    size: i64,
    stride: i64,
    padding: i64,
    dilation: i64,
}

/// The dims behind `[N, C]`, which must be so many.
fn lines(b: &Builder, x: Value, sizes: &[i64], g: &Geometry) -> Result<Vec<Line>, Error> {
    let dims = sizes.len();
    if b.ty(x).rank() != dims + 2 {
        let want = (dims + 2).to_string();
        return Err(b.error(Fault::Rank { op: "conv".into(), want, got: b.ty(x).clone() }));
    }
    let (stride, padding) = (spread(b, &g.stride, dims)?, spread(b, &g.padding, dims)?);
    let dilation = spread(b, &g.dilation, dims)?;
    let line = |i: usize| Line {
        len: b.ty(x).shape[2 + i].clone(),
        size: sizes[i],
        stride: stride[i],
        padding: padding[i],
        dilation: dilation[i],
    };
    let all: Vec<Line> = (0..dims).map(line).collect();
    let within = |n: i64, least: i64| (least..=MOST).contains(&n);
    let sound =
        |l: &Line| [l.size, l.stride, l.dilation].iter().all(|n| within(*n, 1)) && within(l.padding, 0);
    if all.iter().all(sound) {
        return Ok(all);
    }
    Err(fault(b, format!("sizes, strides and dilations are 1 to {MOST}, paddings 0 to {MOST}")))
}

/// More than anybody needs, and their products are still numbers.
const MOST: i64 = 1 << 20;

/// A number a dim.
fn spread(b: &Builder, list: &[i64], dims: usize) -> Result<Vec<i64>, Error> {
    match list {
        [one] => Ok(vec![*one; dims]),
        list if list.len() == dims => Ok(list.to_vec()),
        _ => Err(fault(b, format!("a number for each of {dims} dims, or one for all"))),
    }
}

fn fault(b: &Builder, what: impl Into<String>) -> Error {
    b.error(Fault::Attribute { op: "conv".into(), what: what.into() })
}

impl Line {
    /// From the first element of a window to the last.
    fn span(&self) -> i64 {
        (self.size - 1) * self.dilation + 1
    }

    /// The number of windows, and what is added at the end for the last one where a part of a window counts, at least.
    fn count(&self, b: &mut Builder, ceil: bool) -> Result<(Dim, i64), Error> {
        let room = self.len.clone() + Dim::from(2 * self.padding - self.span());
        // A last window begins at the latest at the last element: one in the padding at the end doesn't count.
        let (part, last) = (2 * self.padding - self.span() + self.stride - 1, self.padding - 1);
        let reach = if ceil { self.len.clone() + Dim::from(part.min(last)) } else { room.clone() };
        let steps = b.syms().floor_divide(&reach, self.stride);
        if steps.literal().is_some_and(|steps| steps < 0) {
            let own = self.len.display(&b.func().syms).to_string();
            let what = format!("a window reaches {} elements, but {own} are there", self.span());
            return Err(fault(b, what));
        }
        let over = steps.clone() * Dim::from(self.stride) - room;
        // What only a call knows is less than a stride.
        let more = over.literal().map_or(if ceil { self.stride - 1 } else { 0 }, |over| over.max(0));
        Ok((steps + Dim::from(1), more))
    }
}

/// `[N, C, o₀, k₀, o₁, k₁, …]`: the windows over all dims.
fn windows(b: &mut Builder, x: Value, lines: &[Line], ceil: bool, fill: f64) -> Built {
    let mut amounts = Vec::new();
    let mut counts = Vec::new();
    for line in lines {
        let (count, more) = line.count(b, ceil)?;
        amounts.splice(0..0, [line.padding, line.padding + more]);
        counts.push(count);
    }
    let mut x = shape::pad(b, x, &amounts, fill)?;
    for (i, (line, len)) in lines.iter().zip(counts).enumerate() {
        let window =
            Window { axis: 2 + 2 * i, len, size: line.size, stride: line.stride, dilation: line.dilation };
        x = b.emit(Op::Windows(window), &[x])?;
    }
    Ok(x)
}

/// Sizes of a kernel, which are the last dims of the weight.
fn kernel(b: &Builder, weight: Value, dims: usize) -> Result<Vec<i64>, Error> {
    if b.ty(weight).rank() != dims + 2 {
        let want = (dims + 2).to_string();
        return Err(b.error(Fault::Rank { op: "conv".into(), want, got: b.ty(weight).clone() }));
    }
    let sizes: Option<Vec<i64>> = b.ty(weight).shape[2..].iter().map(Dim::literal).collect();
    sizes.ok_or_else(|| fault(b, "the kernel's sizes must be known while compiling"))
}

/// A dim in so many groups.
fn grouped(b: &mut Builder, x: Value, axis: usize, groups: i64) -> Built {
    let mut to = b.ty(x).shape.clone();
    let each = if groups >= 1 { to[axis].divide(&Dim::from(groups)) } else { None };
    let Some(each) = each else { return Err(fault(b, "the channels aren't divisible by the groups")) };
    to.splice(axis..=axis, [Dim::from(groups), each]);
    b.emit(Op::Reshape(to), &[x])
}

/// An error where both numbers of channels, of a group, are known and differ.
fn fitting(b: &Builder, [x, weight]: [Value; 2], axis: usize, groups: i64) -> Result<(), Error> {
    match (b.ty(x).shape[2].literal(), b.ty(weight).shape[axis].literal()) {
        (Some(have), Some(want)) if have != want => {
            let [have, want] = [have, want].map(|n| n.saturating_mul(groups));
            Err(fault(b, format!("the weight is for {want} channels, the input has {have}")))
        }
        _ => Ok(()),
    }
}

fn ungrouped(b: &mut Builder, x: Value, bias: Option<Value>) -> Built {
    let mut to = b.ty(x).shape.clone();
    let channels = to[1].clone() * to[2].clone();
    to.splice(1..=2, [channels]);
    let y = b.emit(Op::Reshape(to), &[x])?;
    match bias {
        Some(bias) => {
            let bias = channelwise(b, y, bias)?;
            b.add(y, bias)
        }
        None => Ok(y),
    }
}

/// Labels of contractions: batch, group, channels within a group, in and out.
const LABELS: [u8; 4] = [0, 1, 2, 3];

/// Labels of the positions and places in the window of a dim.
fn line_labels(i: usize) -> (u8, u8) {
    (4 + 2 * i as u8, 5 + 2 * i as u8)
}

/// Σ over channels and window of `x · weight`, `x: [N, C, …]`, `weight: [O, C / groups, kernel…]`: `F.conv2d` and its
/// like.
pub fn conv(
    b: &mut Builder,
    [x, weight]: [Value; 2],
    bias: Option<Value>,
    g: &Geometry,
    groups: i64,
    dims: usize,
) -> Built {
    let kernel = kernel(b, weight, dims)?;
    let lines = lines(b, x, &kernel, g)?;
    let x = windows(b, x, &lines, false, 0.0)?;
    let (x, weight) = (grouped(b, x, 1, groups)?, grouped(b, weight, 0, groups)?);
    fitting(b, [x, weight], 2, groups)?;
    let [n, group, input, output] = LABELS;
    let both = |i: usize| [line_labels(i).0, line_labels(i).1];
    let lhs = [n, group, input].into_iter().chain((0..dims).flat_map(both)).collect();
    let rhs = [group, output, input].into_iter().chain((0..dims).map(|i| line_labels(i).1)).collect();
    let out = [n, group, output].into_iter().chain((0..dims).map(|i| line_labels(i).0)).collect();
    let y = b.emit(Op::Contract { lhs, rhs, out }, &[x, weight])?;
    ungrouped(b, y, bias)
}

/// The adjoint of a convolution, `weight: [C, O / groups, kernel…]`: `F.conv_transpose2d` and its like. Of the windows
/// that fit into the result several numbers of `x` may stem; `output_padding` tells by how much it is longer.
pub fn conv_transpose(
    b: &mut Builder,
    [x, weight]: [Value; 2],
    bias: Option<Value>,
    g: &Geometry,
    output_padding: &[i64],
    groups: i64,
    dims: usize,
) -> Built {
    let kernel = kernel(b, weight, dims)?;
    let lines = lines(b, x, &kernel, g)?;
    let more = spread(b, output_padding, dims)?;
    if !more.iter().all(|m| (0..=MOST).contains(m)) {
        return Err(fault(b, format!("the output padding is 0 to {MOST}")));
    }
    let (x, weight) = (grouped(b, x, 1, groups)?, grouped(b, weight, 0, groups)?);
    fitting(b, [x, weight], 1, groups)?;
    let [n, group, input, output] = LABELS;
    let lhs = [n, group, input].into_iter().chain((0..dims).map(|i| line_labels(i).0)).collect();
    let rhs = [group, input, output].into_iter().chain((0..dims).map(|i| line_labels(i).1)).collect();
    let both = |i: usize| [line_labels(i).0, line_labels(i).1];
    let out = [n, group, output].into_iter().chain((0..dims).flat_map(both)).collect();
    let mut y = b.emit(Op::Contract { lhs, rhs, out }, &[x, weight])?;
    for (i, (line, more)) in lines.iter().zip(&more).enumerate() {
        let (size, stride, dilation) = (line.size, line.stride, line.dilation);
        let window = Window { axis: 3 + i, len: line.len.clone(), size, stride, dilation };
        let full = window.extent() + Dim::from(*more);
        y = b.emit(Op::Fold(window, full), &[y])?;
    }
    let whole = |n: &Dim| SliceAxis { start: Dim::from(0), len: n.clone(), step: 1 };
    let mut kept: Vec<SliceAxis> = b.ty(y).shape.iter().map(whole).collect();
    for (axis, line) in kept[3..].iter_mut().zip(&lines) {
        axis.start = Dim::from(line.padding);
        axis.len = axis.len.clone() - Dim::from(2 * line.padding);
    }
    let y = b.emit(Op::Slice(kept), &[y])?;
    ungrouped(b, y, bias)
}

/// The axes of the places in the windows.
fn places(dims: usize) -> Vec<usize> {
    (0..dims).map(|i| 3 + 2 * i).collect()
}

/// The largest in each window; padding never wins: `F.max_pool2d` and its like.
pub fn max_pool(b: &mut Builder, x: Value, kernel: &[i64], g: &Geometry, ceil: bool, dims: usize) -> Built {
    let lines = lines(b, x, &spread(b, kernel, dims)?, g)?;
    let over = windows(b, x, &lines, ceil, f64::NEG_INFINITY)?;
    b.emit(Op::Reduce(Reduction::Max, places(dims)), &[over])
}

/// The mean of each window: `F.avg_pool2d` and its like. What only a part of a last window adds is never counted, padding
/// if `counted`.
pub fn avg_pool(
    b: &mut Builder,
    x: Value,
    kernel: &[i64],
    g: &Geometry,
    (ceil, counted): (bool, bool),
    dims: usize,
) -> Built {
    let lines = lines(b, x, &spread(b, kernel, dims)?, g)?;
    let over = windows(b, x, &lines, ceil, 0.0)?;
    let sum = b.emit(Op::Reduce(Reduction::Sum, places(dims)), &[over])?;
    let plain =
        lines.iter().try_fold(true, |all, l| Ok(all && l.padding == 0 && l.count(b, ceil)?.1 == 0))?;
    if plain {
        let size: i64 = lines.iter().map(|l| l.size).product();
        return b.scale(sum, 1.0 / size as f64);
    }
    // Ones where an element counts, summed by the same windows.
    let mut ones = vec![Dim::from(1), Dim::from(1)];
    let wide = |l: &Line| l.len.clone() + Dim::from(if counted { 2 * l.padding } else { 0 });
    ones.extend(lines.iter().map(wide));
    let one = b.constant(1.0, b.ty(x).dtype);
    let ones = b.broadcast_to(one, &ones)?;
    let inner: Vec<Line> = lines
        .iter()
        .map(|l| if counted { Line { len: wide(l), padding: 0, ..l.clone() } } else { l.clone() })
        .collect();
    let mut amounts = Vec::new();
    for (line, inner) in lines.iter().zip(&inner) {
        amounts.splice(0..0, [inner.padding, inner.padding + line.count(b, ceil)?.1]);
    }
    let mut count = shape::pad(b, ones, &amounts, 0.0)?;
    for (i, line) in lines.iter().enumerate() {
        let (len, _) = line.count(b, ceil)?;
        let window =
            Window { axis: 2 + 2 * i, len, size: line.size, stride: line.stride, dilation: line.dilation };
        count = b.emit(Op::Windows(window), &[count])?;
    }
    let count = b.emit(Op::Reduce(Reduction::Sum, places(dims)), &[count])?;
    b.div(sum, count)
}

/// The mean of so many windows a dim, window i of n over m elements from ⌊i·m/n⌋ to ⌈(i + 1)·m/n⌉:
/// `F.adaptive_avg_pool2d` and its like.
pub fn adaptive_avg_pool(b: &mut Builder, x: Value, to: &[i64], dims: usize) -> Built {
    adaptive(b, x, to, dims, reduce::mean)
}

/// The largest of each of the same windows: `F.adaptive_max_pool2d` and its like.
pub fn adaptive_max_pool(b: &mut Builder, x: Value, to: &[i64], dims: usize) -> Built {
    adaptive(b, x, to, dims, |b, x, axes| {
        let axes = b.axes("adaptive_max_pool", x, axes)?;
        b.emit(Op::Reduce(Reduction::Max, axes), &[x])
    })
}

fn adaptive(
    b: &mut Builder,
    x: Value,
    to: &[i64],
    dims: usize,
    over: impl Fn(&mut Builder, Value, &[i64]) -> Built,
) -> Built {
    const WINDOWS: i64 = 4096;
    let to = spread(b, to, dims)?;
    lines(b, x, &vec![1; dims], &Geometry::default())?;
    let mut y = x;
    for (i, n) in to.into_iter().enumerate() {
        let axis = 2 + i as i64;
        let m = b.ty(y).shape[2 + i].clone();
        y = match m.literal() {
            _ if n == 1 => {
                let reduced = over(b, y, &[axis])?;
                reduce::keepdim(b, reduced, y, &[axis])?
            }
            Some(m) if (1..=WINDOWS).contains(&n) && (1..1 << 40).contains(&m) => {
                let window = |k: i64| (k * m / n, ((k + 1) * m + n - 1) / n);
                let mut parts = Vec::new();
                for (start, end) in (0..n).map(window) {
                    let part = shape::slice(b, y, axis, Dim::from(start), Dim::from(end - start), 1)?;
                    let reduced = over(b, part, &[axis])?;
                    parts.push(reduce::keepdim(b, reduced, part, &[axis])?);
                }
                shape::cat(b, &parts, axis)?
            }
            _ => return Err(fault(b, format!("sizes known while compiling, and 1 to {WINDOWS} windows"))),
        };
    }
    Ok(y)
}
