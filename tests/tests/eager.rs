//! `f::eager`: the body of a model as it is written, operation by operation.
#![allow(missing_docs)]

use kiln::prelude::*;

const HIDDEN: usize = 4;

#[params(forward = dense)]
struct Dense<const I: usize, const O: usize> {
    weight: Tensor<O, I>,
    bias: Tensor<O>,
}

#[model(inline)]
fn dense<const N: usize, const I: usize, const O: usize>(
    layer: &Dense<I, O>,
    x: Tensor<N, I>,
) -> Tensor<N, O> {
    linear(x, layer.weight, Some(layer.bias))
}

#[params]
struct Net {
    first: Dense<3, HIDDEN>,
    blocks: [Dense<HIDDEN, HIDDEN>; 2],
    #[buffer]
    seen: Tensor<f32>,
    scale: Tensor<HIDDEN>,
}

#[model]
fn net<const N: usize>(net: &Net, x: Tensor<N, 3>) -> Tensor<N, HIDDEN> {
    let mut h = net.first.forward(x).relu();
    for block in &net.blocks {
        h = h + block.forward(h).tanh() * 0.5;
    }
    let [left, right] = x.split([1, 2], 1);
    let swapped = cat(&[right, left], -1).sum_keepdim(1);
    swapped * net.scale + h
}

#[model]
fn loss<const N: usize>(params: &Net, x: Tensor<N, 3>, y: Tensor<i64, N>) -> Tensor<f32> {
    cross_entropy(net(params, x), y)
}

#[model]
fn train_step<const N: usize>(
    params: &mut Net,
    opt: &mut Adam<Net>,
    x: Tensor<N, 3>,
    y: Tensor<i64, N>,
) -> Tensor<f32> {
    let (loss, grads) = value_and_grad(loss)(params, x, y);
    opt.step(params, grads.clip_norm(1.0));
    params.seen += 1.0;
    loss
}

fn inputs() -> (Tensor, Tensor<i64>) {
    (Tensor::from([[0.5, -1.0, 2.0], [1.5, 0.0, -0.5]]), Tensor::from([1, 3]))
}

#[test]
fn a_model_runs_on_tensors_and_trains() {
    let (x, y) = inputs();
    let mut params = Net::init(&mut Rng::seed(1));
    let out = net::eager(&params, &x).ok().expect("shapes that fit");
    assert_eq!(out.shape(), [2, HIDDEN]);
    assert_eq!(params.first.forward(&x).shape(), [2, HIDDEN]);
    let mut opt = Adam::new(&params, 0.05);
    let first = train_step::eager(&mut params, &mut opt, &x, &y).item().expect("a loss");
    for _ in 0..60 {
        train_step::eager(&mut params, &mut opt, &x, &y);
    }
    let last = loss::eager(&params, &x, &y).item().expect("a loss");
    assert!(last < 0.3 * first, "{first} to {last}");
    assert_eq!((params.seen.item().ok(), opt.steps()), (Some(61.0), 61));
    assert!(!params.scale.is_recorded());
}

#[test]
fn gradients_come_from_outside_too() {
    let (x, y) = inputs();
    let params = Net::init(&mut Rng::seed(1));
    let (value, grads) =
        kiln::autograd::value_and_grad(&params, |p| loss::eager(p, &x, &y)).expect("a scalar");
    assert_eq!(value.item().ok(), loss::eager(&params, x, y).item().ok());
    assert_eq!(grads.blocks[1].weight.shape(), [HIDDEN, HIDDEN]);
    assert_ne!(grads.first.bias, Tensor::zeros([HIDDEN]));
}

#[test]
fn shapes_are_checked_in_the_models_words() {
    let params = Net::init(&mut Rng::seed(1));
    let error = net::eager(&params, [[1.0, 2.0]]).ok().expect_err("two columns").to_string();
    assert!(error.contains("`net`: argument `x` must have shape [N, 3], but has [1, 2]"), "{error}");
    let error = loss::eager(&params, [[1.0; 3]], Tensor::<i64>::from([0, 1])).item().unwrap_err().to_string();
    assert!(error.contains("`loss`: argument `y` must have shape [N], but has [2]"), "{error}");
}

