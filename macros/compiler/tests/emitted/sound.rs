#[params(forward = linear)]
/// A dense layer.
pub struct Linear<const I: usize, const O: usize> { pub weight: Tensor<O, I>, bias: Tensor<O> }

#[params]
#[derive(Clone, PartialEq)]
pub(crate) struct Net {
    /// Token embedding.
    #[init(normal(0.0, 0.02))] wte: Tensor<VOCAB, { 2 * config::WIDTH }>,
    conv: Tensor<8, 3, 3, { K + 1 }>,
    #[buffer] mean: Tensor<f32, 8>,
    #[buffer] #[init(ones())] r#type: Tensor<>,
    blocks: [Block<64>; 12],
    head: Linear<64, 10>,
}

#[params]
struct Empty {}
