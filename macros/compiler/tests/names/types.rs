struct Plain { w: f32 }
enum Kind { A }
type Alias = Net;
#[params] struct Net { w: Tensor<3> }
#[params] struct Outer { plain: Plain, many: [Kind; 2], net: Net }
#[model] fn f(p: &Plain, x: Tensor<3>) -> Tensor<3> { x * p.w }
#[model] fn g(p: &Alias, x: Tensor<3>) -> Tensor<3> { x * p.w + x.rellu() }
#[model] fn h(p: &mut Adam<Plain>, x: Tensor<3>) -> Tensor<3> { x }
#[model] fn k(p: &Outer, x: Tensor<3>) -> Tensor<3> { x * p.net.w + f(p.plain, x) }
// ---
const HIDDEN: usize = 8;
use config::WIDTH;
#[params] struct Net { a: Tensor<HIDEN>, b: Tensor<HIDEN, HIDDEN> }
#[model] fn f<const N: usize>(net: &Net, x: Tensor<HIDDDEN, N>, y: Tensor<HIDDDEN, M>) -> Tensor<WIDTH> { x }
#[model] fn g(x: Tensor<3>) -> Tensor<3> { x + HIDEN as f32 }
#[model] fn k(net: &Net, x: Tensor<3>) -> Tensor<3> { g(x) * net.a }
