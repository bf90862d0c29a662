//! Random well-typed functions over all operations, each operation also evaluated as it was asked for.

use super::Rng;
use kiln_ir::ops::{self, Array, Context};
use kiln_ir::{
    Builder, DType, Dim, Draw, Op, PadAxis, Reduction, Role, Scalar, SliceAxis, SymKind, Syms, Ty, Value,
    Window,
};

/// Where the inputs have a generator's key; its counter is the next.
pub const KEY: usize = 10;

/// Where they have a truth value, of which a loop may make its guard.
pub const GUARD: usize = 12;

/// A function under construction and the meaning of its values: an array a size of N.
pub struct Graph {
    /// The builder.
    pub b: Builder,
    /// Where the randomness comes from.
    pub rng: Rng,
    /// Sizes of N.
    pub sizes: [i64; 3],
    /// What was asked for, even where the builder answered with a value it had.
    pub values: Vec<(Value, Vec<Array>)>,
    /// The inputs' arrays.
    pub inputs: Vec<Vec<Array>>,
}

impl Graph {
    /// The graph of a seed.
    pub fn new(seed: u64) -> Graph {
        let mut rng = Rng(seed);
        let sizes = *rng.pick(&[[1, 2, 5], [3, 1, 4], [2, 0, 3]]);
        let mut b = Builder::new("random", Syms::default());
        let n = Dim::from(b.syms().intern("N", SymKind::Free { bound: Some(5) }));
        let mut graph = Graph { b, rng, sizes, values: vec![], inputs: vec![] };
        graph.input("x", DType::F64, &[n.clone(), 3.into()]);
        graph.input("y", DType::F64, &[3.into(), n.clone()]);
        graph.input("v", DType::F64, std::slice::from_ref(&n));
        graph.input("w", DType::F32, &[n.clone(), 3.into()]);
        graph.input("s", DType::F64, &[]);
        graph.input("i", DType::I64, &[n.clone(), 3.into()]);
        graph.input("j", DType::I32, &[2.into(), 3.into()]);
        graph.input("c", DType::Bool, &[n.clone(), 3.into()]);
        graph.input("g", DType::BF16, &[n.clone(), 3.into()]);
        graph.input("h", DType::F16, &[3.into(), n]);
        graph.input("key", DType::I32, &[2.into()]);
        graph.input("counter", DType::I64, &[]);
        graph.input("p", DType::Bool, &[]);
        for _ in 0..30 {
            graph.grow();
        }
        graph
    }

    fn input(&mut self, name: &str, dtype: DType, shape: &[Dim]) {
        let v = self.b.input(name, Ty::new(dtype, shape), Role::Argument);
        let mut arrays = Vec::new();
        for n in self.sizes {
            let shape: Vec<usize> = shape.iter().map(|d| d.eval(&|_| n) as usize).collect();
            let data = (0..shape.iter().product())
                .map(|_| *self.rng.pick(&[-2.0, -1.5, -1.0, -0.0, 0.0, 0.5, 1.0, 2.0]))
                .collect();
            arrays.push(Array::rounded(dtype, shape, data));
        }
        self.inputs.push(arrays.clone());
        self.values.push((v, arrays));
    }

    fn any(&mut self) -> Value {
        self.rng.pick(&self.values).0
    }

    /// A value of the type of `like`: there is at least that one.
    fn alike(&mut self, like: Value) -> Value {
        let ty = self.b.ty(like).clone();
        let all: Vec<Value> = self.values.iter().map(|v| v.0).filter(|v| *self.b.ty(*v) == ty).collect();
        *self.rng.pick(&all)
    }

    /// Tries a random operation; what is ill-typed is skipped, if the builder refuses it in the same words.
    fn grow(&mut self) {
        let at = self.rng.below(self.values.len());
        let x = self.values[at].0;
        let (op, mut args) = self.operation(x);
        if args.is_empty() {
            args = vec![at];
        }
        let handles: Vec<Value> = if matches!(op, Op::Const(..) | Op::Iota { .. }) {
            vec![]
        } else {
            args.iter().map(|i| self.values[*i].0).collect()
        };
        let types: Vec<&Ty> = handles.iter().map(|v| self.b.ty(*v)).collect();
        let ty = match ops::infer(&op, &types) {
            Ok(ty) => ty,
            Err(fault) => {
                assert_eq!(self.b.emit(op, &handles).unwrap_err().fault, fault.into());
                return;
            }
        };
        if self.sizes.iter().any(|n| !(0..2000).contains(&ty.numel().eval(&|_| *n))) {
            return;
        }
        let meaning = (0..self.sizes.len()).map(|k| {
            let arrays: Vec<&Array> = args.iter().map(|i| &self.values[*i].1[k]).collect();
            let size = |d: &Dim| usize::try_from(d.eval(&|_| self.sizes[k])).expect("no negative dim");
            ops::eval(&op, &arrays, &Context { ty: &ty, size: &size })
        });
        let meaning = meaning.collect();
        let v = self.b.emit(op, &handles).unwrap();
        assert_eq!(*self.b.ty(v), ty);
        self.values.push((v, meaning));
    }

