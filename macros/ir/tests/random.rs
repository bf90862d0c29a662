//! What is made of random numbers: their distribution, their counter, their gradient, their messages.

use kiln_ir::composite::random::{self, Generator};
use kiln_ir::differentiate::differentiate;
use kiln_ir::ops::Array;
use kiln_ir::ops::random::{counter_type, key_type};
use kiln_ir::{Builder, DType, Dim, Draw, Error, Func, Op, Role, SymKind, Syms, Ty, Value, eval};

fn built(build: impl Fn(&mut Builder, &mut Generator, Value) -> Result<Value, Error>) -> Result<Func, Error> {
    let mut b = Builder::new("f", Syms::default());
    let key = b.input("key", key_type(), Role::Buffer);
    let counter = b.input("counter", counter_type(), Role::Buffer);
    let x = b.input("x", Ty::new(DType::F32, [Dim::from(20), Dim::from(50)]), Role::Argument);
    let mut g = Generator { key, counter };
    let y = build(&mut b, &mut g, x)?;
    b.output("y", y, None);
    b.output("counter", g.counter, Some(1));
    Ok(b.finish())
}

fn run(func: &Func, counter: f64) -> (Vec<f64>, f64) {
    let key = Array::rounded(DType::I32, vec![2], vec![3.0, 0.0]);
    let counter = Array::rounded(DType::I64, vec![], vec![counter]);
    let x = Array::rounded(DType::F32, vec![20, 50], vec![1.0; 1000]);
    let out = eval::eval(func, &[key, counter, x]);
    (out[0].data.clone(), out[1].data[0])
}

/// Mean, variance, and the chi-square of the normal distribution's deciles: 9 degrees of freedom.
#[test]
fn normal_numbers_are_normal() {
    let n = 20_000;
    let f = built(|b, g, _| random::randn(b, g, &[Dim::from(n)])).unwrap();
    let (z, next) = run(&f, 0.0);
    assert_eq!(next, 2.0 * n as f64 / 4.0);
    let mean = z.iter().sum::<f64>() / n as f64;
    let variance = z.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n as f64;
    assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
    let deciles = [-1.281552, -0.841621, -0.524401, -0.253347, 0.0, 0.253347, 0.524401, 0.841621, 1.281552];
    let mut bins = [0.0; 10];
    z.iter().for_each(|x| bins[deciles.iter().filter(|d| *d < x).count()] += 1.0);
    let expected = n as f64 / 10.0;
    let chi: f64 = bins.iter().map(|k| (k - expected) * (k - expected) / expected).sum();
    assert!(chi < 27.9, "{chi}");
}

#[test]
fn integers_are_even_and_within() {
    let f = built(|b, g, _| random::randint(b, g, [-2, 3], &[Dim::from(10_000)])).unwrap();
    let mut counts = [0; 5];
    run(&f, 5.0).0.iter().for_each(|x| counts[(x + 2.0) as usize] += 1);
    assert!(counts.iter().all(|n| (1_850..2_150).contains(n)), "{counts:?}");
}

#[test]
fn dropout_keeps_the_mean_and_its_gradient_has_its_mask() {
    let f = built(|b, g, x| {
        let y = random::dropout(b, g, x, 0.25)?;
        let one = b.splat(1.0, y)?;
        let gradient = differentiate(b, &[(y, one)], &[x])?[0];
        b.sub(y, gradient)
    });
    assert!(run(&f.unwrap(), 0.0).0.iter().all(|x| *x == 0.0));
    let (y, next) = run(&built(|b, g, x| random::dropout(b, g, x, 0.25)).unwrap(), 0.0);
    let kept = y.iter().filter(|x| **x != 0.0).count();
    assert!((700..800).contains(&kept) && next == 250.0, "{kept} {next}");
    assert!(y.iter().all(|x| *x == 0.0 || *x == f64::from(4.0f32 / 3.0)));
    let ends = |p| run(&built(|b, g, x| random::dropout(b, g, x, p)).unwrap(), 0.0).0;
    assert!(ends(0.0).iter().all(|x| *x == 1.0) && ends(1.0).iter().all(|x| *x == 0.0));
}

#[test]
fn a_free_size_advances_the_counter_by_whole_blocks() {
    let mut b = Builder::new("f", Syms::default());
    let n = Dim::from(b.syms().intern("N", SymKind::Free { bound: None }));
    let key = b.input("key", key_type(), Role::Buffer);
    let counter = b.input("counter", counter_type(), Role::Buffer);
    b.input("x", Ty::new(DType::F32, [n.clone()]), Role::Argument);
    let mut g = Generator { key, counter };
    let y = random::rand(&mut b, &mut g, &[n]).unwrap();
    b.output("y", y, None);
    b.output("next", g.counter, None);
    let func = b.finish();
    for (n, blocks) in [(0, 0.0), (1, 1.0), (4, 1.0), (5, 2.0)] {
        let key = Array::rounded(DType::I32, vec![2], vec![0.0; 2]);
        let counter = Array::rounded(DType::I64, vec![], vec![7.0]);
        let x = Array::rounded(DType::F32, vec![n], vec![0.0; n]);
        assert_eq!(eval::eval(&func, &[key, counter, x])[1].data, [7.0 + blocks]);
    }
}

#[test]
fn the_text_reads_as_it_prints() {
    for (draw, shape) in [(Draw::Uniform, vec![2.into(), 3.into()]), (Draw::Bits, vec![])] {
        let f = built(|b, g, _| b.emit(Op::Random(draw, shape.clone()), &[g.key, g.counter])).unwrap();
        assert_eq!(kiln_ir::text::parse(&f.to_string()).unwrap(), f);
    }
    let f = built(|b, g, _| random::rand(b, g, &[2.into(), 3.into()])).unwrap();
    assert!(f.to_string().contains("f32[2, 3] = random[uniform: 2, 3] %0 %1"), "{f}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let fault = |p| built(|b, g, x| random::dropout(b, g, x, p)).unwrap_err().to_string();
    assert_eq!(fault(1.5), "`dropout`: p is a probability, from 0 to 1, not 1.5");
    assert!(fault(f64::NAN).contains("not NaN"));
    let channels = built(|b, g, x| random::dropout_channels(b, g, x, 0.5, 2)).unwrap_err().to_string();
    assert_eq!(channels, "`dropout2d` needs rank 4, not f32 [20, 50] (rank 2)");
    let none = built(|b, g, _| random::randint(b, g, [3, 3], &[])).unwrap_err().to_string();
    assert_eq!(none, "`randint`: 3 .. 3 must have a number, and at most 2³² of them");
    let bools = built(|b, g, x| {
        let mask = b.map(kiln_ir::Scalar::Lt, &[x, x])?;
        random::bernoulli(b, g, mask)
    });
    assert_eq!(bools.unwrap_err().to_string(), "`bernoulli` needs floats, not bool [20, 50]");
}
