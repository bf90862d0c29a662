#[model] fn f(c: &mut Tensor<2, 8>, x: Tensor<2, 9>, pos: Tensor<i64>) -> Tensor<2, 8> { *c = c.update_at(1, pos, x); *c }

#[model] fn f(c: Tensor<2, 8>, x: Tensor<3, 1>, pos: Tensor<i64>) -> Tensor<2, 8> { c.update_at(1, pos, x) }
#[model] fn g(c: Tensor<2, 8>, x: Tensor<2, 1>, pos: Tensor<2>) -> Tensor<2, 8> { c.update_at(1, pos, x).update_at(2, pos, x) }
#[model] fn h(c: Tensor<2, 8>, pos: Tensor<i64>) -> Tensor<2, 8> { c.narrow_at(1, pos, 9).narrow_at(1, 3, 2) }
