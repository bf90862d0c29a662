//! A U-Net of any height and width that are multiples of four, with group norms of any number of channels.

use kiln::prelude::*;
#[params]
pub struct Double<const I: usize, const O: usize> {
    c1: Conv2d<I, O, 3, 1, 1>,
    n1: GroupNorm<4, O>,
    c2: Conv2d<O, O, 3, 1, 1>,
    n2: GroupNorm<4, O>,
}
#[params]
pub struct UNet {
    d1: Double<1, 8>,
    d2: Double<8, 16>,
    mid: Double<16, 32>,
    u2: ConvTranspose2d<32, 16, 2, 2>,
    e2: Double<32, 16>,
    e1: Double<24, 8>,
    out: Conv2d<8, 1, 1>,
}
#[model(inline)]
pub fn double<const I: usize, const O: usize, const N: usize, const H: usize, const W: usize>(
    d: &Double<I, O>,
    x: Tensor<N, I, H, W>,
) -> Tensor<N, O, H, W> {
    let h = d.n1.forward(d.c1.forward(x)).silu();
    d.n2.forward(d.c2.forward(h)).silu()
}
#[model]
pub fn unet<const N: usize, const H: usize, const W: usize>(
    u: &UNet,
    x: Tensor<N, 1, { 4 * H }, { 4 * W }>,
) -> Tensor<N, 1, { 4 * H }, { 4 * W }> {
    let a = double(&u.d1, x);
    let b = double(&u.d2, max_pool2d(a, 2));
    let m = double(&u.mid, max_pool2d(b, 2));
    let y = double(&u.e2, cat([u.u2.forward(m), b], 1));
    let y = double(&u.e1, cat([y.interpolate_linear([4 * H, 4 * W], false), a], 1));
    u.out.forward(y)
}

#[model]
pub fn unet_loss<const N: usize, const H: usize, const W: usize>(
    u: &UNet,
    x: Tensor<N, 1, { 4 * H }, { 4 * W }>,
) -> Tensor {
    binary_cross_entropy_with_logits(unet(u, x), x.gt(0.0).to(f32))
}
