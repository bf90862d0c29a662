//! Params that are given away to be frozen: the same answers as of those that are lent, and nothing is held twice.
#![allow(missing_docs)]

use kiln::prelude::*;

#[path = "../../runtime/tests/counting/mod.rs"]
mod counting;

#[params]
struct Block {
    conv: Conv2dNoBias<32, 32, 3, 1, 1>,
    norm: BatchNorm2d<32>,
    point: Conv2dNoBias<32, 32, 1>,
    after: BatchNorm2d<32>,
}

/// Convolutions at Winograd's points and in panels, their norms folded; layers of a loop; a matrix that is taken apart while it is
/// packed, and one that lies across.
#[params]
struct Net {
    block: Block,
    layers: [Linear<512, 512>; 8],
    up: Linear<512, 6100>,
    across: Tensor<6100, 512>,
    #[buffer]
    shift: Tensor<512>,
}

#[model]
fn net<const N: usize>(net: &Net, image: Tensor<N, 32, 8, 8>, x: Tensor<N, 512>) -> Tensor<N, 512> {
    let block = &net.block;
    let image = block.norm.forward(block.conv.forward(image)).relu();
    let image = block.after.forward(block.point.forward(image));
    let mut h = x + image.mean_dim([1, 2, 3]).reshape([N, 1]) + net.shift.exp();
    for layer in &net.layers {
        h = layer.forward(h).tanh();
    }
    net.up.forward(h).matmul(net.across)
}

/// Few leaves are bound by name, many by a table; here are both.
#[params]
struct Many {
    blocks: [Block; 8],
}

#[model(inline)]
fn folded<const N: usize>(block: &Block, x: Tensor<N, 32, 8, 8>) -> Tensor<N, 32, 8, 8> {
    block.after.forward(block.point.forward(block.norm.forward(block.conv.forward(x)).relu()))
}

#[model]
fn many<const N: usize>(net: &Many, x: Tensor<N, 32, 8, 8>) -> Tensor<N, 32, 8, 8> {
    let x = folded(&net.blocks[1], folded(&net.blocks[0], x));
    let x = folded(&net.blocks[3], folded(&net.blocks[2], x));
    let x = folded(&net.blocks[5], folded(&net.blocks[4], x));
    folded(&net.blocks[7], folded(&net.blocks[6], x))
}

/// Each leaf filled with numbers of its own.
fn filled<P: Params>() -> P {
    let mut rng = Rng::seed(7);
    let mut net = P::init(&mut rng);
    let mut leaves = Vec::new();
    net.leaves_mut("", &mut leaves);
    for leaf in leaves {
        let tensor = leaf.tensor.into_f32().expect("all are");
        let scale = (tensor.len() as f32 / tensor.shape().first().map_or(1.0, |n| *n as f32)).sqrt().recip();
        tensor.as_mut_slice().iter_mut().for_each(|x| *x = scale * (0.5 + rng.uniform()));
    }
    net
}

fn near(a: &Tensor, b: &Tensor) {
    assert_eq!(a.shape(), b.shape());
    let largest = b.as_slice().iter().fold(0.0f32, |most, x| most.max(x.abs()));
    let apart = a.as_slice().iter().zip(b.as_slice()).map(|(a, b)| (a - b).abs());
    assert!(apart.clone().all(|d| d <= 1e-4 * largest), "{:?} of {largest}", apart.fold(0.0, f32::max));
}

fn normal(shape: &[usize]) -> Tensor {
    init::normal(0.0, 1.0).tensor(&mut Rng::seed(3), shape)
}

#[test]
fn given_or_lent() {
    let params: Net = filled();
    let (image, x) = (normal(&[3, 32, 8, 8]), normal(&[3, 512]));
    let want = net::eager(&params, &image, &x);
    let before = params.named_leaves().iter().map(|leaf| leaf.tensor.to_f32()).collect::<Vec<_>>();
    let lent = net::freeze(&params).unwrap();
    // What is lent stays as it was, although scales are folded into weights.
    assert!(params.named_leaves().iter().map(|leaf| leaf.tensor.to_f32()).eq(before));
    let lent = lent.run(&image, &x).unwrap();
    near(&lent, &want);
    let given = net::into_frozen(params).unwrap();
    assert_eq!(given.run(&image, &x).unwrap(), lent);
}

