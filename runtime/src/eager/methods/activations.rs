//! Activations. Their derivatives at kinks are PyTorch's.

use super::methods;
use crate::Tensor;

methods! {
    /// `max(x, 0)`, derivative 0 at 0: `torch.relu`. Nair and Hinton (2010).
    relu() -> One, "[-1.0, 2.0]": "x.relu()" => "[0, 2]";
    /// `x` above 0, `slope·x` below: `F.leaky_relu`. Maas, Hannun and Ng (2013).
    leaky_relu(slope: Float) -> One, "[-1.0, 2.0]": "x.leaky_relu(0.25)" => "[-0.25, 2]";
    /// `min(max(x, 0), 6)`: `F.relu6`.
    relu6() -> One, "[-1.0, 8.0]": "x.relu6()" => "[0, 6]";
    /// `x` kept within `min ..= max`, derivative 0 at both: `torch.clamp`.
    clamp(min: Float, max: Float) -> One, "[-3.0, 0.5, 3.0]": "x.clamp(-1, 1)" => "[-1, 0.5, 1]";
    /// `x`, but at least `min`: `torch.clamp(min=…)`.
    clamp_min(min: Float) -> One, "[-3.0, 3.0]": "x.clamp_min(-1)" => "[-1, 3]";
    /// `x`, but at most `max`: `torch.clamp(max=…)`.
    clamp_max(max: Float) -> One, "[-3.0, 3.0]": "x.clamp_max(1)" => "[-3, 1]";
    /// `1 / (1 + e⁻ˣ)`: `torch.sigmoid`.
    sigmoid() -> One, "[0.0, 1000.0]": "x.sigmoid()" => "[0.5, 1]";
    /// `ln sigmoid(x)`, exact in the tails: `F.logsigmoid`.
    logsigmoid() -> One, "[-1000.0]": "x.logsigmoid()" => "[-1000]";
    /// `x · sigmoid(x)`: `F.silu`. Elfwing, Uchibe and Doya (2018).
    silu() -> One, "[0.0, 1000.0]": "x.silu()" => "[0, 1000]";
    /// `x · tanh(softplus(x))`: `F.mish`. Misra (2019).
    mish() -> One, "[0.0, 1000.0]": "x.mish()" => "[0, 1000]";
    /// `ln(1 + eˣ)`: `F.softplus`.
    softplus() -> One, "[-1000.0, 1000.0]": "x.softplus()" => "[0, 1000]";
    /// `ln(1 + e^(βx)) / β`, and `x` where `βx` exceeds the threshold: `F.softplus(beta=…, threshold=…)`.
    softplus_with(beta: Float, threshold: Float) -> One,
        "[-1000.0, 1000.0]": "x.softplus_with(2, 20)" => "[0, 1000]";
    /// `x · Φ(x)`, Φ the normal distribution: `F.gelu`. Hendrycks and Gimpel (2016).
    gelu() -> One, "[0.0, 1000.0]": "x.gelu()" => "[0, 1000]";
    /// GELU approximated with tanh: `F.gelu(approximate='tanh')`.
    gelu_tanh() -> One, "[0.0, 1000.0]": "x.gelu_tanh()" => "[0, 1000]";
    /// `x` above 0, `α(eˣ − 1)` below: `F.elu`. Clevert, Unterthiner and Hochreiter (2016).
    elu(alpha: Float) -> One, "[-1000.0, 3.0]": "x.elu(0.5)" => "[-0.5, 3]";
    /// `λ·elu(x, α)`, λ and α such that activations keep mean 0 and variance 1: `F.selu`. Klambauer et al. (2017).
    selu() -> One, "[-1000.0, 0.0]": "x.selu().mul(1e6).round()" => "[-1758099, 0]";
    /// `x` kept within `-1 ..= 1`, derivative 0 at both: `F.hardtanh`; other bounds by `clamp`.
    hardtanh() -> One, "[-3.0, 0.5, 3.0]": "x.hardtanh()" => "[-1, 0.5, 1]";
    /// `relu6(x + 3) / 6`: `F.hardsigmoid`.
    hardsigmoid() -> One, "[-4.0, 0.0, 4.0]": "x.hardsigmoid()" => "[0, 0.5, 1]";
    /// `x · relu6(x + 3) / 6`: `F.hardswish`. Howard et al. (2019).
    hardswish() -> One, "[-1.5, 0.0, 4.0]": "x.hardswish()" => "[-0.375, 0, 4]";
}
