//! Trees of parameters: named leaves, in the order and under the names of PyTorch's `state_dict`.

use std::path::Path;

use crate::rt::join;
use crate::{Result, Rng};

pub(crate) mod leaf;
pub(crate) mod weights;

pub use leaf::{LeafTensor, LeafTensorMut};
use weights::Types;

/// Whether a leaf is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LeafKind {
    /// Trained by an optimizer.
    Parameter,
    /// State that isn't trained, such as running statistics.
    Buffer,
}

/// One tensor of a tree, to read.
#[derive(Clone, Debug)]
pub struct Leaf<'a> {
    /// The path to it: `"fc1.weight"`.
    pub name: String,
    /// Whether it is trained.
    pub kind: LeafKind,
    /// The extents declared.
    pub shape: Vec<usize>,
    /// The tensor.
    pub tensor: LeafTensor<'a>,
}

/// One tensor of a tree, to write.
#[derive(Debug)]
pub struct LeafMut<'a> {
    /// The path to it: `"fc1.weight"`.
    pub name: String,
    /// Whether it is trained.
    pub kind: LeafKind,
    /// The extents declared.
    pub shape: Vec<usize>,
    /// The tensor.
    pub tensor: LeafTensorMut<'a>,
}

/// A tree of tensors: the parameters of a model, and all of the same form, such as gradients and the moments of
/// an optimizer. `#[params]` on a struct implements it; this is what it writes:
///
/// ```
/// use kiln::{Leaf, LeafKind, LeafMut, Params, Rng, Tensor, init, rt::join};
///
/// #[derive(Clone)]
/// struct Scale {
///     weight: Tensor,
/// }
///
/// impl Params for Scale {
///     fn init(rng: &mut Rng) -> Self {
///         Scale { weight: init::ones().tensor(rng, &[3]) }
///     }
///     fn leaves<'a>(&'a self, prefix: &str, out: &mut Vec<Leaf<'a>>) {
///         let (name, kind) = (join(prefix, "weight"), LeafKind::Parameter);
///         out.push(Leaf { name, kind, shape: vec![3], tensor: (&self.weight).into() });
///     }
///     fn leaves_mut<'a>(&'a mut self, prefix: &str, out: &mut Vec<LeafMut<'a>>) {
///         let (name, kind) = (join(prefix, "weight"), LeafKind::Parameter);
///         out.push(LeafMut { name, kind, shape: vec![3], tensor: (&mut self.weight).into() });
///     }
/// }
///
/// let scales = <[Scale; 2]>::init(&mut Rng::seed(0));
/// let names: Vec<_> = scales.named_leaves().into_iter().map(|leaf| leaf.name).collect();
/// assert_eq!(names, ["0.weight", "1.weight"]);
/// assert_eq!(scales.param_count(), 6);
///
/// let loaded = <[Scale; 2]>::from_bytes(&scales.to_bytes()?)?;
/// assert_eq!(loaded[1].weight, scales[1].weight);
/// # Ok::<(), kiln::Error>(())
/// ```
pub trait Params: Clone {
    /// A tree freshly initialized.
    fn init(rng: &mut Rng) -> Self;

    /// Appends the leaves in declaration order, their names under `prefix`.
    fn leaves<'a>(&'a self, prefix: &str, out: &mut Vec<Leaf<'a>>);

    /// Appends the same leaves as [`Params::leaves`], in the same order, to write to.
    fn leaves_mut<'a>(&'a mut self, prefix: &str, out: &mut Vec<LeafMut<'a>>);

    /// Sees the tensors of all leaves, in the same order.
    #[doc(hidden)]
    fn __kiln_each<'a>(&'a self, see: &mut dyn FnMut(LeafTensor<'a>)) {
        self.named_leaves().into_iter().for_each(|leaf| see(leaf.tensor));
    }

    /// The same, to write to.
    #[doc(hidden)]
    fn __kiln_each_mut<'a>(&'a mut self, see: &mut dyn FnMut(LeafTensorMut<'a>)) {
        let mut leaves = Vec::new();
        self.leaves_mut("", &mut leaves);
        leaves.into_iter().for_each(|leaf| see(leaf.tensor));
    }

