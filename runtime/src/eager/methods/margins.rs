//! Losses of margins and distances, and that of labels without a place in time. Where a reduction is asked, it is `"mean"`,
//! `"sum"` or `"none"`.

use super::free_functions;
use crate::Tensor;

free_functions! {
    /// The mean of `x` where the target is 1, of `max(0, margin − x)` where it is −1: `F.hinge_embedding_loss`.
    hinge_embedding_loss[T](x: Tensor, target: Tensor, margin: Float) -> One,
        "let x: Tensor = Tensor::from([0.5, 0.25]);\nassert_eq!(hinge_embedding_loss(&x, Tensor::from([1.0, -1.0]), 1).to_string(), \"0.625\");";
    /// The same, combined as told: `F.hinge_embedding_loss(reduction=…)`.
    hinge_embedding_loss_with[T](x: Tensor, target: Tensor, margin: Float, reduction: Reduction) -> One,
        "let x: Tensor = Tensor::from([0.5, 0.25]);\nlet y = Tensor::from([1.0, -1.0]);\nassert_eq!(hinge_embedding_loss_with(&x, y, 1, \"sum\").to_string(), \"1.25\");";
    /// The mean of `max(0, margin − target·(x − other))`: `F.margin_ranking_loss`.
    margin_ranking_loss[T](x: Tensor, other: Tensor, target: Tensor, margin: Float) -> One,
        "let (x, other): (Tensor, _) = (Tensor::from([1.0, 2.0]), Tensor::from([2.0, 1.0]));\nassert_eq!(margin_ranking_loss(&x, other, x.ones_like(), 0.5).to_string(), \"0.75\");";
    /// The same, combined as told: `F.margin_ranking_loss(reduction=…)`.
    margin_ranking_loss_with[T](x: Tensor, other: Tensor, target: Tensor, margin: Float, reduction: Reduction) -> One,
        "let (x, other): (Tensor, _) = (Tensor::from([1.0, 2.0]), Tensor::from([2.0, 1.0]));\nlet loss = margin_ranking_loss_with(&x, other, x.ones_like(), 0.5, \"none\");\nassert_eq!(loss.to_string(), \"[1.5, 0]\");";
    /// The mean of `ln(1 + e^(−target·x))`, without overflow: `F.soft_margin_loss`.
    soft_margin_loss[T](x: Tensor, target: Tensor) -> One,
        "let x: Tensor = Tensor::from([1000.0]);\nassert_eq!(soft_margin_loss(&x, Tensor::from([-1.0])).to_string(), \"1000\");";
    /// The same, combined as told: `F.soft_margin_loss(reduction=…)`.
    soft_margin_loss_with[T](x: Tensor, target: Tensor, reduction: Reduction) -> One,
        "let x: Tensor = Tensor::from([1000.0, 1000.0]);\nassert_eq!(soft_margin_loss_with(&x, -x.ones_like(), \"sum\").to_string(), \"2000\");";
    /// The mean binary cross-entropy of logits `[…, C]`: `F.multilabel_soft_margin_loss`.
    multilabel_soft_margin_loss[T](x: Tensor, target: Tensor) -> One,
        "let x: Tensor = Tensor::from([[-1000.0, 1000.0]]);\nassert_eq!(multilabel_soft_margin_loss(&x, x.ones_like()).to_string(), \"500\");";
    /// The same, weighted by class and combined as told: `F.multilabel_soft_margin_loss(weight=…, reduction=…)`.
    multilabel_soft_margin_loss_with[T](x: Tensor, target: Tensor, weight: Maybe, reduction: Reduction) -> One,
        "let x: Tensor = Tensor::from([[-1000.0, 1000.0]]);\nlet weight = Some(Tensor::from([0.5, 1.0]));\nassert_eq!(multilabel_soft_margin_loss_with(&x, x.ones_like(), weight, \"none\").to_string(), \"[250]\");";
    /// The mean over samples and classes of `max(0, 1 − x[label] + x)`, the label's class left out, for scores `[N, C]` or `[C]` and
    /// labels (i64) `[N]` or `[]`: `F.multi_margin_loss`. A label that is none of the classes makes the loss NaN.
    multi_margin_loss[T, U](x: Tensor, labels: Labels) -> One,
        "let x: Tensor = Tensor::from([[0.5, 1.0, 0.0, 0.0]]);\nassert_eq!(multi_margin_loss(&x, Tensor::<i64>::from([1])).to_string(), \"0.125\");";
    /// The same to the power of `p`, with a margin, weighted by the label's class and combined as told:
    /// `F.multi_margin_loss(p=…, margin=…, weight=…)`.
    multi_margin_loss_with[T, U](
        x: Tensor, labels: Labels, p: Float, margin: Float, weight: Maybe, reduction: Reduction
    ) -> One,
        "let x: Tensor = Tensor::from([[0.5, 1.0]]);\nlet y = Tensor::<i64>::from([0]);\nassert_eq!(multi_margin_loss_with(&x, y, 2, 0.5, None, \"sum\").to_string(), \"0.5\");";
    /// The mean over samples of `Σ max(0, 1 − x[label] + x)` over the labels and the classes that are none, over the number of
    /// classes: `F.multilabel_margin_loss`. Classes (i64) have the scores' shape, `[N, C]` or `[C]`; a row's labels are those before
    /// its first negative one.
    multilabel_margin_loss[T, U](x: Tensor, classes: Labels) -> One,
        "let x: Tensor = Tensor::from([[0.25, 0.5, 0.75, 1.0]]);\nlet y = Tensor::<i64>::from([[3, 0, -1, 1]]);\nassert_eq!(multilabel_margin_loss(&x, y).to_string(), \"1\");";
    /// The same, combined as told: `F.multilabel_margin_loss(reduction=…)`.
    multilabel_margin_loss_with[T, U](x: Tensor, classes: Labels, reduction: Reduction) -> One,
        "let x: Tensor = Tensor::from([[0.25, 0.5, 0.75, 1.0]]);\nlet y = Tensor::<i64>::from([[3, 0, -1, 1]]);\nassert_eq!(multilabel_margin_loss_with(&x, y, \"none\").to_string(), \"[1]\");";
    /// The mean of `1 − cos` of `x` and `other`, `[N, D]` or `[D]`, where the target is 1, of `max(0, cos − margin)` where it is −1:
    /// `F.cosine_embedding_loss`.
    cosine_embedding_loss[T](x: Tensor, other: Tensor, target: Tensor, margin: Float) -> One,
        "let x: Tensor = Tensor::from([[3.0, 4.0]]);\nassert_eq!(cosine_embedding_loss(&x, -&x, Tensor::from([1.0]), 0).to_string(), \"2\");";
    /// The same, combined as told: `F.cosine_embedding_loss(reduction=…)`.
    cosine_embedding_loss_with[T](x: Tensor, other: Tensor, target: Tensor, margin: Float, reduction: Reduction) -> One,
        "let x: Tensor = Tensor::from([[3.0, 4.0]]);\nlet loss = cosine_embedding_loss_with(&x, &x, Tensor::from([-1.0]), 0.5, \"none\");\nassert_eq!(loss.to_string(), \"[0.5]\");";
    /// `(Σ |x − y + eps|ᵖ)^(1/p)` over the last dim: `F.pairwise_distance`.
    pairwise_distance[T](x: Tensor, y: Tensor, p: Float, eps: Float) -> One,
        "let x: Tensor = Tensor::from([[3.0, 4.0]]);\nassert_eq!(pairwise_distance(&x, x.zeros_like(), 2, 0).to_string(), \"[5]\");";
    /// The mean of `max(0, |anchor − positive| − |anchor − negative| + margin)`: `F.triplet_margin_loss`. Schroff et al.,
    /// *FaceNet* (2015).
    triplet_margin_loss[T](anchor: Tensor, positive: Tensor, negative: Tensor, margin: Float) -> One,
        "let x: Tensor = Tensor::from([[1.0, 2.0]]);\nassert_eq!(triplet_margin_loss(&x, &x, &x, 1).to_string(), \"1\");";
    /// The same by the norm of power `p`; with `swap` the negative is as near as to the anchor or the positive, whichever is nearer:
    /// `F.triplet_margin_loss(p=…, eps=…, swap=…)`.
    triplet_margin_loss_with[T](
        anchor: Tensor, positive: Tensor, negative: Tensor, margin: Float, p: Float, eps: Float, swap: Bool,
        reduction: Reduction
    ) -> One,
        "let x: Tensor = Tensor::from([[0.0, 0.0]]);\nlet (near, far) = (Tensor::from([[3.0, 4.0]]), Tensor::from([[3.0, 5.0]]));\nassert_eq!(triplet_margin_loss_with(&x, near, far, 1, 2, 0, true, \"sum\").to_string(), \"5\");";
    /// The mean over sequences of `−ln P(labels)` over their numbers of labels: `F.ctc_loss`, for logarithms of probabilities
    /// `[T, N, C]`, labels (i64) `[N, S]`, how many steps and labels each sequence has (i64 `[N]`), and the class of no label. The
    /// gradient is the derivative by `log_probs`; torch's adds what `log_softmax` before it takes away again. Graves et al.,
    /// *Connectionist Temporal Classification* (2006).
    ctc_loss[T, U](
        log_probs: Tensor, targets: Labels, input_lengths: Labels, target_lengths: Labels, blank: Axis
    ) -> One,
        "let log_probs: Tensor = Tensor::full([2, 1, 2], 0.5).log();\nlet one = |n| Tensor::<i64>::from([n]);\nlet loss = ctc_loss(log_probs, Tensor::<i64>::from([[1]]), one(2), one(1), 0);\nassert!((loss.item()? + 0.75f32.ln()).abs() < 1e-6);\n# Ok::<(), kiln::Error>(())";
    /// The same, combined as told; with `zero_infinity` a sequence too short for its labels counts 0:
    /// `F.ctc_loss(reduction=…, zero_infinity=…)`.
    ctc_loss_with[T, U](
        log_probs: Tensor, targets: Labels, input_lengths: Labels, target_lengths: Labels, blank: Axis,
        zero_infinity: Bool, reduction: Reduction
    ) -> One,
        "let log_probs: Tensor = Tensor::full([1, 1, 2], 0.5).log();\nlet one = |n| Tensor::<i64>::from([n]);\nlet twice = Tensor::<i64>::from([[1, 1]]);\nlet loss = ctc_loss_with(log_probs, twice, one(1), one(2), 0, true, \"sum\");\nassert_eq!(loss.to_string(), \"0\");";
}
