//! Shapes as they are written: numbers and the free size `N`.

/// A size.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Size {
    /// The free one.
    N,
    /// A number.
    Of(usize),
}

/// The sizes of a tensor.
pub type Shape = Vec<Size>;

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Size::N => f.write_str("N"),
            Size::Of(n) => write!(f, "{n}"),
        }
    }
}

/// `N, 3`
pub fn list(shape: &[Size]) -> String {
    shape.iter().map(Size::to_string).collect::<Vec<_>>().join(", ")
}

/// `Real, N, 3`, where `Real` stands for the element type that the module is written for.
pub fn ty(shape: &[Size]) -> String {
    std::iter::once("Real".to_string())
        .chain(shape.iter().map(Size::to_string))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Elements, with 4 for `N`.
pub fn elements(shape: &[Size]) -> usize {
    shape.iter().map(|size| if let Size::Of(n) = size { *n } else { 4 }).product()
}

/// Whether the small one is broadcast to the large one: its sizes are the last ones.
pub fn is_suffix(small: &[Size], large: &[Size]) -> bool {
    large.ends_with(small)
}
