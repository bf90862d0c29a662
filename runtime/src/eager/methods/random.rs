//! Random numbers: of a generator, which goes on by the blocks of four words that a call has used. A compiled model
//! draws the same ones.

use crate::eager::Any;
use crate::eager::args::{Sizes, TensorArg};
use crate::eager::call::{Given, drawn};
use crate::{Element, Rng, Tensor};

/// Numbers of `[0, 1)`, multiples of 2⁻²⁴: `torch.rand`.
///
/// ```
/// use kiln::prelude::*;
///
/// let mut rng = Rng::seed(0);
/// let x = rand([2, 3], &mut rng);
/// assert!(x.as_slice().iter().all(|x| (0.0..1.0).contains(x)));
/// // The same that a fresh generator gives, one after the other.
/// let mut one = Rng::seed(0);
/// assert_eq!(x.as_slice(), [0; 6].map(|_| one.uniform()));
/// assert_ne!(x, rand([2, 3], &mut rng));
/// ```
#[track_caller]
pub fn rand(shape: impl Sizes, rng: &mut Rng) -> Tensor<f32> {
    drawn("rand", vec![Sizes::given(shape)], rng)
}

/// Numbers of the normal distribution of mean 0 and deviation 1, by Box and Muller (1958): `torch.randn`.
///
/// ```
/// use kiln::prelude::*;
///
/// let x = randn([10_000], &mut Rng::seed(0));
/// assert!(x.mean().item().unwrap().abs() < 0.05);
/// ```
#[track_caller]
pub fn randn(shape: impl Sizes, rng: &mut Rng) -> Tensor<f32> {
    drawn("randn", vec![Sizes::given(shape)], rng)
}

/// Whole numbers of `low .. high`, at most 2³² of them: `torch.randint`. Some are likelier than others by a share of
/// `(high − low) / 2³²`.
///
/// ```
/// use kiln::prelude::*;
///
/// let x = randint(-1, 2, [100], &mut Rng::seed(0));
/// assert_eq!((x.min(), x.max()).0.item().unwrap(), -1);
/// ```
#[track_caller]
pub fn randint(low: i64, high: i64, shape: impl Sizes, rng: &mut Rng) -> Tensor<i64> {
    drawn("randint", vec![Given::Int(low), Given::Int(high), Sizes::given(shape)], rng)
}

/// 1 with the probability that each element is, else 0: `torch.bernoulli`.
///
/// ```
/// use kiln::prelude::*;
///
/// let x: Tensor = bernoulli(Tensor::<f32>::from([0.0, 1.0]), &mut Rng::seed(0));
/// assert_eq!(x.as_slice(), [0.0, 1.0]);
/// ```
#[track_caller]
pub fn bernoulli<T: Element>(p: impl TensorArg<T>, rng: &mut Rng) -> Tensor<T> {
    drawn("bernoulli", vec![Given::Tensor(p.any())], rng)
}

/// Elements are 0 with probability p, others divided by `1 − p`: `F.dropout`. Srivastava et al., *Dropout* (2014). Its
/// gradient has the same mask.
///
/// ```
/// use kiln::prelude::*;
///
/// let x = dropout(Tensor::<f32>::ones([100]), 0.5, &mut Rng::seed(0));
/// assert!(x.as_slice().iter().all(|x| *x == 0.0 || *x == 2.0));
/// assert_eq!(dropout(&x, 0, &mut Rng::seed(0)), x);
/// ```
#[track_caller]
pub fn dropout<T: Element>(x: impl TensorArg<T>, p: impl Into<f64>, rng: &mut Rng) -> Tensor<T> {
    drawn("dropout", vec![Given::Tensor(x.any()), Given::Float(p.into())], rng)
}

