#[test]
fn agrees() {
    let net = Attention::init(&mut Rng::seed(0));
    let x = super::drawn(1, &[2, 5, 8]);
    super::close(&attention(&net, &x).expect("shapes fit"), &attention::eager(&net, &x));
}
