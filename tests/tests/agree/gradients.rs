#[test]
fn agrees() {
    let mut net = Critic::init(&mut Rng::seed(0));
    let (x, mut eager) = (super::drawn(1, &[4, 3]), net.clone());
    super::close(&penalty(&net, &x).expect("shapes fit"), &penalty::eager(&net, &x));
    let (mut a, mut b) = (AdamW::new(&net, 0.01), AdamW::new(&net, 0.01));
    for _ in 0..3 {
        let (loss, size) = learn(&mut net, &mut a, &x).expect("shapes fit");
        let (want, norm) = learn::eager(&mut eager, &mut b, &x);
        super::close(&loss, &want);
        super::close(&size, &norm);
    }
    super::same(&net, &eager);
    let (f, d, dd) = hessian(0.7).expect("a scalar");
    let (g, e, ee) = hessian::eager(0.7);
    super::close(&f, &g);
    super::close(&d, &e);
    super::close(&dd, &ee);
    super::close(&sensitive(&net, &x).expect("shapes fit"), &sensitive::eager(&net, &x));
}
