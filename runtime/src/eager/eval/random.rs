//! Random numbers, by the function that compiled models call.

use super::view::{Value, View};
use crate::Element;
use crate::rng::{random_bits, random_uniform};
use kiln_ir::Draw;

/// Of a generator's key and counter.
pub(super) fn random(draw: Draw, key: &Value, counter: &Value, shape: Vec<usize>) -> Value {
    let (Value::I32(key), Value::I64(counter)) = (key, counter) else {
        unreachable!("infer has seen their types")
    };
    let (low, high) = (key.data[key.offset], key.data[key.offset + key.strides[0]]);
    // Outside of models there is one: a batch goes element by element.
    let counter = counter.data[counter.offset];
    match draw {
        Draw::Uniform => Value::F32(filled(shape, |at| random_uniform(low, high, counter, at))),
        Draw::Bits => Value::I64(filled(shape, |at| random_bits(low, high, counter, at))),
    }
}

fn filled<T: Element>(shape: Vec<usize>, of: impl Fn(usize) -> T) -> View<T> {
    View::written(shape, &mut |out| out.iter_mut().enumerate().for_each(|(at, x)| *x = of(at)))
}
