//! Nets of cells: NASNet-A, YOLOv5.

use super::writer::{Var, Writer, lie};

/// A stem, a normal cell, a reduction cell, a normal cell whose earlier input is larger, a head.
pub fn nasnet(w: &mut Writer) -> Option<Var> {
    let x = w.input("x")?;
    let x = w.conv(&x, "stem", lie(1, 1))?;
    let stem = w.bn(&x, "stem_bn")?;
    let a = normal(w, [&stem, &stem], "cell0", false)?;
    let b = reduction(w, [&stem, &a], "cell1")?;
    let x = normal(w, [&a, &b], "cell2", true)?;
    let x = w.relu(&x);
    let x = w.pooled(&x);
    w.linear(&x, "fc")
}

fn squash(w: &mut Writer, x: &Var, at: &str) -> Option<Var> {
    let x = w.relu(x);
    let x = w.conv(&x, &format!("{at}.conv"), lie(1, 0))?;
    w.bn(&x, &format!("{at}.bn"))
}

/// Half the size by two paths, the second shifted by a pixel.
fn factorized(w: &mut Writer, x: &Var, at: &str) -> Option<Var> {
    let x = w.relu(x);
    let shifted = w.var(
        format!(
            "{}.pad([0, 1, 0, 1], 0.0).narrow(2, 1, {}).narrow(3, 1, {})",
            x.name, x.shape[2], x.shape[3]
        ),
        x.shape.clone(),
    );
    let one = w.avg_pool(&x, 1, lie(2, 0))?;
    let other = w.avg_pool(&shifted, 1, lie(2, 0))?;
    let one = w.conv(&one, &format!("{at}.path1"), lie(1, 0))?;
    let other = w.conv(&other, &format!("{at}.path2"), lie(1, 0))?;
    let both = w.cat(&[&one, &other])?;
    w.bn(&both, &format!("{at}.bn"))
}

fn separable(w: &mut Writer, x: &Var, at: &str, size: usize, stride: usize) -> Option<Var> {
    let mut x = x.clone();
    for (i, stride) in [(1, stride), (2, 1)] {
        let channels = x.shape[1];
        x = w.relu(&x);
        x = w.conv(&x, &format!("{at}.dw{i}"), lie(stride, size / 2).groups(channels))?;
        x = w.conv(&x, &format!("{at}.pw{i}"), lie(1, 0))?;
        x = w.bn(&x, &format!("{at}.bn{i}"))?;
    }
    Some(x)
}

fn normal(w: &mut Writer, [before, x]: [&Var; 2], at: &str, larger: bool) -> Option<Var> {
    let left = format!("{at}.left");
    let l = if larger { factorized(w, before, &left)? } else { squash(w, before, &left)? };
    let r = squash(w, x, &format!("{at}.right"))?;
    let mut sep = |x: &Var, name: &str, size| separable(w, x, &format!("{at}.{name}"), size, 1);
    let (s0l, s0r, s1l) = (sep(&r, "s0l", 5)?, sep(&l, "s0r", 3)?, sep(&l, "s1l", 5)?);
    let (s1r, s4) = (sep(&l, "s1r", 3)?, sep(&r, "s4", 3)?);
    let (near_r, near_l) = (w.avg_pool(&r, 3, lie(1, 1))?, w.avg_pool(&l, 3, lie(1, 1))?);
    let (a, b, c) = (w.add(&s0l, &s0r)?, w.add(&s1l, &s1r)?, w.add(&near_r, &l)?);
    let (d, e) = (w.add(&near_l, &near_l)?, w.add(&s4, &r)?);
    w.cat(&[&l, &a, &b, &c, &d, &e])
}

fn reduction(w: &mut Writer, [before, x]: [&Var; 2], at: &str) -> Option<Var> {
    let l = squash(w, before, &format!("{at}.left"))?;
    let r = squash(w, x, &format!("{at}.right"))?;
    let mut sep = |x: &Var, name: &str, size| separable(w, x, &format!("{at}.{name}"), size, 2);
    let (s0l, s0r, s1, s2) = (sep(&r, "s0l", 5)?, sep(&l, "s0r", 7)?, sep(&l, "s1", 7)?, sep(&l, "s2", 5)?);
    let a = w.add(&s0l, &s0r)?;
    let top = w.max_pool(&r, 3, lie(2, 1))?;
    let b = w.add(&top, &s1)?;
    let mean = w.avg_pool(&r, 3, lie(2, 1))?;
    let c = w.add(&mean, &s2)?;
    let near = w.avg_pool(&a, 3, lie(1, 1))?;
    let d = w.add(&near, &b)?;
    let s4 = separable(w, &a, &format!("{at}.s4"), 3, 1)?;
    let e = w.add(&s4, &top)?;
    w.cat(&[&b, &c, &d, &e])
}

