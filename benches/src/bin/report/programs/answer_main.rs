//! An MLP's answer for one image: weights by path, which are written there if there are none.

use kiln::prelude::*;
use std::path::Path;

#[params]
struct Mlp {
    fc1: Linear<784, 512>,
    fc2: Linear<512, 256>,
    fc3: Linear<256, 10>,
}

#[model]
fn mlp(net: &Mlp, x: Tensor<1, 784>) -> Tensor<1, 10> {
    let h = net.fc2.forward(net.fc1.forward(x).relu()).relu();
    net.fc3.forward(h)
}

fn main() -> kiln::Result<()> {
    let file = std::env::args().nth(1).unwrap_or_else(|| "mlp.safetensors".into());
    if !Path::new(&file).exists() {
        Mlp::init(&mut Rng::seed(0)).save(&file)?;
    }
    let mut net = Mlp::init(&mut Rng::seed(0));
    net.load(&file)?;
    println!("{:?}", mlp(&net, [[0.5; 784]])?.as_slice());
    Ok(())
}
