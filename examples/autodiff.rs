//! The graph compiler's core at work: builds functions, differentiates them and prints what comes out.
//!
//! `cargo run --release --example autodiff`

use kiln_ir::composite::{activation, linalg, loss};
use kiln_ir::ops::Array;
use kiln_ir::{Builder, DType, Dim, Error, Func, Role, SymKind, Syms, Ty, differentiate, eval};

fn main() -> Result<(), Error> {
    let cubic = cubic()?;
    let first = differentiate::value_and_grad(&cubic, &[0])?;
    println!("f(x) = x³ + 2x and its gradient, as a graph:\n\n{first}");
    let at = Array::rounded(DType::F64, vec![], vec![2.0]);
    let results = eval::eval(&first, std::slice::from_ref(&at));
    println!("f(2) = {}, f′(2) = {}", results[0].data[0], results[1].data[0]);
    let second = differentiate::value_and_grad(&only_gradient(first), &[0])?;
    println!("f″(2) = {}\n", eval::eval(&second, &[at])[1].data[0]);

    let loss = mlp_loss()?;
    let weights: Vec<usize> =
        (0..loss.inputs.len()).filter(|i| loss.inputs[*i].role == Role::Parameter).collect();
    let grads = differentiate::value_and_grad(&loss, &weights)?;
    println!("The loss of an MLP for any batch N, with the gradient of each parameter:\n\n{grads}");
    println!("{} nodes forward, {} with the gradients", loss.nodes.len(), grads.nodes.len());
    Ok(())
}

/// x³ + 2x
fn cubic() -> Result<Func, Error> {
    let mut b = Builder::new("f", Syms::default());
    let x = b.input("x", Ty::scalar(DType::F64), Role::Argument);
    let (cube, line) = (activation::pow(&mut b, x, 3.0)?, b.scale(x, 2.0)?);
    let y = b.add(cube, line)?;
    b.output("y", y, None);
    Ok(b.finish())
}

/// The same function with its gradient as the only result.
fn only_gradient(mut func: Func) -> Func {
    func.outputs.remove(0);
    func
}

/// cross_entropy(relu(x·w₁ᵀ + b₁)·w₂ᵀ + b₂, labels) with `x: [N, 784]`.
fn mlp_loss() -> Result<Func, Error> {
    let mut syms = Syms::default();
    let n = Dim::from(syms.intern("N", SymKind::Free { bound: None }));
    let mut b = Builder::new("loss", syms);
    let mut leaf = |name: &str, shape: &[i64]| {
        let shape: Vec<Dim> = shape.iter().map(|d| Dim::from(*d)).collect();
        b.input(name, Ty::new(DType::F32, shape), Role::Parameter)
    };
    let (w1, b1) = (leaf("net.fc1.weight", &[128, 784]), leaf("net.fc1.bias", &[128]));
    let (w2, b2) = (leaf("net.fc2.weight", &[10, 128]), leaf("net.fc2.bias", &[10]));
    let x = b.input("x", Ty::new(DType::F32, [n.clone(), 784.into()]), Role::Argument);
    let y = b.input("y", Ty::new(DType::I64, [n]), Role::Argument);
    let h = linalg::linear(&mut b, x, w1, Some(b1))?;
    let h = activation::relu(&mut b, h)?;
    b.name(h, "h");
    let logits = linalg::linear(&mut b, h, w2, Some(b2))?;
    b.name(logits, "logits");
    let loss = loss::cross_entropy(&mut b, logits, y, loss::CrossEntropy::default())?;
    b.output("loss", loss, None);
    Ok(b.finish())
}
