//! What the parser understands of a sound signature.

use kiln_compiler::Errors;
use kiln_compiler::syntax::ast::{ArgKind, Model, TensorTy, Tensors};
use kiln_compiler::syntax::model;
use quote::ToTokens;

fn parse(attr: &str, item: &str) -> Model {
    let errors = Errors::new();
    let model = model::model(&errors, attr.parse().unwrap(), &syn::parse_str(item).unwrap());
    let faults = errors.finish();
    assert!(faults.is_empty(), "{faults:?}");
    model.unwrap()
}

fn show(model: &Model, tensors: &Tensors) -> String {
    match tensors {
        Tensors::One(ty) => show_one(model, ty),
        Tensors::Params(ty) => ty.to_token_stream().to_string(),
        Tensors::Tuple(list) => {
            format!("({})", list.iter().map(|each| show(model, each)).collect::<Vec<_>>().join(", "))
        }
        Tensors::Array(each, length) => format!("[{}; {}]", show(model, each), length.tokens),
    }
}

fn show_one(model: &Model, tensor: &TensorTy) -> String {
    let dims: Vec<String> = tensor.dims.iter().map(|d| d.dim.display(&model.syms).to_string()).collect();
    format!("{} [{}]", tensor.dtype.name(), dims.join(", "))
}

#[test]
fn a_signature_is_read_with_its_options() {
    let m = parse(
        "inline, grad(x), N <= 32",
        "pub fn step<const N: usize, const M: usize>(
            net: &mut Mlp<M>, opt: &Adam<Mlp<M>>, x: Tensor<N, { 2 * (M + 1) }>, mut y: Tensor<i64, N, cfg::WIDTH>,
            cache: &mut Tensor<{ cfg::WIDTH + M + cfg::WIDTH }>, train: bool, depth: usize,
            state: &mut [(Tensor<N>, Tensor<M>); cfg::LAYERS],
        ) -> (Tensor<>, kiln::Tensor<bool, N>) { x }",
    );
    assert!(m.options.inline && !m.options.eager && m.options.grad[0] == "x");
    assert_eq!(m.frees.iter().map(|f| f.bound).collect::<Vec<_>>(), [Some(32), None]);
    let args: Vec<String> = m
        .args
        .iter()
        .map(|arg| match &arg.kind {
            ArgKind::Params(_) => format!("{}: &", arg.ident),
            ArgKind::ParamsMut(_) => format!("{}: &mut", arg.ident),
            ArgKind::Tensor(t) => format!("{}: {}", arg.ident, show(&m, t)),
            ArgKind::TensorMut(t) => format!("{}: &mut {}", arg.ident, show(&m, t)),
            ArgKind::Known(known) => format!("{}: {}", arg.ident, known.text()),
        })
        .collect();
    assert_eq!(
        args,
        [
            "net: &mut",
            "opt: &",
            "x: f32 [N, 2*M + 2]",
            "y: i64 [N, cfg::WIDTH]",
            "cache: &mut f32 [2*cfg::WIDTH + M]",
            "train: bool",
            "depth: usize",
            "state: &mut [(f32 [N], f32 [M]); cfg :: LAYERS]",
        ]
    );
    assert_eq!(show(&m, &m.result), "(f32 [], bool [N])");
}
