//! What a compiled model says to arguments that don't fit, and a net to weights that don't. Nothing of it panics.
#![allow(missing_docs)]

use kiln::prelude::*;
use std::path::PathBuf;

#[params]
struct Mlp {
    fc1: Linear<4, 3>,
    fc2: Linear<3, 2>,
}

#[model]
fn mlp<const N: usize>(net: &Mlp, x: Tensor<N, 4>) -> Tensor<N, 2> {
    net.fc2.forward(net.fc1.forward(x).relu())
}

#[model]
fn loss<const N: usize>(net: &Mlp, x: Tensor<N, 4>, y: Tensor<i64, N>) -> Tensor {
    cross_entropy(mlp(net, x), y)
}

#[model]
fn train_step<const N: usize>(
    net: &mut Mlp,
    opt: &mut Adam<Mlp>,
    x: Tensor<N, 4>,
    y: Tensor<i64, N>,
) -> Tensor {
    let (loss, grads) = value_and_grad(loss)(net, x, y);
    opt.step(net, grads);
    loss
}

#[model(N <= 2)]
fn at_most_two<const N: usize>(net: &Mlp, x: Tensor<N, 4>) -> Tensor<N, 2> {
    mlp(net, x)
}

fn net(seed: u64) -> Mlp {
    Mlp::init(&mut Rng::seed(seed))
}

fn told<T>(result: kiln::Result<T>) -> String {
    result.err().expect("it doesn't fit").to_string()
}

#[test]
fn the_argument_is_named_with_the_dims_wanted_and_given() {
    let (net, x) = (net(0), [[0.0; 3]; 5]);
    assert_eq!(told(mlp(&net, x)), "`mlp`: argument `x` must have shape [N, 4], but has [5, 3]");
    assert_eq!(told(mlp(&net, [0.0; 4])), "`mlp`: argument `x` must have shape [N, 4], but has [4]");
    assert_eq!(told(mlp(&net, 1.0)), "`mlp`: argument `x` must have shape [N, 4], but has []");
    let wanted = "argument `x` must have shape [N, 4], but has [5, 3]";
    for told in [
        told(loss(&net, x, [0; 5])),
        told(loss::grad(&net, x, [0; 5])),
        told(loss::value_and_grad(&net, x, [0; 5])),
        told(mlp::freeze(&net).and_then(|frozen| frozen.run(x))),
    ] {
        assert!(told.contains(wanted), "{told}");
    }
}

#[test]
fn a_weight_is_named_by_its_path() {
    let mut net = net(0);
    net.fc2.weight = Tensor::zeros([2, 5]);
    let wanted = "argument `net.fc2.weight` must have shape [2, 3], but has [2, 5]";
    assert_eq!(told(mlp(&net, [[0.0; 4]])), format!("`mlp`: {wanted}"));
    assert!(told(mlp::freeze(&net)).contains("[2, 3], but has [2, 5]"));
}

#[test]
fn a_free_dim_has_one_size() {
    let (net, x) = (net(0), [[0.0; 4]; 5]);
    assert_eq!(told(loss(&net, x, [0; 6])), "`loss`: `N` is 5 in argument `x`, but 6 in argument `y`");
}

#[test]
fn a_bound_holds() {
    let net = net(0);
    assert!(at_most_two(&net, [[0.0; 4]; 2]).is_ok());
    assert_eq!(
        told(at_most_two(&net, [[0.0; 4]; 3])),
        "`at_most_two`: `N` is 3, but the model was declared with `N <= 2`"
    );
}

#[test]
fn an_empty_batch_works() {
    let mut net = net(0);
    let none = Tensor::<f32>::zeros([0, 4]);
    assert_eq!(mlp(&net, &none).expect("a batch of none").shape(), [0, 2]);
    assert_eq!(at_most_two(&net, &none).expect("a batch of none").shape(), [0, 2]);
    // The mean over nothing is no number, as in PyTorch.
    assert!(loss(&net, &none, [0i64; 0]).and_then(|l| l.item()).expect("a scalar").is_nan());
    let (mut opt, x) = (Adam::new(&net, 0.1), [[1.0; 4]]);
    train_step(&mut net, &mut opt, x, [1]).expect("a batch of one");
}

#[test]
fn a_step_that_fails_changes_nothing() {
    let (mut net, before) = (net(0), net(0));
    let mut opt = Adam::new(&net, 0.1);
    assert!(train_step(&mut net, &mut opt, [[0.0; 4]], [0, 1]).is_err());
    assert_eq!(opt.steps(), 0);
    for (now, then) in net.named_leaves().iter().zip(before.named_leaves()) {
        assert_eq!(now.tensor, then.tensor, "{}", now.name);
    }
}

/// A file of these bytes, for the time of a test.
struct Written(PathBuf);

impl Written {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("kiln-{name}-{}.safetensors", std::process::id()));
        std::fs::write(&path, bytes).expect("a file in the temporary folder");
        Written(path)
    }

    /// What `load` says, with the file's name cut off. Nothing has changed after it.
    fn told(&self) -> String {
        let (mut loaded, before) = (net(1), net(1));
        let told = told(loaded.load(&self.0));
        assert!(mlp(&loaded, [[1.0; 4]]).ok() == mlp(&before, [[1.0; 4]]).ok(), "half loaded: {told}");
        let place = format!("{}: ", self.0.display());
        told.strip_prefix(&place).unwrap_or_else(|| panic!("no {place:?} in {told}")).to_owned()
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        // What a test has left behind is no fault of it.
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn truncated_files_are_refused_at_any_length() {
    let bytes = net(0).to_bytes().expect("weights of a small net");
    for len in 0..bytes.len() {
        let told = told(net(1).load_bytes(&bytes[..len]));
        assert!(told.starts_with("no intact safetensors file: "), "{len} bytes: {told}");
    }
    let told = Written::new("truncated", &bytes[..bytes.len() - 1]).told();
    assert!(told.starts_with("no intact safetensors file: "), "{told}");
}

#[test]
fn corrupt_files_are_refused_or_read_but_never_panic() {
    let bytes = net(0).to_bytes().expect("weights of a small net");
    for at in 0..bytes.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut corrupt = bytes.clone();
            corrupt[at] ^= flip;
            // A flipped bit of a weight is another weight.
            let _ = net(1).load_bytes(&corrupt);
        }
    }
    let told = Written::new("corrupt", b"PK\x03\x04 an archive of some other kind").told();
    assert!(told.starts_with("no intact safetensors file: "), "{told}");
}

#[test]
fn weights_of_another_net_are_told_all_at_once() {
    #[params]
    struct Other {
        fc1: Linear<4, 5>,
        fc3: LinearNoBias<3, 2>,
    }
    let bytes = Other::init(&mut Rng::seed(0)).to_bytes().expect("weights of a small net");
    assert_eq!(
        Written::new("mismatched", &bytes).told(),
        "the weights don't fit the parameters
  missing: fc2.bias
  missing: fc2.weight
  unexpected: fc3.weight
  ill-shaped: fc1.bias must be F32 [3], but is F32 [5]
  ill-shaped: fc1.weight must be F32 [3, 4], but is F32 [5, 4]"
    );
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let told = told(net(0).load("no/such/weights.safetensors"));
    assert!(told.starts_with("no/such/weights.safetensors: "), "{told}");
}
