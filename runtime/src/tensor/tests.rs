//! Tests of the tensor.

use ndarray::{Array2, arr2};

use super::*;

#[test]
fn constructors() {
    assert_eq!(Tensor::<i64>::zeros([2]).as_slice(), [0, 0]);
    assert_eq!(Tensor::<bool>::ones([2]).as_slice(), [true, true]);
    let extents = &[1, 2];
    assert_eq!(Tensor::full(extents, 3u8).as_slice(), [3, 3]);
    assert_eq!(Tensor::<f32>::default().shape(), [0usize; 0]);
    assert_eq!(Tensor::<f32>::zeros([2, 0]).len(), 0);
}

#[test]
fn wrong_lengths_and_ranks_are_errors() {
    let error = Tensor::from_vec([2, 3], vec![0.0f32; 5]).unwrap_err();
    assert_eq!(error.to_string(), "a tensor of shape [2, 3] has 6 elements, but 5 were given");
    assert!(Tensor::from_vec([1; 9], vec![0.0f32]).is_err());
    assert!(Tensor::from_vec(vec![usize::MAX, 2], vec![0.0f32]).is_err());
    assert!(<Tensor>::zeros([4]).reshaped([3]).is_err());
}

#[test]
fn item_wants_one_element() {
    assert_eq!(Tensor::from([[7i64]]).item().unwrap(), 7);
    assert!(Tensor::from([1i64, 2]).item().is_err());
    assert!(Tensor::<f32>::zeros([0]).item().is_err());
}

#[test]
fn clones_share_until_written() {
    let a = Tensor::from([1.0f32, 2.0]);
    let mut b = a.clone();
    assert_eq!(a.as_slice().as_ptr(), b.as_slice().as_ptr());
    b.as_mut_slice()[0] = 5.0;
    assert_eq!((a.as_slice()[0], b.as_slice()[0]), (1.0, 5.0));
    let before = b.as_slice().as_ptr();
    b.as_mut_slice()[1] = 6.0;
    assert_eq!(before, b.as_slice().as_ptr());
}

#[test]
fn equality_is_of_shape_and_elements() {
    let a = Tensor::from([1.0f32, 2.0]);
    assert_eq!(a, Tensor::from([1.0, 2.0]));
    assert_ne!(a, a.reshaped([2, 1]).unwrap());
    assert_ne!(a, Tensor::from([1.0, 3.0]));
}

#[test]
fn ndarray_there_and_back() {
    let array = arr2(&[[1.0f32, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    let tensor = Tensor::from(array.clone());
    assert_eq!(tensor.to_ndarray(), array.clone().into_dyn());
    assert_eq!(ArrayD::from(tensor.clone()), array.clone().into_dyn());
    let transposed = Tensor::from(array.clone().reversed_axes());
    assert_eq!(transposed.as_slice(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    assert_eq!(Tensor::from(&array.t()), transposed);
}

#[test]
fn a_sliced_owned_array_keeps_only_its_own_elements() {
    let array = Array2::from_shape_fn((4, 2), |(i, j)| (10 * i + j) as i64);
    let middle = array.slice_move(ndarray::s![1..3, ..]);
    assert_eq!(Tensor::from(middle).into_vec(), [10, 11, 20, 21]);
    let array = Array2::from_shape_fn((4, 2), |(i, j)| (10 * i + j) as i64);
    assert!(Tensor::try_from(ArrayD::<f32>::zeros(IxDyn(&[1; 9]))).is_err());
    assert!(Tensor::from(array.slice_move(ndarray::s![4.., ..])).is_empty());
}

#[test]
fn prints() {
    let t = Tensor::from([[1.5f32, 2.0], [3.0, 4.0]]);
    assert_eq!(t.to_string(), "[[1.5, 2],\n [3, 4]]");
    assert_eq!(format!("{:?}", Tensor::from([1i64, 2])), "Tensor<i64>[2] [1, 2]");
}

#[test]
fn nested_arrays() {
    let t = Tensor::from([[[[1u8, 2]], [[3, 4]], [[5, 6]]]]);
    assert_eq!(t.shape(), [1, 3, 1, 2]);
    assert_eq!(t.as_slice(), [1, 2, 3, 4, 5, 6]);
    assert_eq!(Tensor::from([[[1i32; 4]; 3]; 2]).shape(), [2, 3, 4]);
}
