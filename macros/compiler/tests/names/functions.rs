fn helper(x: f32) -> f32 { x }
mod other { pub fn plain() {} #[model] pub fn block(x: Tensor<3>) -> Tensor<3> { x } }
#[model] fn f(x: Tensor<3>) -> Tensor<3> { helper(x) + helper(x.rellu()) }
#[model] fn g(x: Tensor<3>) -> Tensor<3> { f(x) + other::plain(x) + other::blok(x) }
#[model] fn h(x: Tensor<3>) -> Tensor<3> { g(x) + nowhere(x) + hlper(xx) + relu(x) + other::block(x) }
mod inner { use super::*; #[model] fn k(x: Tensor<3>) -> Tensor<3> { helper(x) } }
mod closed { #[model] fn k(x: Tensor<3>) -> Tensor<3> { helper(x) } }
fn main() { fn local() {} #[model] fn l(x: Tensor<3>) -> Tensor<3> { local(x) + value_and_grad(helper)(x).0 } }
// ---
#[model] fn a(x: Tensor<3>) -> Tensor<3> { b(x) }
#[model] fn b(x: Tensor<3>) -> Tensor<3> { let c = c(x); c }
#[model] fn c(x: Tensor<3>) -> Tensor<3> { a(x) + x.rellu() }
#[model] fn d(x: Tensor<3>) -> Tensor<3> { a(x) }
// ---
#[model] fn a(x: Tensor<3>) -> Tensor<3> { let b = x.relu(); b }
#[model] fn b(x: Tensor<3>) -> Tensor<3> { a(x).rellu() }
// ---
#[params(forward = run)] struct Net { w: Tensor<3> }
fn run() {}
#[params(forward = fine)] struct Other { net: Net }
#[model] fn fine(net: &Other, x: Tensor<3>) -> Tensor<3> { net.net.forward(x) }
