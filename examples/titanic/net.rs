//! The net and the logistic regression, each with its training step.

use kiln::prelude::*;

/// Numbers of a passenger.
pub const NUMBERS: usize = 14;
/// Kinds of a passenger: title, deck, port, class.
pub const KINDS: usize = 4;

/// A vector for each kind, and dense layers over vectors and numbers.
#[params]
pub struct Net {
    title: Embedding<6, 4>,
    deck: Embedding<8, 3>,
    port: Embedding<3, 2>,
    class: Embedding<3, 2>,
    fc1: Linear<25, 32>,
    fc2: Linear<32, 16>,
    out: Linear<16, 1>,
}

/// Numbers and the vectors of the kinds.
#[model]
fn seen<const N: usize>(net: &Net, x: Tensor<N, NUMBERS>, kinds: Tensor<i64, N, KINDS>) -> Tensor<N, 25> {
    let title = net.title.weight.embedding(kinds.select(1, 0));
    let deck = net.deck.weight.embedding(kinds.select(1, 1));
    let port = net.port.weight.embedding(kinds.select(1, 2));
    let class = net.class.weight.embedding(kinds.select(1, 3));
    cat(&[x, title, deck, port, class], 1)
}

/// How likely each survived.
#[model]
pub fn survival<const N: usize>(net: &Net, x: Tensor<N, NUMBERS>, kinds: Tensor<i64, N, KINDS>) -> Tensor<N> {
    let h = net.fc1.forward(seen(net, x, kinds)).relu();
    net.out.forward(net.fc2.forward(h).relu()).squeeze(1).sigmoid()
}

/// Cross-entropy under dropout.
#[model]
fn loss<const N: usize>(
    net: &Net,
    x: Tensor<N, NUMBERS>,
    kinds: Tensor<i64, N, KINDS>,
    y: Tensor<N>,
    rng: &mut Rng,
) -> Tensor {
    let h = dropout(net.fc1.forward(dropout(seen(net, x, kinds), 0.1, rng)).relu(), 0.3, rng);
    let h = dropout(net.fc2.forward(h).relu(), 0.3, rng);
    binary_cross_entropy_with_logits(net.out.forward(h).squeeze(1), y)
}

/// Forward, backward and AdamW in one function.
#[model]
pub fn train_step<const N: usize>(
    net: &mut Net,
    opt: &mut AdamW<Net>,
    x: Tensor<N, NUMBERS>,
    kinds: Tensor<i64, N, KINDS>,
    y: Tensor<N>,
    rng: &mut Rng,
) -> Tensor {
    let (loss, grads) = value_and_grad(loss)(net, x, kinds, y, rng);
    opt.step(net, grads);
    loss
}

/// A weight for each number and each kind.
#[params]
pub struct Logistic {
    numbers: Linear<NUMBERS, 1>,
    #[init(zeros())]
    title: Tensor<6>,
    #[init(zeros())]
    deck: Tensor<8>,
    #[init(zeros())]
    port: Tensor<3>,
    #[init(zeros())]
    class: Tensor<3>,
}

#[model]
fn logit<const N: usize>(net: &Logistic, x: Tensor<N, NUMBERS>, kinds: Tensor<i64, N, KINDS>) -> Tensor<N> {
    let title = net.title.index_select(0, kinds.select(1, 0));
    let deck = net.deck.index_select(0, kinds.select(1, 1));
    let port = net.port.index_select(0, kinds.select(1, 2));
    let class = net.class.index_select(0, kinds.select(1, 3));
    net.numbers.forward(x).squeeze(1) + title + deck + port + class
}

/// [`survival`] by logistic regression.
#[model]
pub fn logistic_survival<const N: usize>(
    net: &Logistic,
    x: Tensor<N, NUMBERS>,
    kinds: Tensor<i64, N, KINDS>,
) -> Tensor<N> {
    logit(net, x, kinds).sigmoid()
}

#[model]
fn logistic_loss<const N: usize>(
    net: &Logistic,
    x: Tensor<N, NUMBERS>,
    kinds: Tensor<i64, N, KINDS>,
    y: Tensor<N>,
) -> Tensor {
    binary_cross_entropy_with_logits(logit(net, x, kinds), y)
}

/// [`train_step`] of the logistic regression.
#[model]
pub fn logistic_step<const N: usize>(
    net: &mut Logistic,
    opt: &mut AdamW<Logistic>,
    x: Tensor<N, NUMBERS>,
    kinds: Tensor<i64, N, KINDS>,
    y: Tensor<N>,
) -> Tensor {
    let (loss, grads) = value_and_grad(logistic_loss)(net, x, kinds, y);
    opt.step(net, grads);
    loss
}
