//! Everything that can go wrong at run time, and all its wording.

use std::fmt::{self, Display};
use std::path::PathBuf;

use crate::Shape;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong at run time.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// An argument of a model has a shape that the model's signature rules out.
    Argument {
        /// The model called.
        model: &'static str,
        /// The argument's name in the signature.
        argument: std::borrow::Cow<'static, str>,
        /// Its dims as the signature writes them: `"[N, 784]"`.
        wanted: &'static str,
        /// The extents given.
        given: Box<Shape>,
    },
    /// Two arguments give a free dim two sizes.
    FreeDim {
        /// The model called.
        model: &'static str,
        /// The dim's name in the signature.
        dim: &'static str,
        /// The argument that set it, and the size it set.
        first: (&'static str, usize),
        /// The argument that contradicts, and its size.
        second: (&'static str, usize),
    },
    /// Free dims for which a size within the model would be negative.
    TooSmall {
        /// The model called.
        model: &'static str,
        /// The size as a sum: `N - 3`.
        size: &'static str,
        /// By how much it is below 0.
        below: usize,
    },
    /// A free dim exceeds the bound that the model was declared with.
    Bound {
        /// The model called.
        model: &'static str,
        /// The dim's name in the signature.
        dim: &'static str,
        /// The largest size declared.
        bound: usize,
        /// The size given.
        given: usize,
    },
    /// More axes than a tensor may have.
    Rank {
        /// The number of axes.
        rank: usize,
    },
    /// More elements than memory can hold.
    TooLarge {
        /// The shape wanted.
        shape: Shape,
    },
    /// The number of elements isn't that of the shape.
    Length {
        /// The shape.
        shape: Shape,
        /// The number of elements given.
        given: usize,
    },
    /// The only element was asked of a tensor that has none or several.
    NotOneElement {
        /// The tensor's shape.
        shape: Shape,
    },
    /// A dim was asked of a tensor that has fewer.
    NoDim {
        /// The dim, negative from the back.
        dim: i64,
        /// The number of axes.
        rank: usize,
    },
    /// A mask of another shape than the weight it is for.
    Mask {
        /// The weight's shape.
        weight: Box<Shape>,
        /// The mask's.
        mask: Box<Shape>,
    },
    /// An operation outside of models whose arguments don't fit.
    Operation {
        /// What is wrong.
        what: String,
        /// Where it was called.
        at: &'static std::panic::Location<'static>,
    },
    /// A file couldn't be read or written.
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// Bytes that are no safetensors file: truncated, corrupt or of another format.
    BadWeights {
        /// The file, if they came from one.
        path: Option<PathBuf>,
        /// The cause, in the words of the parser.
        cause: String,
    },
    /// Weights that don't fit the parameters they were loaded into or saved from.
    Weights {
        /// The file, if they came from one.
        path: Option<PathBuf>,
        /// All that doesn't fit.
        faults: WeightFaults,
    },
}

/// All that doesn't fit between a set of weights and the parameters, each list in the order of the names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WeightFaults {
    /// Parameters that the weights lack.
    pub missing: Vec<String>,
    /// Weights that belong to no parameter.
    pub unexpected: Vec<String>,
    /// Weights of another shape or element type than the parameter.
    pub ill_shaped: Vec<ShapeFault>,
    /// Names that several parameters share.
    pub repeated: Vec<String>,
}

/// A weight of another shape or element type than the parameter's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeFault {
    /// The parameter's name.
    pub name: String,
    /// The extents declared.
    pub wanted: Vec<usize>,
    /// The element type declared, as safetensors names it: `F32` of weights.
    pub wanted_dtype: String,
    /// The extents found.
    pub given: Vec<usize>,
    /// The element type found.
    pub dtype: String,
}

impl WeightFaults {
    /// Whether everything fits.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty()
            && self.unexpected.is_empty()
            && self.ill_shaped.is_empty()
            && self.repeated.is_empty()
    }
}

