//! Losses.

use crate::body::Body;
use crate::file::Case;

fn named(expr: String) -> Body {
    Body { statements: String::new(), results: vec![("loss".into(), expr)] }
}

/// A loss and how its elements become one.
pub fn loss(c: &Case) -> Option<Body> {
    let how = c.text("reduction");
    let weight = if c.has("in.weight") { "Some(weight)" } else { "None" };
    let expr = match c.name.as_str() {
        "mse_loss" | "l1_loss" => format!("{}_with(x, target, {how:?})", c.name),
        "huber_loss" => format!("huber_loss_with(x, target, {}, {how:?})", c.float("delta")?),
        "smooth_l1_loss" => format!("smooth_l1_loss_with(x, target, {}, {how:?})", c.float("beta")?),
        "bce_with_logits" => {
            let positives = if c.has("in.pos_weight") { "Some(pos_weight)" } else { "None" };
            format!("binary_cross_entropy_with_logits_with(x, target, {weight}, {positives}, {how:?})")
        }
        "bce_loss" => format!("binary_cross_entropy_with(x, target, {weight}, {how:?})"),
        "cross_entropy" => format!(
            "cross_entropy_with(x, target, {weight}, {}, {}, {how:?})",
            c.int("ignore_index")?,
            c.float("label_smoothing")?
        ),
        "cross_entropy_soft" => {
            format!("cross_entropy_with(x, target, None, -100, {}, \"mean\")", c.float("label_smoothing")?)
        }
        "nll_loss" => format!("nll_loss_with(x, target, {weight}, {}, {how:?})", c.int("ignore_index")?),
        // The case draws logits.
        "kl_div" if how == "batchmean" => format!(
            "kl_div_with(x.log_softmax(-1), target, \"sum\", {}) / {}.0",
            c.flag("log_target"),
            c.shape("x")[0]
        ),
        "kl_div" => format!("kl_div_with(x.log_softmax(-1), target, {how:?}, {})", c.flag("log_target")),
        _ => return margin(c),
    };
    Some(named(expr))
}

/// Those of margins and distances, of distributions, and of labels without a place in time.
fn margin(c: &Case) -> Option<Body> {
    let (how, f) = (c.text("reduction"), |key: &str| c.float(key));
    let weight = if c.has("in.weight") { "Some(weight)" } else { "None" };
    Some(named(match c.name.as_str() {
        "hinge_embedding_loss" => format!("hinge_embedding_loss_with(x, target, {}, {how:?})", f("margin")?),
        "soft_margin_loss" => format!("soft_margin_loss_with(x, target, {how:?})"),
        "margin_ranking_loss" => {
            format!("margin_ranking_loss_with(x, other, target, {}, {how:?})", f("margin")?)
        }
        "cosine_embedding_loss" => {
            format!("cosine_embedding_loss_with(x, other, target, {}, {how:?})", f("margin")?)
        }
        "triplet_margin_loss" => format!(
            "triplet_margin_loss_with(anchor, positive, negative, {}, {}, {}, {}, {how:?})",
            f("margin")?,
            f("p")?,
            f("eps")?,
            c.flag("swap")
        ),
        "pairwise_distance" => format!("pairwise_distance(x, y, {}, {})", f("p")?, f("eps")?),
        "multilabel_soft_margin_loss" => {
            format!("multilabel_soft_margin_loss_with(x, target, {weight}, {how:?})")
        }
        "multi_margin_loss" => {
            format!("multi_margin_loss_with(x, labels, {}, {}, {weight}, {how:?})", f("p")?, f("margin")?)
        }
        "multilabel_margin_loss" => format!("multilabel_margin_loss_with(x, classes, {how:?})"),
        "poisson_nll_loss" => format!(
            "poisson_nll_loss_with(x, target, {}, {}, {}, {how:?})",
            c.flag("log_input"),
            c.flag("full"),
            f("eps")?
        ),
        "gaussian_nll_loss" => {
            format!("gaussian_nll_loss_with(x, target, variance, {}, {}, {how:?})", c.flag("full"), f("eps")?)
        }
        // The case draws logits.
        "ctc_loss" => format!(
            "ctc_loss_with(x.log_softmax(-1), targets, times, lengths, {}, {}, {how:?})",
            c.int("blank")?,
            c.flag("zero_infinity")
        ),
        _ => return None,
    }))
}