/// All that bodies may hold and Rust has otherwise.
mod bodies {
    use super::*;

    #[model]
    fn numbers<const N: usize>(x: Tensor<N, 2>, m: Tensor<bool, N, 2>) -> Tensor<N, 2> {
        const TWICE: usize = 2;
        let scale = 1.0 / (N as f32).sqrt();
        let shifted: Tensor<N, 2> = x * scale - std::f32::consts::PI * 2f32;
        let (n, _) = (x.size(0), x.size(-1));
        let masked = where_cond(!m | (x.gt(0.0) & m), shifted, -x);
        let both = [masked, x];
        let mut total = zeros([n, TWICE]);
        for (i, part) in both.iter().enumerate() {
            if i == 0 {
                total = total + part;
            } else {
                total += part;
            }
        }
        total.reshape([N * 2]).reshape([-1, 2]).to(f64).to::<f32>()
    }

    #[test]
    fn numbers_and_masks() {
        let x: Tensor = Tensor::from([[1.0, -2.0], [3.0, -4.0]]);
        let m = Tensor::from([[true, true], [false, false]]);
        let off = |x: f32| x * 0.5f32.sqrt() - 2.0 * std::f32::consts::PI;
        let want = [[off(1.0) + 1.0, 0.0], [off(3.0) + 3.0, off(-4.0) - 4.0]];
        let got = numbers::eager(x, m).ok().expect("shapes that fit");
        for (got, want) in got.as_slice().iter().zip(want.as_flattened()) {
            assert!((got - want).abs() < 1e-5, "{got} for {want}");
        }
    }

    #[model]
    fn closures(x: Tensor<f32>) -> Tensor<f32> {
        let half = x * 0.5;
        let plus = |a, b| a + b * half;
        let y = plus(x, 2.0);
        let slope = grad(|w| w * w * y)(x);
        let second = grad(grad(cube))(x);
        slope + second + vjp(cube)(x, x).1
    }

    #[model]
    fn cube(x: Tensor<f32>) -> Tensor<f32> {
        x.pow(3) + 2.0 * x
    }

    #[test]
    fn closures_and_transforms() {
        // y = x + x = 6, 2xy = 36; 6x = 18; (3x² + 2)x = 87.
        assert_eq!(closures::eager(3.0).item().expect("a scalar"), 36.0 + 18.0 + 87.0);
        let x = Tensor::from(3.0).requires_grad();
        cube::eager(&x).backward().expect("a scalar");
        assert_eq!(x.grad().expect("a gradient").item().ok(), Some(29.0));
    }

    #[model]
    fn count(state: &mut Tensor<2>, by: Tensor<2>) -> Tensor<2> {
        let before = state;
        *state = state + by;
        *state *= 2.0;
        before + state
    }

    #[model]
    fn state_twice(state: &mut Tensor<2>) -> Tensor<2> {
        let first = count(state, state * 0.0);
        first + count(state, state)
    }

    #[test]
    fn state_changes_in_place() {
        let mut state = Tensor::from([1.0, 2.0]);
        assert_eq!(count::eager(&mut state, [1.0, 1.0]).as_slice(), [5.0, 8.0]);
        assert_eq!(state.as_slice(), [4.0, 6.0]);
        assert_eq!(state_twice::eager(&mut state).as_slice(), [52.0, 78.0]);
        assert_eq!(state.as_slice(), [32.0, 48.0]);
    }

    macro_rules! affine {
        ($name:ident, $factor:expr, $callee:path) => {
            #[model]
            fn $name(x: Tensor<f32>) -> Tensor<f32> {
                $callee(x) * $factor + grad($callee)(x)
            }
        };
    }
    affine!(out_of_a_macro, 1.0 + 1.0, cube);

    #[test]
    fn models_out_of_macros_keep_their_groups() {
        // 2(27 + 6) + 29
        assert_eq!(out_of_a_macro::eager(3.0).item().ok(), Some(95.0));
        assert_eq!(out_of_a_macro(3.0).and_then(|y| y.item()).ok(), Some(95.0));
    }
}
