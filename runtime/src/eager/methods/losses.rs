//! Losses and metrics. Where a reduction is asked, it is `"mean"`, `"sum"` or `"none"`.

use super::free_functions;
use crate::Tensor;

free_functions! {
    /// The mean of `(x − target)²`: `F.mse_loss`.
    mse_loss[T](x: Tensor, target: Tensor) -> One,
        "let x: Tensor = Tensor::from([1.0, 3.0]);\nassert_eq!(mse_loss(&x, x.zeros_like()).item()?, 5.0);\n# Ok::<(), kiln::Error>(())";
    /// `(x − target)²`, combined as told: `F.mse_loss(reduction=…)`.
    mse_loss_with[T](x: Tensor, target: Tensor, reduction: Reduction) -> One,
        "let x: Tensor = Tensor::from([1.0, 3.0]);\nassert_eq!(mse_loss_with(&x, x.zeros_like(), \"none\").to_string(), \"[1, 9]\");";
    /// The mean of `|x − target|`: `F.l1_loss`.
    l1_loss[T](x: Tensor, target: Tensor) -> One,
        "let x: Tensor = Tensor::from([1.0, -3.0]);\nassert_eq!(l1_loss(&x, x.zeros_like()).to_string(), \"2\");";
    /// `|x − target|`, combined as told: `F.l1_loss(reduction=…)`.
    l1_loss_with[T](x: Tensor, target: Tensor, reduction: Reduction) -> One,
        "let x: Tensor = Tensor::from([1.0, -3.0]);\nassert_eq!(l1_loss_with(&x, x.zeros_like(), \"sum\").to_string(), \"4\");";
    /// The mean of `½(x − target)²` within `delta`, of `delta(|x − target| − delta/2)` beyond: `F.huber_loss`.
    /// Huber (1964).
    huber_loss[T](x: Tensor, target: Tensor, delta: Float) -> One,
        "let x: Tensor = Tensor::from([1.0, 3.0]);\nassert_eq!(huber_loss(&x, x.zeros_like(), 1).to_string(), \"1.5\");";
    /// The same, combined as told: `F.huber_loss(reduction=…)`.
    huber_loss_with[T](x: Tensor, target: Tensor, delta: Float, reduction: Reduction) -> One,
        "let x: Tensor = Tensor::from([1.0, 3.0]);\nassert_eq!(huber_loss_with(&x, x.zeros_like(), 1, \"none\").to_string(), \"[0.5, 2.5]\");";
    /// The Huber loss divided by `beta`: `F.smooth_l1_loss`.
    smooth_l1_loss[T](x: Tensor, target: Tensor, beta: Float) -> One,
        "let x: Tensor = Tensor::from([1.0, 3.0]);\nassert_eq!(smooth_l1_loss(&x, x.zeros_like(), 2).to_string(), \"1.125\");";
    /// The same, combined as told: `F.smooth_l1_loss(reduction=…)`.
    smooth_l1_loss_with[T](x: Tensor, target: Tensor, beta: Float, reduction: Reduction) -> One,
        "let x: Tensor = Tensor::from([1.0, 3.0]);\nassert_eq!(smooth_l1_loss_with(&x, x.zeros_like(), 2, \"sum\").to_string(), \"2.25\");";
    /// The mean binary cross-entropy of logits: `F.binary_cross_entropy_with_logits`.
    binary_cross_entropy_with_logits[T](x: Tensor, target: Tensor) -> One,
        "let x: Tensor = Tensor::from([-1000.0]);\nassert_eq!(binary_cross_entropy_with_logits(&x, x.ones_like()).to_string(), \"1000\");";
    /// The same, weighted and combined as told: `F.binary_cross_entropy_with_logits(weight=…, pos_weight=…)`.
    binary_cross_entropy_with_logits_with[T](
        x: Tensor, target: Tensor, weight: Maybe, pos_weight: Maybe, reduction: Reduction
    ) -> One,
        "let x: Tensor = Tensor::from([-1000.0]);\nlet twice = Some(Tensor::from([2.0]));\nlet loss = binary_cross_entropy_with_logits_with(&x, x.ones_like(), None, twice, \"sum\");\nassert_eq!(loss.to_string(), \"2000\");";
    /// The mean binary cross-entropy of probabilities, the logarithms no less than −100: `F.binary_cross_entropy`.
    binary_cross_entropy[T](x: Tensor, target: Tensor) -> One,
        "let x: Tensor = Tensor::from([0.0, 1.0]);\nassert_eq!(binary_cross_entropy(&x, x.ones_like()).to_string(), \"50\");";
    /// The same, weighted and combined as told: `F.binary_cross_entropy(weight=…, reduction=…)`.
    binary_cross_entropy_with[T](x: Tensor, target: Tensor, weight: Maybe, reduction: Reduction) -> One,
        "let x: Tensor = Tensor::from([0.0]);\nlet loss = binary_cross_entropy_with(&x, x.ones_like(), Some(Tensor::from([2.0])), \"sum\");\nassert_eq!(loss.to_string(), \"200\");";
    /// `x · y / (|x| |y|)` along a dim, the norms no less than `eps`: `F.cosine_similarity`.
    cosine_similarity[T](x: Tensor, y: Tensor, dim: Axis, eps: Float) -> One,
        "let x: Tensor = Tensor::from([3.0, 4.0]);\nassert_eq!(cosine_similarity(&x, -&x, 0, 1e-8).to_string(), \"-1\");";
    /// The mean of `−ln softmax(x)` at the label, for logits `[N, C, …]` or `[C]` and labels (i64) `[N, …]` or `[]`, or
    /// against probabilities of the logits' shape: `F.cross_entropy`. A label that is none of the classes makes the loss NaN.
    cross_entropy[T, U](x: Tensor, target: Labels) -> One,
        "let x: Tensor = Tensor::from([[0.0, 1000.0]]);\nassert_eq!(cross_entropy(&x, Tensor::<i64>::from([0])).to_string(), \"1000\");";
    /// The same, with a weight for each class, a label that counts for nothing, a share of the target spread over the
    /// classes, and combined as told: `F.cross_entropy(weight=…, ignore_index=…, label_smoothing=…)`.
    cross_entropy_with[T, U](
        x: Tensor, target: Labels, weight: Maybe, ignore_index: Axis, label_smoothing: Float, reduction: Reduction
    ) -> One,
        "let x: Tensor = Tensor::from([[0.0, 1000.0], [0.0, 1.0]]);\nlet y = Tensor::<i64>::from([0, -100]);\nassert_eq!(cross_entropy_with(&x, y, None, -100, 0, \"mean\").to_string(), \"1000\");";
    /// The mean of `−x` at the labels, `x` being logarithms of probabilities: `F.nll_loss`.
    nll_loss[T, U](x: Tensor, target: Labels) -> One,
        "let x: Tensor = Tensor::from([[-1.0, -2.0]]);\nassert_eq!(nll_loss(&x, Tensor::<i64>::from([1])).to_string(), \"2\");";
    /// The same, weighted and combined as told: `F.nll_loss(weight=…, ignore_index=…)`.
    nll_loss_with[T, U](
        x: Tensor, target: Labels, weight: Maybe, ignore_index: Axis, reduction: Reduction
    ) -> One,
        "let x: Tensor = Tensor::from([[-1.0, -2.0]]);\nlet y = Tensor::<i64>::from([1]);\nassert_eq!(nll_loss_with(&x, y, None, -100, \"none\").to_string(), \"[2]\");";
    /// The mean of `target·(ln target − x)`, `x` being logarithms of probabilities: `F.kl_div`.
    kl_div[T](x: Tensor, target: Tensor) -> One,
        "let x: Tensor = Tensor::from([0.0, -1.0]);\nassert_eq!(kl_div(&x, x.ones_like()).to_string(), \"0.5\");";
    /// The same, combined as told; with `log_target` the target holds logarithms: `F.kl_div(reduction=…)`.
    kl_div_with[T](x: Tensor, target: Tensor, reduction: Reduction, log_target: Bool) -> One,
        "let x: Tensor = Tensor::from([0.0, -1.0]);\nassert_eq!(kl_div_with(&x, x.zeros_like(), \"sum\", true).to_string(), \"1\");";
    /// The mean negative log-likelihood `eˣ − target·x` of a Poisson distribution, `x` being the logarithm of its rate:
    /// `F.poisson_nll_loss`.
    poisson_nll_loss[T](x: Tensor, target: Tensor) -> One,
        "let x: Tensor = Tensor::from([0.0, 0.0]);\nassert_eq!(poisson_nll_loss(&x, Tensor::from([2.0, 4.0])).to_string(), \"1\");";
    /// The same, of the rate `x − target·ln(x + eps)` unless `log_input`; with `full` Stirling's approximation of `ln target!` is added
    /// where the target is above 1: `F.poisson_nll_loss(log_input=…, full=…)`.
    poisson_nll_loss_with[T](
        x: Tensor, target: Tensor, log_input: Bool, full: Bool, eps: Float, reduction: Reduction
    ) -> One,
        "let x: Tensor = Tensor::from([1.0]);\nassert_eq!(poisson_nll_loss_with(&x, &x, false, true, 0, \"mean\").to_string(), \"1\");";
    /// The mean negative log-likelihood `½(ln var + (x − target)²/var)` of a normal distribution with mean `x`, the variance at least
    /// 1e-6: `F.gaussian_nll_loss`. Nix and Weigend (1994).
    gaussian_nll_loss[T](x: Tensor, target: Tensor, variance: Tensor) -> One,
        "let x: Tensor = Tensor::from([1.0]);\nassert_eq!(gaussian_nll_loss(&x, Tensor::from([3.0]), x.ones_like()).to_string(), \"2\");";
    /// The same, with `½ ln 2π` if `full`, the variance at least `eps` (with the gradient that it has there), combined as told:
    /// `F.gaussian_nll_loss(full=…, eps=…)`.
    gaussian_nll_loss_with[T](
        x: Tensor, target: Tensor, variance: Tensor, full: Bool, eps: Float, reduction: Reduction
    ) -> One,
        "let x: Tensor = Tensor::from([1.0]);\nassert_eq!(gaussian_nll_loss_with(&x, &x, x.zeros_like(), false, 1, \"sum\").to_string(), \"0\");";
    /// The share of rows `[N, C]` whose largest entry stands at the label (i64 `[N]`).
    accuracy[T, U](x: Tensor, labels: Labels) -> Share,
        "let x: Tensor = Tensor::from([[0.0, 1.0], [1.0, 0.0]]);\nassert_eq!(accuracy(&x, Tensor::<i64>::from([1, 1])).item()?, 0.5);\n# Ok::<(), kiln::Error>(())";
}
