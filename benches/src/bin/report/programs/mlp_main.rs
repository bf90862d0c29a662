//! Trains an MLP on a batch, and says what comes out.

mod mlp;

use kiln::prelude::*;

fn main() -> kiln::Result<()> {
    let mut net = mlp::Mlp::init(&mut Rng::seed(0));
    let mut opt = Adam::new(&net, 1e-3);
    let x: Tensor = Tensor::ones([64, 784]);
    println!("{:?}", mlp::train_step(&mut net, &mut opt, &x, [3; 64])?);
    println!("{:?}", mlp::mlp(&net, &x)?.shape());
    Ok(())
}
