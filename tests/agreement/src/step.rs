//! A step of Adam, with clipping, that updates everything in place.

use super::{Case, arrays, case, mlp, tolerance};
use kiln_ir::composite::{loss, optim};
use kiln_ir::differentiate::value_and_grad;
use kiln_ir::ops::Array;
use kiln_ir::{Builder, DType, Error, Func, Op, Role, Scalar, Ty, Value};

/// A step of Adam with clipping, in place.
pub fn train_step(dtype: DType) -> Case {
    let shapes: &[&[i64]] = &[&[0, 20], &[33, 20], &[33], &[10, 33], &[10]];
    let inner = case("inner", dtype, shapes, Some(10), false, &|b, x| {
        let z = mlp(b, x)?;
        Ok(vec![loss::cross_entropy(b, z, x[5], Default::default())?])
    });
    let grad = value_and_grad(&inner.func, &[1, 2, 3, 4]).expect("a scalar");
    let mut b = Builder::new("train_step", inner.func.syms.clone());
    let args: Vec<Value> = inner.func.inputs.iter().map(|i| b.input(&i.name, i.ty.clone(), i.role)).collect();
    let state: Vec<[Value; 2]> = (1..5)
        .map(|i| {
            let ty = inner.func.inputs[i].ty.clone();
            ["m", "v"].map(|s| b.input(&format!("{s}{i}"), ty.clone(), Role::Buffer))
        })
        .collect();
    let hyper = ["lr", "beta1", "beta2", "eps", "decay"];
    let hyper = hyper.map(|name| b.input(name, Ty::scalar(DType::F64), Role::Buffer));
    let step = b.input("step", Ty::scalar(DType::I64), Role::Buffer);
    let result = updates(&mut b, &grad, &args, &state, hyper, step);
    result.unwrap_or_else(|e| panic!("train_step: {e}"));
    let inputs = [1, 7, 64].map(|size| {
        let mut all = arrays(dtype, shapes, Some(10), size);
        for i in 1..5 {
            let (m, v) = (all[i].clone(), all[i].clone());
            let squared = Array { data: v.data.iter().map(|x| x * x).collect(), ..v };
            let squared = Array::rounded(dtype, squared.shape, squared.data);
            all.extend([m, squared]);
        }
        let scalar = |x: f64| Array::rounded(DType::F64, vec![], vec![x]);
        all.extend([0.01, 0.9, 0.999, 1e-8, 0.1].map(scalar));
        all.push(Array::rounded(DType::I64, vec![], vec![3.0]));
        (size, all)
    });
    let name = format!("train_step_{}", dtype.name());
    let tolerance = tolerance(dtype, [1e-9, 1e-4]);
    Case { name, func: b.finish(), inputs: inputs.to_vec(), tolerance }
}

fn updates(
    b: &mut Builder,
    grad: &Func,
    args: &[Value],
    state: &[[Value; 2]],
    hyper: [Value; 5],
    step: Value,
) -> Result<(), Error> {
    let results = b.inline(grad, args)?;
    b.output("loss", results[0], None);
    let grads = optim::clip_norm(b, &results[1..], 1.0)?;
    let one = b.constant(1.0, DType::I64);
    let t = b.map(Scalar::Add, &[step, one])?;
    let [lr, beta1, beta2, eps, weight_decay] = hyper;
    let h = optim::Adam { lr, beta1, beta2, eps, weight_decay, decoupled: true };
    let wide = b.emit(Op::Cast(DType::F64), &[t])?;
    for (i, g) in grads.into_iter().enumerate() {
        let [m, v] = state[i];
        let new = optim::adam(b, h, args[i + 1], g, [m, v], wide)?;
        let inputs = [i + 1, 6 + 2 * i, 7 + 2 * i];
        new.iter().zip(inputs).for_each(|(v, input)| b.output("new", *v, Some(input)));
    }
    let last = b.func().inputs.len() - 1;
    b.output("step", t, Some(last));
    Ok(())
}
