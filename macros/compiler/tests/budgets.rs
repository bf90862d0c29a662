//! What a model may cost: tokens that rustc has to read, and tokens that the chain carries about.

mod common;

use proc_macro2::{TokenStream, TokenTree};

/// A training step over so many layers.
fn source(layers: usize) -> String {
    format!(
        "#[params(forward = layer)] struct Layer {{ weight: Tensor<8, 8>, bias: Tensor<8> }}
         #[model(inline)] fn layer<const N: usize>(l: &Layer, x: Tensor<N, 8>) -> Tensor<N, 8>
         {{ x.linear(l.weight, Some(l.bias)).relu() }}
         #[params] struct Net {{ layers: [Layer; {layers}] }}
         #[model] fn loss<const N: usize>(net: &Net, x: Tensor<N, 8>, y: Tensor<N, 8>) -> Tensor<>
         {{ let mut h = x; for l in &net.layers {{ h = l.forward(h); }} mse_loss(h, y) }}
         #[model] fn step<const N: usize>(net: &mut Net, opt: &mut Adam<Net>, x: Tensor<N, 8>, y: Tensor<N, 8>)
         -> Tensor<> {{ let (l, g) = value_and_grad(loss)(net, x, y); opt.step(net, g); l }}"
    )
}

fn count(tokens: TokenStream) -> usize {
    let trees = tokens.into_iter().map(|tree| match tree {
        TokenTree::Group(g) => 2 + count(g.stream()),
        _ => 1,
    });
    trees.sum()
}

/// Tokens, and kernels, of a training step.
fn step(layers: usize) -> (usize, usize) {
    let all = common::chain::expand_all(&source(layers));
    let (_, tokens) = all.into_iter().find(|(name, _)| name == "step").expect("the step");
    let text = tokens.to_string();
    (count(tokens), text.matches("Kernel for ").count())
}

#[test]
fn a_layer_more_costs_next_to_nothing() {
    let ((tokens2, kernels2), (tokens4, kernels4)) = (step(2), step(4));
    let a_layer = (tokens4 - tokens2) / 2;
    assert!(a_layer < 1_600, "{a_layer} tokens a layer, unrolled");
    assert!(kernels2 > 0 && kernels4 == kernels2, "{kernels2} kernels for two layers, {kernels4} for four");
    assert!(tokens2 < 9_000, "{tokens2} tokens for two layers");
    // More of them are a loop, and their number is a number.
    let (ten, hundred) = (step(10), step(100));
    assert_eq!(ten, hundred);
    assert!(ten.0 < 9_000, "{} tokens for a loop over layers", ten.0);
}

/// The net of the README, with its layer.
const README: &str = "
    #[params(forward = linear)] struct Linear<const I: usize, const O: usize> { weight: Tensor<O, I>, bias: Tensor<O> }
    #[model(inline)] fn linear<const N: usize, const I: usize, const O: usize>(l: &Linear<I, O>, x: Tensor<N, I>)
        -> Tensor<N, O> { x.linear(l.weight, Some(l.bias)) }
    #[params] struct Mlp { fc1: Linear<784, 128>, fc2: Linear<128, 10> }
    #[model] fn mlp<const N: usize>(net: &Mlp, x: Tensor<N, 784>) -> Tensor<N, 10>
        { let h = net.fc1.forward(x).relu(); net.fc2.forward(h) }
    #[model] fn loss<const N: usize>(net: &Mlp, x: Tensor<N, 784>, y: Tensor<i64, N>) -> Tensor<>
        { cross_entropy(mlp(net, x), y) }
    #[model] fn train_step<const N: usize>(net: &mut Mlp, opt: &mut Adam<Mlp>, x: Tensor<N, 784>, y: Tensor<i64, N>)
        -> Tensor<> { let (loss, grads) = value_and_grad(loss)(net, x, y); opt.step(net, grads.clip_norm(1.0)); loss }
";

#[test]
fn the_readmes_models_stay_small() {
    // What they cost, and a tenth more: a change that needs more says why. The loss has its frozen halves, too, and its
    // mean is taken by blocks, on several threads.
    let budgets = [("mlp", 6_600, 2), ("loss", 11_400, 7), ("train_step", 11_700, 12)];
    let all = common::chain::expand_all(README);
    for (name, most_tokens, most_kernels) in budgets {
        let (_, tokens) = all.iter().find(|(n, _)| n == name).expect("a model of the README");
        let kernels = tokens.to_string().matches("Kernel for ").count();
        let tokens = count(tokens.clone());
        assert!(kernels > 0, "no kernel of `{name}`");
        assert!(tokens <= most_tokens, "{tokens} tokens of `{name}`");
        assert!(kernels <= most_kernels, "{kernels} kernels of `{name}`");
    }
}

/// A recurrent net over so many steps, with its training step.
fn recurrent(steps: usize) -> String {
    format!(
        "#[params] struct Cell {{ input: Tensor<8, 4>, hidden: Tensor<8, 8> }}
         #[model] fn loss<const N: usize>(cell: &Cell, x: Tensor<N, {steps}, 4>, y: Tensor<N, 8>) -> Tensor<>
         {{ let mut h = y * 0.0;
            for t in 0..{steps} {{
                h = (x.select(1, t).linear(cell.input, None) + h.linear(cell.hidden, None)).tanh();
            }}
            mse_loss(h, y) }}
         #[model] fn step<const N: usize>(cell: &mut Cell, opt: &mut Adam<Cell>, x: Tensor<N, {steps}, 4>, y: Tensor<N, 8>)
         -> Tensor<> {{ let (l, g) = value_and_grad(loss)(cell, x, y); opt.step(cell, g); l }}"
    )
}

#[test]
fn a_longer_loop_costs_no_token() {
    let tokens = |steps: usize| {
        let all = common::chain::expand_all(&recurrent(steps));
        let (_, tokens) = all.into_iter().find(|(name, _)| name == "step").expect("the step");
        count(tokens)
    };
    // The plan's text counts as one.
    let (ten, thousand) = (tokens(10), tokens(1_000));
    assert_eq!(ten, thousand);
    assert!(ten < 12_000, "{ten} tokens for a recurrent net's step");
}
