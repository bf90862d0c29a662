//! Sizes that only rustc knows are compared by rustc.

use kiln::prelude::*;

const HIDDEN: usize = 8;

mod narrow {
    use kiln::prelude::*;

    const HIDDEN: usize = 4;

    #[model]
    pub fn shift<const N: usize>(x: Tensor<N, HIDDEN>) -> Tensor<N, HIDDEN> {
        x + 1.0
    }
}

#[model]
fn another_size<const N: usize>(x: Tensor<N, 7>, y: Tensor<N, HIDDEN>) -> Tensor<N, 7> {
    x + y
}

#[model]
fn another_constant<const N: usize>(x: Tensor<N, HIDDEN>) -> Tensor<N, HIDDEN> {
    narrow::shift(x)
}

fn main() {}
