//! Faults in signatures, options and params structs. What hangs on the names is silent.

use kiln::prelude::*;

#[params]
struct Net {
    fc: Linear<3, 4>,
}

#[params]
struct Rows {
    table: Tensor<ROWS, rows>,
    note: String,
}

#[model]
fn undeclared_dim<const N: usize>(x: Tensor<n, 3>) -> Tensor<N> {
    x.sum_dim(1)
}

#[model]
fn unknown_dtype<const N: usize>(x: Tensor<f23, N>) -> Tensor<f23, N> {
    x
}

#[model]
fn generic<T: Copy, const N: usize>(x: Tensor<N>) -> Tensor<N> {
    x
}

#[model]
fn bounded_by_where<const N: usize>(x: Tensor<N>) -> Tensor<N>
where
    Net: Clone,
{
    x
}

#[model(M <= 32)]
fn bound_on_another_dim<const N: usize>(x: Tensor<N>) -> Tensor<N> {
    x
}

#[model]
async fn later<const N: usize>(x: Tensor<N>) -> Tensor<N> {
    x
}

#[model]
unsafe fn careless<const N: usize>(x: Tensor<N>) -> Tensor<N> {
    x
}

#[model]
fn no_result<const N: usize>(x: Tensor<N>) {
    x
}

#[model(grad(k))]
fn gradient_of_labels<const N: usize>(x: Tensor<N>, k: Tensor<i64, N>) -> Tensor<> {
    (x * k.to(f32)).sum()
}

#[model]
fn calls_faulty_ones<const N: usize>(x: Tensor<N>) -> Tensor<N> {
    generic(x) + bound_on_another_dim(x)
}

fn main() -> kiln::Result<()> {
    let x: Tensor = undeclared_dim([[0.0; 3]])?;
    let x: Tensor = generic(bounded_by_where(bound_on_another_dim(calls_faulty_ones(x)?)?)?)?;
    gradient_of_labels(x, [1])?;
    Ok(())
}
