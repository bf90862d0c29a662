//! Paths that lead to no model. The models' names exist all the same.

use kiln::prelude::*;

fn helper(x: f32) -> f32 {
    x
}

struct Plain {
    w: f32,
}

#[params]
struct Holds {
    plain: Plain,
    other: other::Sort,
}

mod other {
    pub enum Sort {
        One,
    }


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

#[model]
fn here<const N: usize>(x: Tensor<N>) -> Tensor<N> {
    there(x)
}

#[model]
fn there<const N: usize>(x: Tensor<N>) -> Tensor<N> {
    let y = here(x);
    y + here(x).rellu()
}

#[model]
fn calls_faulty_ones<const N: usize>(h: &Holds, p: &Plain, x: Tensor<N>) -> Tensor<N> {
    let y = calls_a_plain_function(x) + calls_nothing(x) * calls_itself(x);
    takes_a_plain_struct(p, y) + here(there(x)) + h.plain.w
}

mod below {
    use super::*;

    #[model]
    fn calls_from_below<const N: usize>(x: Tensor<N>) -> Tensor<N> {
        helper(calls_a_plain_function(x))
    }

    fn run() -> kiln::Result<()> {
        #[model]
        fn calls_from_a_body<const N: usize>(x: Tensor<N>) -> Tensor<N> {
            inner(x)
        }
        fn inner() {}
        calls_from_a_body(calls_from_below([1.0])?)?;
        Ok(())
    }
}

fn main() -> kiln::Result<()> {
    let y = calls_a_plain_function([1.0])?.into_vec();
    calls_a_plain_function_by_path(y.as_slice())?;
    calls_nothing(y.as_slice())?;
    takes_a_plain_struct(&Plain { w: helper(1.0) }, y.as_slice())?;
    calls_itself(other::plain(1.0))?;
    let h = Holds::init(&mut Rng::seed(0));
    let p = Plain { w: h.plain.w };
    here(there(calls_faulty_ones(&h, &p, y.as_slice())?)?)?;
    Ok(())
}
