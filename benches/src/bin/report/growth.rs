//! Time against batch, width, depth and length of the sequence, on one thread and on two.

use crate::{Outcome, page};
use kiln::kernels::threads::set_threads;
use kiln::prelude::*;
use kiln_examples::svg::{Line, Plot, Scale, page as picture};
use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// 784 → 512 → 256 → 10.
#[params]
struct Mlp {
    fc1: Linear<784, 512>,
    fc2: Linear<512, 256>,
    fc3: Linear<256, 10>,
}

#[model]
fn mlp<const N: usize>(net: &Mlp, x: Tensor<N, 784>) -> Tensor<N, 10> {
    let h = net.fc2.forward(net.fc1.forward(x).relu()).relu();
    net.fc3.forward(h)
}

/// One of W by W.
#[model]
fn wide<const N: usize, const W: usize>(layer: &Linear<W, W>, x: Tensor<N, W>) -> Tensor<N, W> {
    layer.forward(x).relu()
}

/// So many layers of 256, of which the models are loops.
macro_rules! depths {
    ($($net:ident $model:ident $layers:literal)*) => {$(
        #[params]
        struct $net {
            layers: [Linear<256, 256>; $layers],
        }

        #[model]
        fn $model(net: &$net, x: Tensor<64, 256>) -> Tensor<64, 256> {
            let mut x = x;
            for layer in &net.layers {
                x = layer.forward(x).relu();
            }
            x
        }
    )*};
}

depths! { Deep1 deep1 1 Deep4 deep4 4 Deep16 deep16 16 Deep64 deep64 64 }

/// One layer of 384 dims and 12 heads.
#[model]
fn attended<const T: usize>(
    layer: &TransformerEncoderLayer<384, 12, 1536>,
    x: Tensor<1, T, 384>,
) -> Tensor<1, T, 384> {
    layer.forward(x, false)
}

/// A batch of 32, 128 wide.
#[model]
fn recurrent<const T: usize>(net: &Lstm<64, 128>, x: Tensor<T, 32, 64>) -> Tensor<32, 128> {
    let (_, last, _) = net.forward(x);
    last
}

/// A call for a size.
type Call = Box<dyn FnMut() -> kiln::Result<()>>;

/// What grows.
struct Growth {
    title: &'static str,
    /// Sizes and what is called for each.
    sizes: Vec<(usize, Call)>,
}

/// A frozen model on random numbers of a shape.
macro_rules! call {
    ($model:ident, $net:ty, $shape:expr) => {{
        let mut rng = Rng::seed(0);
        let net = $model::freeze(&<$net>::init(&mut rng))?;
        let x: Tensor = init::normal(0.0, 1.0).tensor(&mut rng, &$shape);
        Box::new(move || net.run(&x).map(|y| drop(std::hint::black_box(y)))) as Call
    }};
}

fn all() -> Outcome<Vec<Growth>> {
    let by = |sizes: &[usize], call: fn(usize) -> Outcome<Call>| -> Outcome<Vec<(usize, Call)>> {
        sizes.iter().map(|&size| Ok((size, call(size)?))).collect()
    };
    Ok(vec![
        Growth {
            title: "batch: the MLP 784-512-256-10",
            sizes: by(&[1, 4, 16, 64, 256], |n| Ok(call!(mlp, Mlp, [n, 784])))?,
        },
        Growth {
            title: "width: a dense layer, a batch of 64",
            sizes: vec![
                (64, call!(wide, Linear<64, 64>, [64, 64])),
                (256, call!(wide, Linear<256, 256>, [64, 256])),
                (1024, call!(wide, Linear<1024, 1024>, [64, 1024])),
                (4096, call!(wide, Linear<4096, 4096>, [64, 4096])),
            ],
        },
        Growth {
            title: "depth: layers of 256, a batch of 64",
            sizes: vec![
                (1, call!(deep1, Deep1, [64, 256])),
                (4, call!(deep4, Deep4, [64, 256])),
                (16, call!(deep16, Deep16, [64, 256])),
                (64, call!(deep64, Deep64, [64, 256])),
            ],
        },
        Growth {
            title: "length: attention and dense layers, 384 dims, 12 heads",
            sizes: by(&[16, 64, 256, 1024], |t| {
                Ok(call!(attended, TransformerEncoderLayer<384, 12, 1536>, [1, t, 384]))
            })?,
        },
        Growth {
            title: "length: an LSTM of 128, a batch of 32",
            sizes: by(&[16, 64, 256, 1024], |t| Ok(call!(recurrent, Lstm<64, 128>, [t, 32, 64])))?,
        },
    ])
}

/// The section of the report; the chart is written beside it.
pub fn section(chart: &Path) -> Outcome<String> {
    let mut text = format!(
        "{}\n\n![Time against size]({})\n\n| what grows | size | one thread, ms | two, ms | one / two |\n|---|---|---|---|---|\n",
        page::load(),
        chart.file_name().unwrap_or_default().display()
    );
    let mut plots = Vec::new();
    for Growth { title, sizes } in all()? {
        eprintln!("{title}");
        let (mut one, mut two) = (Vec::new(), Vec::new());
        for (size, mut call) in sizes {
            let [a, b] = [1, 2].map(|threads| {
                set_threads(threads);
                median(&mut call)
            });
            let (a, b) = (a?, b?);
            writeln!(text, "| {title} | {size} | {a:.4} | {b:.4} | {:.2} |", a / b)?;
            one.push((size as f64, a));
            two.push((size as f64, b));
        }
        let line = |name, colour, points| Line { name, colour, points };
        let lines = vec![line("one thread", "steelblue", one), line("two threads", "crimson", two)];
        plots.push(Plot {
            title: format!("ms by {title}"),
            lines,
            x: Scale::Log,
            y: Scale::Log,
            names: vec![],
        });
    }
    std::fs::write(chart, picture(&plots))?;
    Ok(text)
}

/// Milliseconds of a call, the median of a third of a second behind three.
fn median(call: &mut Call) -> kiln::Result<f64> {
    (0..3).try_for_each(|_| call())?;
    let end = Instant::now() + Duration::from_millis(300);
    let mut times = Vec::new();
    while Instant::now() < end || times.len() < 5 {
        let start = Instant::now();
        call()?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}
