//! `#[model]` as a user meets it: every way in which models name each other, and what is left behind.
#![allow(missing_docs)]

use kiln::prelude::*;

mod near {
    //! Models that other modules use.
    use kiln::prelude::*;

    #[model]
    pub(crate) fn twice<const N: usize>(x: Tensor<N>) -> Tensor<N> {
        half(x) * 4.0
    }

    // Behind its use, and private.
    #[model]
    fn half<const N: usize>(x: Tensor<N>) -> Tensor<N> {
        x * 0.5
    }

    pub mod deeper {
        //! Another of the same name.
        use kiln::prelude::*;

        #[model]
        pub(in super::super) fn twice<const N: usize>(x: Tensor<N>) -> Tensor<N> {
            super::twice(x) + 1.0
        }
    }
}

use near::deeper::twice as twice_and_one;

#[model]
fn by_path<const N: usize>(x: Tensor<N>) -> Tensor<N> {
    near::twice(x) + near::deeper::twice(x)
}

#[model]
fn by_alias<const N: usize>(x: Tensor<N>) -> Tensor<N> {
    let twice = twice_and_one(x);
    twice_and_one(twice)
}

fn values(tensor: kiln::Result<Tensor>) -> Vec<f32> {
    tensor.expect("shapes fit").into_vec()
}

#[test]
fn models_name_each_other_by_path_and_alias() {
    assert_eq!(values(near::twice([1.0, 2.0])), [2.0, 4.0]);
    assert_eq!(values(near::deeper::twice([1.0, 2.0])), [3.0, 5.0]);
    assert_eq!(values(by_path([1.0, 2.0])), [5.0, 9.0]);
    assert_eq!(values(by_alias([1.0, 2.0])), [7.0, 11.0]);
}

#[test]
fn models_stand_in_functions() {
    use near::twice;
    const WIDTH: usize = 2;
    #[params]
    struct Gain {
        gain: Tensor<WIDTH>,
    }
    #[model]
    fn apply<const N: usize>(g: &Gain, x: Tensor<N, WIDTH>) -> Tensor<N, WIDTH> {
        shift(x * g.gain)
    }
    #[model]
    fn shift<const N: usize>(x: Tensor<N, WIDTH>) -> Tensor<N, WIDTH> {
        x + twice(x.sum_dim(1)).unsqueeze(1)
    }
    let gain = Gain { gain: Tensor::from([1.0, 10.0]) };
    assert_eq!(values(apply(&gain, [[1.0, 2.0]])), [43.0, 62.0]);
}

mod nets {
    //! Nets over blocks of another crate.
    use kiln::prelude::*;
    use zoo::mixer::{Block, WIDTH as W, block as mix};

    #[params]
    pub struct Net {
        pub blocks: [Block; 2],
        pub last: Block,
        pub head: Linear<W, 3>,
    }

    #[model]
    pub fn net<const N: usize>(net: &Net, x: Tensor<N, W>) -> Tensor<N, 3> {
        let mut h = x;
        for b in &net.blocks {
            h = b.forward(h);
        }
        net.head.forward(zoo::mixer::block(net.last, mix(net.last, h)))
    }

    #[model]
    pub fn loss<const N: usize>(params: &Net, x: Tensor<N, W>, y: Tensor<i64, N>) -> Tensor {
        cross_entropy(net(params, x), y)
    }

    #[model]
    pub fn train<const N: usize>(
        net: &mut Net,
        opt: &mut Adam<Net>,
        x: Tensor<N, W>,
        y: Tensor<i64, N>,
    ) -> Tensor {
        let (loss, grads) = value_and_grad(loss)(net, x, y);
        opt.step(net, grads.clip_norm(1.0));
        loss
    }
}

fn batch() -> (Tensor, [i64; 4]) {
    let x = init::uniform(-1.0, 1.0).tensor(&mut Rng::seed(5), &[4, 6]);
    (x, [0, 1, 2, 1])
}

#[test]
fn a_net_of_another_crates_blocks_is_trained() {
    let mut net = nets::Net::init(&mut Rng::seed(1));
    let mut opt = Adam::new(&net, 0.05);
    let (x, y) = batch();
    let first = nets::loss(&net, &x, y).expect("shapes fit").item().expect("a scalar");
    let mut losses = Vec::new();
    for _ in 0..30 {
        losses.push(nets::train(&mut net, &mut opt, &x, y).expect("shapes fit").item().expect("a scalar"));
    }
    assert_eq!(losses[0], first);
    assert!(losses[29] < 0.5 * first, "{losses:?}");
    assert_eq!(opt.steps(), 30);
}

#[test]
fn gradients_are_trees_that_agree_with_differences() {
    let net = nets::Net::init(&mut Rng::seed(1));
    let (x, y) = batch();
    let (loss, grads) = nets::loss::value_and_grad(&net, &x, y).expect("shapes fit");
    let alone = nets::loss::grad(&net, &x, y).expect("shapes fit");
    assert_eq!(alone.head.weight, grads.head.weight);
    let at = |delta: f32| {
        let mut moved = net.clone();
        moved.head.bias.as_mut_slice()[1] += delta;
        nets::loss(&moved, &x, y).expect("shapes fit").item().expect("a scalar")
    };
    assert_eq!(at(0.0), loss.item().expect("a scalar"));
    let difference = (at(1e-2) - at(-1e-2)) / 2e-2;
    let gradient = grads.head.bias.as_slice()[1];
    assert!((difference - gradient).abs() < 1e-3, "{difference} {gradient}");
}

