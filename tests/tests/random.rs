//! Random numbers in models: compiled and eager give the same bits, on one thread and on two; a gradient has the mask of
//! its forward pass; each turn of a loop has its own.

use kiln::prelude::*;

#[params]
struct Net {
    fc1: Linear<6, 300>,
    fc2: Linear<300, 1>,
}

#[model]
fn net<const N: usize>(net: &Net, x: Tensor<N, 6>, rng: &mut Rng) -> Tensor<N, 1> {
    let h = dropout(net.fc1.forward(x).relu(), 0.3, rng);
    net.fc2.forward(dropout(h, 0.5, rng))
}

#[model]
fn loss<const N: usize>(params: &Net, x: Tensor<N, 6>, y: Tensor<N, 1>, rng: &mut Rng) -> Tensor {
    mse_loss(net(params, x, rng), y)
}

#[model]
fn train<const N: usize>(
    net: &mut Net,
    opt: &mut Adam<Net>,
    x: Tensor<N, 6>,
    y: Tensor<N, 1>,
    rng: &mut Rng,
) -> Tensor {
    let (loss, grads) = value_and_grad(loss)(net, x, y, rng);
    opt.step(net, grads);
    loss
}

#[model]
fn noise(rng: &mut Rng) -> (Tensor<3, 5>, Tensor<101>, Tensor<i64, 33>, Tensor<2, 3, 4, 4>) {
    let image = ones([2, 3, 4, 4]);
    (rand([3, 5], rng), randn([101], rng), randint(-5, 6, [33], rng), dropout2d(image, 0.5, rng))
}

#[model]
fn large(rng: &mut Rng) -> (Tensor<700, 1000>, Tensor) {
    let x = rand([700, 1000], rng);
    (x + 1.0, rand([700, 1000], rng).mean())
}

#[model]
fn like<const N: usize>(x: Tensor<f64, N>, rng: &mut Rng) -> (Tensor<f64, N>, Tensor<f64, N>) {
    (x.rand_like(rng).bernoulli(rng), x.randn_like(rng))
}

#[model]
fn walk<const T: usize>(x: Tensor<T, 8>, rng: &mut Rng) -> Tensor<T, 8> {
    let mut all = Vec::new();
    for t in 0..T {
        all.push(dropout(x.select(0, t), 0.5, rng));
    }
    stack(&all, 0)
}

#[params]
struct Cell {
    weight: Tensor<8, 8>,
}

#[model]
fn recurrent<const T: usize>(cell: &Cell, x: Tensor<T, 8>, rng: &mut Rng) -> Tensor {
    let mut h = zeros([8]);
    for t in 0..T {
        h = (dropout(h.matmul(cell.weight), 0.5, rng) + x.select(0, t)).tanh();
    }
    h.square().sum()
}

#[model]
fn noisy<const N: usize>(x: Tensor<N>, rng: &mut Rng) -> Tensor<N> {
    dropout(x, 0.5, rng) + rand([N], rng)
}

/// A generator goes on from element to element, and behind all of them.
#[model]
fn noisy_rows<const B: usize, const N: usize>(x: Tensor<B, N>, rng: &mut Rng) -> (Tensor<B, N>, Tensor<3>) {
    let y = vmap(noisy)(x, rng);
    (y, rand([3], rng))
}

#[model]
fn noisy_tables<const A: usize, const B: usize>(x: Tensor<A, B, 5>, rng: &mut Rng) -> Tensor<A, B, 5> {
    vmap(vmap(noisy))(x, rng)
}

#[model]
fn noisy_walks<const B: usize, const T: usize>(x: Tensor<B, T, 8>, rng: &mut Rng) -> Tensor<B, T, 8> {
    vmap(walk)(x, rng)
}

/// Numbers that are drawn and counted only where they are picked; an index outside picks 0.
#[model]
fn picked<const N: usize>(
    places: Tensor<i64, 4, 3>,
    x: Tensor<N>,
    rng: &mut Rng,
) -> (Tensor<4, 3>, Tensor<i64, 3>) {
    let counted = (arange(N + 5).slice(0, 2, N + 5, 1)).gather(0, places.select(0, 0));
    (rand([4, 3], rng).gather(1, places), counted)
}

/// The gradient of each example under a mask of its own.
#[model]
fn per_example<const B: usize>(
    net: &Net,
    x: Tensor<B, 1, 6>,
    y: Tensor<B, 1, 1>,
    rng: &mut Rng,
) -> Tensor<B, 1, 300> {
    vmap(grad(loss))(net, x, y, rng).fc2.weight
}

