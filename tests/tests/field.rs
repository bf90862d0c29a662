//! Models of the field as a practitioner writes them: each compiles, and has the loss and the gradient that it has eagerly.
#![allow(missing_docs)]

mod field {
    pub mod contrastive;
    pub mod flow;
    pub mod gan;
    pub mod gnn;
    pub mod mamba;
    pub mod moe;
    pub mod ode;
    pub mod rl;
    pub mod seq2seq;
    pub mod unet;
    pub mod vae;
    pub mod wavenet;
}

use field::*;
use kiln::autograd;
use kiln::prelude::*;

/// # Panics
/// If losses or gradients are further apart than rounding.
fn alike<P: Params>(net: &P, compiled: Result<(Tensor, P)>, eager: impl FnOnce(&P) -> Tensor) {
    let (loss, grads) = compiled.expect("the shapes fit");
    let (eager_loss, eager_grads) = autograd::value_and_grad(net, eager).expect("it runs");
    let (got, want) = (loss.item().expect("one"), eager_loss.item().expect("one"));
    assert!((got - want).abs() <= 1e-5 * want.abs().max(1.0), "{got} for {want}");
    let (grads, eager_grads) = (grads.named_leaves(), eager_grads.named_leaves());
    let all = eager_grads.iter().flat_map(|leaf| leaf.tensor.to_f32());
    let top = all.fold(0.0f32, |top, g| top.max(g.abs()));
    assert!(top > 0.0, "no gradient at all");
    for (got, want) in grads.iter().zip(&eager_grads) {
        for (g, w) in got.tensor.to_f32().into_iter().zip(want.tensor.to_f32()) {
            assert!((g - w).abs() <= 2e-5 * top.max(w.abs()), "{}: {g} for {w}, of at most {top}", got.name);
        }
    }
}

#[test]
fn a_mixture_of_experts() {
    let mut rng = Rng::seed(1);
    let (net, x, y) = (moe::Moe::init(&mut rng), randn([9, 32], &mut rng), randn([9, 32], &mut rng));
    alike(&net, moe::moe_loss::value_and_grad(&net, &x, &y), |net| moe::moe_loss::eager(net, &x, &y));
}

#[test]
fn graph_attention() {
    let mut rng = Rng::seed(2);
    let (net, x) = (gnn::Gat::init(&mut rng), randn([5, 16], &mut rng));
    let (from, to, y) = ([0i64, 1, 2, 3, 4, 0, 2], [1i64, 0, 1, 4, 3, 2, 2], [0i64, 1, 2, 0, 1]);
    alike(&net, gnn::gat_loss::value_and_grad(&net, &x, from, to, y), |net| {
        gnn::gat_loss::eager(net, &x, from, to, y)
    });
}

#[test]
fn a_differential_equation() -> Result<()> {
    let mut rng = Rng::seed(3);
    let (net, y, dt) = (ode::Field::init(&mut rng), randn([4, 2], &mut rng), Tensor::scalar(0.05f32));
    alike(&net, ode::ode_loss::value_and_grad(&net, &y, &y, &dt), |net| {
        ode::ode_loss::eager(net, &y, &y, &dt)
    });
    let (divergence, eager) = (ode::divergence(&net, &y, &dt)?, ode::divergence::eager(&net, &y, &dt));
    assert!((divergence - eager).abs().amax(0).item()? < 1e-6);
    Ok(())
}

#[test]
fn a_state_space() {
    let mut rng = Rng::seed(4);
    let (net, x) = (mamba::Ssm::init(&mut rng), randn([2, 11, 16], &mut rng));
    alike(&net, mamba::ssm_loss::value_and_grad(&net, &x), |net| mamba::ssm_loss::eager(net, &x));
}

#[test]
fn causal_convolutions() {
    let mut rng = Rng::seed(5);
    let (net, x) = (wavenet::Wave::init(&mut rng), randn([2, 1, 33], &mut rng));
    alike(&net, wavenet::wave_loss::value_and_grad(&net, &x), |net| wavenet::wave_loss::eager(net, &x));
}

#[test]
fn a_flow() {
    let mut rng = Rng::seed(6);
    let (net, x) = (flow::Flow::init(&mut rng), randn([7, 4], &mut rng));
    alike(&net, flow::nll::value_and_grad(&net, &x), |net| flow::nll::eager(net, &x));
}

#[test]
fn a_unet() {
    let mut rng = Rng::seed(7);
    let (net, x) = (unet::UNet::init(&mut rng), randn([1, 1, 12, 16], &mut rng));
    alike(&net, unet::unet_loss::value_and_grad(&net, &x), |net| unet::unet_loss::eager(net, &x));
}

