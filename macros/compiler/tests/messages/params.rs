#[params] enum Net { A, B }

#[params] union Net { a: f32 }

#[params] fn net() {}

#[params] struct Net(Tensor<3>, Tensor<4>);

#[params] struct Net;

#[params] struct Net<T: Copy, 'a, const N: f32> where T: Copy { w: Tensor<N> }

#[params] struct Net<const N: usize = 3, const M: usize = { 2 * N }> { w: Tensor<N, M> }

#[params]
struct Net {
    size: usize,
    blocks: Vec<Block>,
    pair: (Tensor<3>, Tensor<4>),
    many: [Tensor<3>; 4],
    other: &'static Block,
    name: String,
    ids: Tensor<i64, 3>,
    good: Tensor<3>,
}

#[params]
struct Net {
    #[init(zeros())] #[init(ones())] a: Tensor<3>,
    #[init] b: Tensor<3>,
    #[buffer(3)] c: Tensor<3>,
    #[init(zeros())] d: Linear<3, 4>,
    #[buffer] e: Linear<3, 4>,
    #[init(1 +)] f: Tensor<3>,
    #[name(0)] g: Tensor<3>,
    #[name("a")] #[name("b")] h: Linear<3, 4>,
    #[name("a", "b")] i: Linear<3, 4>,
    #[name("a", "b")] j: [Linear<3, 4>; 3],
    #[name("a", "")] k: [Linear<3, 4>; 2],
    #[name("")] l: Tensor<3>,
    #[name("*_l0")] m: Tensor<3>,
    #[name("*_l{1}")] n: Linear<3, 4>,
    #[name("*_l{one}")] o: [Linear<3, 4>; 2],
}

#[params(foward = linear)] struct Net { w: Tensor<3> }

#[params(forward = linear, forward = other)] struct Net { w: Tensor<3> }

#[params(forward)] struct Net { w: Tensor<3> }

#[params(crate = "k", crate = k, crat = k)] struct S { w: Tensor<3> }
