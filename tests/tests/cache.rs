//! Tensors written over a part of others at a place that is data: in place where they are state.

use kiln::prelude::*;

/// One step of attention over what a cache holds: `[H, D]` queries, keys and values at `pos`.
#[model]
fn step(
    keys: &mut Tensor<2, 64, 8>,
    values: &mut Tensor<2, 64, 8>,
    q: Tensor<2, 8>,
    k: Tensor<2, 1, 8>,
    v: Tensor<2, 1, 8>,
    pos: Tensor<i64>,
) -> Tensor<2, 8> {
    *keys = keys.update_at(1, pos, k);
    *values = values.update_at(1, pos, v);
    let scores = einsum("hd,htd->ht", [q, *keys]) / 2.0;
    let scores = where_cond(arange(64).le(pos), scores, -1e9);
    einsum("ht,htd->hd", [scores.softmax(-1), *values])
}

#[model]
fn loss(base: Tensor<3, 10, 2>, x: Tensor<3, 4, 2>, pos: Tensor<i64>) -> Tensor {
    let y = base.square().update_at(1, pos, x * x);
    (y * y.narrow_at(1, pos + 1, 1)).sum()
}

#[model(grad(base, x))]
fn both(base: Tensor<3, 10, 2>, x: Tensor<3, 4, 2>, pos: Tensor<i64>) -> Tensor {
    loss(base, x, pos)
}

#[model]
fn twice<const T: usize>(cache: &mut Tensor<T, 3>, x: Tensor<2, 3>, pos: Tensor<i64>) -> Tensor<T, 3> {
    let before = cache * 1.0;
    *cache = cache.update_at(0, pos, x).update_at(0, pos + 1, x);
    before + cache.narrow_at(0, pos, 1)
}

#[model]
fn shifted(cache: &mut Tensor<8, 3>, pos: Tensor<i64>) -> Tensor<8, 3> {
    *cache = cache.update_at(0, pos, cache.narrow(0, 0, 4));
    *cache
}

#[model]
fn filled<const T: usize>(cache: &mut Tensor<T, 3>, x: Tensor<T, 3>, from: Tensor<i64>) -> Tensor {
    let mut pos = from;
    for t in 0..T {
        *cache = cache.update_at(0, pos, x.narrow(0, t, 1));
        pos = pos + 1;
    }
    cache.sum()
}

fn close(x: &Tensor, y: &Tensor) {
    let far = x
        .as_slice()
        .iter()
        .zip(y.as_slice())
        .map(|(x, y)| (x - y).abs())
        .max_by(f32::total_cmp)
        .unwrap_or(0.0);
    assert!(x.shape() == y.shape() && far < 1e-5, "{far}");
}

#[test]
fn a_step_over_a_cache_is_that_of_eager_and_writes_one_row() {
    let mut rng = Rng::seed(0);
    let (mut k, mut v) = (Tensor::<f32>::zeros([2, 64, 8]), Tensor::<f32>::zeros([2, 64, 8]));
    let (mut ek, mut ev) = (k.clone(), v.clone());
    for pos in [0i64, 1, 2, 63, 70, -4] {
        let (q, a, b) = (randn([2, 8], &mut rng), randn([2, 1, 8], &mut rng), randn([2, 1, 8], &mut rng));
        let pos = Tensor::<i64>::scalar(pos);
        let y = step(&mut k, &mut v, &q, &a, &b, &pos).unwrap();
        close(&y, &step::eager(&mut ek, &mut ev, &q, &a, &b, &pos));
        assert_eq!((&k, &v), (&ek, &ev));
    }
    // Nothing but the scores and rows is in between: no copy of a cache.
    const { assert!(step::SCRATCH_BYTES < 2048) };
    assert!(!step::PLAN.contains("copy"), "{}", step::PLAN);
}

#[test]
fn gradients_reach_what_is_there_and_what_is_written() {
    let mut rng = Rng::seed(1);
    let (base, x) = (randn([3, 10, 2], &mut rng), randn([3, 4, 2], &mut rng));
    for pos in [0i64, 3, 6, 9] {
        let pos = Tensor::<i64>::scalar(pos);
        let (value, (one, other)) = both::value_and_grad(&base, &x, &pos).unwrap();
        let (a, b) = (base.clone().requires_grad(), x.clone().requires_grad());
        let eager = both::eager(&a, &b, &pos);
        close(&value, &eager.detach());
        eager.backward().unwrap();
        close(&one, &a.grad().unwrap());
        close(&other, &b.grad().unwrap());
    }
}

#[test]
fn what_is_still_read_is_read_before() {
    let mut rng = Rng::seed(2);
    let x = randn([2, 3], &mut rng);
    let cache = randn([7, 3], &mut rng);
    for pos in [0i64, 2, 6] {
        let pos = Tensor::<i64>::scalar(pos);
        let (mut a, mut b) = (cache.clone(), cache.clone());
        close(&twice(&mut a, &x, &pos).unwrap(), &twice::eager(&mut b, &x, &pos));
        close(&a, &b);
        let (mut a, mut b) = (randn([8, 3], &mut Rng::seed(3)), randn([8, 3], &mut Rng::seed(3)));
        close(&shifted(&mut a, &pos).unwrap(), &shifted::eager(&mut b, &pos));
        close(&a, &b);
    }
}

#[test]
fn a_loop_fills_a_cache() {
    let x = randn([9, 3], &mut Rng::seed(2));
    let (mut a, mut b) = (Tensor::<f32>::zeros([9, 3]), Tensor::<f32>::zeros([9, 3]));
    let from = Tensor::<i64>::scalar(0);
    close(&filled(&mut a, &x, &from).unwrap(), &filled::eager(&mut b, &x, &from));
    assert_eq!((&a, &a), (&b, &x));
}