#[test]
fn similar_pairs() {
    let mut rng = Rng::seed(8);
    let net = contrastive::Clip::init(&mut rng);
    let (i, t) = (randn([6, 32], &mut rng), randn([6, 24], &mut rng));
    alike(&net, contrastive::clip_loss::value_and_grad(&net, &i, &t), |net| {
        contrastive::clip_loss::eager(net, &i, &t)
    });
}

#[test]
fn reading_and_writing() {
    let net = seq2seq::Seq::init(&mut Rng::seed(9));
    let (from, to) = ([[1i64, 2, 3], [4, 5, 6], [7, 8, 9], [3, 2, 1]], [[5i64, 2, 9]; 5]);
    alike(&net, seq2seq::seq_loss::value_and_grad(&net, from, to), |net| {
        seq2seq::seq_loss::eager(net, from, to)
    });
}

#[test]
fn policies() -> Result<()> {
    let mut rng = Rng::seed(10);
    let (net, target) = (rl::Policy::init(&mut rng), rl::Policy::init(&mut rng));
    let (s, s2, old) = (randn([6, 4], &mut rng), randn([6, 4], &mut rng), randn([6], &mut rng));
    let (a, done) = ([0i64, 1, 1, 0, 1, 0], [false, true, false, false, true, false]);
    alike(&net, rl::ppo::value_and_grad(&net, &s, a, &old, &old, &old), |net| {
        rl::ppo::eager(net, &s, a, &old, &old, &old)
    });
    let (_, (slope, of_target)) = rl::dqn_loss::value_and_grad(&net, &target, &s, a, &old, &s2, done)?;
    let eager =
        autograd::value_and_grad(&net, |net| rl::dqn_loss::eager(net, &target, &s, a, &old, &s2, done))?.1;
    assert!((slope.a.weight - eager.a.weight).abs().amax([0, 1]).item()? < 1e-6);
    assert_eq!(of_target.norm().item()?, 0.0);

    let advantages = rl::gae(&old, &old * 0.5, done, 1.0f32)?;
    let eager = rl::gae::eager(&old, &old * 0.5, done, 1.0f32);
    assert!((&advantages - eager).abs().amax(0).item()? < 1e-6);
    // The last one by hand: nothing ended, so the value beyond counts.
    let (r, v) = (old.as_slice()[5], 0.5 * old.as_slice()[5]);
    assert!((advantages.as_slice()[5] - (r + 0.99 - v)).abs() < 1e-6);
    Ok(())
}

#[test]
fn an_adversary() -> Result<()> {
    let fresh = || {
        let mut rng = Rng::seed(11);
        let (g, d) = (gan::Gen::init(&mut rng), gan::Dis::init(&mut rng));
        let (of_g, of_d) = (Adam::new(&g, 1e-3).betas(0.5, 0.9), Adam::new(&d, 1e-3).betas(0.5, 0.9));
        (g, d, of_g, of_d, randn([8, 28], &mut rng), rng)
    };
    let (mut g, mut d, mut of_g, mut of_d, real, mut rng) = fresh();
    let (mut g2, mut d2, mut of_g2, mut of_d2, _, mut rng2) = fresh();
    for _ in 0..3 {
        let loss = gan::step_d(&mut d, &mut of_d, &mut g, &real, &mut rng)?;
        let eager = gan::step_d::eager(&mut d2, &mut of_d2, &mut g2, &real, &mut rng2);
        assert!((loss.item()? - eager.item()?).abs() < 1e-4 * eager.item()?.abs());
        let loss = gan::step_g(&mut g, &mut of_g, &d, &real, &mut rng)?;
        let eager = gan::step_g::eager(&mut g2, &mut of_g2, &d2, &real, &mut rng2);
        assert!((loss.item()? - eager.item()?).abs() < 1e-5);
    }
    // The mean hangs on a bias whose gradient is rounding alone, which Adam makes steps of.
    assert!((&g.bn.running_var - &g2.bn.running_var).abs().amax(0).item()? < 1e-4);
    assert_eq!(rng.state(), rng2.state());
    Ok(())
}

#[test]
fn an_autoencoder() -> Result<()> {
    let fresh = || {
        let mut rng = Rng::seed(12);
        let net = vae::Vae::init(&mut rng);
        (AdamW::new(&net, 1e-3), net, rand([16, 784], &mut rng), rng)
    };
    let ((mut opt, mut net, x, mut rng), (mut opt2, mut net2, _, mut rng2)) = (fresh(), fresh());
    for _ in 0..2 {
        let (loss, kl) = vae::step(&mut net, &mut opt, &x, &mut rng)?;
        let (loss2, kl2) = vae::step::eager(&mut net2, &mut opt2, &x, &mut rng2);
        assert!((loss.item()? - loss2.item()?).abs() < 1e-5 * loss2.item()?.abs());
        assert!((kl.item()? - kl2.item()?).abs() < 1e-4 && kl.item()? > 0.0);
    }
    assert_eq!(rng.state(), rng2.state());
    Ok(())
}
