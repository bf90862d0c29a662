//! Convolutional nets with PyTorch's shapes: ResNet-18, MobileNetV2 and VGG16.

use crate::graph::{Attribute, Graph};

/// Channels in and out, the window's side, its step, groups.
type Sizes = (usize, usize, usize, usize, usize);

fn window(k: usize, s: usize, pad: usize) -> Vec<(&'static str, Attribute)> {
    let ints = |n: usize, times| Attribute::Ints(vec![n as i64; times]);
    vec![("kernel_shape", ints(k, 2)), ("strides", ints(s, 2)), ("pads", ints(pad, 4))]
}

/// A convolution without offsets, and the norm of its channels.
fn conv_norm(g: &mut Graph, x: &str, (i, o, k, s, groups): Sizes) -> String {
    let w = g.weight(&[o, i / groups, k, k], i / groups * k * k);
    let mut attributes = window(k, s, k / 2);
    attributes.push(("group", Attribute::Int(groups as i64)));
    let y = g.op("Conv", &[x, &w], &attributes);
    let (scale, offset) = (g.filled(o, 1.0), g.filled(o, 0.0));
    let (mean, var) = (g.floats(&[o], &vec![0.0; o]), g.floats(&[o], &vec![1.0; o]));
    g.op("BatchNormalization", &[&y, &scale, &offset, &mean, &var], &[("epsilon", Attribute::Float(1e-5))])
}

fn relu(g: &mut Graph, x: &str) -> String {
    g.op("Relu", &[x], &[])
}

fn relu6(g: &mut Graph, x: &str) -> String {
    let (least, most) = (g.floats(&[], &[0.0]), g.floats(&[], &[6.0]));
    g.op("Clip", &[x, &least, &most], &[])
}

/// The mean of each channel, and a dense layer.
fn head(g: &mut Graph, x: &str, i: usize) -> String {
    let x = g.op("GlobalAveragePool", &[x], &[]);
    let x = g.op("Flatten", &[&x], &[]);
    g.gemm(&x, i, 1000)
}

/// Two convolutions and the input.
fn basic(g: &mut Graph, x: &str, i: usize, o: usize, s: usize) -> String {
    let h = conv_norm(g, x, (i, o, 3, s, 1));
    let h = relu(g, &h);
    let h = conv_norm(g, &h, (o, o, 3, 1, 1));
    let to = if s != 1 || i != o { conv_norm(g, x, (i, o, 1, s, 1)) } else { x.into() };
    let h = g.op("Add", &[&h, &to], &[]);
    relu(g, &h)
}

/// 18 layers.
pub fn resnet18(g: &mut Graph) -> String {
    let x = conv_norm(g, "x0", (3, 64, 7, 2, 1));
    let x = relu(g, &x);
    let mut x = g.op("MaxPool", &[&x], &window(3, 2, 1));
    let mut i = 64;
    for (o, s) in [(64, 1), (128, 2), (256, 2), (512, 2)] {
        x = basic(g, &x, i, o, s);
        x = basic(g, &x, o, o, 1);
        i = o;
    }
    head(g, &x, 512)
}

/// Expand, filter each channel, project.
fn inverted(g: &mut Graph, x: &str, i: usize, o: usize, s: usize, t: usize) -> String {
    let (wide, mut h) = (i * t, x.to_owned());
    if t != 1 {
        h = conv_norm(g, &h, (i, wide, 1, 1, 1));
        h = relu6(g, &h);
    }
    h = conv_norm(g, &h, (wide, wide, 3, s, wide));
    h = relu6(g, &h);
    h = conv_norm(g, &h, (wide, o, 1, 1, 1));
    if s == 1 && i == o { g.op("Add", &[&h, x], &[]) } else { h }
}

/// MobileNetV2 of width 1.
pub fn mobilenet_v2(g: &mut Graph) -> String {
    let x = conv_norm(g, "x0", (3, 32, 3, 2, 1));
    let (mut x, mut i) = (relu6(g, &x), 32);
    let rows = [
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ];
    for (t, o, n, s) in rows {
        for block in 0..n {
            x = inverted(g, &x, i, o, if block == 0 { s } else { 1 }, t);
            i = o;
        }
    }
    x = conv_norm(g, &x, (320, 1280, 1, 1, 1));
    x = relu6(g, &x);
    head(g, &x, 1280)
}

/// VGG of 16 layers.
pub fn vgg16(g: &mut Graph) -> String {
    let (mut i, mut x) = (3, "x0".to_owned());
    for o in [64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0] {
        if o == 0 {
            x = g.op("MaxPool", &[&x], &window(2, 2, 0));
        } else {
            let (w, b) = (g.weight(&[o, i, 3, 3], i * 9), g.weight(&[o], i * 9));
            x = g.op("Conv", &[&x, &w, &b], &window(3, 1, 1));
            x = relu(g, &x);
            i = o;
        }
    }
    x = g.op("Flatten", &[&x], &[]);
    for (i, o) in [(25088, 4096), (4096, 4096)] {
        x = g.gemm(&x, i, o);
        x = relu(g, &x);
    }
    g.gemm(&x, 4096, 1000)
}
