//! What a model returns is stored where an earlier result was: after the first call nothing is allocated.

use std::thread;

use kiln::{Element, Tensor, rt};

mod counting;

use counting::allocations;

fn results<T: Element>(value: T) {
    let mut logits = rt::output::<T>(&[64, 10]);
    let mut loss = rt::output::<T>(&[]);
    logits.as_mut_slice().fill(value);
    loss.as_mut_slice().fill(value);
    let shared = logits.clone();
    drop(logits);
    assert_eq!((shared.as_slice()[639], loss.item().ok()), (value, Some(value)));
}

#[test]
fn nothing_is_allocated_after_the_first_call() {
    fn check<T: Element>() {
        results(T::ONE);
        assert_eq!(allocations(|| (0..100).for_each(|_| results(T::ZERO))), 0, "{}", T::NAME);
    }
    check::<f32>();
    check::<f64>();
    check::<i64>();
    check::<i32>();
    check::<u8>();
    check::<bool>();
}

#[test]
fn results_that_live_are_not_shared() {
    let kept: Vec<Tensor> = (0..40).map(|_| rt::output(&[7])).collect();
    for (i, a) in kept.iter().enumerate() {
        assert!(kept[..i].iter().all(|b| a.as_slice().as_ptr() != b.as_slice().as_ptr()));
    }
    drop(kept);
    // Only so many are kept.
    let again = allocations(|| drop((0..40).map(|_| rt::output::<f32>(&[7])).collect::<Vec<_>>()));
    assert_eq!(again, 1 + 2 * (40 - 16));
}

#[test]
fn what_is_taken_out_or_made_otherwise_is_freed() {
    drop(rt::output::<f64>(&[33]).into_vec());
    drop(Tensor::<f64>::zeros([33]));
    let mut copy = rt::output::<f64>(&[33]);
    let original = copy.clone();
    copy.as_mut_slice()[0] = 1.0;
    drop(copy);
    let mut made = None;
    assert_eq!(allocations(|| made = Some(rt::output::<f64>(&[33]))), 2, "none was kept");
    drop((original, made));
}

#[test]
fn a_thread_that_ends_takes_its_results_along() {
    let made = thread::spawn(|| rt::output::<f32>(&[5])).join().expect("no panic");
    thread::spawn(move || drop(made)).join().expect("no panic");
}

#[test]
fn empty_results_are_results() {
    assert_eq!(rt::output::<f32>(&[0, 3]).len(), 0);
    assert_eq!(allocations(|| drop(rt::output::<f32>(&[0, 3]))), 1, "the count of owners");
}
