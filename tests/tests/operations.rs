//! Every operation of the surface, compiled and eager, in f64: the values and both gradients agree.
#![allow(missing_docs)]

use kiln::autograd::grad;
use kiln::prelude::*;
use kiln_ir::surface::{Entry, Kind, entries};

/// A model for each row, named as the entry of the surface that it is about. A row sees `x` and `z`, `[N, 3]`, and
/// labels `l`; what it makes is summed up by a wave, so that no element's gradient is that of another.
macro_rules! operations {
    ($($name:ident: |$x:ident, $z:ident, $l:ident| $value:expr;)*) => {
        $(#[allow(dead_code)]
        mod $name {
            use kiln::prelude::*;

            #[model(grad($x, $z))]
            pub fn wave<const N: usize>(
                $x: Tensor<f64, N, 3>,
                $z: Tensor<f64, N, 3>,
                $l: Tensor<i64, N>,
            ) -> Tensor<f64> {
                let y = $value;
                (y.to(f64) * 0.7 + 0.1).sin().sum()
            }
        })*

        #[test]
        fn compiled_is_eager() {
            let inputs = Inputs::new();
            let mut faults = Vec::new();
            $(faults.extend(inputs.check(
                stringify!($name),
                |x, z, l| $name::wave::value_and_grad(x, z, l),
                |x, z, l| $name::wave::eager(x, z, l),
            ));)*
            assert!(faults.is_empty(), "{faults:#?}");
        }

        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

operations! {
    neg: |x, z, l| x.neg() * z;
    abs: |x, z, l| x.abs() * z;
    sign: |x, z, l| x.sign() * z;
    floor: |x, z, l| x.floor() * z;
    ceil: |x, z, l| x.ceil() * z;
    round: |x, z, l| x.round() * z;
    trunc: |x, z, l| (x * 3.0).trunc() * z;
    exp: |x, z, l| x.exp() * z;
    expm1: |x, z, l| x.expm1() * z;
    sin: |x, z, l| x.sin() * z;
    cos: |x, z, l| x.cos() * z;
    tan: |x, z, l| (x * 0.4).tan() * z;
    tanh: |x, z, l| x.tanh() * z;
    erf: |x, z, l| x.erf() * z;
    relu: |x, z, l| x.relu() * z;
    relu6: |x, z, l| x.relu6() * z;
    sigmoid: |x, z, l| x.sigmoid() * z;
    logsigmoid: |x, z, l| x.logsigmoid() * z;
    silu: |x, z, l| x.silu() * z;
    mish: |x, z, l| x.mish() * z;
    softplus: |x, z, l| x.softplus() * z;
    gelu: |x, z, l| x.gelu() * z;
    gelu_tanh: |x, z, l| x.gelu_tanh() * z;
    hardsigmoid: |x, z, l| x.hardsigmoid() * z;
    hardswish: |x, z, l| x.hardswish() * z;
    hardtanh: |x, z, l| x.hardtanh() * z;
    selu: |x, z, l| x.selu() * z;
    square: |x, z, l| x.square() * z;
    reciprocal: |x, z, l| x.reciprocal() * z;
    sum: |x, z, l| x.sum() + z;
    mean: |x, z, l| x.mean() + z;
    max: |x, z, l| x.max() + z;
    min: |x, z, l| x.min() + z;
    var: |x, z, l| x.var() + z;
    std: |x, z, l| x.std() + z;
    norm: |x, z, l| x.norm() + z;
    zeros_like: |x, z, l| x.zeros_like() + z;
    ones_like: |x, z, l| x.ones_like() + z;
    log: |x, z, l| (x * x + 0.5).log() * z;
    log1p: |x, z, l| (x * x + 0.5).log1p() * z;
    sqrt: |x, z, l| (x * x + 0.5).sqrt() * z;
    rsqrt: |x, z, l| (x * x + 0.5).rsqrt() * z;
    add: |x, z, l| x.add(z) + x.add(0.5);
    sub: |x, z, l| x.sub(z) + x.sub(0.5);
    mul: |x, z, l| x.mul(z) + x.mul(0.5);
    div: |x, z, l| x.div(z) + x.div(0.5);
    maximum: |x, z, l| x.maximum(z) + x.maximum(0.5);
    minimum: |x, z, l| x.minimum(z) + x.minimum(0.5);
    atan2: |x, z, l| x.atan2(z) + x.atan2(0.5);
    pow: |x, z, l| (x * x + 0.5).pow(z) + x.pow(3);
    leaky_relu: |x, z, l| x.leaky_relu(0.1) * z;
    clamp: |x, z, l| x.clamp(-0.5, 0.5) * z;
    clamp_min: |x, z, l| x.clamp_min(-0.5) * z;
    clamp_max: |x, z, l| x.clamp_max(0.5) * z;
    softplus_with: |x, z, l| x.softplus_with(2.0, 1.0) * z;
    elu: |x, z, l| x.elu(0.7) * z;
    eq: |x, z, l| x.eq(z).to(f64) + x.round().eq(1.0).to(f64) * z;
    ne: |x, z, l| x.ne(z).to(f64) + x.round().ne(1.0).to(f64) * z;
    lt: |x, z, l| x.lt(z).to(f64) + x.round().lt(1.0).to(f64) * z;
    le: |x, z, l| x.le(z).to(f64) + x.round().le(1.0).to(f64) * z;
    gt: |x, z, l| x.gt(z).to(f64) + x.round().gt(1.0).to(f64) * z;
    ge: |x, z, l| x.ge(z).to(f64) + x.round().ge(1.0).to(f64) * z;
    logical_and: |x, z, l| x.gt(0.0).logical_and(z.gt(0.0));
    logical_or: |x, z, l| x.gt(0.0) | z.gt(0.0);
    logical_not: |x, z, l| x.gt(0.0).logical_not();
    where_cond: |x, z, l| where_cond(x.gt(z), x * 2.0, z) + x.gt(0.0).where_cond(z, 1.0);
    masked_fill: |x, z, l| x.masked_fill(z.gt(0.0), -1.0) * z;
    to: |x, z, l| x.to(f32).to(f64) * z + x.to(i64).to(f64);
    cast: |x, z, l| x.cast(i32).to(f64) * z;
    detach: |x, z, l| x.detach() * x * z;
    stop_gradient: |x, z, l| stop_gradient(x * z) * x;
    clone: |x, z, l| x.clone() * z;
    matmul: |x, z, l| x.matmul(z.t()) + matmul(z, x.transpose(0, 1));
    linear: |x, z, l| linear(x, z, Some(x.sum_dim(1))) + x.linear(z, None);
    t: |x, z, l| x.t().matmul(z);
    transpose: |x, z, l| x.transpose(0, -1) * z.t();
    permute: |x, z, l| x.permute([1, 0]) * z.t();
    reshape: |x, z, l| x.reshape([3, -1]) * z.t();
    view: |x, z, l| x.view([-1]) * z.flatten(0, 1);
    flatten: |x, z, l| x.flatten(0, -1) + z.flatten(0, 1).sin();
    squeeze: |x, z, l| x.unsqueeze(1).squeeze(1) * z;
    unsqueeze: |x, z, l| x.unsqueeze(0) * z.unsqueeze(-2);
    expand: |x, z, l| x.unsqueeze(0).expand([2, -1, 3]) * z;
    repeat: |x, z, l| x.repeat([2, 1, 2]) * z.repeat([1, 2]);
    roll: |x, z, l| x.roll(1, 1) * z.roll(-2, 0);
    pad: |x, z, l| x.pad([1, -1], 0.5) * z.pad([0, 0, 1, -1], 0.0);
    pixel_shuffle: |x, z, l| x.t().pad([0, 0, 0, 1], 0.0).unsqueeze(1).pixel_shuffle(2) * z.sum();
    pixel_unshuffle: |x, z, l| x.unsqueeze(0).pad([0, 1], 1.0).transpose(1, 2).repeat([1, 1, 2]).pixel_unshuffle(2) * z.sum();
    einsum: |x, z, l| einsum("ni,nj->ij", &[x, z]) + einsum("ij,...ik,kk", &[x, z, x.t().matmul(z)]).sum();
    scaled_dot_product_attention: |x, z, l| scaled_dot_product_attention(x, z, x * z);
    scaled_dot_product_attention_with: |x, z, l| scaled_dot_product_attention_with(x, z, x, Some(z.matmul(z.t())), true, 0.3);
    narrow: |x, z, l| x.narrow(1, 1, 2) * z.narrow(1, 0, 2);
    slice: |x, z, l| x.slice(1, 0, 3, 2) * z.slice(1, -2, 3, 1);
    select: |x, z, l| x.select(1, -1) * z.select(1, 0);
    split: |x, z, l| { let [a, b] = x.split([1, 2], 1); a * z + b.sum() };
    chunk: |x, z, l| { let [a, b] = x.chunk(2, 1); a.sum_dim(1) + b.squeeze(1) * z.sum_dim(1) };
    tril: |x, z, l| x.t().matmul(z).tril(0);
    triu: |x, z, l| x.t().matmul(z).triu(1);
    cat: |x, z, l| cat(&[x, z * 2.0, x], 0);
    stack: |x, z, l| stack(&[x, z * 2.0], 1);
    sum_dim: |x, z, l| x.sum_dim(1) + (x * z).sum_dim([0]).sum();
    sum_keepdim: |x, z, l| x.sum_keepdim(1) * z + (x * z).sum_keepdim([0, 1]);
    mean_dim: |x, z, l| x.mean_dim(1) + (x * z).mean_dim([0]).sum();
    mean_keepdim: |x, z, l| x.mean_keepdim(1) * z + (x * z).mean_keepdim([0, 1]);
    amax: |x, z, l| x.amax(1) + (x * z).amax([0]).sum();
    amax_keepdim: |x, z, l| x.amax_keepdim(1) * z + (x * z).amax_keepdim([0, 1]);
    amin: |x, z, l| x.amin(1) + (x * z).amin([0]).sum();
    amin_keepdim: |x, z, l| x.amin_keepdim(1) * z + (x * z).amin_keepdim([0, 1]);
    max_dim: |x, z, l| { let (v, i) = x.max_dim(1); v * i.to(f64) * z.sum_dim(1) };
    min_dim: |x, z, l| { let (v, i) = x.min_dim(0); v * i.to(f64) * z };
    argmax: |x, z, l| x.argmax(1).to(f64) + z.sum();
    argmin: |x, z, l| x.argmin(0).to(f64) + z;
    var_dim: |x, z, l| x.var_dim(1, 1.0) + (x * z).var_dim([1], 0.0);
    var_keepdim: |x, z, l| x.var_keepdim(1, 1.0) * z;
    std_dim: |x, z, l| x.std_dim(1, 1.0) + (x * z).std_dim([1], 0.0);
    std_keepdim: |x, z, l| x.std_keepdim(1, 1.0) * z;
    norm_dim: |x, z, l| x.norm_dim(2.0, 1) + z.norm_dim(3.0, [1]);
    norm_keepdim: |x, z, l| x.norm_keepdim(2.0, 1) * z;
    logsumexp: |x, z, l| x.logsumexp(1) + z.logsumexp([0, 1]);
    logsumexp_keepdim: |x, z, l| x.logsumexp_keepdim(0) * z;
    softmax: |x, z, l| x.softmax(-1) * z + z.softmax(0);
    log_softmax: |x, z, l| x.log_softmax(-1) * z + z.log_softmax(0);
    layer_norm: |x, z, l| x.layer_norm([3], Some(z.sum_dim(0)), Some(z.amax(0)), 1e-5) + layer_norm(z, [3], None, None, 1e-5);
    normalize: |x, z, l| x.normalize(1) * z + normalize(z, 0);
    rms_norm: |x, z, l| x.rms_norm([3], Some(z.sum_dim(0)), 1e-5) + rms_norm(z, [3], None, 1e-5);
    batch_norm: |x, z, l| x.batch_norm(z.mean_dim(0), z.var_dim(0, 1.0), Some(z.amax(0)), Some(x.amin(0)), 1e-5) + batch_norm(z, x.mean_dim(0), x.exp().sum_dim(0), None, None, 1e-5);
    batch_norm_train: |x, z, l| {
        let (y, mean, var) = batch_norm_train(x, z.mean_dim(0), z.var_dim(0, 1.0), Some(z.amax(0)), Some(x.amin(0)), 0.1, 1e-5);
        y * mean + var
    };
    group_norm: |x, z, l| stack(&[x, z], -1).group_norm(3, Some(z.sum_dim(0)), Some(z.amax(0)), 1e-5).sum_dim(-1) + group_norm(z, 1, None, None, 1e-5);
    instance_norm: |x, z, l| stack(&[x, z], -1).instance_norm(Some(z.sum_dim(0)), Some(z.amax(0)), 1e-5).sum() + instance_norm(z.t().unsqueeze(0), None, None, 1e-5).squeeze(0).t();
    local_response_norm: |x, z, l| x.local_response_norm(2, 0.5, 0.75, 1.0) * z + local_response_norm(z, 3, 0.1, 0.5, 1.0);
    conv1d: |x, z, l| conv1d(x.unsqueeze(1), x.t().matmul(z).unsqueeze(1).narrow(2, 0, 2), Some(z.amax(0)));
    conv1d_with: |x, z, l| conv1d_with(x.unsqueeze(1), x.t().matmul(z).unsqueeze(1).narrow(2, 0, 2), None, 2, [1], 1, 1) * z.sum();
    conv_transpose1d: |x, z, l| conv_transpose1d(x.unsqueeze(1), x.t().matmul(z).narrow(0, 0, 1).narrow(1, 0, 2).unsqueeze(0), Some(z.sum().reshape([1])));
    conv_transpose1d_with: |x, z, l| conv_transpose1d_with(x.unsqueeze(1), x.t().matmul(z).narrow(0, 0, 1).narrow(1, 0, 2).unsqueeze(0), None, 2, [1], [1], 1, 2) * z.sum();
    max_pool1d: |x, z, l| max_pool1d(x.unsqueeze(1), [2]) * z.sum();
    max_pool1d_with: |x, z, l| max_pool1d_with(x.unsqueeze(1), [2], 2, [1], 1, true) * z.sum();
    avg_pool1d: |x, z, l| avg_pool1d(x.unsqueeze(1), [2]) * z.sum();
    avg_pool1d_with: |x, z, l| avg_pool1d_with(x.unsqueeze(1), [2], 2, [1], true, false) * z.sum();
    adaptive_avg_pool1d: |x, z, l| adaptive_avg_pool1d(x.unsqueeze(1), 2) * z.sum();
    adaptive_max_pool1d: |x, z, l| adaptive_max_pool1d(x.unsqueeze(1), 2) * z.sum();
    grouped_query_attention: |x, z, l| {
        let (q, k) = (stack(&[x, z, x * z, x - z], 0), stack(&[z, x.sin()], 0));
        grouped_query_attention(q, k, k.cos(), true).sum_dim(0) + grouped_query_attention(q, k, q.narrow(0, 0, 2), false).sum_dim(0)
    };
    linformer_attention: |x, z, l| {
        let mix = x.matmul(z.t()).narrow(0, 0, 1);
        linformer_attention(x, z, x * z, mix, mix.sin())
    };
    performer_attention: |x, z, l| {
        let p = z.t().matmul(z);
        performer_attention(x, z, x * z, p, true, 1e-4) + performer_attention(z, x, x, p, false, 0.0)
    };
    rotary_embedding: |x, z, l| {
        let (pairs, at) = (cat(&[x, z], 1), l.to(f64));
        let y = rotary_embedding(pairs, at, 100.0, true) + rotary_embedding(pairs, at + 3.0, 100.0, false);
        y.narrow(1, 0, 3) + y.narrow(1, 3, 3)
    };
    conv2d: |x, z, l| conv2d(x.t().matmul(z).unsqueeze(0).unsqueeze(0), x.t().matmul(x).narrow(0, 0, 2).narrow(1, 0, 2).unsqueeze(0).unsqueeze(0), Some(z.sum().reshape([1])));
    conv2d_with: |x, z, l| conv2d_with(x.t().matmul(z).unsqueeze(0).unsqueeze(0), x.t().matmul(x).narrow(0, 0, 2).narrow(1, 0, 2).unsqueeze(0).unsqueeze(0), None, 2, [0, 1], 1, 1) * z.sum();
    conv_transpose2d: |x, z, l| conv_transpose2d(x.t().matmul(z).unsqueeze(0).unsqueeze(0), x.t().matmul(x).narrow(0, 0, 2).narrow(1, 0, 2).unsqueeze(0).unsqueeze(0), Some(z.sum().reshape([1])));
    conv_transpose2d_with: |x, z, l| conv_transpose2d_with(x.t().matmul(z).unsqueeze(0).unsqueeze(0), x.t().matmul(x).narrow(0, 0, 2).narrow(1, 0, 2).unsqueeze(0).unsqueeze(0), None, 2, [0, 1], [0, 1], 1, 2) * z.sum();
    max_pool2d: |x, z, l| max_pool2d(x.t().matmul(z).unsqueeze(0).unsqueeze(0), [1, 2]) * z.sum();
    max_pool2d_with: |x, z, l| max_pool2d_with(x.t().matmul(z).unsqueeze(0).unsqueeze(0), [1, 2], 2, [0, 1], 1, true) * z.sum();
    avg_pool2d: |x, z, l| avg_pool2d(x.t().matmul(z).unsqueeze(0).unsqueeze(0), [1, 2]) * z.sum();
    avg_pool2d_with: |x, z, l| avg_pool2d_with(x.t().matmul(z).unsqueeze(0).unsqueeze(0), [1, 2], 2, [0, 1], true, false) * z.sum();
    adaptive_avg_pool2d: |x, z, l| adaptive_avg_pool2d(x.t().matmul(z).unsqueeze(0).unsqueeze(0), 2) * z.sum();
    adaptive_max_pool2d: |x, z, l| adaptive_max_pool2d(x.t().matmul(z).unsqueeze(0).unsqueeze(0), 2) * z.sum();
    conv3d: |x, z, l| conv3d(x.t().matmul(z).unsqueeze(0).unsqueeze(0).unsqueeze(0), x.t().matmul(x).narrow(0, 0, 2).narrow(1, 0, 2).unsqueeze(0).unsqueeze(0).unsqueeze(0), Some(z.sum().reshape([1])));
    conv3d_with: |x, z, l| conv3d_with(x.t().matmul(z).unsqueeze(0).unsqueeze(0).unsqueeze(0), x.t().matmul(x).narrow(0, 0, 2).narrow(1, 0, 2).unsqueeze(0).unsqueeze(0).unsqueeze(0), None, 2, [0, 0, 1], 1, 1) * z.sum();
    conv_transpose3d: |x, z, l| conv_transpose3d(x.t().matmul(z).unsqueeze(0).unsqueeze(0).unsqueeze(0), x.t().matmul(x).narrow(0, 0, 2).narrow(1, 0, 2).unsqueeze(0).unsqueeze(0).unsqueeze(0), Some(z.sum().reshape([1])));
    conv_transpose3d_with: |x, z, l| conv_transpose3d_with(x.t().matmul(z).unsqueeze(0).unsqueeze(0).unsqueeze(0), x.t().matmul(x).narrow(0, 0, 2).narrow(1, 0, 2).unsqueeze(0).unsqueeze(0).unsqueeze(0), None, 2, [0, 0, 1], [0, 0, 1], 1, 2) * z.sum();
    max_pool3d: |x, z, l| max_pool3d(x.t().matmul(z).unsqueeze(0).unsqueeze(0).unsqueeze(0), [1, 1, 2]) * z.sum();
    max_pool3d_with: |x, z, l| max_pool3d_with(x.t().matmul(z).unsqueeze(0).unsqueeze(0).unsqueeze(0), [1, 1, 2], 2, [0, 0, 1], 1, true) * z.sum();
    avg_pool3d: |x, z, l| avg_pool3d(x.t().matmul(z).unsqueeze(0).unsqueeze(0).unsqueeze(0), [1, 1, 2]) * z.sum();
    avg_pool3d_with: |x, z, l| avg_pool3d_with(x.t().matmul(z).unsqueeze(0).unsqueeze(0).unsqueeze(0), [1, 1, 2], 2, [0, 0, 1], true, false) * z.sum();
    adaptive_avg_pool3d: |x, z, l| adaptive_avg_pool3d(x.t().matmul(z).unsqueeze(0).unsqueeze(0).unsqueeze(0), 1) * z.sum();
    adaptive_max_pool3d: |x, z, l| adaptive_max_pool3d(x.t().matmul(z).unsqueeze(0).unsqueeze(0).unsqueeze(0), 1) * z.sum();
    pad_reflect: |x, z, l| x.pad_reflect([1, 2]) * z.sum();
    pad_replicate: |x, z, l| x.pad_replicate([1, 2]) * z.sum();
    pad_circular: |x, z, l| x.pad_circular([2, 1]) * z.sum();
    prod: |x, z, l| x.sum_dim(0).prod() * z;
    prod_dim: |x, z, l| x.prod_dim(1) * z.sum_dim(1);
    cumsum: |x, z, l| x.cumsum(1) * z + z.cumsum(0);
    topk: |x, z, l| { let (v, i) = x.topk(2, 1, true); v * i.to(f64) * z.sum_keepdim(1) };
    sort: |x, z, l| { let (v, i) = (x * z).sort(0, false); v * (i.to(f64) + 1.0) };
    argsort: |x, z, l| x.argsort(1, true).to(f64) * z;
    embedding: |x, z, l| x.embedding(l) * z;
    embedding_with: |x, z, l| x.embedding_with(l, 1) * z;
    index_select: |x, z, l| x.index_select(0, l) * z;
    gather: |x, z, l| x.gather(1, l.unsqueeze(1)) * z;
    narrow_at: |x, z, l| x.narrow_at(1, l.sum(), 2) * z.narrow(1, 0, 2);
    update_at: |x, z, l| x.update_at(1, l.sum(), z.narrow(1, 0, 2)) * z;
    scatter_add: |x, z, l| x.scatter_add(1, l.unsqueeze(1), z.sum_keepdim(1)) * z;
    index_add: |x, z, l| x.index_add(0, l, z * z) * z;
    flip: |x, z, l| x.flip([0, 1]) * z;
    interpolate_nearest: |x, z, l| (x * z).unsqueeze(1).interpolate_nearest(6).sum_dim(1) + z.unsqueeze(1).interpolate_nearest(5).sum();
    interpolate_linear: |x, z, l| (x * z).unsqueeze(1).interpolate_linear(5, false) + z.unsqueeze(1).interpolate_linear(5, true);
    interpolate_nearest_with: |x, z, l| (x * z).unsqueeze(1).interpolate_nearest_with(1.5).sum_dim(-1) + z.sum();
    interpolate_linear_with: |x, z, l| (x * z).unsqueeze(1).interpolate_linear_with(1.5, false) + z.sum();
    mse_loss: |x, z, l| mse_loss(x, z);
    l1_loss: |x, z, l| l1_loss(x, z);
    huber_loss: |x, z, l| huber_loss(x, z, 0.5);
    smooth_l1_loss: |x, z, l| smooth_l1_loss(x, z, 0.5);
    mse_loss_with: |x, z, l| mse_loss_with(x, z, "none");
    l1_loss_with: |x, z, l| l1_loss_with(x, z, "sum");
    huber_loss_with: |x, z, l| huber_loss_with(x, z, 0.5, "none");
    smooth_l1_loss_with: |x, z, l| smooth_l1_loss_with(x, z, 0.5, "sum");
    binary_cross_entropy_with_logits: |x, z, l| binary_cross_entropy_with_logits(x, z);
    binary_cross_entropy_with_logits_with: |x, z, l| binary_cross_entropy_with_logits_with(x, z, Some(x), Some(z), "none");
    binary_cross_entropy: |x, z, l| binary_cross_entropy(x.sigmoid(), z.sigmoid());
    binary_cross_entropy_with: |x, z, l| binary_cross_entropy_with(x.sigmoid(), z.sigmoid(), Some(z), "none");
    cosine_similarity: |x, z, l| cosine_similarity(x, z, 1, 1e-8) + cosine_similarity(x.unsqueeze(1), z, -1, 1e-8).sum();
    cross_entropy: |x, z, l| cross_entropy(x, l) + cross_entropy(x, z.softmax(-1));
    cross_entropy_with: |x, z, l| cross_entropy_with(x, l, Some(z.sum_dim(0).exp()), 1, 0.1, "mean") + cross_entropy_with(x, l, None, -100, 0.0, "none");
    nll_loss: |x, z, l| nll_loss(x, l) + z;
    nll_loss_with: |x, z, l| nll_loss_with(x, l, None, 1, "sum") + z;
    kl_div: |x, z, l| kl_div(x, z.softmax(-1));
    kl_div_with: |x, z, l| kl_div_with(x, z, "none", true);
    poisson_nll_loss: |x, z, l| poisson_nll_loss(x, z.square());
    poisson_nll_loss_with: |x, z, l| poisson_nll_loss_with(x.square() + 0.5, z.square() * 4.0, false, true, 1e-8, "none");
    gaussian_nll_loss: |x, z, l| gaussian_nll_loss(x, z, (x * z).square() + 0.1);
    gaussian_nll_loss_with: |x, z, l| gaussian_nll_loss_with(x, z, z.square(), true, 0.5, "none");
    hinge_embedding_loss: |x, z, l| hinge_embedding_loss(x, z.sign(), 0.5) * z;
    hinge_embedding_loss_with: |x, z, l| hinge_embedding_loss_with(x, z.sign(), 0.5, "none");
    margin_ranking_loss: |x, z, l| margin_ranking_loss(x, z, x.round().sign(), 0.5);
    margin_ranking_loss_with: |x, z, l| margin_ranking_loss_with(x, z, z, 0.5, "none");
    soft_margin_loss: |x, z, l| soft_margin_loss(x, z);
    soft_margin_loss_with: |x, z, l| soft_margin_loss_with(x, z, "none");
    multilabel_soft_margin_loss: |x, z, l| multilabel_soft_margin_loss(x, z);
    multilabel_soft_margin_loss_with: |x, z, l| multilabel_soft_margin_loss_with(x, z, Some(z.sum_dim(0)), "none");
    multi_margin_loss: |x, z, l| multi_margin_loss(x * z, l);
    multi_margin_loss_with: |x, z, l| multi_margin_loss_with(x, l, 2.0, 0.7, Some(z.sum_dim(0)), "none");
    multilabel_margin_loss: |x, z, l| multilabel_margin_loss(x * z, l.unsqueeze(1) - arange(3).unsqueeze(0));
    multilabel_margin_loss_with: |x, z, l| multilabel_margin_loss_with(x * z, l.unsqueeze(1) * 0 + 1 - arange(3).unsqueeze(0), "none");
    cosine_embedding_loss: |x, z, l| cosine_embedding_loss(x, z, x.sum_dim(1).sign(), 0.1);
    cosine_embedding_loss_with: |x, z, l| cosine_embedding_loss_with(x, z, x.sum_dim(1).sign(), 0.1, "none");
    pairwise_distance: |x, z, l| pairwise_distance(x, z, 3.0, 1e-6);
    triplet_margin_loss: |x, z, l| triplet_margin_loss(x, z, x * z, 1.0);
    triplet_margin_loss_with: |x, z, l| triplet_margin_loss_with(x, z, x * z, 1.0, 2.0, 1e-6, true, "none");
    ctc_loss: |x, z, l| ctc_loss((x * z).unsqueeze(1).log_softmax(-1), l.unsqueeze(0).narrow(1, 0, 1), l.narrow(0, 0, 1) * 0 + 3, l.narrow(0, 0, 1) * 0 + 1, 2);
    ctc_loss_with: |x, z, l| ctc_loss_with((x * z).unsqueeze(1).log_softmax(-1), l.unsqueeze(0), l.narrow(0, 0, 1) * 0 + 3, l.narrow(0, 0, 1) * 0 + 2, 2, true, "none");
    accuracy: |x, z, l| accuracy(x, l).to(f64) + z;
    quantize_per_tensor: |x, z, l| quantize_per_tensor(x, z.square().mean(), 3, -128, 127).to(f64) * z;
    quantize_per_channel: |x, z, l| quantize_per_channel(x, z.square().sum_dim(0) + 0.01, 0, -1, -8, 7).to(f64) * z;
    dequantize_per_tensor: |x, z, l| dequantize_per_tensor(l, x.mean(), 1) + z.sum();
    dequantize_per_channel: |x, z, l| dequantize_per_channel(l.unsqueeze(1), x.sum_dim([0, 1]).reshape([1]), 1, 1) * z;
    fake_quantize_per_tensor_affine: |x, z, l| fake_quantize_per_tensor_affine(x, 0.1, 5, 0, 15) * z;
    choose_qparams_per_tensor: |x, z, l| { let (s, q) = choose_qparams_per_tensor(x, true); z * s + q.to(f64) };
    linear_dynamic: |x, z, l| linear_dynamic(x, one_hot(l, 3) * 9 - 4, x.square().sum_dim(1), None, false) + z.sum();
    zeros: |x, z, l| zeros([2, 3]).to(f64) + z.sum() * x.sum();
    ones: |x, z, l| ones([3]).to(f64) * z * x;
    full: |x, z, l| full([3], 0.5).to(f64) * z * x;
    full_like: |x, z, l| x.full_like(0.5) * z;
    arange: |x, z, l| arange(3).to(f64) * x * z;
    one_hot: |x, z, l| one_hot(l, 3).to(f64) * x * z;
    rnn: |x, z, l| {
        let (steps, w) = (x.unsqueeze(1), x.t().matmul(z) * 0.3);
        let (all, last) = rnn(steps, None, w, w.t(), Some(x.sum_dim(0)), None, "tanh", false);
        let (relu, _) = rnn(steps, Some(last), w, w, None, Some(z.sum_dim(0)), "relu", true);
        all + relu * 0.1
    };
    lstm: |x, z, l| {
        let (steps, w) = (x.unsqueeze(1), cat(&[x, z, x.sin(), z.cos()], 0).narrow(0, 0, 12));
        let (all, h, c) = lstm(steps, None, None, w, w * 0.5, Some(w.sum_dim(1)), None, false);
        all + lstm(steps, Some(h), Some(c), w, w, None, None, true).0
    };
    gru: |x, z, l| {
        let (steps, w) = (x.unsqueeze(1), cat(&[x, z], 0).narrow(0, 0, 9));
        let (all, h) = gru(steps, None, w, w * 0.5, None, Some(w.sum_dim(1)), false);
        all + gru(steps, Some(h), w, w, Some(w.sum_dim(1)), None, true).0
    };
}

struct Inputs {
    x: Tensor<f64>,
    z: Tensor<f64>,
    l: Tensor<i64>,
}

impl Inputs {
    fn new() -> Inputs {
        let mut rng = Rng::seed(5);
        let mut draw = || {
            let data = (0..15).map(|_| 2.5 * rng.uniform_f64() - 1.2).collect();
            Tensor::from_vec([5, 3], data).expect("15 elements")
        };
        Inputs { x: draw(), z: draw(), l: Tensor::from([0, 2, 1, 1, 0]) }
    }

    fn check(
        &self,
        name: &str,
        compiled: impl Fn(&Tensor<f64>, &Tensor<f64>, &Tensor<i64>) -> kiln::Result<Compiled>,
        eager: impl Fn(&Tensor<f64>, &Tensor<f64>, &Tensor<i64>) -> Tensor<f64>,
    ) -> Vec<String> {
        let (value, (dx, dz)) =
            compiled(&self.x, &self.z, &self.l).unwrap_or_else(|e| panic!("{name}, compiled: {e}"));
        let (x, z) = (self.x.clone().requires_grad(), self.z.clone().requires_grad());
        let want = eager(&x, &z, &self.l).ok().unwrap_or_else(|e| panic!("{name}, eager: {e}"));
        let grads = match want.is_recorded() {
            true => grad(&want, &[&x, &z], false).unwrap_or_else(|e| panic!("{name}, gradient: {e}")),
            false => vec![x.zeros_like(), z.zeros_like()],
        };
        let mut faults = Vec::new();
        for (what, got, want) in [("value", &value, &want), ("dx", &dx, &grads[0]), ("dz", &dz, &grads[1])] {
            assert_eq!(got.shape(), want.shape(), "{name}, {what}");
            for (got, want) in got.as_slice().iter().zip(want.as_slice()) {
                // The element types of f32 within some rows are what allows so much.
                let allowed = if ["to", "accuracy"].contains(&name) { 1e-6 } else { 1e-12 };
                if (got - want).is_nan() || (got - want).abs() > allowed * want.abs().max(1.0) {
                    faults.push(format!("{name}, {what}: {got} for {want}"));
                }
            }
        }
        faults
    }
}

type Compiled = (Tensor<f64>, (Tensor<f64>, Tensor<f64>));

#[test]
fn every_entry_has_a_row() {
    // What draws has tests of its own: a row sees no generator.
    let draws = |entry: &Entry| entry.params.iter().any(|p| p.kind == Kind::Rng);
    for entry in entries().filter(|entry| !draws(entry)) {
        assert!(NAMES.contains(&entry.name), "no row for `{}`", entry.name);
    }
}

#[test]
fn another_meaning_is_rejected() {
    let inputs = Inputs::new();
    let wrong = |x: &Tensor<f64>, z: &Tensor<f64>, l: &Tensor<i64>| exp::wave::eager(x * (1.0 + 1e-9), z, l);
    let faults = inputs.check("exp", |x, z, l| exp::wave::value_and_grad(x, z, l), wrong);
    assert!(faults.len() > 15, "{faults:#?}");
}