impl Error {
    /// The same error, with the file it is about.
    pub(crate) fn in_file(mut self, file: &std::path::Path) -> Self {
        if let Self::BadWeights { path, .. } | Self::Weights { path, .. } = &mut self {
            *path = Some(file.to_owned());
        }
        self
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument { model, argument, wanted, given } => {
                write!(f, "`{model}`: argument `{argument}` must have shape {wanted}, but has {given}")
            }
            Self::FreeDim { model, dim, first, second } => write!(
                f,
                "`{model}`: `{dim}` is {} in argument `{}`, but {} in argument `{}`",
                first.1, first.0, second.1, second.0
            ),
            Self::Bound { model, dim, bound, given } => {
                write!(f, "`{model}`: `{dim}` is {given}, but the model was declared with `{dim} <= {bound}`")
            }
            Self::TooSmall { model, size, below } => {
                write!(
                    f,
                    "`{model}`: the arguments are too small: a size in it is `{size}`, which would be -{below}"
                )
            }
            Self::Rank { rank } => write!(f, "a tensor has at most {} axes, not {rank}", crate::MAX_RANK),
            Self::TooLarge { shape } => write!(f, "a tensor of shape {shape} exceeds the address space"),
            Self::Length { shape, given } => write!(
                f,
                "a tensor of shape {shape} has {}, but {given} {} given",
                count(shape.elements(), "element"),
                if *given == 1 { "was" } else { "were" },
            ),
            Self::NotOneElement { shape } => write!(
                f,
                "`item` wants a tensor of one element, but one of shape {shape} has {}",
                shape.elements()
            ),
            Self::NoDim { dim, rank } => write!(f, "a tensor of rank {rank} has no dim {dim}"),
            Self::Mask { weight, mask } => {
                write!(f, "a mask of shape {mask} doesn't fit a weight of shape {weight}")
            }
            Self::Operation { what, at } => write!(f, "{at}: {what}"),
            Self::Io { path, source } => write!(f, "{}: {source}", path.display()),
            Self::BadWeights { path, cause } => {
                write!(f, "{}no intact safetensors file: {cause}", place(path))
            }
            Self::Weights { path, faults } => {
                write!(f, "{}the weights don't fit the parameters{faults}", place(path))
            }
        }
    }
}

impl Display for WeightFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for name in &self.missing {
            write!(f, "\n  missing: {name}")?;
        }
        for name in &self.unexpected {
            write!(f, "\n  unexpected: {name}")?;
        }
        for fault in &self.ill_shaped {
            write!(f, "\n  ill-shaped: {fault}")?;
        }
        for name in &self.repeated {
            write!(f, "\n  repeated: {name}")?;
        }
        Ok(())
    }
}

impl Display for ShapeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, wanted, wanted_dtype, given, dtype } = self;
        write!(f, "{name} must be {wanted_dtype} {wanted:?}, but is {dtype} {given:?}")
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

fn place(path: &Option<PathBuf>) -> String {
    path.as_ref().map(|path| format!("{}: ", path.display())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn argument_errors_name_the_argument_and_both_shapes() {
        let error = Error::Argument {
            model: "mlp",
            argument: "x".into(),
            wanted: "[N, 784]",
            given: Box::new(Shape::from([32, 783])),
        };
        assert_eq!(error.to_string(), "`mlp`: argument `x` must have shape [N, 784], but has [32, 783]");
        let error = Error::FreeDim { model: "loss", dim: "N", first: ("x", 32), second: ("y", 31) };
        assert_eq!(error.to_string(), "`loss`: `N` is 32 in argument `x`, but 31 in argument `y`");
        let error = Error::Bound { model: "gpt", dim: "T", bound: 64, given: 65 };
        assert_eq!(error.to_string(), "`gpt`: `T` is 65, but the model was declared with `T <= 64`");
    }

    #[test]
    fn errors_cross_threads() {
        fn check<T: Send + Sync + 'static>() {}
        check::<Error>();
    }

    #[test]
    fn one_element_is_singular() {
        let error = Error::Length { shape: Shape::from([1]), given: 2 };
        assert_eq!(error.to_string(), "a tensor of shape [1] has 1 element, but 2 were given");
    }
}
