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
