//! Losses of margins and distances, and that of labels without a place in time.

use super::table;
use crate::composite::ctc::{Ctc, ctc};
use crate::composite::loss::Reduce;
use crate::composite::margin::{self, MultiMargin, Triplet};

table! {
    /// The mean of x where the target is 1, of max(0, margin − x) where it is −1.
    Function hinge_embedding_loss(x: Tensor, target: Tensor, margin: Float) -> One
        |b, a| margin::hinge_embedding(b, a.tensor(0), a.tensor(1), a.float(2), Reduce::Mean);
    /// The same, combined as told.
    Function hinge_embedding_loss_with(x: Tensor, target: Tensor, margin: Float, reduction: Reduction) -> One
        |b, a| margin::hinge_embedding(b, a.tensor(0), a.tensor(1), a.float(2), a.reduction(3));
    /// The mean of max(0, margin − target · (x − other)).
    Function margin_ranking_loss(x: Tensor, other: Tensor, target: Tensor, margin: Float) -> One
        |b, a| margin::margin_ranking(b, a.tensor(0), a.tensor(1), a.tensor(2), a.float(3), Reduce::Mean);
    /// The same, combined as told.
    Function margin_ranking_loss_with(
        x: Tensor, other: Tensor, target: Tensor, margin: Float, reduction: Reduction
    ) -> One
        |b, a| margin::margin_ranking(b, a.tensor(0), a.tensor(1), a.tensor(2), a.float(3), a.reduction(4));
    /// The mean of ln(1 + e^(−target · x)).
    Function soft_margin_loss(x: Tensor, target: Tensor) -> One
        |b, a| margin::soft_margin(b, a.tensor(0), a.tensor(1), Reduce::Mean);
    /// The same, combined as told.
    Function soft_margin_loss_with(x: Tensor, target: Tensor, reduction: Reduction) -> One
        |b, a| margin::soft_margin(b, a.tensor(0), a.tensor(1), a.reduction(2));
    /// The mean binary cross-entropy of logits [N, C].
    Function multilabel_soft_margin_loss(x: Tensor, target: Tensor) -> One
        |b, a| margin::multilabel_soft_margin(b, a.tensor(0), a.tensor(1), None, Reduce::Mean);
    /// The same, weighted by class and combined as told.
    Function multilabel_soft_margin_loss_with(
        x: Tensor, target: Tensor, weight: Maybe, reduction: Reduction
    ) -> One
        |b, a| margin::multilabel_soft_margin(b, a.tensor(0), a.tensor(1), a.maybe(2), a.reduction(3));
    /// The mean over samples and classes of max(0, 1 − x[label] + x), the label's class left out.
    Function multi_margin_loss(x: Tensor, labels: Tensor) -> One |b, a| {
        let told = MultiMargin { p: 1.0, margin: 1.0, weight: None, reduction: Reduce::Mean };
        margin::multi_margin(b, a.tensor(0), a.tensor(1), told)
    };
    /// The same to the power of p, with a margin, weighted by the label's class and combined as told.
    Function multi_margin_loss_with(
        x: Tensor, labels: Tensor, p: Float, margin: Float, weight: Maybe, reduction: Reduction
    ) -> One |b, a| {
        let told =
            MultiMargin { p: a.float(2), margin: a.float(3), weight: a.maybe(4), reduction: a.reduction(5) };
        margin::multi_margin(b, a.tensor(0), a.tensor(1), told)
    };
    /// The mean over samples of Σ max(0, 1 − x[label] + x) over labels and classes that are none, over the number of classes.
    Function multilabel_margin_loss(x: Tensor, classes: Tensor) -> One
        |b, a| margin::multilabel_margin(b, a.tensor(0), a.tensor(1), Reduce::Mean);
    /// The same, combined as told.
    Function multilabel_margin_loss_with(x: Tensor, classes: Tensor, reduction: Reduction) -> One
        |b, a| margin::multilabel_margin(b, a.tensor(0), a.tensor(1), a.reduction(2));
    /// The mean of 1 − cos of x and other where the target is 1, of max(0, cos − margin) where it is −1.
    Function cosine_embedding_loss(x: Tensor, other: Tensor, target: Tensor, margin: Float) -> One
        |b, a| margin::cosine_embedding(b, a.tensor(0), a.tensor(1), a.tensor(2), a.float(3), Reduce::Mean);
    /// The same, combined as told.
    Function cosine_embedding_loss_with(
        x: Tensor, other: Tensor, target: Tensor, margin: Float, reduction: Reduction
    ) -> One
        |b, a| margin::cosine_embedding(b, a.tensor(0), a.tensor(1), a.tensor(2), a.float(3), a.reduction(4));
    /// (Σ |x − y + eps|ᵖ)^(1/p) over the last dim.
    Function pairwise_distance(x: Tensor, y: Tensor, p: Float, eps: Float) -> One
        |b, a| margin::pairwise_distance(b, a.tensor(0), a.tensor(1), a.float(2), a.float(3));
    /// The mean of max(0, |anchor − positive| − |anchor − negative| + margin).
    Function triplet_margin_loss(anchor: Tensor, positive: Tensor, negative: Tensor, margin: Float) -> One
        |b, a| {
            let told =
                Triplet { margin: a.float(3), p: 2.0, eps: 1e-6, swap: false, reduction: Reduce::Mean };
            margin::triplet_margin(b, a.tensor(0), a.tensor(1), a.tensor(2), told)
        };
    /// The same by another norm; with `swap` the negative is as near as to the anchor or the positive.
    Function triplet_margin_loss_with(
        anchor: Tensor, positive: Tensor, negative: Tensor, margin: Float, p: Float, eps: Float, swap: Bool,
        reduction: Reduction
    ) -> One |b, a| {
        let told = Triplet {
            margin: a.float(3),
            p: a.float(4),
            eps: a.float(5),
            swap: a.bool(6),
            reduction: a.reduction(7),
        };
        margin::triplet_margin(b, a.tensor(0), a.tensor(1), a.tensor(2), told)
    };
    /// The mean over sequences of −ln P(labels [N, S]) over their numbers, for logarithms of probabilities [T, N, C].
    Function ctc_loss(
        log_probs: Tensor, targets: Tensor, input_lengths: Tensor, target_lengths: Tensor, blank: Axis
    ) -> One |b, a| {
        ctc(b, Ctc {
            log_probs: a.tensor(0), targets: a.tensor(1), input_lengths: a.tensor(2), target_lengths: a.tensor(3),
            blank: a.axis(4), zero_infinity: false, reduction: Reduce::Mean,
        })
    };
    /// The same, combined as told; with `zero_infinity` a sequence too short for its labels counts 0.
    Function ctc_loss_with(
        log_probs: Tensor, targets: Tensor, input_lengths: Tensor, target_lengths: Tensor, blank: Axis,
        zero_infinity: Bool, reduction: Reduction
    ) -> One |b, a| {
        ctc(b, Ctc {
            log_probs: a.tensor(0), targets: a.tensor(1), input_lengths: a.tensor(2), target_lengths: a.tensor(3),
            blank: a.axis(4), zero_infinity: a.bool(5), reduction: a.reduction(6),
        })
    };
}
