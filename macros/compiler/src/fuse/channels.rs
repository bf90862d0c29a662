//! Nets of convolutions compute with their channels last: `[n, y, x, c]` in place of `[n, c, y, x]`.
//!
//! Then a convolution of single pixels is a product of rows as they lie by weights, whatever an image's size is, and one of each
//! channel by itself works on vectors of channels. A convolution is rebuilt with its channels last; all that maps or moves elements
//! passes on the order it finds, so that nothing is transposed between layers. Invariant: what a function returns has its own order.
//!
//! A function with gradients computes with channels first, `[c, n, y, x]`: all that a channel has is one row, so that a normalization
//! by the batch is one pass over it, forward and backward, and tiles of several images share vectors.

use super::affine::Var;
use super::expr::{counters, through};
use super::{computes, gemm};
use kiln_ir::{Builder, DType, Dim, Func, Node, Op, Value, Window};

/// Transposed elements of a thousand that convolutions make, at most, for which the order pays.
const TRANSPOSED: i64 = 50;
/// Channels from which on images are better computed by Winograd's tiles, which want them apart if they are no multiple of that.
const TILED: i64 = 16;

/// Where convolutions have their channels.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    First,
    Last,
}

/// The function with its convolutions' channels last, or first if it has their gradients, where that pays and all of them are
/// products then.
pub fn arranged(func: &Func) -> Func {
    let trains = func.values().any(|(v, _)| is_gradient(func, v));
    let order = if trains { Order::First } else { Order::Last };
    let convolutions: Option<Vec<Option<Convolution>>> =
        func.values().map(|(v, _)| found(func, v, order)).collect();
    let Some(convolutions) = convolutions.filter(|all| all.iter().any(Option::is_some)) else {
        return func.clone();
    };
    let mut rebuilt =
        Rebuilt { b: Builder::new(&func.name, func.syms.clone()), func, order, here: vec![], transposed: 0 };
    for ((v, node), convolution) in func.values().zip(&convolutions) {
        let moved = rebuilt.node(node, convolution.as_ref());
        if let Some(name) = &func.names[v.0 as usize] {
            rebuilt.b.name(moved.value, name);
        }
        rebuilt.here.push(moved);
    }
    for output in &func.outputs {
        let value = rebuilt.logical(output.value);
        rebuilt.b.output(&output.name, value, output.updates);
    }
    let made = func.values().zip(&convolutions).filter(|(_, c)| c.is_some());
    let made: i64 = made.map(|((_, node), _)| elements(&node.ty.shape)).sum();
    let (transposed, new) = (rebuilt.transposed, rebuilt.b.finish());
    // With channels first only whole images change places.
    let pays = order == Order::First || transposed * 1000 <= made * TRANSPOSED;
    if pays && all_products(&new) { new } else { func.clone() }
}

/// A convolution of images, or of their single pixels.
struct Convolution {
    /// Labels of the factors.
    factors: Vec<u8>,
}

/// A contraction with windows.
struct Slides<'f> {
    /// Labels of the operand that is windows, and of the other one.
    own: &'f [u8],
    factors: &'f [u8],
    windows: Vec<&'f Window>,
    /// Axes of the former that count places in windows.
    places: Vec<usize>,
    /// Whether it sums over them.
    sums_places: bool,
}

fn slides(func: &Func, v: Value) -> Option<Slides<'_>> {
    let node = func.node(v);
    let Op::Contract { lhs, rhs, out } = &node.op else { return None };
    let sides = [(0, lhs, rhs), (1, rhs, lhs)];
    let (x, own, factors) = sides.into_iter().find(|(i, ..)| !windows(func, node.args[*i]).0.is_empty())?;
    let (windows, places) = windows(func, node.args[x]);
    let sums_places = places.iter().all(|at| !out.contains(&own[*at]));
    Some(Slides { own, factors, windows, places, sums_places })
}

