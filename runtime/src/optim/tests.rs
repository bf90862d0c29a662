//! Tests of optimizer state: what is saved is loaded, and what doesn't fit is listed.

use super::*;
use crate::nn::Linear;
use crate::{Error, Rng, Tensor};

fn net() -> Linear<3, 2> {
    Linear::init(&mut Rng::seed(0))
}

#[test]
fn state_round_trips() {
    let net = net();
    let mut saved = Adam::new(&net, 0.1).betas(0.8, 0.9).eps(1e-3).weight_decay(0.2);
    {
        let (lr, .., m, v, step) = saved.__kiln_fields_mut();
        (m.weight, v.bias, *step, *lr) = (Tensor::full([2, 3], 2.0), Tensor::full([2], 3.0), 7, 0.1);
    }
    let path = std::env::temp_dir().join(format!("kiln-optim-{}.safetensors", std::process::id()));
    saved.save(&path).unwrap();
    let mut loaded = Adam::new(&net, 0.5);
    loaded.load(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(loaded.numbers(), saved.numbers());
    assert_eq!(loaded.steps(), 7);
    let (.., m, v, _) = loaded.__kiln_fields();
    assert_eq!((&m.weight, &v.bias), (&Tensor::full([2, 3], 2.0), &Tensor::full([2], 3.0)));
    assert_eq!(m.bias, Tensor::zeros([2]));
}

#[test]
fn names_are_torchs() {
    let names = |leaves: Vec<Leaf<'_>>| leaves.into_iter().map(|l| l.name).collect::<Vec<_>>();
    let (net, sgd) = (net(), ["momentum_buffer.weight", "momentum_buffer.bias"]);
    assert_eq!(names(Sgd::new(&net, 0.1).moments()), sgd);
    let own = names(RmsProp::new(&net, 0.1).moments());
    assert_eq!(own[..3], ["square_avg.weight", "square_avg.bias", "momentum_buffer.weight"]);
    assert_eq!(own[3..], ["momentum_buffer.bias", "grad_avg.weight", "grad_avg.bias"]);
    assert_eq!(names(AmsGrad::new(&net, 0.1).moments())[4], "max_exp_avg_sq.weight");
    let adam = ["exp_avg.weight", "exp_avg.bias", "exp_avg_sq.weight", "exp_avg_sq.bias"];
    assert_eq!(names(AdamW::new(&net, 0.1).moments()), adam);
}

#[test]
fn state_of_another_optimizer_is_refused_with_every_fault() {
    let net = net();
    let bytes = Sgd::new(&net, 0.1).to_bytes().unwrap();
    let mut opt = Adam::new(&net, 0.5);
    let Err(Error::Weights { faults, .. }) = opt.load_bytes(&bytes) else { panic!("expected faults") };
    assert_eq!(faults.missing.len(), 4 + 3, "{faults}");
    assert!(faults.unexpected.contains(&"momentum".to_string()), "{faults}");
    assert_eq!(opt.lr, 0.5, "nothing has changed");

    let shapes = Sgd::new(&Linear::<3, 4>::init(&mut Rng::seed(0)), 0.1).to_bytes().unwrap();
    let error = Sgd::new(&net, 0.1).load_bytes(&shapes).unwrap_err().to_string();
    assert!(error.contains("momentum_buffer.bias must be F32 [2], but is F32 [4]"), "{error}");
    let weights = net.to_bytes().unwrap();
    assert!(Sgd::new(&net, 0.1).load_bytes(&weights).unwrap_err().to_string().contains("missing: step"));
}

#[cfg(feature = "eager")]
mod steps {
    use super::*;
    use crate::autograd::value_and_grad;

    /// A quadratic with its least value where the weight is 3 and the bias −1.
    fn loss(net: &Linear<3, 2>) -> Tensor {
        (&net.weight - 3.0).square().sum() + (&net.bias + 1.0).square().sum()
    }

    #[test]
    fn every_optimizer_descends() {
        macro_rules! check {
            ($opt:expr) => {{
                let mut net = net();
                let mut opt = $opt(&net);
                for _ in 0..400 {
                    let (_, grads) = value_and_grad(&net, loss).unwrap();
                    opt.step(&mut net, &grads).unwrap();
                }
                assert_eq!(opt.steps(), 400);
                assert!(loss(&net).item().unwrap() < 1e-3, "{}", loss(&net));
                assert!(!net.weight.is_recorded());
            }};
        }
        check!(|net| Sgd::new(net, 0.05));
        check!(|net| Sgd::new(net, 0.02).momentum(0.9));
        check!(|net| Sgd::new(net, 0.02).momentum(0.9).nesterov(true));
        check!(|net| Adam::new(net, 0.1));
        check!(|net| AdamW::new(net, 0.1).weight_decay(1e-6));
        check!(|net| AmsGrad::new(net, 0.1));
        check!(|net| RmsProp::new(net, 0.01).momentum(0.5).centered(true));
    }

    #[test]
    fn a_step_is_the_rule_by_hand() {
        let mut net = Linear::<1, 1> { weight: Tensor::full([1, 1], 2.0), bias: Tensor::full([1], 1.0) };
        let grads = Linear::<1, 1> { weight: Tensor::full([1, 1], 0.5), bias: Tensor::full([1], -4.0) };
        let mut opt = Sgd::new(&net, 0.1).momentum(0.5).weight_decay(0.1);
        opt.step(&mut net, &grads).unwrap();
        // g = 0.5 + 0.1·2 = 0.7, v = 0.7, p = 2 − 0.07; then g = 0.693, v = 1.043.
        assert!((net.weight.item().unwrap() - 1.93).abs() < 1e-6);
        opt.step(&mut net, grads.clone()).unwrap();
        assert!((net.weight.item().unwrap() - (1.93 - 0.1043)).abs() < 1e-6);
    }

    #[test]
    fn gradients_that_do_not_fit_change_nothing() {
        let (mut net, mut grads) = (net(), net());
        let (before, mut opt) = (net.clone(), Adam::new(&net, 0.1));
        grads.bias = Tensor::zeros([5]);
        let error = opt.step(&mut net, &grads).unwrap_err().to_string();
        assert!(error.contains("`bias` has shape [2], but its gradient or a moment has [5]"), "{error}");
        grads.bias = net.bias.reshape([7]);
        assert!(opt.step(&mut net, &grads).unwrap_err().to_string().contains("can't reshape [2] to [7]"));
        assert_eq!((net.weight, opt.steps()), (before.weight, 0));
        assert!(grads.clip_norm(1.0).weight.ok().is_err());
    }

    #[test]
    fn parameters_that_require_gradients_go_on_doing_so() {
        let mut net = net();
        net.weight = net.weight.requires_grad();
        net.bias = net.bias.requires_grad();
        let mut opt = Sgd::new(&net, 0.1);
        for _ in 0..3 {
            net.weight.zero_grad();
            net.bias.zero_grad();
            loss(&net).backward().unwrap();
            let grads = Linear { weight: net.weight.grad().unwrap(), bias: net.bias.grad().unwrap() };
            opt.step(&mut net, grads).unwrap();
        }
        assert!(net.weight.is_recorded());
    }
}