/// The three heads of YOLOv5, `[batch, anchor, rows, columns, 5 + classes]`.
pub fn yolov5(w: &mut Writer) -> Option<Vec<Var>> {
    let depth = w.c.int("depth")? as usize;
    let mut x = w.input("x")?;
    let mut kept: Vec<Var> = Vec::new();
    for (i, layer) in LAYERS.iter().enumerate() {
        let at = format!("model.{i}");
        x = match *layer {
            Layer::Conv(stride, padding) => conv_silu(w, &x, &at, stride, padding)?,
            Layer::C3(times, add) => c3(w, &x, &at, times * depth, add)?,
            Layer::Sppf => sppf(w, &x, &at)?,
            Layer::Up => w.doubled(&x),
            Layer::Cat(with) => w.cat(&[&x, &kept[with]])?,
        };
        kept.push(x.clone());
    }
    let (anchors, outputs) = (w.c.int("anchors")? as usize, w.c.int("classes")? as usize + 5);
    let mut heads = Vec::new();
    for (i, from) in [17, 20, 23].into_iter().enumerate() {
        let raw = w.conv(&kept[from], &format!("model.24.m.{i}"), lie(1, 0))?;
        let (n, rows, columns) = (raw.shape[0], raw.shape[2], raw.shape[3]);
        if raw.shape[1] != anchors * outputs {
            return None;
        }
        let apart =
            format!("reshape([{n}, {anchors}, {outputs}, {rows}, {columns}]).permute([0, 1, 3, 4, 2])");
        heads.push(w.var(format!("{}.{apart}", raw.name), vec![n, anchors, rows, columns, outputs]));
    }
    Some(heads)
}

/// A layer of YOLOv5.
enum Layer {
    /// Stride and padding.
    Conv(usize, usize),
    /// Blocks a unit of depth, and whether they are residual.
    C3(usize, bool),
    Sppf,
    Up,
    /// With an earlier layer's value.
    Cat(usize),
}

use Layer::{C3, Cat, Conv, Sppf, Up};

const LAYERS: [Layer; 24] = [
    Conv(2, 2),
    Conv(2, 1),
    C3(1, true),
    Conv(2, 1),
    C3(2, true),
    Conv(2, 1),
    C3(3, true),
    Conv(2, 1),
    C3(1, true),
    Sppf,
    Conv(1, 0),
    Up,
    Cat(6),
    C3(1, false),
    Conv(1, 0),
    Up,
    Cat(4),
    C3(1, false),
    Conv(2, 1),
    Cat(14),
    C3(1, false),
    Conv(2, 1),
    Cat(10),
    C3(1, false),
];

fn conv_silu(w: &mut Writer, x: &Var, at: &str, stride: usize, padding: usize) -> Option<Var> {
    let x = w.conv(x, &format!("{at}.conv"), lie(stride, padding))?;
    let x = w.batch_norm(&x, &format!("{at}.bn"), 1e-3, 0.03)?;
    Some(w.map(&x, "silu()"))
}

fn c3(w: &mut Writer, x: &Var, at: &str, blocks: usize, add: bool) -> Option<Var> {
    let mut deep = conv_silu(w, x, &format!("{at}.cv1"), 1, 0)?;
    for i in 0..blocks {
        let y = conv_silu(w, &deep, &format!("{at}.m.{i}.cv1"), 1, 0)?;
        let y = conv_silu(w, &y, &format!("{at}.m.{i}.cv2"), 1, 1)?;
        deep = if add { w.add(&deep, &y)? } else { y };
    }
    let beside = conv_silu(w, x, &format!("{at}.cv2"), 1, 0)?;
    let both = w.cat(&[&deep, &beside])?;
    conv_silu(w, &both, &format!("{at}.cv3"), 1, 0)
}

fn sppf(w: &mut Writer, x: &Var, at: &str) -> Option<Var> {
    let mut parts = vec![conv_silu(w, x, &format!("{at}.cv1"), 1, 0)?];
    for i in 0..3 {
        parts.push(w.max_pool(&parts[i].clone(), 5, lie(1, 2))?);
    }
    let all = w.cat(&parts.iter().collect::<Vec<_>>())?;
    conv_silu(w, &all, &format!("{at}.cv2"), 1, 0)
}

/// A head as boxes: centre and size in pixels, the rest as it is, `[batch, all, 5 + classes]`.
pub fn decoded(w: &mut Writer, head: &Var, i: usize) -> Var {
    let [n, anchors, rows, columns, outputs] = head.shape[..] else { return head.clone() };
    let s = w.map(head, "sigmoid()").name;
    let stride = 8 << i;
    let (x, y) = (format!("arange({columns}).to(f32)"), format!("arange({rows}).to(f32)"));
    let spread = |axis: &str, at: usize| format!("{axis}.unsqueeze({at}).expand([{rows}, {columns}])");
    let grid = format!("stack(&[{}, {}], -1)", spread(&x, 0), spread(&y, 1));
    let grid = w.var(grid, vec![rows, columns, 2]).name;
    let sizes = format!("anchors.select(0, {i}).reshape([1, {anchors}, 1, 1, 2])");
    let parts = format!(
        "({s}.narrow(-1, 0, 2) * 2.0 - 0.5 + {grid}) * {stride}.0, \
         ({s}.narrow(-1, 2, 2) * 2.0).square() * {sizes}, {s}.narrow(-1, 4, {})",
        outputs - 4
    );
    w.var(format!("cat(&[{parts}], -1).flatten(1, 3)"), vec![n, anchors * rows * columns, outputs])
}
