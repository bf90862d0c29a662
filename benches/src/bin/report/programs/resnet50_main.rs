//! ResNet-50's answer for one image.

mod convolutions;
mod resnet;

use kiln::prelude::*;

fn main() -> kiln::Result<()> {
    let net = resnet::ResNet50::init(&mut Rng::seed(0));
    let x: Tensor = Tensor::ones([1, 3, 224, 224]);
    println!("{:?}", resnet::resnet50(&net, &x)?.shape());
    Ok(())
}
