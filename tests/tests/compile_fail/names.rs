//! Paths that lead to no model. The models' names exist all the same.

use kiln::prelude::*;

fn helper(x: f32) -> f32 {
    x
}

struct Plain {
    w: f32,
}

mod other {
    pub fn plain(x: f32) -> f32 {
        x
    }
}

#[model]
fn calls_a_plain_function<const N: usize>(x: Tensor<N>) -> Tensor<N> {
    helper(x)
}

#[model]
fn calls_a_plain_function_by_path<const N: usize>(x: Tensor<N>) -> Tensor<N> {
    other::plain(x)
}

#[model]
fn calls_nothing<const N: usize>(x: Tensor<N>) -> Tensor<N> {
    nowhere(x)
}

#[model]
fn takes_a_plain_struct<const N: usize>(p: &Plain, x: Tensor<N>) -> Tensor<N> {
    x
}

#[model]
fn calls_itself<const N: usize>(x: Tensor<N>) -> Tensor<N> {
    calls_itself(x)
}

fn main() -> kiln::Result<()> {
    let y = calls_a_plain_function([1.0])?.into_vec();
    calls_a_plain_function_by_path(y.as_slice())?;
    calls_nothing(y.as_slice())?;
    takes_a_plain_struct(&Plain { w: helper(1.0) }, y.as_slice())?;
    calls_itself(other::plain(1.0))?;
    Ok(())
}
