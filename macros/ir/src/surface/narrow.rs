//! Entries on bf16 and f16: what they compute they compute in f32, and only their results are rounded, as PyTorch does.

use super::{Arg, Entry, Results};
use crate::{Builder, DType, Error, Op, Value, narrow};

/// Entries that only move elements, or say themselves what is computed in which type.
const AS_IT_IS: &[&str] = &[
    "cast",
    "cat",
    "chunk",
    "clone",
    "detach",
    "embedding",
    "embedding_with",
    "expand",
    "flatten",
    "flip",
    "full_like",
    "gather",
    "index_select",
    "interpolate_nearest",
    "interpolate_nearest_with",
    "masked_fill",
    "narrow",
    "narrow_at",
    "ones_like",
    "pad",
    "pad_circular",
    "pad_reflect",
    "pad_replicate",
    "permute",
    "pixel_shuffle",
    "pixel_unshuffle",
    "quantize_per_channel",
    "quantize_per_tensor",
    "choose_qparams_per_tensor",
    "dequantize_per_channel",
    "dequantize_per_tensor",
    "fake_quantize_per_tensor_affine",
    "linear_dynamic",
    "repeat",
    "reshape",
    "roll",
    "select",
    "slice",
    "split",
    "squeeze",
    "stack",
    "stop_gradient",
    "t",
    "to",
    "transpose",
    "unsqueeze",
    "update_at",
    "view",
    "where_cond",
    "zeros_like",
];

/// Builds the call, in f32 where its floats are of one narrow type.
pub(super) fn call(entry: &Entry, b: &mut Builder, args: &[Arg]) -> Result<Results, Error> {
    let Some(dtype) = narrow_type(entry, b, args).filter(|_| !AS_IT_IS.contains(&entry.name)) else {
        return entry.build(b, args);
    };
    let wide = args.iter().map(|a| widened(b, a)).collect::<Result<Vec<Arg>, Error>>()?;
    match entry.build(b, &wide) {
        Ok(results) => rounded(b, results, dtype),
        // What is wrong is said of the types that the user has.
        Err(error) => Err(entry.build(b, args).err().unwrap_or(error)),
    }
}

/// The narrow type of all floats among the tensors; positions may be of any type.
fn narrow_type(entry: &Entry, b: &Builder, args: &[Arg]) -> Option<DType> {
    let args = args.iter().zip(entry.params).filter(|(_, p)| p.name != "positions");
    let tensors = args.flat_map(|(a, _)| match a {
        Arg::Tensor(v) => std::slice::from_ref(v),
        Arg::Tensors(list) => list,
        _ => &[],
    });
    let mut floats = tensors.map(|v| b.ty(*v).dtype).filter(|d| d.is_float());
    let first = floats.next().filter(|d| d.is_narrow())?;
    floats.all(|d| d == first).then_some(first)
}

fn widened(b: &mut Builder, arg: &Arg) -> Result<Arg, Error> {
    Ok(match arg {
        Arg::Tensor(v) => Arg::Tensor(narrow::widened(b, &[*v])?[0]),
        Arg::Tensors(list) => Arg::Tensors(narrow::widened(b, list)?),
        other => other.clone(),
    })
}

fn rounded(b: &mut Builder, results: Results, dtype: DType) -> Result<Results, Error> {
    let mut one = |v: Value| if b.ty(v).dtype == DType::F32 { b.emit(Op::Cast(dtype), &[v]) } else { Ok(v) };
    Ok(match results {
        Results::One(v) => Results::One(one(v)?),
        Results::Pair([x, y]) => Results::Pair([one(x)?, one(y)?]),
        Results::Triple([x, y, z]) => Results::Triple([one(x)?, one(y)?, one(z)?]),
        Results::List(list) => Results::List(list.into_iter().map(one).collect::<Result<_, _>>()?),
        Results::Drawn([x, counter]) => Results::Drawn([one(x)?, counter]),
    })
}
