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
fn a_layer_more_costs_tokens_of_glue_and_no_kernel() {
    let ((tokens2, kernels2), (tokens10, kernels10)) = (step(2), step(10));
    let a_layer = (tokens10 - tokens2) / 8;
    assert!(a_layer < 1_600, "{a_layer} tokens a layer");
    assert!(tokens2 < 9_000, "{tokens2} tokens for two layers");
    assert!(kernels2 > 0 && kernels10 == kernels2, "{kernels2} kernels for two layers, {kernels10} for ten");
}