/// Whether a value is the gradient of the factors of a convolution of images: it sums over windows.
fn is_gradient(func: &Func, v: Value) -> bool {
    let Some(Slides { own, windows, places, .. }) = slides(func, v) else { return false };
    let Op::Contract { out, .. } = &func.node(v).op else { return false };
    windows.len() == 2 && places.len() == 2 && places.iter().all(|at| out.contains(&own[*at]))
}

/// Whether a value is a convolution; `None` where one in the function is better left as it is, and all others then.
fn found(func: &Func, v: Value, order: Order) -> Option<Option<Convolution>> {
    let node = func.node(v);
    let Op::Contract { lhs, rhs, out } = &node.op else {
        let moves = matches!(node.op, Op::Scan(_)) || order == Order::Last && matches!(node.op, Op::Fold(..));
        return (!moves).then_some(None);
    };
    let Some(Slides { own, factors, windows, sums_places, .. }) = slides(func, v) else { return Some(None) };
    let length = |label: &u8| {
        let (i, at) = [lhs, rhs]
            .iter()
            .enumerate()
            .find_map(|(i, of)| of.iter().position(|l| l == label).map(|at| (i, at)))?;
        Some(func.ty(node.args[i]).shape[at].clone())
    };
    let wide = |label: &&u8| !length(label).is_some_and(|len| len.is(1));
    let shared = out.iter().filter(|l| own.contains(l) && factors.contains(l)).filter(wide).count();
    let made = out.iter().filter(|l| !own.contains(l)).filter(wide).count();
    let is_image = windows.len() == 2 && node.ty.dtype == DType::F32 && sums_places;
    let convolution = || Some(Convolution { factors: factors.to_vec() });
    if order == Order::First {
        return match is_gradient(func, v) {
            true => Some(None),
            false => (is_image && shared == 0 && made <= 1).then(convolution),
        };
    }
    let summed: Vec<Dim> = own.iter().filter(|l| !out.contains(l)).filter_map(length).collect();
    let tiled =
        windows.iter().all(|w| [w.size, w.stride, w.dilation] == [3, 1, 1]) && elements(&summed) >= 9 * TILED;
    // Tiles of pixels that keep their channels together want whole vectors of these.
    let results = out.iter().filter(|l| !own.contains(l)).filter_map(length).collect::<Vec<_>>();
    let vectors = elements(&summed) % (9 * TILED) == 0
        && results.iter().all(|n| n.literal().is_some_and(|n| n == 1 || n % TILED == 0));
    (is_image && shared + made == 1 && (!tiled || vectors)).then(convolution)
}

/// The windows that a value is a view of, and its axes that count places in them.
fn windows(func: &Func, mut v: Value) -> (Vec<&Window>, Vec<usize>) {
    let (mut index, mut derived) = (counters(func.ty(v).rank()), Vec::new());
    let (mut slides, mut places) = (vec![], vec![]);
    let rank = index.len();
    while !computes(func, v) {
        let node = func.node(v);
        match &node.op {
            Op::Pad(_) => v = node.args[0],
            op => {
                if let Op::Windows(w) = op {
                    slides.push(w);
                    places.push(index[w.axis + 1].clone());
                }
                let Some(next) = through(func, v, &index, &mut derived) else { break };
                (v, index) = next;
            }
        }
    }
    let counts = |i: &usize| places.iter().any(|at| !at.coefficient(Var::Axis(*i)).is(0));
    (slides, (0..rank).filter(counts).collect())
}

/// How many elements there are, sizes that aren't known counting as one.
fn elements(shape: &[Dim]) -> i64 {
    shape.iter().filter_map(Dim::literal).product()
}

fn all_products(func: &Func) -> bool {
    let forced = super::forced(func);
    let buffer = |v: Value| super::buffer(func, &forced, v);
    let mut contracts = func.values().filter(|(_, n)| matches!(n.op, Op::Contract { .. }));
    contracts.all(|(v, _)| gemm::is_product(func, v, &buffer))
}

