#[params]
struct Block { norm: LayerNorm<8>, up: Linear<8, 16>, down: Linear<16, 8> }

#[params]
struct Net { blocks: [Block; 2], head: Linear<8, 3> }

#[model(inline)]
fn block(net: &Block, x: Tensor) -> Tensor {
    x + net.down.forward(net.up.forward(net.norm.forward(x)).gelu())
}

#[model]
fn net<const N: usize>(net: &Net, x: Tensor<N, 8>) -> Tensor<N, 3> {
    let mut h = x;
    for b in &net.blocks {
        h = block(b, h);
    }
    net.head.forward(h)
}

#[model]
fn accuracy_of<const N: usize>(net: &Net, x: Tensor<N, 8>, y: Tensor<i64, N>) -> Tensor<> {
    accuracy(net.head.forward(x), y)
}
