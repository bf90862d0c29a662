//! Sizes: what a model was given against what it wants. Whoever is wrong is named in the user's words.

use crate::{Error, Result, Shape};

/// An argument, or a leaf of one, with the dims that it must have: the model called, the argument's name or the
/// leaf's (`net.fc1.weight`), and the dims as the signature writes them.
pub type Place = (&'static str, &'static str, &'static str);

#[cold]
fn misfit((model, argument, wanted): Place, given: &[usize]) -> Error {
    match Shape::new(given) {
        Ok(given) => Error::Argument { model, argument: argument.into(), wanted, given: Box::new(given) },
        Err(error) => error,
    }
}

/// The extents given, if they are as many as wanted.
pub fn extents<const RANK: usize>(given: &[usize], place: &Place) -> Result<[usize; RANK]> {
    given.try_into().map_err(|_| misfit(*place, given))
}

/// An error if the extents given aren't those wanted.
pub fn fit(given: &[usize], wanted: &[usize], place: &Place) -> Result<()> {
    if given == wanted { Ok(()) } else { Err(misfit(*place, given)) }
}

/// An error if two arguments give a free dim two sizes.
pub fn agree(
    model: &'static str,
    dim: &'static str,
    first: (&'static str, usize),
    second: (&'static str, usize),
) -> Result<()> {
    if first.1 == second.1 { Ok(()) } else { Err(Error::FreeDim { model, dim, first, second }) }
}

/// An error if a free dim is larger than declared.
pub fn bound(model: &'static str, dim: &'static str, bound: usize, given: usize) -> Result<()> {
    if given <= bound { Ok(()) } else { Err(Error::Bound { model, dim, bound, given }) }
}

/// An error if a size, the difference of two sums, is negative.
pub fn room(model: &'static str, size: &'static str, plus: usize, minus: usize) -> Result<()> {
    if plus >= minus { Ok(()) } else { Err(Error::TooSmall { model, size, below: minus - plus }) }
}

/// The value that the constants of one name have; called in constants, so that the build fails where they differ.
///
/// # Panics
/// If they differ.
pub const fn same<const N: usize>(values: [usize; N], differ: &str) -> usize {
    let mut i = 1;
    while i < N {
        if values[i] != values[0] {
            panic!("{}", differ);
        }
        i += 1;
    }
    values[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: Place = ("f", "x", "[N, 3]");

    #[test]
    fn shapes_are_compared_in_the_users_words() {
        assert_eq!(extents::<2>(&[5, 3], &X).unwrap(), [5, 3]);
        let error = extents::<2>(&[5], &X).unwrap_err().to_string();
        assert_eq!(error, "`f`: argument `x` must have shape [N, 3], but has [5]");
        assert!(fit(&[5, 3], &[5, 3], &X).is_ok() && fit(&[5, 3], &[5, 4], &X).is_err());
    }

    #[test]
    fn free_dims_agree_and_keep_their_bounds() {
        assert!(agree("f", "N", ("x", 2), ("y", 2)).is_ok() && agree("f", "N", ("x", 2), ("y", 3)).is_err());
        assert!(bound("f", "N", 4, 4).is_ok() && bound("f", "N", 4, 5).is_err());
    }

    #[test]
    fn sizes_leave_room() {
        assert!(room("f", "N - 3", 3, 3).is_ok());
        let error = room("f", "N - 3", 1, 3).unwrap_err().to_string();
        assert_eq!(error, "`f`: the arguments are too small: a size in it is `N - 3`, which would be -2");
    }

    #[test]
    #[should_panic(expected = "differ")]
    fn constants_that_differ_are_found() {
        assert_eq!(same([3, 3], "differ"), 3);
        same([3, 4], "differ");
    }
}
