#[model] fn f(x: Tensor<3>) -> Tensor<3> { cond(x.sum().gt(0.0), || x) }
#[model] fn g(x: Tensor<3>) -> Tensor<3> { while_loop(3, x, |x| x.sum().lt(1.0)) }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { cond(x.gt(0.0), || x, || x * 2.0) }
#[model] fn g(x: Tensor<3>) -> Tensor<3> { cond(x.sum(), || x, || x * 2.0) }
#[model] fn h(x: Tensor<3>) -> Tensor<3> { cond(1, || x, || x * 2.0) }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { cond(x.sum().gt(0.0), || x, || x.sum()) }
#[model] fn g(x: Tensor<3>) -> Tensor<3> { cond(x.sum().gt(0.0), || (x, x), || x) }
#[model] fn h(x: Tensor<3>) -> Tensor<3> { cond(x.sum().gt(0.0), || x, || 0.0) }
#[model] fn k(x: Tensor<3>) -> Tensor<3> { cond(x.sum().gt(0.0), || x, x) }
#[model] fn l(x: Tensor<3>) -> Tensor<3> { cond(x.sum().gt(0.0), || x, |y| y) }

#[model] fn f(x: Tensor<3>) -> Tensor<3> {
    let mut s = x;
    let y = cond(x.sum().gt(0.0), || { s = x * 2.0; x }, || x);
    y + s
}

#[model] fn f(x: Tensor<3>) -> Tensor<3> { while_loop(x.sum(), x, |x| x.sum().lt(1.0), |x| x * 2.0) }
#[model] fn g(x: Tensor<3>) -> Tensor<3> { while_loop(-1, x, |x| x.sum().lt(1.0), |x| x * 2.0) }
#[model] fn h(x: Tensor<3>) -> Tensor<3> { while_loop(5, 1.0, |x| x.sum().lt(1.0), |x| x * 2.0) }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { while_loop(5, x, |x| x.lt(1.0), |x| x * 2.0) }
#[model] fn g(x: Tensor<3>) -> Tensor<3> { while_loop(5, x, |x| x.sum().lt(1.0), |x| x.sum()) }
#[model] fn h(x: Tensor<3>) -> Tensor<3> { while_loop(5, (x, x), |x| x.sum().lt(1.0), |x| x) }
#[model] fn k(x: Tensor<3>) -> Tensor<3> { while_loop(5, x, |x| x.sum().lt(1.0), |x| (x, x)) }
