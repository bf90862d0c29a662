//! Attention of long sequences is computed by strips of queries: the same numbers and derivatives, and never all scores.

mod common;

use common::{Rng, derivatives, f64s, function};
use kiln_ir::composite::strips::{Strips, by_strips};
use kiln_ir::composite::{attention, linalg, norm, shape};
use kiln_ir::eval::eval;
use kiln_ir::ops::Array;
use kiln_ir::{Builder, DType, Func, Op, Role, Scalar, SymKind, Syms, Ty, Value};

type Shape<'a> = &'a [usize];

const FEW: Strips = Strips { many: 1000, scores: 256, queries: (4, 8) };

/// Query, key, value and mask.
struct Case<'a> {
    shapes: [Shape<'a>; 3],
    mask: Option<Shape<'a>>,
    causal: bool,
}

impl Case<'_> {
    fn types(&self) -> Vec<Ty> {
        self.shapes.iter().chain(&self.mask).map(|s| f64s(s)).collect()
    }

    /// By strips of at most 8 queries.
    fn strips(&self) -> Option<Func> {
        let mut b = Builder::new("f", Syms::default());
        let x: Vec<Value> = self.types().into_iter().map(|ty| b.input("x", ty, Role::Argument)).collect();
        let (of, mask) = ([x[0], x[1], x[2]], x.get(3).copied());
        let out = by_strips(&mut b, of, mask, (self.causal, Some(0.7)), FEW).unwrap()?;
        b.output("out", out, None);
        Some(b.finish())
    }

    /// The formula as it stands in the paper.
    fn direct(&self) -> Func {
        let shapes: Vec<Vec<usize>> = self.shapes.iter().chain(&self.mask).map(|s| s.to_vec()).collect();
        function(&shapes, |b, x| {
            let keys = shape::transpose(b, x[1], -2, -1)?;
            let scores = linalg::matmul(b, x[0], keys)?;
            let mut scores = b.scale(scores, 0.7)?;
            if self.causal {
                let ones = b.splat(1.0, scores)?;
                let upper = shape::triu(b, ones, 1)?;
                let later = b.emit(Op::Cast(DType::Bool), &[upper])?;
                let nothing = b.splat(f64::NEG_INFINITY, scores)?;
                scores = b.elementwise(Scalar::Select, &[later, nothing, scores])?;
            }
            if let Some(mask) = x.get(3) {
                scores = b.add(scores, *mask)?;
            }
            let weights = norm::softmax(b, scores, -1)?;
            linalg::matmul(b, weights, x[2])
        })
    }

    fn inputs(&self, rng: &mut Rng) -> Vec<Array> {
        self.shapes.iter().chain(&self.mask).map(|s| rng.array(s)).collect()
    }
}

/// Elements of the largest value anywhere in a function.
fn largest(func: &Func) -> i64 {
    let of = |(v, node): (Value, &kiln_ir::Node)| {
        let own = func.ty(v).numel().literal().unwrap_or(0);
        match &node.op {
            Op::Scan(scan) => own.max(largest(&scan.body)),
            // What is the same all along is a view.
            Op::Broadcast(_) | Op::Const(..) => 0,
            _ => own,
        }
    };
    func.values().map(of).max().unwrap_or(0)
}

fn close(name: &str, got: &[Array], want: &[Array]) {
    assert_eq!(got.len(), want.len(), "{name}");
    for (got, want) in got.iter().zip(want) {
        assert_eq!(got.shape, want.shape, "{name}");
        for (at, (x, y)) in got.data.iter().zip(&want.data).enumerate() {
            assert!((x - y).abs() <= 1e-11 * y.abs().max(1.0), "{name}, element {at}: {x}, not {y}");
        }
    }
}

/// The same as the formula, and derivatives as differences say; of no gradient a third of the scores is ever there.
fn check(name: &str, case: &Case) {
    let mut rng = Rng(7);
    let (strips, direct) = (case.strips().unwrap(), case.direct());
    let args = case.inputs(&mut rng);
    close(name, &eval(&strips, &args), &eval(&direct, &args));
    derivatives::check(name, &strips, &args, &mut rng);
    let [query, key] = [0, 1].map(|i| case.shapes[i]);
    let scores = (query[..query.len() - 1].iter().product::<usize>() * key[key.len() - 2]) as i64;
    let given = case.types().iter().map(|ty| ty.numel().literal().unwrap()).max().unwrap();
    let [first, all] = [&strips, &direct].map(derivatives::gradient);
    for (order, func) in [&first, &derivatives::gradient(&first)].into_iter().enumerate() {
        let got = largest(func);
        assert!(got <= given.max(scores / 3), "{name}, gradient {order}: {got} of {scores} scores at once");
    }
    assert!(largest(&all) >= scores, "{name}: the formula has all scores");
}

#[test]
fn a_last_strip_may_be_shorter() {
    check("plain", &Case { shapes: [&[2, 37, 2], &[2, 41, 2], &[2, 41, 3]], mask: None, causal: false });
}

#[test]
fn causal_parts_see_what_is_before_them() {
    check("causal", &Case { shapes: [&[2, 43, 2], &[2, 43, 2], &[2, 43, 1]], mask: None, causal: true });
    check("more keys", &Case { shapes: [&[32, 2], &[40, 2], &[40, 2]], mask: None, causal: true });
}

#[test]
fn masks_are_cut_as_queries_are() {
    let shapes: [Shape; 3] = [&[2, 2, 32, 1], &[2, 2, 32, 1], &[2, 2, 32, 2]];
    for mask in [&[32][..], &[1, 32], &[32, 32], &[1, 1, 32, 32], &[2, 1, 1, 32], &[2, 2, 1, 32]] {
        for causal in [false, true] {
            check(
                &format!("a mask of {mask:?}, causal: {causal}"),
                &Case { shapes, mask: Some(mask), causal },
            );
        }
    }
    for mask in [&[2, 2, 32, 32][..], &[2, 32, 32], &[32, 1], &[1, 1, 1, 1, 32]] {
        assert!(Case { shapes, mask: Some(mask), causal: false }.strips().is_none(), "a mask of {mask:?}");
    }
}

#[test]
fn heads_may_share_keys() {
    for causal in [false, true] {
        let shapes: [Shape; 3] = [&[2, 3, 32, 2], &[2, 1, 32, 2], &[2, 1, 32, 1]];
        check("shared keys", &Case { shapes, mask: None, causal });
        check("shared keys and a mask", &Case { shapes, mask: Some(&[32]), causal });
    }
}

/// Sizes at which strips are used; there may be any number of heads.
#[test]
fn long_sequences_are_computed_by_strips() {
    let attention = |length: usize| {
        let mut syms = Syms::default();
        let n = syms.intern("N", SymKind::Free { bound: None });
        let mut b = Builder::new("f", syms);
        let ty = Ty::new(DType::F64, vec![n.into(), length.into(), 1.into()]);
        let x = ["q", "k", "v"].map(|name| b.input(name, ty.clone(), Role::Argument));
        let out = attention::scaled_dot_product(&mut b, x, None, true, Some(0.7)).unwrap();
        b.output("out", out, None);
        b.finish()
    };
    assert!(!attention(256).to_string().contains("turns"));
    let case = Case { shapes: [&[2, 512, 1]; 3], mask: None, causal: true };
    let args = case.inputs(&mut Rng(5));
    close("two heads", &eval(&attention(512), &args), &eval(&case.direct(), &args));
    assert!(attention(512).to_string().contains("turns"));
}
