//! Classifiers: an MLP, and of images AlexNet, VGG, ResNet, MobileNetV2.

use super::writer::{Lie, Var, Writer, lie};

/// Linear layers with an activation between them.
pub fn mlp(w: &mut Writer) -> Option<Var> {
    let activation = match w.c.config["activation"].as_str()? {
        name @ ("relu" | "gelu" | "tanh") => format!("{name}()"),
        _ => return None,
    };
    let (mut x, layers) = (w.input("x")?, w.c.ints("sizes")?.len() - 1);
    for i in 0..layers {
        x = w.linear(&x, &format!("{}", 2 * i))?;
        if i + 1 < layers {
            x = w.map(&x, &activation);
        }
    }
    Some(x)
}

/// AlexNet with its local response norms and groups.
pub fn alexnet(w: &mut Writer) -> Option<Var> {
    let mut x = w.input("x")?;
    for (layer, how, normed, pooled) in [
        (0, lie(4, 0), true, true),
        (4, lie(1, 2).groups(2), true, true),
        (8, lie(1, 1), false, false),
        (10, lie(1, 1).groups(2), false, false),
        (12, lie(1, 1).groups(2), false, true),
    ] {
        x = w.conv(&x, &format!("features.{layer}"), how)?;
        x = w.relu(&x);
        if normed {
            x = w.map(&x, "local_response_norm(5, 1e-4, 0.75, 2.0)");
        }
        if pooled {
            x = w.max_pool(&x, 3, lie(2, 0))?;
        }
    }
    let x = w.flat(&x);
    head(w, x, [1, 4, 6])
}

/// Three linear layers.
fn head(w: &mut Writer, mut x: Var, layers: [usize; 3]) -> Option<Var> {
    for (i, layer) in layers.into_iter().enumerate() {
        x = w.linear(&x, &format!("classifier.{layer}"))?;
        if i < 2 {
            x = w.relu(&x);
        }
    }
    Some(x)
}

/// VGG16, with batch norms or without.
pub fn vgg16(w: &mut Writer) -> Option<Var> {
    let (normed, pool) = (w.c.flag("batch_norm"), w.c.int("pool")? as usize);
    let (mut x, mut at) = (w.input("x")?, 0);
    for convolutions in [2, 2, 3, 3, 3] {
        for _ in 0..convolutions {
            x = w.conv(&x, &format!("features.{at}"), lie(1, 1))?;
            if normed {
                x = w.bn(&x, &format!("features.{}", at + 1))?;
            }
            x = w.relu(&x);
            at += if normed { 3 } else { 2 };
        }
        x = w.max_pool(&x, 2, lie(2, 0))?;
        at += 1;
    }
    let shape = vec![x.shape[0], x.shape[1], pool, pool];
    let x = w.var(format!("adaptive_avg_pool2d({}, {pool})", x.name), shape);
    let x = w.flat(&x);
    head(w, x, [0, 3, 6])
}

/// A ResNet of so many blocks a stage.
pub fn resnet(w: &mut Writer, blocks: [usize; 4], bottleneck: bool) -> Option<Var> {
    let x = w.input("x")?;
    let x = w.conv(&x, "conv1", lie(2, 3))?;
    let x = w.bn(&x, "bn1")?;
    let x = w.relu(&x);
    let mut x = w.max_pool(&x, 3, lie(2, 1))?;
    for (stage, count) in blocks.into_iter().enumerate() {
        for block in 0..count {
            let stride = if stage > 0 && block == 0 { 2 } else { 1 };
            x = residual(w, &x, &format!("layer{}.{block}", stage + 1), stride, bottleneck)?;
        }
    }
    let x = w.pooled(&x);
    w.linear(&x, "fc")
}

fn residual(w: &mut Writer, x: &Var, at: &str, stride: usize, bottleneck: bool) -> Option<Var> {
    let convolutions =
        if bottleneck { vec![lie(1, 0), lie(stride, 1), lie(1, 0)] } else { vec![lie(stride, 1), lie(1, 1)] };
    let (mut y, last) = (x.clone(), convolutions.len());
    for (i, how) in convolutions.into_iter().enumerate() {
        y = w.conv(&y, &format!("{at}.conv{}", i + 1), how)?;
        y = w.bn(&y, &format!("{at}.bn{}", i + 1))?;
        if i + 1 < last {
            y = w.relu(&y);
        }
    }
    let beside = match w.tree.node(&format!("{at}.downsample")) {
        Some(_) => {
            let z = w.conv(x, &format!("{at}.downsample.0"), lie(stride, 0))?;
            w.bn(&z, &format!("{at}.downsample.1"))?
        }
        None => x.clone(),
    };
    let y = w.add(&y, &beside)?;
    Some(w.relu(&y))
}

/// Expansion, channels, blocks and stride of MobileNetV2's stages.
const STAGES: [[usize; 4]; 7] = [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
];

/// MobileNetV2.
pub fn mobilenet_v2(w: &mut Writer) -> Option<Var> {
    let x = w.input("x")?;
    let (mut x, mut layer) = (conv_bn_relu6(w, &x, "features.0", lie(2, 1))?, 1);
    for [expand, _, blocks, stride] in STAGES {
        for block in 0..blocks {
            let stride = if block == 0 { stride } else { 1 };
            x = inverted(w, &x, &format!("features.{layer}.conv"), stride, expand)?;
            layer += 1;
        }
    }
    let x = conv_bn_relu6(w, &x, &format!("features.{layer}"), lie(1, 0))?;
    let x = w.pooled(&x);
    w.linear(&x, "classifier.1")
}

fn conv_bn_relu6(w: &mut Writer, x: &Var, at: &str, how: Lie) -> Option<Var> {
    let y = w.conv(x, &format!("{at}.0"), how)?;
    let y = w.bn(&y, &format!("{at}.1"))?;
    Some(w.map(&y, "relu6()"))
}

fn inverted(w: &mut Writer, x: &Var, at: &str, stride: usize, expand: usize) -> Option<Var> {
    let (mut y, mut i) = (x.clone(), 0);
    if expand != 1 {
        y = conv_bn_relu6(w, &y, &format!("{at}.0"), lie(1, 0))?;
        i = 1;
    }
    let channels = y.shape[1];
    y = conv_bn_relu6(w, &y, &format!("{at}.{i}"), lie(stride, 1).groups(channels))?;
    y = w.conv(&y, &format!("{at}.{}", i + 1), lie(1, 0))?;
    y = w.bn(&y, &format!("{at}.{}", i + 2))?;
    if stride == 1 && x.shape == y.shape { w.add(x, &y) } else { Some(y) }
}
