//! What the integration tests share: a random generator, random arrays and inner products.
#![allow(dead_code)] // Each test file uses a part.

pub mod derivatives;
pub mod graphs;
mod rng;

pub use rng::Rng;

use kiln_ir::{Builder, DType, Dim, Func, Role, Syms, Ty, Value, ops::Array};

impl Rng {
    /// An array of f64 between −1 and 1.
    pub fn array(&mut self, shape: &[usize]) -> Array {
        let data = (0..shape.iter().product()).map(|_| self.uniform(-1.0, 1.0)).collect();
        Array::rounded(DType::F64, shape.to_vec(), data)
    }
}

/// An f64 type of that shape.
pub fn f64s(shape: &[usize]) -> Ty {
    Ty::new(DType::F64, shape.iter().map(|n| Dim::from(*n)).collect::<Vec<_>>())
}

/// The one-output function that `build` makes of f64 inputs of these shapes.
pub fn function(
    shapes: &[Vec<usize>],
    build: impl Fn(&mut Builder, &[Value]) -> Result<Value, kiln_ir::Error>,
) -> Func {
    let mut b = Builder::new("f", Syms::default());
    let inputs: Vec<_> =
        shapes.iter().enumerate().map(|(i, s)| b.input(&format!("x{i}"), f64s(s), Role::Argument)).collect();
    let out = build(&mut b, &inputs).unwrap_or_else(|e| panic!("{e}"));
    b.output("out", out, None);
    b.finish()
}

/// The literal sizes of a type.
pub fn sizes(ty: &Ty) -> Vec<usize> {
    ty.shape.iter().map(|d| d.literal().expect("a literal dim") as usize).collect()
}

/// Inner product, and the sum of the sizes of its terms.
pub fn inner(a: &[Array], b: &[Array]) -> (f64, f64) {
    assert_eq!(a.len(), b.len());
    let mut sums = (0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        assert_eq!(a.shape, b.shape);
        for (x, y) in a.data.iter().zip(&b.data) {
            sums = (sums.0 + x * y, sums.1 + (x * y).abs());
        }
    }
    sums
}

/// Equal to the last bit; one NaN is as good as another.
pub fn same(a: &Array, b: &Array) -> bool {
    let equal = |(x, y): (&f64, &f64)| x.to_bits() == y.to_bits() || (x.is_nan() && y.is_nan());
    (a.dtype, &a.shape) == (b.dtype, &b.shape) && a.data.iter().zip(&b.data).all(equal)
}

/// The function built anew.
pub fn rebuilt(func: &Func) -> Func {
    let mut b = Builder::new(&func.name, func.syms.clone());
    let args: Vec<Value> = func.inputs.iter().map(|i| b.input(&i.name, i.ty.clone(), i.role)).collect();
    let results = b.inline(func, &args).unwrap();
    func.outputs.iter().zip(results).for_each(|(o, v)| b.output(&o.name, v, o.updates));
    b.finish()
}