    /// An operation that fits `x`, mostly, and the positions of its arguments (none for just `x`).
    fn operation(&mut self, x: Value) -> (Op, Vec<usize>) {
        let ty = self.b.ty(x).clone();
        let rank = ty.rank();
        let n = self.b.ty(self.values[2].0).shape[0].clone();
        let place = |g: &Graph, v: Value| g.values.iter().position(|w| w.0 == v).expect("a known value");
        let rng = &mut self.rng;
        let op = match rng.below(22) {
            0 => {
                let x = *rng.pick(&[0.0, -0.0, 1.0, 2.0, -1.5, f64::NAN, f64::INFINITY]);
                let dtype = *rng.pick(&DType::ALL);
                Op::Const(kiln_ir::Literal::new(x, dtype), dtype)
            }
            1 => Op::Iota { len: n + 1.into(), dtype: *rng.pick(&DType::ALL[..7]) },
            2 => Op::Cast(*rng.pick(&DType::ALL)),
            3 => Op::StopGrad,
            4 => match rng.below(3) {
                0 => Op::Reshape(vec![ty.numel()]),
                1 => Op::Reshape(ty.shape.iter().rev().cloned().collect()),
                _ => Op::Reshape(ty.shape.iter().cloned().chain([1.into()]).collect()),
            },
            5 => {
                let mut perm: Vec<usize> = (0..rank).collect();
                rng.shuffle(&mut perm);
                Op::Permute(perm)
            }
            6 => Op::Broadcast(vec![(rng.below(rank + 1), rng.pick(&[n, 3.into(), 1.into()]).clone())]),
            7 => Op::Slice(ty.shape.iter().map(|d| part(rng, d)).collect()),
            8 => {
                let mut axis = |d: &Dim| {
                    let step = if d.literal().is_some() { 1 + rng.below(2) as i64 } else { 1 };
                    PadAxis { low: rng.below(2).into(), high: rng.pick(&[0.into(), n.clone()]).clone(), step }
                };
                Op::Pad(ty.shape.iter().map(&mut axis).collect())
            }
            9 => Op::Reduce(Reduction::Sum, (0..rank).filter(|_| rng.chance(50)).collect()),
            10 => Op::Reduce(Reduction::Max, (0..rank).filter(|_| rng.chance(50)).collect()),
            11 if rank > 0 => Op::ArgMax(rng.below(rank)),
            12 if rank > 0 => {
                let axis = rng.below(rank);
                let args = (0..1 + self.rng.below(3)).map(|_| self.alike(x)).collect::<Vec<_>>();
                return (Op::Concat(axis), args.into_iter().map(|v| place(self, v)).collect());
            }
            13 if rank > 0 => {
                let labels: Vec<u8> = (0..rank as u8).collect();
                let out = labels.iter().copied().filter(|_| rng.chance(50)).collect();
                let y = self.alike(x);
                let op = Op::Contract { lhs: labels.clone(), rhs: labels, out };
                return (op, vec![place(self, x), place(self, y)]);
            }
            14 if rank > 0 => match windows(rng, &ty.shape) {
                Some(window) => Op::Windows(window),
                None => return self.scalar(x),
            },
            15 if rank > 1 => match folded(&ty.shape, rng) {
                Some((window, full)) => Op::Fold(window, full),
                None => return self.scalar(x),
            },
            16 | 17 if rank > 0 => {
                let axis = rng.below(rank);
                let op = match rng.chance(50) {
                    true => Op::Gather(axis),
                    false => Op::ScatterAdd(axis, rng.pick(&[3.into(), n]).clone()),
                };
                return match self.index_like(&ty.shape) {
                    Some(index) => (op, vec![place(self, x), place(self, index)]),
                    None => self.scalar(x),
                };
            }
            18 if rank > 0 => {
                let (axis, base, start) = (rng.below(rank), self.alike(x), self.whole());
                return (Op::Update(axis), [base, x, start].map(|v| place(self, v)).to_vec());
            }
            19 => {
                let shape: Vec<Dim> =
                    (0..rng.below(3)).map(|_| rng.pick(&[3.into(), n.clone()]).clone()).collect();
                let (draw, key, counter) = (*rng.pick(&Draw::ALL), self.values[KEY].0, self.whole());
                return (Op::Random(draw, shape), [key, counter].map(|v| place(self, v)).to_vec());
            }
            _ => return self.scalar(x),
        };
        (op, vec![])
    }

