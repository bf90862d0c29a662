//! A selective state space: a scan whose factors hang on the data.

use kiln::prelude::*;
#[params]
pub struct Ssm {
    a_log: Tensor<16, 8>,
    d: Tensor<16>,
    proj: LinearNoBias<16, { 8 + 8 + 1 }>,
    dt: Linear<1, 16>,
}
#[model]
pub fn ssm<const B: usize, const L: usize>(m: &Ssm, x: Tensor<B, L, 16>) -> Tensor<B, L, 16> {
    let a = -m.a_log.exp();
    let [dt, bb, cc] = m.proj.forward(x).split([1, 8, 8], 2);
    let dt = m.dt.forward(dt).softplus();
    let mut h = zeros([B, 16, 8]);
    let mut ys = Vec::new();
    for t in 0..L {
        let xt = x.select(1, t);
        let dtt = dt.select(1, t).unsqueeze(2);
        let da = (dtt * a).exp();
        let db = dtt * bb.select(1, t).unsqueeze(1);
        h = da * h + db * xt.unsqueeze(2);
        let y = (h * cc.select(1, t).unsqueeze(1)).sum_dim(2) + m.d * xt;
        ys.push(y);
    }
    stack(&ys, 1)
}
#[model]
pub fn ssm_loss<const B: usize, const L: usize>(m: &Ssm, x: Tensor<B, L, 16>) -> Tensor {
    ssm(m, x).square().mean()
}