    /// All leaves with their names from the root.
    fn named_leaves(&self) -> Vec<Leaf<'_>> {
        let mut leaves = Vec::new();
        self.leaves("", &mut leaves);
        leaves
    }

    /// How many numbers are trained: the elements of all leaves that are no buffers.
    fn param_count(&self) -> usize {
        let leaves = self.named_leaves();
        leaves.iter().filter(|leaf| leaf.kind == LeafKind::Parameter).map(|leaf| leaf.tensor.len()).sum()
    }

    /// A tree of the same form, all zeros.
    fn zeros_like(&self) -> Self {
        let mut zeros = self.clone();
        let mut leaves = Vec::new();
        zeros.leaves_mut("", &mut leaves);
        for leaf in leaves {
            leaf.tensor.zero();
        }
        zeros
    }

    /// The root of the sum of all squares of what is trained: the norm of a gradient.
    ///
    /// ```
    /// use kiln::prelude::*;
    ///
    /// let ones = LayerNorm::<4>::init(&mut Rng::seed(0));
    /// assert_eq!(ones.norm().item()?, 2.0);
    /// # Ok::<(), kiln::Error>(())
    /// ```
    #[cfg(feature = "eager")]
    #[track_caller]
    fn norm(&self) -> crate::Tensor {
        crate::eager::trees::norm(self)
    }

    /// A gradient scaled so that its norm is at most `max`: `torch.nn.utils.clip_grad_norm_`. Pascanu, Mikolov and
    /// Bengio, *On the difficulty of training recurrent neural networks* (2013).
    ///
    /// ```
    /// use kiln::prelude::*;
    ///
    /// let ones = LayerNorm::<4>::init(&mut Rng::seed(0));
    /// assert!((ones.clip_norm(1.0).weight.as_slice()[0] - 0.5).abs() < 1e-6);
    /// ```
    #[cfg(feature = "eager")]
    #[track_caller]
    fn clip_norm(&self, max: impl Into<f64>) -> Self {
        crate::eager::trees::clip_norm(self, max.into())
    }

    /// A gradient with each entry kept within `−max ..= max`: `torch.nn.utils.clip_grad_value_`.
    ///
    /// ```
    /// use kiln::prelude::*;
    ///
    /// let ones = LayerNorm::<4>::init(&mut Rng::seed(0));
    /// assert_eq!(ones.clip_value(0.5).weight.as_slice(), [0.5; 4]);
    /// ```
    #[cfg(feature = "eager")]
    #[track_caller]
    fn clip_value(&self, max: impl Into<f64>) -> Self {
        crate::eager::trees::clip_value(self, max.into())
    }

    /// Writes the leaves to a safetensors file, buffers included. The file is replaced as a whole or not at all.
    fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        weights::write(path.as_ref(), &self.to_bytes()?)
    }

    /// Reads the leaves from a safetensors file, in place. On an error nothing has changed, and it lists every
    /// missing, unexpected and ill-shaped tensor at once.
    fn load(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let bytes = weights::read(path)?;
        self.load_bytes(&bytes).map_err(|error| error.in_file(path))
    }

    /// [`Params::load`] from memory.
    fn load_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let (read, _) = weights::decode(&self.named_leaves(), &[], bytes, Types::AsDeclared)?;
        let mut leaves = Vec::new();
        self.leaves_mut("", &mut leaves);
        weights::set(leaves, read)
    }

    /// [`Params::load`] from a file whose floats may have another type: each is rounded to the type of its leaf, as weights
    /// trained in f32 for a net that keeps them as bf16.
    ///
    /// ```
    /// use kiln::prelude::*;
    ///
    /// #[params]
    /// struct Wide { weight: Tensor<2, 3> }
    ///
    /// #[params]
    /// struct Narrow { weight: Tensor<bf16, 2, 3> }
    ///
    /// let wide = Wide::init(&mut Rng::seed(0)).to_bytes()?;
    /// let mut net = Narrow::init(&mut Rng::seed(0));
    /// let error = net.load_bytes(&wide).unwrap_err().to_string();
    /// assert!(error.ends_with("weight must be BF16 [2, 3], but is F32 [2, 3]"), "{error}");
    /// net.load_rounded_bytes(&wide)?;
    /// # Ok::<(), kiln::Error>(())
    /// ```
    fn load_rounded(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let bytes = weights::read(path)?;
        self.load_rounded_bytes(&bytes).map_err(|error| error.in_file(path))
    }

    /// [`Params::load_rounded`] from memory.
    fn load_rounded_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let (read, _) = weights::decode(&self.named_leaves(), &[], bytes, Types::AnyFloat)?;
        let mut leaves = Vec::new();
        self.leaves_mut("", &mut leaves);
        weights::set(leaves, read)
    }

    /// The leaves as the bytes of a safetensors file.
    fn to_bytes(&self) -> Result<Vec<u8>> {
        weights::encode(&self.named_leaves(), &[])
    }

    /// The tree that the bytes of a safetensors file hold.
    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut params = Self::init(&mut Rng::seed(0));
        params.load_bytes(bytes)?;
        Ok(params)
    }
}

/// `prefix.0`, `prefix.1`, …, as `nn.ModuleList` names them.
impl<P: Params, const N: usize> Params for [P; N] {
    fn init(rng: &mut Rng) -> Self {
        std::array::from_fn(|_| P::init(rng))
    }

    fn leaves<'a>(&'a self, prefix: &str, out: &mut Vec<Leaf<'a>>) {
        for (i, item) in self.iter().enumerate() {
            item.leaves(&join(prefix, &i.to_string()), out);
        }
    }

    fn leaves_mut<'a>(&'a mut self, prefix: &str, out: &mut Vec<LeafMut<'a>>) {
        for (i, item) in self.iter_mut().enumerate() {
            item.leaves_mut(&join(prefix, &i.to_string()), out);
        }
    }

    fn __kiln_each<'a>(&'a self, see: &mut dyn FnMut(LeafTensor<'a>)) {
        self.iter().for_each(|item| item.__kiln_each(see));
    }

    fn __kiln_each_mut<'a>(&'a mut self, see: &mut dyn FnMut(LeafTensorMut<'a>)) {
        self.iter_mut().for_each(|item| item.__kiln_each_mut(see));
    }
}

#[cfg(test)]
mod tests;
