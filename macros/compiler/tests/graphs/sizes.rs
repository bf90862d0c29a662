#[params]
struct Net { embed: Linear<{ 2 * WIDTH }, WIDTH>, head: Linear<WIDTH, cfg::CLASSES> }

#[model(N <= 32)]
fn net<const N: usize>(net: &Net, x: Tensor<N, { WIDTH * 2 }>) -> Tensor<N, cfg::CLASSES> {
    let scale = 1.0 / (WIDTH as f32).sqrt();
    net.head.forward(net.embed.forward(x * scale).silu())
}

#[model]
fn fixed(params: &Net, x: Tensor<8, 6>) -> Tensor<8, 10> {
    net(params, x)
}

#[model]
fn pairs<const N: usize, const M: usize>(x: Tensor<N>, y: Tensor<M>) -> Tensor<{ N + M }, 2> {
    let both = cat(&[x, y], 0);
    let swapped = cat(&[y, x], 0);
    let all: Tensor<{ N + M }, 2> = stack(&[both, swapped], 1);
    all / ((N + M) as f32)
}