/// A value whose axis `i` is axis `order[i]` of the one that it stands for.
#[derive(Clone)]
struct Moved {
    value: Value,
    order: Vec<usize>,
}

struct Rebuilt<'f> {
    b: Builder,
    func: &'f Func,
    order: Order,
    here: Vec<Moved>,
    /// Elements that are read in another order than they are made.
    transposed: i64,
}

impl Rebuilt<'_> {
    fn node(&mut self, node: &Node, convolution: Option<&Convolution>) -> Moved {
        self.b.at(node.loc);
        match (&node.op, convolution) {
            (Op::Input(i), _) => {
                let value = self.b.declare(&self.func.inputs[*i as usize]);
                self.plain(value)
            }
            (_, Some(convolution)) => self.convolution(node, convolution),
            (Op::Contract { .. }, None) => self.contract(node, (0..node.ty.rank()).collect()),
            (Op::Map(_) | Op::Cast(_) | Op::StopGrad | Op::Concat(_), None) => self.map(node),
            _ if node.args.len() != 1 || self.is_plain(node.args[0]) => self.any(node),
            _ => self.moved(node).unwrap_or_else(|| self.any(node)),
        }
    }

    fn emit(&mut self, op: Op, args: &[Value]) -> Value {
        self.b.emit(op, args).expect("it was sound before")
    }

    fn plain(&self, value: Value) -> Moved {
        Moved { value, order: (0..self.b.ty(value).rank()).collect() }
    }

    fn is_plain(&self, v: Value) -> bool {
        self.here[v.0 as usize].order.is_sorted()
    }

    /// A value in its own order.
    fn logical(&mut self, v: Value) -> Value {
        let order = (0..self.func.ty(v).rank()).collect::<Vec<_>>();
        self.arranged(v, &order)
    }

    /// A value whose axes have that order.
    fn arranged(&mut self, v: Value, order: &[usize]) -> Value {
        let Moved { value, order: had } = self.here[v.0 as usize].clone();
        if had == order {
            return value;
        }
        let shape = &self.func.ty(v).shape;
        let wide = |order: &[usize]| order.iter().copied().filter(|i| !shape[*i].is(1)).collect::<Vec<_>>();
        if wide(&had) != wide(order) {
            self.transposed += self.repeated(v);
        }
        let at = |axis: &usize| had.iter().position(|l| l == axis).expect("an order");
        self.emit(Op::Permute(order.iter().map(at).collect()), &[value])
    }

    /// The elements that are stored of a value, if it is made of fewer.
    fn repeated(&self, mut v: Value) -> i64 {
        let mut least = elements(&self.func.ty(v).shape);
        while !computes(self.func, v)
            && let Some(arg) = self.func.node(v).args.first()
        {
            v = *arg;
            least = least.min(elements(&self.func.ty(v).shape));
        }
        least
    }

    /// What has no rule: in its own order.
    fn any(&mut self, node: &Node) -> Moved {
        let args: Vec<Value> = node.args.iter().map(|a| self.logical(*a)).collect();
        let value = self.emit(node.op.clone(), &args);
        self.plain(value)
    }

    /// What combines elements of one place, and what puts parts side by side.
    fn map(&mut self, node: &Node) -> Moved {
        let moved = node.args.iter().find(|a| !self.is_plain(**a));
        let order = match moved {
            Some(arg) => self.here[arg.0 as usize].order.clone(),
            None => (0..node.ty.rank()).collect(),
        };
        let args: Vec<Value> = node.args.iter().map(|a| self.arranged(*a, &order)).collect();
        let op = match &node.op {
            Op::Concat(axis) => Op::Concat(order.iter().position(|l| l == axis).expect("an order")),
            op => op.clone(),
        };
        Moved { value: self.emit(op, &args), order }
    }

    /// What moves or reduces a value that has an order of its own.
    fn moved(&mut self, node: &Node) -> Option<Moved> {
        let Moved { value, order } = self.here[node.args[0].0 as usize].clone();
        let at = |axis: &usize| order.iter().position(|l| l == axis).expect("an order");
        match &node.op {
            Op::Permute(perm) => {
                let to = |l: &usize| perm.iter().position(|p| p == l).expect("a permutation");
                Some(Moved { value, order: order.iter().map(to).collect() })
            }
            Op::Reshape(to) => self.reshaped(&Moved { value, order }, &self.func.ty(node.args[0]).shape, to),
            Op::Pad(pads) => {
                let op = Op::Pad(order.iter().map(|l| pads[*l].clone()).collect());
                Some(Moved { value: self.emit(op, &[value]), order })
            }
            Op::Slice(axes) => {
                let op = Op::Slice(order.iter().map(|l| axes[*l].clone()).collect());
                Some(Moved { value: self.emit(op, &[value]), order })
            }
            Op::Windows(w) => {
                let axis = at(&w.axis);
                let mut order: Vec<usize> = order.iter().map(|l| l + usize::from(*l > w.axis)).collect();
                order.insert(axis + 1, w.axis + 1);
                let op = Op::Windows(Window { axis, ..w.clone() });
                Some(Moved { value: self.emit(op, &[value]), order })
            }
            Op::Reduce(how, axes) => {
                let mut own: Vec<usize> = axes.iter().map(at).collect();
                own.sort_unstable();
                let left = order.iter().filter(|l| !axes.contains(l));
                let order = left.map(|l| l - axes.iter().filter(|a| *a < l).count()).collect();
                Some(Moved { value: self.emit(Op::Reduce(*how, own), &[value]), order })
            }
            _ => None,
        }
    }

    /// A reshape by which only axes of one element come and go.
    fn reshaped(&mut self, Moved { value, order }: &Moved, from: &[Dim], to: &[Dim]) -> Option<Moved> {
        let wide = |shape: &[Dim]| (0..shape.len()).filter(|i| !shape[*i].is(1)).collect::<Vec<_>>();
        let (old, new) = (wide(from), wide(to));
        if old.iter().map(|i| &from[*i]).ne(new.iter().map(|i| &to[*i])) {
            return None;
        }
        let ones = (0..to.len()).filter(|i| !new.contains(i));
        let kept = order.iter().filter_map(|l| old.iter().position(|o| o == l).map(|at| new[at]));
        let order: Vec<usize> = ones.chain(kept).collect();
        let shape = order.iter().map(|l| to[*l].clone()).collect();
        Some(Moved { value: self.emit(Op::Reshape(shape), &[*value]), order })
    }

    /// The convolution's windows and its channels, in that order or the other one.
    fn convolution(&mut self, node: &Node, convolution: &Convolution) -> Moved {
        let Op::Contract { out, .. } = &node.op else { unreachable!("found as one") };
        let mut order: Vec<usize> = (0..out.len()).collect();
        order.sort_by_key(|i| convolution.factors.contains(&out[*i]) == (self.order == Order::Last));
        self.contract(node, order)
    }

    /// A contraction reads its operands in any order.
    fn contract(&mut self, node: &Node, order: Vec<usize>) -> Moved {
        let Op::Contract { lhs, rhs, out } = &node.op else { unreachable!("matched before") };
        let args = [0, 1].map(|i| self.here[node.args[i].0 as usize].clone());
        let labels = |moved: &Moved, of: &[u8]| moved.order.iter().map(|l| of[*l]).collect();
        let op = Op::Contract {
            lhs: labels(&args[0], lhs),
            rhs: labels(&args[1], rhs),
            out: order.iter().map(|l| out[*l]).collect(),
        };
        Moved { value: self.emit(op, &[args[0].value, args[1].value]), order }
    }
}
