#[test]
fn agrees() {
    let params = Net::init(&mut Rng::seed(0));
    let (x, y) = (super::drawn(1, &[4, 8]), Tensor::<i64>::from([0, 1, 2, 0]));
    super::close(&net(&params, &x).expect("shapes fit"), &net::eager(&params, &x));
    super::close(&accuracy_of(&params, &x, &y).expect("shapes fit"), &accuracy_of::eager(&params, &x, &y));
}
