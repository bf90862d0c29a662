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
