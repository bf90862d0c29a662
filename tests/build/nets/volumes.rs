//! Nets that yield an image: the 3-D U-Net with its Dice loss, the U-Net of a diffusion model.

use super::writer::{Var, Writer, lie};

/// The logits of a U-Net over volumes.
pub fn unet3d(w: &mut Writer) -> Option<Var> {
    let levels = w.c.int("levels")? as usize;
    let (mut x, mut skips) = (w.input("x")?, Vec::new());
    for i in 0..levels {
        if i > 0 {
            x = w.max_pool(&x, 2, lie(2, 0))?;
        }
        x = double(w, &x, &format!("enc.{i}"))?;
        skips.push(x.clone());
    }
    for i in (0..levels.checked_sub(1)?).rev() {
        let up = w.up(&x, &format!("up.{i}"))?;
        let both = w.cat(&[&skips[i], &up])?;
        x = double(w, &both, &format!("dec.{i}"))?;
    }
    w.conv(&x, "out", lie(1, 0))
}

fn double(w: &mut Writer, x: &Var, at: &str) -> Option<Var> {
    let mut x = x.clone();
    for i in [0, 3] {
        x = w.conv(&x, &format!("{at}.{i}"), lie(1, 1))?;
        x = w.bn(&x, &format!("{at}.{}", i + 1))?;
        x = w.relu(&x);
    }
    Some(x)
}

/// `1 − mean (2 Σ p·t + eps) / (Σ p + Σ t + eps)` over batch and classes.
pub fn dice(w: &mut Writer, logits: &Var) -> Option<String> {
    let (classes, eps) = (logits.shape[1], w.c.float("eps")?);
    let (p, t) = match classes {
        1 => ("sigmoid()".to_string(), "target.unsqueeze(1).to(f32)".to_string()),
        _ => {
            ("softmax(1)".to_string(), format!("one_hot(target, {classes}).permute([0, 4, 1, 2, 3]).to(f32)"))
        }
    };
    let p = w.map(logits, &p).name;
    let t = w.var(t, logits.shape.clone()).name;
    let sum = |v: &str| format!("({v}).sum_dim([2, 3, 4])");
    let above = format!("2.0 * {} + {eps}", sum(&format!("{p} * {t}")));
    Some(format!("1.0 - (({above}) / ({} + {} + {eps})).mean()", sum(&p), sum(&t)))
}

/// The noise that a diffusion model predicts.
pub fn ddpm(w: &mut Writer) -> Option<Var> {
    let (width, groups) = (w.c.int("width")? as usize, w.c.int("groups")? as usize);
    let (x, half) = (w.input("x")?, width / 2);
    let batch = x.shape[0];
    if half < 2 {
        return None;
    }
    w.out += &format!("let a = alpha_bar.index_select(0, t).reshape([{batch}, 1, 1, 1]);\n        ");
    let noisy = w.var("a.sqrt() * x + (1.0 - a).sqrt() * noise".into(), x.shape.clone());
    let rate = -(10000f64.ln()) / (half as f64 - 1.0);
    let angle = format!("t.to(f64).unsqueeze(1) * (arange({half}).to(f64) * {rate:?}).exp()");
    let angle = w.var(angle, vec![batch, half]).name;
    let time = w.var(format!("cat(&[{angle}.sin(), {angle}.cos()], 1).to(f32)"), vec![batch, 2 * half]);
    let time = w.linear(&time, "time.0")?;
    let time = w.map(&time, "silu()");
    let time = w.linear(&time, "time.2")?;
    let e = w.map(&time, "silu()");

    let x = w.conv(&noisy, "conv_in", lie(1, 1))?;
    let h1 = block(w, &x, &e, "down1", groups)?;
    let x = w.conv(&h1, "down", lie(2, 1))?;
    let h2 = block(w, &x, &e, "down2", groups)?;
    let x = block(w, &h2, &e, "mid1", groups)?;
    let x = attention(w, &x, "attn", groups)?;
    let x = block(w, &x, &e, "mid2", groups)?;
    let x = w.cat(&[&x, &h2])?;
    let x = block(w, &x, &e, "up2", groups)?;
    let x = w.doubled(&x);
    let x = w.conv(&x, "up", lie(1, 1))?;
    let x = w.cat(&[&x, &h1])?;
    let x = block(w, &x, &e, "up1", groups)?;
    let x = w.group_norm(&x, "norm_out", groups)?;
    let x = w.map(&x, "silu()");
    w.conv(&x, "conv_out", lie(1, 1))
}

/// `e` is the silu of the time's embedding.
fn block(w: &mut Writer, x: &Var, e: &Var, at: &str, groups: usize) -> Option<Var> {
    let h = w.group_norm(x, &format!("{at}.norm1"), groups)?;
    let h = w.map(&h, "silu()");
    let h = w.conv(&h, &format!("{at}.conv1"), lie(1, 1))?;
    let time = w.linear(e, &format!("{at}.temb"))?;
    let h = w.map(&h, &format!("add({}.unsqueeze(-1).unsqueeze(-1))", time.name));
    let h = w.group_norm(&h, &format!("{at}.norm2"), groups)?;
    let h = w.map(&h, "silu()");
    let h = w.conv(&h, &format!("{at}.conv2"), lie(1, 1))?;
    let skip = format!("{at}.skip");
    let beside = if w.tree.node(&skip).is_some() { w.conv(x, &skip, lie(1, 0))? } else { x.clone() };
    w.add(&beside, &h)
}

fn attention(w: &mut Writer, x: &Var, at: &str, groups: usize) -> Option<Var> {
    let h = w.group_norm(x, &format!("{at}.norm"), groups)?;
    let h = w.conv(&h, &format!("{at}.qkv"), lie(1, 0))?;
    let (q, k, v) = ("q", "k", "v");
    w.out += &format!("let [{q}, {k}, {v}] = {}.flatten(2, -1).chunk(3, 1);\n        ", h.name);
    let weights = format!("({q}.transpose(1, 2).matmul({k}) / {:?}).softmax(-1)", (x.shape[1] as f64).sqrt());
    let y = format!("{v}.matmul({weights}.transpose(1, 2)).reshape({:?})", x.shape);
    let y = w.var(y, x.shape.clone());
    let y = w.conv(&y, &format!("{at}.proj"), lie(1, 0))?;
    w.add(x, &y)
}
