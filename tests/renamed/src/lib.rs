//! Models in a crate that knows the library as `k`, which `#[model(crate = k)]` says; other crates may use them.

use k::prelude::*;
use zoo::Scale;

/// Of another crate's block, which knows the library under its own name.
#[params(crate = k)]
pub struct Net {
    /// Three features to two.
    pub fc: Linear<3, 2>,
    /// Two channels.
    pub norm: Scale<2>,
}

/// `norm(fc(x))`
#[model(crate = k)]
pub fn net<const N: usize>(net: &Net, x: Tensor<N, 3>) -> Tensor<N, 2> {
    net.norm.forward(halved(net.fc.forward(x)))
}

/// `x / 2`
#[model(inline, crate = k)]
pub fn halved<const N: usize>(x: Tensor<N, 2>) -> Tensor<N, 2> {
    x * 0.5
}

/// The mean square error.
#[model(crate = k)]
pub fn loss<const N: usize>(params: &Net, x: Tensor<N, 3>, y: Tensor<N, 2>) -> Tensor {
    mse_loss(net(params, x), y)
}

/// One step of Adam.
#[model(crate = k)]
pub fn step<const N: usize>(
    params: &mut Net,
    opt: &mut Adam<Net>,
    x: Tensor<N, 3>,
    y: Tensor<N, 2>,
) -> Tensor {
    let (loss, grads) = value_and_grad(loss)(params, x, y);
    opt.step(params, grads);
    loss
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renamed_library_is_the_same() {
        let mut params = Net::init(&mut Rng::seed(0));
        let x = [[1.0, 2.0, 3.0]];
        let (compiled, eager) = (net(&params, x).unwrap(), net::eager(&params, x));
        assert_eq!(compiled.as_slice(), eager.as_slice());
        let frozen = net::freeze(&params).unwrap();
        assert_eq!(frozen.run(x).unwrap(), compiled);
        let mut opt = Adam::new(&params, 0.1);
        let first = step(&mut params, &mut opt, x, [[1.0, 1.0]]).unwrap();
        let second = step(&mut params, &mut opt, x, [[1.0, 1.0]]).unwrap();
        assert!(second.item().unwrap() < first.item().unwrap());
    }
}