fn data(n: usize) -> (Tensor, Tensor) {
    let mut rng = Rng::seed(1);
    (randn([n as i64, 6], &mut rng), randn([n as i64, 1], &mut rng))
}

#[test]
fn compiled_and_eager_draw_the_same_bits() {
    let (mut a, mut b) = (Rng::seed(42), Rng::seed(42));
    for _ in 0..2 {
        let (one, other) = (noise(&mut a).unwrap(), noise::eager(&mut b));
        assert_eq!(one.0, other.0);
        assert_eq!(one.2, other.2);
        assert_eq!(one.3, other.3);
        let far = one.1.as_slice().iter().zip(other.1.as_slice()).map(|(x, y)| (x - y).abs());
        assert!(far.clone().all(|d| d < 1e-6));
        assert_eq!(a, b);
    }
    let (one, other) =
        (like(Tensor::<f64>::zeros([37]), &mut a).unwrap(), like::eager(Tensor::zeros([37]), &mut b));
    assert_eq!(one.0, other.0);
    assert_eq!(a, b);
    // What one generator gives after the other.
    let (mut a, mut b) = (Rng::seed(5), Rng::seed(5));
    let x = noise(&mut a).unwrap().0;
    assert_eq!(x.as_slice(), [0; 15].map(|_| b.uniform()));
}

#[test]
fn seeds_differ_and_repeat() {
    let draw = |seed| noise(&mut Rng::seed(seed)).unwrap().0;
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
    assert_ne!(draw(1), draw(1 << 32 | 1));
    let mut rng = Rng::seed(1);
    assert_ne!(noise(&mut rng).unwrap().0, noise(&mut rng).unwrap().0);
}

#[test]
fn many_elements_are_the_same_over_threads() {
    let (x, mean) = large(&mut Rng::seed(9)).unwrap();
    let (eager, _) = large::eager(&mut Rng::seed(9));
    assert_eq!(x, eager);
    assert!((mean.item().unwrap() - 0.5).abs() < 0.002);
}

#[test]
fn gradients_have_the_mask_of_the_value() {
    let params = Net::init(&mut Rng::seed(0));
    let (x, y) = data(9);
    let (mut a, mut b) = (Rng::seed(3), Rng::seed(3));
    let (value, grads) = loss::value_and_grad(&params, &x, &y, &mut a).unwrap();
    assert!((loss(&params, &x, &y, &mut b).unwrap().item().unwrap() - value.item().unwrap()).abs() < 1e-6);
    assert_eq!(a, b);
    assert_ne!(a, Rng::seed(3));
    // By differences along the gradient, each with the same generator.
    let norm: f32 = grads.named_leaves().iter().flat_map(|l| l.tensor.to_f32()).map(|g| g * g).sum();
    let at = |t: f32| {
        let mut moved = params.clone();
        let mut leaves = Vec::new();
        moved.leaves_mut("", &mut leaves);
        for (leaf, grad) in leaves.into_iter().zip(grads.named_leaves()) {
            let (leaf, grad) = (leaf.tensor.into_f32().unwrap(), grad.tensor.as_f32().unwrap());
            *leaf = &*leaf + &(grad * f64::from(t));
        }
        loss(&moved, &x, &y, &mut Rng::seed(3)).unwrap().item().unwrap()
    };
    let slope = (at(1e-3) - at(-1e-3)) / 2e-3;
    assert!((slope - norm).abs() < 0.02 * norm, "{slope} {norm}");
}

#[test]
fn a_training_step_is_that_of_eager() {
    let mut a = Net::init(&mut Rng::seed(0));
    let mut b = a.clone();
    let (mut one, mut other) = (Adam::new(&a, 0.01), Adam::new(&b, 0.01));
    let (mut r, mut s) = (Rng::seed(3), Rng::seed(3));
    let (x, y) = data(9);
    for _ in 0..3 {
        let compiled = train(&mut a, &mut one, &x, &y, &mut r).unwrap().item().unwrap();
        let eager = train::eager(&mut b, &mut other, &x, &y, &mut s).item().unwrap();
        assert!((compiled - eager).abs() < 1e-4 * eager.abs(), "{compiled} {eager}");
        assert_eq!(r, s);
    }
}

#[test]
fn each_turn_has_a_mask_of_its_own() {
    let x = Tensor::<f32>::ones([40, 8]);
    let (mut a, mut b) = (Rng::seed(8), Rng::seed(8));
    let y = walk(&x, &mut a).unwrap();
    assert_eq!(y, walk::eager(&x, &mut b));
    assert_eq!(a, b);
    let rows: Vec<&[f32]> = y.as_slice().chunks(8).collect();
    assert!(rows.windows(2).filter(|w| w[0] != w[1]).count() > 35);
}

