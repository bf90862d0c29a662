//! Frozen models: of losses, of several trees, with state, with sizes in the types of params.
#![allow(missing_docs)]

use kiln::Frozen;
use kiln::prelude::*;

#[params]
pub struct Net {
    a: Linear<3, 4>,
    b: Linear<4, 2>,
}

#[params]
pub struct Cache {
    #[buffer]
    seen: Tensor<2>,
}

#[model]
pub fn net<const N: usize>(net: &Net, x: Tensor<N, 3>) -> Tensor<N, 2> {
    net.b.forward(net.a.forward(x).relu())
}

#[model]
pub fn loss<const N: usize>(params: &Net, x: Tensor<N, 3>, y: Tensor<N, 2>) -> Tensor {
    mse_loss(net(params, x), y)
}

#[model]
pub fn both<const N: usize>(one: &Net, x: Tensor<N, 3>, two: &Linear<2, 2>) -> (Tensor<N, 2>, Tensor<2, 2>) {
    (two.forward(net(one, x)), two.weight.exp())
}

#[model]
pub fn layer<const N: usize, const I: usize, const O: usize>(
    l: &Linear<I, O>,
    gain: &Linear<O, O>,
    x: Tensor<N, I>,
) -> Tensor<N, O> {
    gain.forward(l.forward(x)) + (l.bias * 2.0).exp()
}

#[model]
pub fn remember<const N: usize, const C: usize>(
    net: &Linear<3, 2>,
    cache: &mut Cache,
    last: &mut Tensor<N, 2>,
    other: &mut Linear<C, C>,
    x: Tensor<N, 3>,
) -> Tensor<N, 2> {
    let y = net.forward(x);
    cache.seen = cache.seen + y.sum_dim(0);
    other.bias = other.bias + 1.0;
    let result = y + *last;
    *last = y;
    result
}

struct Server {
    net: Frozen<both>,
    loss: Frozen<loss>,
}

const X: [[f32; 3]; 2] = [[1.0, 2.0, 3.0], [-1.0, 0.5, 2.0]];

#[test]
fn losses_and_several_trees() {
    let mut rng = Rng::seed(3);
    let (one, two) = (Net::init(&mut rng), Linear::<2, 2>::init(&mut rng));
    let y = [[1.0, 0.0], [0.0, 1.0]];
    let server = Server { net: both::freeze(&one, &two).unwrap(), loss: loss::freeze(&one).unwrap() };
    assert_eq!(server.loss.run(X, y).unwrap(), loss(&one, X, y).unwrap());
    let (frozen, plain) = (server.net.run(X).unwrap(), both(&one, X, &two).unwrap());
    assert_eq!(frozen.0, plain.0);
    assert_eq!(frozen.1, plain.1);
}

#[test]
fn sizes_in_the_types_of_params() {
    let mut rng = Rng::seed(3);
    let (l, gain) = (Linear::<3, 5>::init(&mut rng), Linear::<5, 5>::init(&mut rng));
    let frozen = layer::freeze(&l, &gain).unwrap();
    let (one, plain) = (frozen.run(X).unwrap(), layer(&l, &gain, X).unwrap());
    // Sums over packed weights may be rounded in another order.
    let apart = one.as_slice().iter().zip(plain.as_slice()).map(|(a, b)| (a - b).abs());
    assert!(one.shape() == plain.shape() && apart.clone().all(|d| d < 1e-6), "{one} {plain}");
    assert_eq!(frozen.run([[0.0; 3]; 0]).unwrap().shape(), [0, 5]);
    assert!(frozen.run([[0.0; 4]]).unwrap_err().to_string().contains("`x`"));
}

#[test]
fn state_is_an_argument_of_run() {
    let mut rng = Rng::seed(3);
    let l = Linear::<3, 2>::init(&mut rng);
    let frozen = remember::freeze(&l).unwrap();
    let state =
        || (Cache::init(&mut Rng::seed(0)), Tensor::zeros([2, 2]), Linear::<2, 2>::init(&mut Rng::seed(1)));
    let ((mut c1, mut l1, mut o1), (mut c2, mut l2, mut o2)) = (state(), state());
    for _ in 0..3 {
        let one = frozen.run(&mut c1, &mut l1, &mut o1, X).unwrap();
        let two = remember(&l, &mut c2, &mut l2, &mut o2, X).unwrap();
        assert_eq!(one, two);
    }
    assert_eq!(c1.seen, c2.seen);
    assert_eq!(l1, l2);
    assert_eq!(o1.bias, o2.bias);
    assert!(o1.bias.as_slice()[0] > 2.0);
}
