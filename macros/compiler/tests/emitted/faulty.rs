#[params]
enum Net { A }

#[params]
struct Net<'a, T, const N: f32> where T: Copy { a: &'a T, #[init] b: Tensor<f23, N> }

#[params]
pub struct Net { size: usize, many: [Tensor<3>; 4], pair: (u8, u8), ok: Tensor<3>, sub: Linear<3, 4> }

#[params]
struct Net(Tensor<3>);
