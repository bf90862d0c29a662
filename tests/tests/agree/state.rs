#[test]
fn agrees() {
    let mut net = Net::init(&mut Rng::seed(0));
    net.norms.iter_mut().for_each(|n| n.weight = Tensor::from([1.0, 0.5, 2.0, -1.0]));
    let (x, y) = (super::drawn(1, &[6, 4]), super::drawn(2, &[6, 1]));
    let (mut eager, mut a, mut b) = (net.clone(), Sgd::new(&net, 0.1), Sgd::new(&net, 0.1));
    for _ in 0..3 {
        let got = step(&mut net, &mut a, &x, &y).expect("shapes fit");
        super::close(&got, &step::eager(&mut eager, &mut b, &x, &y));
    }
    super::same(&net, &eager);
    assert_eq!(a.lr, b.lr);

    let (mut cache, mut at) = (Tensor::zeros([8, 4]), Tensor::<i64>::from(2));
    let (mut other, mut place) = (cache.clone(), at.clone());
    for row in [[1.0, 2.0, 3.0, 4.0], [5.0; 4]] {
        let got = append(&mut cache, &mut at, row).expect("shapes fit");
        super::close(&got, &append::eager(&mut other, &mut place, row));
    }
    super::close(&cache, &other);
    assert_eq!((at.item().ok(), place.item().ok()), (Some(4), Some(4)));
}
