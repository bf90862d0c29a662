#[test]
fn agrees() {
    let mut net = Mlp::init(&mut Rng::seed(0));
    let (x, y) = (super::drawn(1, &[3, 784]), Tensor::<i64>::from([9, 1, 2]));
    let (mut eager, mut a, mut b) = (net.clone(), Adam::new(&net, 1e-3), Adam::new(&net, 1e-3));
    for _ in 0..3 {
        let got = train_step(&mut net, &mut a, &x, &y).expect("shapes fit");
        super::close(&got, &train_step::eager(&mut eager, &mut b, &x, &y));
    }
    super::same(&net, &eager);
}
