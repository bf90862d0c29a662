#[params]
struct Attention { qkv: Linear<8, 24>, out: Linear<8, 8> }

#[model]
fn attention<const B: usize, const T: usize>(net: &Attention, x: Tensor<B, T, 8>) -> Tensor<B, T, 8> {
    let [q, k, v] = net.qkv.forward(x).chunk(3, -1);
    let heads = |t| t.reshape([B, T, 2, 4]).transpose(1, 2);
    let (q, k, v) = (heads(q), heads(k), heads(v));
    let scores: Tensor<B, 2, T, T> = q.matmul(k.transpose(-2, -1)) / (4 as f32).sqrt();
    let mask = ones([T, T]).tril(0).eq(0.0);
    let weights = scores.masked_fill(mask, f32::NEG_INFINITY).softmax(-1);
    net.out.forward(weights.matmul(v).transpose(1, 2).reshape([B, T, 8]))
}