/// [`dropout`] of whole channels of `[N, C, L]`: `F.dropout1d`.
///
/// ```
/// use kiln::prelude::*;
///
/// let x = dropout1d(Tensor::<f32>::ones([2, 3, 4]), 0.5, &mut Rng::seed(0));
/// let channel = x.narrow(0, 0, 1).narrow(1, 0, 1);
/// assert_eq!(channel.min().item().unwrap(), channel.max().item().unwrap());
/// ```
#[track_caller]
pub fn dropout1d<T: Element>(x: impl TensorArg<T>, p: impl Into<f64>, rng: &mut Rng) -> Tensor<T> {
    drawn("dropout1d", vec![Given::Tensor(x.any()), Given::Float(p.into())], rng)
}

/// [`dropout`] of whole channels of `[N, C, H, W]`: `F.dropout2d`.
///
/// ```
/// use kiln::prelude::*;
///
/// let x = dropout2d(Tensor::<f32>::ones([2, 3, 4, 4]), 0.5, &mut Rng::seed(0));
/// let channel = x.narrow(0, 0, 1).narrow(1, 0, 1);
/// assert_eq!(channel.min().item().unwrap(), channel.max().item().unwrap());
/// ```
#[track_caller]
pub fn dropout2d<T: Element>(x: impl TensorArg<T>, p: impl Into<f64>, rng: &mut Rng) -> Tensor<T> {
    drawn("dropout2d", vec![Given::Tensor(x.any()), Given::Float(p.into())], rng)
}

/// [`dropout`] of whole channels of `[N, C, D, H, W]`: `F.dropout3d`.
///
/// ```
/// use kiln::prelude::*;
///
/// let x = dropout3d(Tensor::<f32>::ones([2, 3, 4, 4, 4]), 0.5, &mut Rng::seed(0));
/// let channel = x.narrow(0, 0, 1).narrow(1, 0, 1);
/// assert_eq!(channel.min().item().unwrap(), channel.max().item().unwrap());
/// ```
#[track_caller]
pub fn dropout3d<T: Element>(x: impl TensorArg<T>, p: impl Into<f64>, rng: &mut Rng) -> Tensor<T> {
    drawn("dropout3d", vec![Given::Tensor(x.any()), Given::Float(p.into())], rng)
}

impl<T: Element> Tensor<T> {
    /// Numbers of `[0, 1)` under the shape and element type of this tensor: `torch.rand_like`.
    ///
    /// ```
    /// use kiln::prelude::*;
    ///
    /// let x = Tensor::<f64>::zeros([2, 3]).rand_like(&mut Rng::seed(0));
    /// assert!(x.as_slice().iter().all(|x| (0.0..1.0).contains(x)));
    /// ```
    #[track_caller]
    pub fn rand_like(&self, rng: &mut Rng) -> Tensor<T> {
        drawn("rand_like", vec![Given::Tensor(Any::new(self.clone()))], rng)
    }

    /// Numbers of the normal distribution under the shape and element type of this tensor: `torch.randn_like`.
    ///
    /// ```
    /// use kiln::prelude::*;
    ///
    /// let x = Tensor::<f32>::zeros([2, 3]);
    /// assert_eq!(x.randn_like(&mut Rng::seed(0)), randn([2, 3], &mut Rng::seed(0)));
    /// ```
    #[track_caller]
    pub fn randn_like(&self, rng: &mut Rng) -> Tensor<T> {
        drawn("randn_like", vec![Given::Tensor(Any::new(self.clone()))], rng)
    }

    /// See [`bernoulli`].
    ///
    /// ```
    /// use kiln::prelude::*;
    ///
    /// assert_eq!(Tensor::<f32>::ones([2]).bernoulli(&mut Rng::seed(0)).as_slice(), [1.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn bernoulli(&self, rng: &mut Rng) -> Tensor<T> {
        bernoulli(self, rng)
    }
}

#[cfg(test)]
pub(super) const NAMES: [&[&str]; 2] = [
    &["rand_like", "randn_like", "bernoulli"],
    &["rand", "randn", "randint", "bernoulli", "dropout", "dropout1d", "dropout2d", "dropout3d"],
];
