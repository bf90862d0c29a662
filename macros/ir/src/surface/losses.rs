//! Losses and metrics.

use super::{Args, table};
use crate::composite::loss::{self, CrossEntropy, Reduce};
use crate::composite::{Built, reduce};
use crate::{Builder, Error, Fault, Value};

table! {
    /// The mean of (x − target)².
    Function mse_loss(x: Tensor, target: Tensor) -> One
        |b, a| loss::mse(b, a.tensor(0), a.tensor(1), Reduce::Mean);
    /// (x − target)², combined as told.
    Function mse_loss_with(x: Tensor, target: Tensor, reduction: Reduction) -> One
        |b, a| loss::mse(b, a.tensor(0), a.tensor(1), a.reduction(2));
    /// The mean of |x − target|.
    Function l1_loss(x: Tensor, target: Tensor) -> One
        |b, a| loss::l1(b, a.tensor(0), a.tensor(1), Reduce::Mean);
    /// |x − target|, combined as told.
    Function l1_loss_with(x: Tensor, target: Tensor, reduction: Reduction) -> One
        |b, a| loss::l1(b, a.tensor(0), a.tensor(1), a.reduction(2));
    /// The mean of ½(x − target)² within delta, of delta(|x − target| − delta/2) beyond.
    Function huber_loss(x: Tensor, target: Tensor, delta: Float) -> One
        |b, a| loss::huber(b, a.tensor(0), a.tensor(1), a.float(2), Reduce::Mean);
    /// The same, combined as told.
    Function huber_loss_with(x: Tensor, target: Tensor, delta: Float, reduction: Reduction) -> One
        |b, a| loss::huber(b, a.tensor(0), a.tensor(1), a.float(2), a.reduction(3));
    /// The Huber loss divided by beta.
    Function smooth_l1_loss(x: Tensor, target: Tensor, beta: Float) -> One
        |b, a| loss::smooth_l1(b, a.tensor(0), a.tensor(1), a.float(2), Reduce::Mean);
    /// The same, combined as told.
    Function smooth_l1_loss_with(x: Tensor, target: Tensor, beta: Float, reduction: Reduction) -> One
        |b, a| loss::smooth_l1(b, a.tensor(0), a.tensor(1), a.float(2), a.reduction(3));
    /// The mean binary cross-entropy of logits.
    Function binary_cross_entropy_with_logits(x: Tensor, target: Tensor) -> One
        |b, a| loss::bce_with_logits(b, a.tensor(0), a.tensor(1), None, None, Reduce::Mean);
    /// The same, weighted and combined as told.
    Function binary_cross_entropy_with_logits_with(
        x: Tensor, target: Tensor, weight: Maybe, pos_weight: Maybe, reduction: Reduction
    ) -> One
        |b, a| loss::bce_with_logits(b, a.tensor(0), a.tensor(1), a.maybe(2), a.maybe(3), a.reduction(4));
    /// The mean binary cross-entropy of probabilities.
    Function binary_cross_entropy(x: Tensor, target: Tensor) -> One
        |b, a| loss::bce(b, a.tensor(0), a.tensor(1), None, Reduce::Mean);
    /// The same, weighted and combined as told.
    Function binary_cross_entropy_with(x: Tensor, target: Tensor, weight: Maybe, reduction: Reduction) -> One
        |b, a| loss::bce(b, a.tensor(0), a.tensor(1), a.maybe(2), a.reduction(3));
    /// x · y / (|x| |y|) along a dim, the norms no less than eps.
    Function cosine_similarity(x: Tensor, y: Tensor, dim: Axis, eps: Float) -> One
        |b, a| loss::cosine_similarity(b, a.tensor(0), a.tensor(1), a.axis(2), a.float(3));
    /// The mean cross-entropy of logits [N, C, …] and labels (i64 [N, …]) or probabilities ([N, C, …]).
    Function cross_entropy(x: Tensor, target: Tensor) -> One
        |b, a| cross_entropy(b, a, CrossEntropy::default());
    /// The same, weighted and combined as told.
    Function cross_entropy_with(
        x: Tensor, target: Tensor, weight: Maybe, ignore_index: Axis, label_smoothing: Float, reduction: Reduction
    ) -> One |b, a| cross_entropy(b, a, CrossEntropy {
        weight: a.maybe(2),
        ignore_index: a.axis(3),
        label_smoothing: a.float(4),
        reduction: a.reduction(5),
    });
    /// The mean of −x at the labels, x being logarithms of probabilities.
    Function nll_loss(x: Tensor, target: Tensor) -> One |b, a| {
        some_class(b, a.tensor(0), "nll_loss")?;
        loss::nll(b, a.tensor(0), a.tensor(1), CrossEntropy::default())
    };
    /// The same, weighted and combined as told.
    Function nll_loss_with(
        x: Tensor, target: Tensor, weight: Maybe, ignore_index: Axis, reduction: Reduction
    ) -> One |b, a| {
        some_class(b, a.tensor(0), "nll_loss")?;
        let told = CrossEntropy { weight: a.maybe(2), ignore_index: a.axis(3), reduction: a.reduction(4),
            ..Default::default() };
        loss::nll(b, a.tensor(0), a.tensor(1), told)
    };
    /// The mean of target · (ln target − x), x being logarithms of probabilities.
    Function kl_div(x: Tensor, target: Tensor) -> One |b, a| {
        let each = loss::kl_div(b, a.tensor(0), a.tensor(1), false)?;
        reduce::mean(b, each, &[])
    };
    /// The same, combined as told; with `log_target` the target holds logarithms.
    Function kl_div_with(x: Tensor, target: Tensor, reduction: Reduction, log_target: Bool) -> One |b, a| {
        let each = loss::kl_div(b, a.tensor(0), a.tensor(1), a.bool(3))?;
        match a.reduction(2) {
            Reduce::None => Ok(each),
            Reduce::Sum => reduce::sum(b, each, &[]),
            Reduce::Mean => reduce::mean(b, each, &[]),
        }
    };
    /// The mean negative log-likelihood of a Poisson distribution, x being the logarithm of its rate.
    Function poisson_nll_loss(x: Tensor, target: Tensor) -> One
        |b, a| loss::poisson_nll(b, a.tensor(0), a.tensor(1), true, false, 1e-8, Reduce::Mean);
    /// The same, of the rate unless `log_input`, with Stirling's term if `full`, combined as told.
    Function poisson_nll_loss_with(
        x: Tensor, target: Tensor, log_input: Bool, full: Bool, eps: Float, reduction: Reduction
    ) -> One |b, a| {
        loss::poisson_nll(b, a.tensor(0), a.tensor(1), a.bool(2), a.bool(3), a.float(4), a.reduction(5))
    };
    /// The mean negative log-likelihood of a normal distribution with mean x and this variance, at least 1e-6.
    Function gaussian_nll_loss(x: Tensor, target: Tensor, variance: Tensor) -> One
        |b, a| loss::gaussian_nll(b, a.tensor(0), a.tensor(1), a.tensor(2), false, 1e-6, Reduce::Mean);
    /// The same, with the constant if `full`, the variance at least eps, combined as told.
    Function gaussian_nll_loss_with(
        x: Tensor, target: Tensor, variance: Tensor, full: Bool, eps: Float, reduction: Reduction
    ) -> One |b, a| {
        loss::gaussian_nll(b, a.tensor(0), a.tensor(1), a.tensor(2), a.bool(3), a.float(4), a.reduction(5))
    };
    /// The share of rows [N, C] whose largest entry stands at the label.
    Function accuracy(x: Tensor, labels: Tensor) -> One |b, a| loss::accuracy(b, a.tensor(0), a.tensor(1));
}

fn cross_entropy(b: &mut Builder, a: &Args, told: CrossEntropy) -> Built {
    let (x, target) = (a.tensor(0), a.tensor(1));
    some_class(b, x, "cross_entropy")?;
    if !b.ty(target).dtype.is_float() {
        return loss::cross_entropy(b, x, target, told);
    }
    if told.weight.is_some() || told.reduction != Reduce::Mean {
        return Err(a.fault(b, "probabilities as target go with no weight and the reduction \"mean\""));
    }
    if b.ty(x) != b.ty(target) {
        let (left, right) = (b.ty(x).clone(), b.ty(target).clone());
        return Err(b.error(Fault::Mismatch { op: "cross_entropy".into(), left, right }));
    }
    loss::cross_entropy_soft(b, x, target, told.label_smoothing)
}

fn some_class(b: &Builder, x: Value, op: &str) -> Result<(), Error> {
    let got = b.ty(x).clone();
    if got.rank() > 0 {
        return Ok(());
    }
    Err(b.error(Fault::Rank { op: op.into(), want: "1 or more".into(), got }))
}