    /// A number of type i64, such as the counter.
    fn whole(&mut self) -> Value {
        self.alike(self.values[KEY + 1].0)
    }

    /// Integers of that shape, if there are some.
    fn index_like(&mut self, shape: &[Dim]) -> Option<Value> {
        let fits = |g: &Graph, v: Value| {
            let ty = g.b.ty(v);
            matches!(ty.dtype, DType::I64 | DType::I32 | DType::U8) && ty.shape == shape
        };
        let all: Vec<Value> = self.values.iter().map(|v| v.0).filter(|v| fits(self, *v)).collect();
        (!all.is_empty()).then(|| *self.rng.pick(&all))
    }

    fn scalar(&mut self, x: Value) -> (Op, Vec<usize>) {
        // Half of them from those that have algebraic rules, or might have.
        let ruled = [Scalar::Add, Scalar::Sub, Scalar::Mul, Scalar::Div, Scalar::Pow, Scalar::Neg];
        let s = *if self.rng.chance(50) { self.rng.pick(&ruled) } else { self.rng.pick(&Scalar::ALL) };
        let mut args: Vec<Value> = (0..s.arity()).map(|_| self.alike(x)).collect();
        if s == Scalar::Select {
            let shape = self.b.ty(x).shape.clone();
            let fits = |g: &Graph, v: Value| *g.b.ty(v) == Ty::new(DType::Bool, shape.clone());
            let tried: Vec<Value> = (0..20).map(|_| self.any()).collect();
            args[0] = tried.into_iter().find(|v| fits(self, *v)).unwrap_or(x);
        } else if args.len() == 2 && self.rng.chance(60) {
            // A uniform constant, so that the algebraic rules have something to do.
            let constant = *self.rng.pick(&[0.0, 1.0, 2.0, -0.0]);
            let like = self.b.splat(constant, x).unwrap();
            let (dtype, meaning) = (self.b.ty(x).dtype, &self.values.iter().find(|v| v.0 == x).unwrap().1);
            let fill = |a: &Array| Array::rounded(dtype, a.shape.clone(), vec![constant; a.data.len()]);
            let meaning = meaning.iter().map(fill).collect();
            self.values.push((like, meaning));
            let side = self.rng.below(2);
            args[side] = like;
        }
        let place = |v: &Value| self.values.iter().rposition(|w| w.0 == *v).expect("a known value");
        (Op::Map(s), args.iter().map(place).collect())
    }
}

/// Windows over one of the axes, for every size of a symbol: over N only those of one element.
fn windows(rng: &mut Rng, shape: &[Dim]) -> Option<Window> {
    let axis = rng.below(shape.len());
    let Some(n) = shape[axis].literal() else {
        return Some(Window { axis, len: shape[axis].clone(), size: 1, stride: 1, dilation: 1 });
    };
    let (size, stride, dilation) =
        (1 + rng.below(3) as i64, 1 + rng.below(2) as i64, 1 + rng.below(2) as i64);
    let room = n - ((size - 1) * dilation + 1);
    (room >= 0).then(|| Window { axis, len: (room / stride + 1).into(), size, stride, dilation })
}

/// Two neighbouring axes as windows of a longer one.
fn folded(shape: &[Dim], rng: &mut Rng) -> Option<(Window, Dim)> {
    let axis = rng.below(shape.len() - 1);
    let (len, size) = (shape[axis].literal()?, shape[axis + 1].literal()?);
    if len < 1 || !(1..4).contains(&size) {
        return None;
    }
    let (stride, dilation) = (1 + rng.below(2) as i64, 1 + rng.below(2) as i64);
    let window = Window { axis, len: len.into(), size, stride, dilation };
    let full = window.extent() + Dim::from(rng.below(2));
    Some((window, full))
}

/// A slice that stays inside for every size of a symbol.
fn part(rng: &mut Rng, d: &Dim) -> SliceAxis {
    let whole = SliceAxis { start: 0.into(), len: d.clone(), step: 1 };
    match d.literal() {
        Some(n) if n > 0 && rng.chance(70) => {
            let (start, step) = (rng.below(n as usize) as i64, 1 + rng.below(2) as i64);
            let most = (n - start + step - 1) / step;
            SliceAxis { start: start.into(), len: (1 + rng.below(most as usize)).into(), step }
        }
        None if rng.chance(30) => SliceAxis { len: 0.into(), ..whole },
        _ => whole,
    }
}
