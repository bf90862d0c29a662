//! Proximal policy optimization, generalized advantages backwards in time, deep Q-learning.

use kiln::prelude::*;
#[params]
pub struct Policy {
    pub a: Linear<4, 64>,
    pi: Linear<64, 2>,
    v: Linear<64, 1>,
}
#[model]
pub fn act<const N: usize>(p: &Policy, s: Tensor<N, 4>) -> (Tensor<N, 2>, Tensor<N>) {
    let h = p.a.forward(s).tanh();
    (p.pi.forward(h), p.v.forward(h).squeeze(1))
}
#[model]
pub fn ppo<const N: usize>(
    p: &Policy,
    s: Tensor<N, 4>,
    a: Tensor<i64, N>,
    old: Tensor<N>,
    adv: Tensor<N>,
    ret: Tensor<N>,
) -> Tensor {
    let (logits, v) = act(p, s);
    let logp = logits.log_softmax(1);
    let la = logp.gather(1, a.unsqueeze(1)).squeeze(1);
    let adv = (adv - adv.mean()) / (adv.std() + 1e-8);
    let ratio = (la - old).exp();
    let pg = -(ratio * adv).minimum(ratio.clamp(0.8, 1.2) * adv).mean();
    let ent = -(logp.exp() * logp).sum_dim(1).mean();
    pg + 0.5 * mse_loss(v, ret) - 0.01 * ent
}
/// Generalized advantage estimation, backwards in time.
#[model]
pub fn gae<const T: usize>(r: Tensor<T>, v: Tensor<T>, done: Tensor<bool, T>, last: Tensor) -> Tensor<T> {
    let mut adv = zeros([]);
    let mut next = last;
    let mut all = Vec::new();
    for t in (0..T).rev() {
        let live = 1.0 - done.select(0, t).to(f32);
        let delta = r.select(0, t) + 0.99 * next * live - v.select(0, t);
        adv = delta + 0.99 * 0.95 * live * adv;
        next = v.select(0, t);
        all.push(adv);
    }
    stack(&all, 0).flip(0)
}
#[model]
pub fn dqn_loss<const N: usize>(
    q: &Policy,
    target: &Policy,
    s: Tensor<N, 4>,
    a: Tensor<i64, N>,
    r: Tensor<N>,
    s2: Tensor<N, 4>,
    done: Tensor<bool, N>,
) -> Tensor {
    let (qs, _) = act(q, s);
    let (best, _) = act(target, s2).0.max_dim(1);
    let y = stop_gradient(r + 0.99 * where_cond(done, zeros([N]), best));
    smooth_l1_loss(qs.gather(1, a.unsqueeze(1)).squeeze(1), y, 1.0)
}
