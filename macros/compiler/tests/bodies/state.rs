#[params] struct Net { w: Tensor<3> }
#[model] fn f(net: &Net, x: Tensor<3>) -> Tensor<3> { net.w = x; x }
#[model] fn g(net: &mut Net, x: Tensor<4>) -> Tensor<4> { net.w = x; x }
#[model] fn h(net: &Net, x: Tensor<3>) -> Tensor<3> { step(net, x) }
#[model] fn step(net: &mut Net, x: Tensor<3>) -> Tensor<3> { net.w += x; net.w }

#[model] fn f(m: &mut Tensor<3>, x: Tensor<3>) -> Tensor<3> { m = x; x }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { let h = x; h = h + 1.0; h }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { x.relu() = x; 3 += 4; x }

#[model] fn g(m: &mut Tensor<3>) -> Tensor<3> { *m += 1.0; m }
#[model] fn f(x: Tensor<3>) -> Tensor<3> { g(x) }


#[params] struct Net { w: Tensor<3> }
#[model] fn loss(net: &Net) -> Tensor<> { net.w.sum() }
#[model] fn f(net: &Net, opt: &mut Sgd<Net>) -> Tensor<> { let (l, g) = value_and_grad(loss)(net); opt.step(net, g); l }
#[model] fn h(net: &mut Net, opt: &mut Sgd<Net>) -> Tensor<> { let l = loss(net); opt.step(net, l); opt.step(net); opt.stop(); l }

#[model] fn f(x: Tensor<3>) -> Tensor<3> { let mut h = x; h = 3; h = x.to(f64); h }

#[model] fn f(x: Tensor<3>, mut y: Tensor<3>) -> Tensor<3> { y = y * 2.0; x = x * 2.0; x + y }

#[params] struct Net { w: Tensor<f16, 3> }
#[model] fn loss(net: &Net) -> Tensor<> { net.w.to(f32).sum() }
#[model] fn h(net: &mut Net, opt: &mut Adam<Net>) -> Tensor<> { let (l, g) = value_and_grad(loss)(net); opt.step(net, g); l }