#[test]
fn many_leaves() {
    let (params, x): (Many, _) = (filled(), normal(&[2, 32, 8, 8]));
    let want = many::eager(&params, &x);
    let lent = many::freeze(&params).unwrap().run(&x).unwrap();
    near(&lent, &want);
    near(&many(&params, &x).unwrap(), &want);
    assert_eq!(many::into_frozen(params).unwrap().run(&x).unwrap(), lent);
}

#[test]
fn what_is_packed_on_the_way_is_packed_alike() {
    // More columns than are packed at a time, and an end within a panel.
    for [k, n] in [[5, 3], [0, 4], [4, 0], [7, 64], [4096, 1001]] {
        let numbers: Vec<f32> = (0..n * k).map(|i| i as f32).collect();
        let of: Tensor = Tensor::from_vec([n, k], numbers).unwrap();
        let (rows, cols) = ([(k, 1)], [(n, k)]);
        let len = k * n.next_multiple_of(16) + 32;
        // Shared, so that it is packed at once.
        let at_once = kiln::rt::in_panels(of.clone(), 1, &rows, &cols, len);
        let on_the_way = kiln::rt::in_panels(of, 1, &rows, &cols, len);
        let panels = |of: &Tensor| {
            let start = of.as_slice()[0] as usize;
            of.as_slice()[start..][..k * n].to_vec()
        };
        assert!(panels(&at_once) == panels(&on_the_way), "[{k}, {n}]");
    }
}

#[test]
fn nothing_is_held_twice() {
    let params: Net = filled();
    let weights = 4 * params.named_leaves().iter().map(|leaf| leaf.tensor.len()).sum::<usize>();
    let mut kept = None;
    let most = counting::most(|| kept = net::into_frozen(params).ok());
    // The tensor that lies across is there twice while it is packed, of the others some columns.
    let (one, some) = (4 * 512 * 6100, 2 << 23);
    let bound = (net::FROZEN_BYTES.saturating_sub(weights) + one + some) as isize;
    assert!(most <= bound, "{most} bytes more at a time, {bound} expected; {weights} of weights");
    let before = counting::most(|| ());
    drop(kept);
    assert_eq!(before, 0);
}

#[test]
fn frozen_bytes_are_what_is_kept() {
    let params: Net = filled();
    let leaves = params.named_leaves();
    let size = |name: &str| {
        4 * leaves.iter().filter(|l| l.name.starts_with(name)).map(|l| l.tensor.len()).sum::<usize>()
    };
    // Panels begin at a cache line, and the last one has whole vectors; factors of 3 × 3 are 16 or 36 numbers.
    let most = size("layers") + size("up") + size("across") + 4 * 4 * size("block") + 8192;
    let kept = net::FROZEN_BYTES;
    assert!(kept >= size("layers") + size("up") + size("across") && kept <= most, "{kept}");
    assert!(net::PLAN.contains(&format!("frozen, {kept} bytes kept: ")), "{}", net::PLAN);
}

#[test]
fn a_misfit_is_named() {
    let mut params: Net = filled();
    params.layers[5].weight = Tensor::zeros([3, 4]);
    let error = net::into_frozen(params.clone()).unwrap_err().to_string();
    assert_eq!(error, "`net`: argument `net.layers.5.weight` must have shape [512, 512], but has [3, 4]");
    assert_eq!(net::freeze(&params).unwrap_err().to_string(), error);
    let mut params: Many = filled();
    params.blocks[3].conv.weight = Tensor::zeros([3, 4]);
    let error = many::into_frozen(params).unwrap_err().to_string();
    assert_eq!(
        error,
        "`many`: argument `net.blocks.3.conv.weight` must have shape [32, 32, 3, 3], but has [3, 4]"
    );
}
