//! A fault in a model over params of any size is one error, for the model and for what is called of it.
use kiln::prelude::*;

#[params]
pub struct Gate<const I: usize, const O: usize> {
    fc: Linear<I, O>,
}

#[model]
pub fn gate<const I: usize, const O: usize, const N: usize>(g: &Gate<I, O>, x: Tensor<N, I>) -> Tensor<N, O> {
    g.fc.forward(x).sigmoyd()
}

#[model]
pub fn halved<const I: usize, const O: usize>(g: &mut Gate<I, O>, x: Tensor<I>) -> Gate<I, O> {
    tree_map(|w| w.half())(g)
}

fn main() -> Result<()> {
    let mut net = Gate::<3, 4>::init(&mut Rng::seed(0));
    let slopes = gate::vjp(&net, [[1.0; 3]], [[1.0; 4]])?.1;
    let half = halved(&mut net, [0.0; 3])?;
    println!("{:?} {:?}", slopes.fc.weight, half.fc.weight);
    Ok(())
}