#[test]
fn a_loop_backwards_has_the_masks_of_the_loop() {
    let cell = Cell::init(&mut Rng::seed(0));
    let x = randn([30, 8], &mut Rng::seed(2));
    let (mut a, mut b) = (Rng::seed(8), Rng::seed(8));
    let (value, grads) = recurrent::value_and_grad(&cell, &x, &mut a).unwrap();
    let (eager, expected) =
        kiln::autograd::value_and_grad(&cell, |cell| recurrent::eager(cell, &x, &mut b)).unwrap();
    assert!((value.item().unwrap() - eager.item().unwrap()).abs() < 1e-4);
    let (grads, expected) = (grads.weight.as_slice(), expected.weight.as_slice());
    let far = grads.iter().zip(expected).map(|(x, y)| (x - y).abs()).max_by(f32::total_cmp).unwrap_or(0.0);
    assert!(far < 1e-4, "{far}");
    assert_eq!(a, b);
}

#[test]
fn a_frozen_net_takes_the_generator_when_it_runs() {
    let params = Net::init(&mut Rng::seed(0));
    let frozen = net::freeze(&params).unwrap();
    let (x, _) = data(4);
    let (mut a, mut b) = (Rng::seed(3), Rng::seed(3));
    let (y, z) = (frozen.run(&x, &mut a).unwrap(), net(&params, &x, &mut b).unwrap());
    let far = y
        .as_slice()
        .iter()
        .zip(z.as_slice())
        .map(|(x, y)| (x - y).abs())
        .max_by(f32::total_cmp)
        .unwrap_or(0.0);
    assert!(far < 1e-5, "{far}");
    assert_eq!(a, b);
}

#[test]
fn elements_of_a_batch_draw_one_after_the_other() {
    let x = Tensor::<f32>::ones([6, 7]);
    let (mut a, mut b, mut c) = (Rng::seed(8), Rng::seed(8), Rng::seed(8));
    let (y, next) = noisy_rows(&x, &mut a).unwrap();
    let (z, after) = noisy_rows::eager(&x, &mut b);
    assert_eq!((&y, &next), (&z, &after));
    let rows: Vec<f32> = (0..6).flat_map(|_| noisy([1.0; 7], &mut c).unwrap().as_slice().to_vec()).collect();
    assert_eq!(y.as_slice(), rows);
    assert_eq!(a, b);
    assert!(rows.chunks(7).collect::<Vec<_>>().windows(2).all(|w| w[0] != w[1]));

    let x = Tensor::<f32>::ones([2, 3, 5]);
    assert_eq!(noisy_tables(&x, &mut a).unwrap(), noisy_tables::eager(&x, &mut b));
    let x = Tensor::<f32>::ones([3, 9, 8]);
    assert_eq!(noisy_walks(&x, &mut a).unwrap(), noisy_walks::eager(&x, &mut b));
    assert_eq!(a, b);
}

#[test]
fn gradients_of_examples_have_masks_of_their_own() {
    let params = Net::init(&mut Rng::seed(0));
    let (x, y) = data(5);
    let (x, y) = (x.reshape([5, 1, 6]), y.reshape([5, 1, 1]));
    let (mut a, mut b, mut c) = (Rng::seed(3), Rng::seed(3), Rng::seed(3));
    let got = per_example(&params, &x, &y, &mut a).unwrap();
    let eager = per_example::eager(&params, &x, &y, &mut b);
    let each: Vec<f32> = (0..5)
        .flat_map(|i| {
            let grads = loss::grad(&params, x.select(0, i), y.select(0, i), &mut c).unwrap();
            grads.fc2.weight.as_slice().to_vec()
        })
        .collect();
    for (i, got) in got.as_slice().iter().enumerate() {
        assert!((got - each[i]).abs() < 1e-4 && (got - eager.as_slice()[i]).abs() < 1e-4);
    }
    assert_eq!((&a, &a), (&b, &c));
}

#[test]
fn a_place_outside_picks_no_number() {
    let places = [[0, -1, 2], [i64::MAX, 1, i64::MIN], [-2, 3, 0], [1, 1, 1]];
    let (drawn, counted) = picked(places, [0.0; 4], &mut Rng::seed(5)).unwrap();
    let (want, number) = picked::eager(Tensor::from(places), Tensor::from([0.0; 4]), &mut Rng::seed(5));
    assert_eq!((drawn.as_slice(), counted.as_slice()), (want.as_slice(), number.as_slice()));
    assert_eq!(counted.as_slice(), [2, 0, 4]);
    assert!(drawn.as_slice()[1] == 0.0 && drawn.as_slice()[0] != 0.0);
}
