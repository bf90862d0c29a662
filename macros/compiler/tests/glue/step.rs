const HIDDEN: usize = 8;
mod config { pub const OUT: usize = 3; }

#[params]
pub struct Net { pub layers: [Layer; 2], #[buffer] seen: Tensor<HIDDEN> }

#[params(forward = layer)]
pub struct Layer { weight: Tensor<HIDDEN, HIDDEN> }

#[model(inline)]
fn layer<const N: usize>(l: &Layer, x: Tensor<N, HIDDEN>) -> Tensor<N, HIDDEN> {
    x.matmul(l.weight.t())
}

/// The mean square of a net.
#[model(N <= 32)]
pub fn loss<const N: usize>(net: &Net, x: Tensor<N, HIDDEN>, y: Tensor<N, config::OUT>) -> Tensor<> {
    let h = net.layers[1].forward(net.layers[0].forward(x) + net.seen);
    mse_loss(h, y)
}

#[model]
fn count<const N: usize>(total: &mut Tensor<i64>, x: Tensor<i64, { 2 * N + 1 }>) -> (Tensor<i64>, Tensor<i64, N>) {
    *total = *total + x.sum();
    (x.sum(), x.narrow(0, 0, N))
}
