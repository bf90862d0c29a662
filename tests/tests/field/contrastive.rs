//! CLIP: rows and columns of one matrix of similarities.

use kiln::prelude::*;
#[params]
pub struct Clip {
    img: Linear<32, 16>,
    txt: Linear<24, 16>,
    #[init(constant(2.66))]
    scale: Tensor,
}
#[model]
pub fn clip_loss<const N: usize>(c: &Clip, i: Tensor<N, 32>, t: Tensor<N, 24>) -> Tensor {
    let i = c.img.forward(i).normalize(1);
    let t = c.txt.forward(t).normalize(1);
    let logits = c.scale.exp() * i.matmul(t.t());
    let labels = arange(N);
    (cross_entropy(logits, labels) + cross_entropy(logits.t(), labels)) / 2.0
}
