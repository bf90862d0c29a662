//! What stands in the body of a model and takes functions: derivatives, batches, and control that data decides. They are
//! names of the prelude that the compiler knows, not functions of this module.
//!
//! # Derivatives
//!
//! `grad(f)(x)` is the gradient of a scalar function, `value_and_grad(f)(x)` the value too; they are taken of trees of params
//! where `f` has some, else of the first float tensor, and of the arguments that `#[model(grad(…))]` names. A closure's are those
//! of the trees that it is given, else of its first float tensor. `vjp(f)(x, ct)` is the value and the gradient of `Σ ct · f(x)`,
//! `jvp(f)(x, dx)` the value and its tangent. As JAX's functions of these names. A transform may have a name, `let slope =
//! grad(f);`, and a closure may change what it is given and what it sees: a generator, running statistics. Where the function returns
//! a tuple, its first tensor is differentiated, and the value is the tuple.
//!
//! ```
//! use kiln::prelude::*;
//!
//! #[model]
//! fn cubes(x: Tensor<f64, 3>) -> Tensor<f64> {
//!     (x * x * x).sum()
//! }
//!
//! /// The gradient, and a Hessian-vector product: the tangent of the gradient.
//! #[model]
//! fn slopes(x: Tensor<f64, 3>, v: Tensor<f64, 3>) -> (Tensor<f64, 3>, Tensor<f64, 3>) {
//!     jvp(grad(cubes))(x, v)
//! }
//!
//! let (gradient, along) = slopes([1.0, 2.0, 3.0], [1.0, 0.0, 1.0])?;
//! assert_eq!(gradient.as_slice(), [3.0, 12.0, 27.0]);
//! assert_eq!(along.as_slice(), [6.0, 0.0, 18.0]);
//! # Ok::<(), kiln::Error>(())
//! ```
//!
//! `checkpoint(f)(x)` is `f(x)`, whose gradient computes `f` again instead of keeping what is inside.
//!
//! # Batches
//!
//! `vmap(f)(xs)` is `f` of each element along the first dim of the tensors it is given; trees and what a closure captures are
//! the same for all.
//!
//! ```
//! use kiln::prelude::*;
//!
//! #[model]
//! fn each<const N: usize>(xs: Tensor<f64, N, 3>, w: Tensor<f64, 3>) -> Tensor<f64, N, 3> {
//!     vmap(grad(|x| (x * w).sum().exp()))(xs)
//! }
//!
//! let slopes = each([[0.0, 0.0, 0.0], [1.0, 1.0, 0.0]], [1.0, -1.0, 2.0])?;
//! assert_eq!(slopes.as_slice(), [1.0, -1.0, 2.0, 1.0, -1.0, 2.0]);
//! # Ok::<(), kiln::Error>(())
//! ```
//!
//! # A gradient by a rule of one's own
//!
//! `custom_vjp(f, rule)(x, y)` is `f(x, y)`. Its gradient is what `rule(x, y, value, cotangent)` returns: the cotangent of each
//! argument of floats, of that argument's type, several as a tuple; of a tree of params a tree. `f` returns one tensor of floats; to
//! what the two capture nothing is handed on. Derivatives of any order and in any mode go by the rule;
//! `jvp` takes it for linear in the cotangent.
//!
//! ```
//! use kiln::prelude::*;
//!
//! /// Rounds, and hands the gradient straight through, where the rounding's own is 0.
//! #[model]
//! fn off(x: Tensor<f64, 3>) -> Tensor<f64> {
//!     let round = custom_vjp(|x| x.round(), |x, value, ct| ct);
//!     (round(x) * round(x)).sum()
//! }
//!
//! assert_eq!(off::grad([0.4, 1.6, -2.2])?.as_slice(), [0.0, 4.0, -4.0]);
//! # Ok::<(), kiln::Error>(())
//! ```
//!
//! # Trees
//!
//! `tree_map(f)(net, grads)` is a net each of whose tensors is `f` of those that stand in its place, in the nets and gradients given: as
//! JAX's `tree.map`. `f` sees each in f32, and what it makes is rounded to the type of the first. Buffers are mapped as well; in a
//! gradient they are zero. A model may return params of the type of an argument, and `*net = …` puts params in their place.
//!
//! ```
//! use kiln::prelude::*;
//!
//! #[params]
//! struct Line { slope: Tensor<>, shift: Tensor<> }
//!
//! #[model]
//! fn miss(line: &Line, x: Tensor<8>, y: Tensor<8>) -> Tensor<> {
//!     mse_loss(line.slope * x + line.shift, y)
//! }
//!
//! /// The line one step of gradient descent further.
//! #[model]
//! fn adapted(line: &Line, x: Tensor<8>, y: Tensor<8>) -> Line {
//!     tree_map(|w, g| w - 0.1 * g)(line, grad(miss)(line, x, y))
//! }
//!
//! /// A slow average of a net that is trained.
//! #[model]
//! fn follow(average: &mut Line, line: &Line) {
//!     *average = tree_map(|a, w| 0.9 * a + 0.1 * w)(average, line);
//! }
//!
//! let mut average = Line { slope: Tensor::scalar(1.0), shift: Tensor::scalar(0.0) };
//! let line = adapted(&average, [1.0; 8], [3.0; 8])?;
//! assert_eq!(line.slope.item()?, 1.4);
//! follow(&mut average, &line)?;
//! assert_eq!(average.slope.item()?, 1.04);
//! # Ok::<(), kiln::Error>(())
//! ```
//!
//! # Control
//!
//! `cond(pred, || a, || b)` is `a` or `b`, of the same types; only the branch that the scalar `pred: Tensor<bool>` chooses is
//! run, and only that hands a gradient on.
//!
//! ```
//! use kiln::prelude::*;
//!
//! #[model]
//! fn safe(x: Tensor<f64>) -> Tensor<f64> {
//!     cond(x.gt(0.0), || x.sqrt(), || x * 0.5)
//! }
//!
//! assert_eq!((safe(4.0)?.item()?, safe(-4.0)?.item()?), (2.0, -2.0));
//! assert_eq!((safe::grad(4.0)?.item()?, safe::grad(-4.0)?.item()?), (0.25, 0.5));
//! # Ok::<(), kiln::Error>(())
//! ```
//!
//! `while_loop(most, state, |s| going, |s| next)` goes on while its condition holds, at most `most` times, which is a size:
//! so its gradient has a place for what each turn stores. State of several tensors is a tuple, and the closures take as
//! many arguments.
//!
//! ```
//! use kiln::prelude::*;
//!
//! /// Newton's method, and how many steps it took.
//! #[model]
//! fn root(a: Tensor<f64>) -> (Tensor<f64>, Tensor<i64>) {
//!     let start = (a * 0.0 + 1.0, a.to(i64) * 0);
//!     while_loop(40, start, |x, n| (x * x - a).abs().gt(1e-12 * a), |x, n| ((x + a / x) * 0.5, n + 1))
//! }
//!
//! let (x, steps) = root(2.0)?;
//! assert!((x.item()? - 2f64.sqrt()).abs() < 1e-12);
//! assert_eq!(steps.item()?, 5);
//! # Ok::<(), kiln::Error>(())
//! ```
