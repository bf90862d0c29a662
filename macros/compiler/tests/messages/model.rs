#[model] struct Net { w: Tensor<3> }

#[model] async fn f(x: Tensor<3>) -> Tensor<> { x }

#[model] unsafe fn f(x: Tensor<3>) -> Tensor<> { x }

#[model] const extern "C" fn f(x: Tensor<3>) -> Tensor<> { x }

#[model] fn f(&self, x: Tensor<3>) -> Tensor<> { x }

#[model] fn f<T: Float>(x: Tensor<3>) -> Tensor<> where T: Copy { x }

#[model] fn f<'a, const B: bool>(x: Tensor<3, B>) -> Tensor<> { x }

#[model] fn f<const N: usize, const M: usize>(net: &Linear<M, 3>) -> Tensor<> { x }

#[model] fn f(x: &Tensor<3>, net: Mlp, rate: u8, k: i64, g: fn(f32)) -> Tensor<> { net.forward(x) }

#[model] fn f((a, b): Tensor<3>) -> Tensor<> { a }

#[model] fn f(x: Tensor<3>) { x }

#[model] fn f(x: Tensor<3>) -> (Tensor<f31>, f32) { x }

#[model(N <= 32)] fn f<const M: usize>(x: Tensor<M>) -> Tensor<> { x }

#[model(HIDDEN <= 32)] fn f(x: Tensor<HIDDEN>) -> Tensor<> { x }

#[model(inline, inline, inlin, eager(3), 7, N <= M, N <= 0)] fn f<const N: usize>(x: Tensor<N>) -> Tensor<> { x }

#[model(grad)] fn f(x: Tensor<3>) -> Tensor<> { x }

#[model(grad(input))] fn f(inputs: Tensor<3>) -> Tensor<> { x }

#[model(N <= 0)] fn f<const N: usize>(x: Tensor<N>) -> Tensor<> { x }

#[model] fn f(&mut self) -> (Tensor<3>, Net) { x }

#[model(crate, inline)] fn f(x: Tensor<3>) -> Tensor<3> { x }

#[model] fn f<const L: usize>(xs: [Tensor<3>; L], y: (Tensor<3>, f32), z: [Net; 2], w: &[Tensor<2>; 2]) -> [f32; 2] { x }

#[model] fn f(x: ()) -> () { x }

#[model] fn f(x: Tensor<i64, _>) -> Tensor<f32, _> { x }
