//! A neural differential equation by Runge and Kutta, and a divergence by tangents.

use kiln::prelude::*;
#[params]
pub struct Field {
    a: Linear<3, 32>,
    b: Linear<32, 2>,
}
#[model]
pub fn field<const N: usize>(f: &Field, y: Tensor<N, 2>, t: Tensor) -> Tensor<N, 2> {
    f.b.forward(f.a.forward(cat([y, t.expand([N, 1])], 1)).tanh())
}
#[model]
pub fn rk4<const N: usize>(f: &Field, y0: Tensor<N, 2>, dt: Tensor, steps: usize) -> Tensor<N, 2> {
    let mut y = y0;
    let mut t = dt * 0.0;
    for _ in 0..steps {
        let k1 = field(f, y, t);
        let k2 = field(f, y + 0.5 * dt * k1, t + 0.5 * dt);
        let k3 = field(f, y + 0.5 * dt * k2, t + 0.5 * dt);
        let k4 = field(f, y + dt * k3, t + dt);
        y = y + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4);
        t = t + dt;
    }
    y
}
#[model]
pub fn ode_loss<const N: usize>(f: &Field, y0: Tensor<N, 2>, y1: Tensor<N, 2>, dt: Tensor) -> Tensor {
    mse_loss(rk4(f, y0, dt, 40), y1)
}
/// Divergence by vmap of jvp
#[model]
pub fn divergence<const N: usize>(f: &Field, y: Tensor<N, 2>, t: Tensor) -> Tensor<N> {
    let mut d = zeros([N]);
    for i in 0..2 {
        let e = one_hot(full([N], i as f32).to(i64), 2).to(f32);
        let (_, dy) = jvp(|y| field(f, y, t))(y, e);
        d = d + dy.select(1, i);
    }
    d
}