#[test]
fn a_frozen_net_computes_the_same() {
    let net = nets::Net::init(&mut Rng::seed(1));
    let frozen: kiln::Frozen<nets::net> = nets::net::freeze(&net).expect("its own shapes");
    let (x, _) = batch();
    let (want, got) = (values(nets::net(&net, &x)), values(frozen.run(&x)));
    assert!(want.iter().zip(&got).all(|(w, g)| (w - g).abs() < 1e-5), "{want:?} {got:?}");
}

#[model(N <= 8, grad(x))]
fn bounded<const N: usize, const M: usize>(
    count: &mut Tensor<i64, M>,
    x: Tensor<N>,
    y: Tensor<f64, { 2 * N + 1 }, M>,
) -> (Tensor, Tensor<f64, M>) {
    *count = *count + 1;
    (x.square().sum(), y.sum_dim(0))
}

#[test]
fn state_is_updated_and_gradients_of_tensors_are_asked() {
    let mut count = Tensor::from([5i64, 6]);
    let y = [[1.0, 2.0]; 5];
    let (x2, sums) = bounded(&mut count, [1.0, 2.0], y).expect("shapes fit");
    assert_eq!((x2.item().expect("a scalar"), sums.as_slice()), (5.0, &[5.0, 10.0][..]));
    assert_eq!(count.as_slice(), [6, 7]);
    let (_, grad) = bounded::value_and_grad(&mut count, [1.0, 2.0], y).expect("shapes fit");
    assert_eq!((grad.as_slice(), count.as_slice()), (&[2.0, 4.0][..], &[7i64, 8][..]));
}

#[test]
fn wrong_shapes_are_told_in_the_users_words() {
    let mut count = Tensor::from([5i64, 6]);
    let mut told = |x: &[f32], y: Tensor<f64>| bounded(&mut count, x, y).expect_err("wrong").to_string();
    let tensor = |rows: usize, cols: usize| Tensor::<f64>::zeros([rows, cols]);
    assert_eq!(
        told(&[1.0], tensor(4, 2)),
        "`bounded`: argument `y` must have shape [2*N + 1, M], but has [4, 2]"
    );
    assert_eq!(told(&[1.0], tensor(3, 3)), "`bounded`: `M` is 2 in argument `count`, but 3 in argument `y`");
    assert_eq!(
        told(&[1.0; 9], tensor(19, 2)),
        "`bounded`: `N` is 9, but the model was declared with `N <= 8`"
    );
    let mut net = nets::Net::init(&mut Rng::seed(1));
    net.head.bias = Tensor::zeros([4]);
    let error = nets::net(&net, [[0.0; 6]]).expect_err("wrong").to_string();
    assert_eq!(error, "`net`: argument `net.head.bias` must have shape [3], but has [4]");
}

#[test]
fn an_empty_batch_works() {
    let net = nets::Net::init(&mut Rng::seed(1));
    let none = Tensor::<f32>::zeros([0, 6]);
    assert_eq!(nets::net(&net, none).expect("a batch of none").shape(), [0, 3]);
}

#[test]
fn figures_are_constants() {
    const PARAMS: usize = nets::net::PARAM_COUNT;
    assert_eq!(PARAMS, 3 * (6 * 6 + 6 + 6 + 6) + 3 * 6 + 3);
    assert!(nets::net::flops(10) > nets::net::flops(1));
    assert!(nets::net::PLAN.contains("head"), "{}", nets::net::PLAN);
}

mod sized {
    //! Constants that other modules can't name.
    use kiln::prelude::*;

    mod sizes {
        pub const ROWS: usize = 2;
    }

    const COLS: usize = 3;

    #[params(forward = table)]
    pub struct Table<const K: usize> {
        cells: Tensor<{ sizes::ROWS * K }, COLS>,
    }

    #[model(inline)]
    pub fn table<const K: usize, const N: usize>(
        t: &Table<K>,
        x: Tensor<N, COLS>,
    ) -> Tensor<N, { sizes::ROWS * K }> {
        x.matmul(t.cells.t())
    }

    #[model]
    pub fn ones<const N: usize>(x: Tensor<N>) -> Tensor<N, COLS> {
        x.unsqueeze(1).expand([N, COLS])
    }
}

#[model]
fn through<const N: usize>(t: &sized::Table<2>, x: Tensor<N>) -> Tensor<N, 4> {
    t.forward(sized::ones(x))
}

#[model]
fn generic<const K: usize, const N: usize>(t: &sized::Table<K>, x: Tensor<N, 3>) -> Tensor<N, { 2 * K }> {
    t.forward(x)
}

#[test]
fn constants_are_found_where_they_were_written() {
    let table = <sized::Table<2>>::init(&mut Rng::seed(0));
    assert_eq!(through(&table, [1.0, 2.0]).expect("shapes fit").shape(), [2, 4]);
    assert_eq!(generic(&table, [[1.0, 2.0, 3.0]]).expect("shapes fit").shape(), [1, 4]);
}

mod written_by_macro {
    //! Models that come out of a `macro_rules!`, with parts of the caller's in invisible groups.
    use kiln::prelude::*;

    macro_rules! affine {
        ($name:ident, $size:literal, $factor:expr, $callee:path) => {
            #[model]
            pub fn $name<const N: usize>(x: Tensor<N, $size>) -> Tensor<N, $size> {
                $callee(x) * $factor
            }
        };
    }

    #[model]
    fn same<const N: usize>(x: Tensor<N, 2>) -> Tensor<N, 2> {
        x
    }

    affine!(double, 2, 1.0 + 1.0, same);
    affine!(triple, 2, 1.0 + 2.0, same);
    affine!(six_times, 2, 3.0, double);
}

#[test]
fn models_come_out_of_macros() {
    assert_eq!(values(written_by_macro::triple([[1.0, 2.0]])), [3.0, 6.0]);
    assert_eq!(values(written_by_macro::six_times([[1.0, 2.0]])), [6.0, 12.0]);
}
