#[model] fn f<const N: usize>(x: Tensor<N, 3>) -> Tensor<N, 3> {
    let mut h = x.select(0, 0);
    for t in 0..N { h = cat(&[h, h], 0); }
    x
}

#[model] fn f<const N: usize>(x: Tensor<N, 3>) -> Tensor<N, 3> {
    let mut n = 0;
    for t in 0..N { n += 1; }
    x
}

#[model] fn f<const N: usize>(x: Tensor<N, 3>) -> Tensor<N, 3> {
    for t in 0..N { break; }
    x
}

#[model] fn f<const N: usize>(x: Tensor<N, 3>) -> Tensor<N, 3> {
    let mut all = Vec::new();
    for t in 0..N { all.push(x.select(0, t)); all.push(x.select(0, t)); }
    stack(&all, 0)
}

#[model] fn f<const N: usize>(x: Tensor<N, 3>) -> Tensor<N, 3> {
    let all = Vec::new();
    for t in 0..N { all.push(x.select(0, t)); }
    stack(&all, 0)
}

#[model] fn f<const N: usize>(x: Tensor<N, 3>) -> Tensor<N, 3> {
    for t in 0..N { if t == 0 { } }
    x
}

#[model] fn f<const N: usize>(x: Tensor<N, 3>) -> Tensor<N, 3> {
    let mut h = x.sum();
    for t in 0..N { h = h + x.narrow(0, 0, t).sum(); }
    x * h
}

#[model] fn f<const N: usize>(x: Tensor<N, 3>) -> Tensor<3> {
    let mut h = x.select(0, 0);
    for t in 0..N { h = h.matmul(x); }
    h
}

#[model] fn f<const N: usize>(x: Tensor<N, 3>) -> Tensor<N, 3> {
    let all: Vec<f32> = (0..N).map(|i| i as f32).collect();
    x
}

#[model] fn f<const N: usize>(x: Tensor<N, 3>) -> Tensor<N, 3> {
    let mut all = Vec::new();
    for t in 0..N { all.push(x.select(0, t)); }
    stack(&all, 5)
}

#[model] fn f<const T: usize>(x: Tensor<T, 3>) -> Tensor<T, 3> {
    let mut h = x.nothing();
    let mut all = Vec::new();
    for t in 0..T { h = h + x.select(0, t); all.push(h); }
    stack(&all, 0)
}

#[model] fn f<const T: usize>(x: Tensor<T, 3>) -> Tensor<T, 3> {
    let mut all = Vec::new();
    for t in 0..T { let y = x.select(0, t).nothing(); all.push(y); }
    stack(&all, 0)
}

#[model] fn f(x: Tensor<2, 3>) -> Tensor<2, 3> {
    let (mut h, mut all) = (x, Vec::new());
    for y in x.nothing() { h = h.nothingness(); all.push(h); }
    stack(&all, 0).index_select(3, h)
}

#[model] fn f(x: Tensor<2, 3>) -> (Tensor<4, 3>, Tensor<2, 3>) {
    let mut all = Vec::new();
    let mut h = x;
    for i in 0..4 { let y = x.nothing(); h = h.relu(); all.push(h.select(0, 0)); }
    (stack(&all, 0), stack(&all, 0).select(5, 0))
}

#[model] fn f<const T: usize>(x: Tensor<T, 3>) -> (Tensor<5, 3>, Tensor<T, 3>) {
    let (mut some, mut all) = (Vec::new(), Vec::new());
    for i in 0..5 { some.push(x.select(0, i).nothing()); }
    let rows = stack(&some, 0);
    for t in 0..T { all.push(rows.select(0, 0) + x.select(0, t)); }
    (rows, stack(&all, 0))
}

const K: usize = 3;
#[model] fn f<const N: usize>(x: Tensor<N, 3>, s: &mut Tensor<3>) -> Tensor<3> {
    let mut h = if K % 2 == 1 { x.nothing() } else { x };
    for i in 0..6 { *s = s * 0.5 + x.mean_dim([0]); }
    for i in 0..3 { *s = s + 1.0; }
    *s
}

#[model] fn f(xs: [Tensor<3>; 6]) -> Tensor<3> {
    let mut h = xs[0];
    for (i, x) in xs.iter().enumerate() { h = h + x.nothing() * i as f32; }
    for i in 0..7 { h = (h + xs[i]).tanh().softmax(0); }
    h
}
