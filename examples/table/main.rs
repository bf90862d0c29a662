//! The zoo's figures as a table: `cargo run --release --example table [-- NET …] [--build]`.
//!
//! Parameters, multiply-adds, kernels, memory for what lies between, the time of a call, and of a training step where there is one;
//! with `--build` also what each net takes to compile and how much code it becomes. The times are medians of three.

mod built;
mod steps;

use kiln::prelude::*;
use kiln_examples::{Result, cli, timing};
use kiln_zoo::fill::{filled, indices, input};
use kiln_zoo::{
    alexnet, bert, gpt2, linformer, mobilenet, nasnet, performer, resnet, transformer, unet3d, vgg, yolov5,
};
use std::process::ExitCode;
use steps::trained;

const HELP: &str = "\
Prints the figures of the zoo's nets as a table in markdown.

  table [NET ...]

  --build          also compile each net by itself, in release, and tell the time and the tokens
  --help           this text";

/// What is asked for.
struct Options {
    nets: Vec<String>,
    build: bool,
}

/// A net's figures.
struct Row {
    name: &'static str,
    /// What it was measured with.
    size: &'static str,
    parameters: usize,
    multiply_adds: usize,
    kernels: String,
    scratch: usize,
    /// Milliseconds of a call.
    call: f64,
    /// Memory for what lies between in a training step, and its milliseconds.
    step: Option<(usize, f64)>,
}

/// The nets: their parameters, their model with the sizes of its free dims, what that is, and what it is called with.
macro_rules! nets {
    ($($name:ident: $net:ty, $module:ident::$model:ident($($size:literal),*), $what:literal, $($input:expr),+;)*) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];

        fn row(name: &str) -> Result<Row> {
            match name {
                $(stringify!($name) => {
                    use $module::$model as model;
                    let mut net: $net = filled();
                    let (parameters, kernels) = (net.param_count(), kernels(model::PLAN));
                    let call = timing::median(|| model(&net, $(&$input),+).map(drop))? * 1e3;
                    Ok(Row {
                        name: stringify!($name),
                        size: $what,
                        parameters,
                        multiply_adds: model::multiply_adds($($size),*),
                        kernels,
                        scratch: model::scratch_bytes($($size),*),
                        call,
                        step: trained(&mut net)?,
                    })
                })*
                _ => Err(format!("no net `{name}`; there are {}", NAMES.join(", ")).into()),
            }
        }
    };
}

nets! {
    alexnet: alexnet::AlexNet, alexnet::alexnet(1), "224 × 224", input("image", [1, 3, 224, 224]);
    vgg16: vgg::Vgg16, vgg::vgg16(1), "224 × 224", input("image", [1, 3, 224, 224]);
    resnet18: resnet::ResNet18, resnet::resnet18(1), "224 × 224", input("image", [1, 3, 224, 224]);
    resnet50: resnet::ResNet50, resnet::resnet50(1), "224 × 224", input("image", [1, 3, 224, 224]);
    mobilenet_v2: mobilenet::MobileNetV2, mobilenet::mobilenet_v2(1), "224 × 224", input("image", [1, 3, 224, 224]);
    nasnet_mobile: nasnet::NasNetMobile, nasnet::nasnet_mobile(1), "224 × 224", input("image", [1, 3, 224, 224]);
    yolov5s: yolov5::YoloV5s, yolov5::yolov5s(1), "640 × 640", input("image", [1, 3, 640, 640]);
    unet3d: unet3d::UNet3d<3, 3>, unet3d::unet3d(1, 8, 8, 8), "64 × 64 × 64", input("volume", [1, 3, 64, 64, 64]);
    minilm: bert::MiniLm, bert::minilm(1, 128), "128 tokens", ids(bert::VOCABULARY)?, Tensor::ones([1, 128]);
    gpt2: gpt2::Gpt2, gpt2::gpt2(1, 128), "128 tokens", ids(gpt2::VOCABULARY)?;
    transformer: transformer::Transformer, transformer::transformer(1, 1024), "1,024 places", input("sequence", [1, 1024, 512]);
    linformer: linformer::Linformer, linformer::linformer(1, 1024), "1,024 places", input("sequence", [1, 1024, 512]);
    performer: performer::Performer, performer::performer(1, 1024), "1,024 places", input("sequence", [1, 1024, 512]);
}

fn main() -> ExitCode {
    cli::main_without_run("table", HELP, options(), run)
}

fn options() -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;
    let (mut nets, mut build) = (Vec::new(), false);
    let mut args = lexopt::Parser::from_env();
    while let Some(arg) = args.next()? {
        match arg {
            Long("help") | Short('h') => return Ok(None),
            Long("build") => build = true,
            Value(net) => nets.push(net.string()?),
            other => return Err(other.unexpected()),
        }
    }
    if nets.is_empty() {
        nets = NAMES.iter().map(|name| name.to_string()).collect();
    }
    Ok(Some(Options { nets, build }))
}

fn run(options: &Options) -> Result<()> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut build = if options.build { Some(built::Builds::begin()?) } else { None };
    println!("one input a call, on {threads} processors\n");
    println!(
        "| net | input | parameters | multiply-adds | kernels | scratch | a call | scratch of a training step | a step |{}",
        if options.build { " build, of it work | tokens |" } else { "" }
    );
    println!("|---|---|---|---|---|---|---|---|---|{}", if options.build { "---|---|" } else { "" });
    for name in &options.nets {
        let row = row(name)?;
        let built = build.as_mut().map(|b| b.net(row.name)).transpose()?;
        println!("{}{}", told(&row), built.map_or(String::new(), |built| format!(" {built} |")));
    }
    Ok(())
}

fn told(row: &Row) -> String {
    let (giga, mega) = (row.multiply_adds as f64 / 1e9, |bytes: usize| bytes as f64 / 1e6);
    let step =
        row.step.map_or("– | –".into(), |(bytes, ms)| format!("{:.1} MB | {ms:.0} ms", mega(bytes)));
    format!(
        "| {} | {} | {} | {giga:.3} G | {} | {:.1} MB | {:.1} ms | {step} |",
        row.name,
        row.size,
        grouped(row.parameters),
        row.kernels,
        mega(row.scratch),
        row.call
    )
}

/// Tokens of a text.
pub fn ids(below: usize) -> kiln::Result<Tensor<i64>> {
    Tensor::from_vec([1, 128], indices("ids", 128, below as u32))
}

/// How many kernels a plan says that there are: `name: 12 kernels, …`.
fn kernels(plan: &str) -> String {
    let count = plan.split(": ").nth(1).and_then(|text| text.split(' ').next());
    count.unwrap_or("?").to_string()
}

/// A number with a comma before each three digits.
fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let parts: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|p| std::str::from_utf8(p).ok()).collect();
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_plans_are_read() {
        assert_eq!([0, 999, 1000, 61_100_840].map(grouped), ["0", "999", "1,000", "61,100,840"]);
        assert!(kernels(alexnet::alexnet::PLAN).parse::<usize>().is_ok(), "{}", alexnet::alexnet::PLAN);
        let error = row("lenet").err().expect("no such net").to_string();
        assert!(error.starts_with("no net `lenet`; there are alexnet, vgg16, "), "{error}");
    }

    #[test]
    fn a_row_has_what_the_head_names() {
        let (name, size, kernels) = ("net", "one", "2".to_string());
        let row =
            Row { name, size, parameters: 3, multiply_adds: 4, kernels, scratch: 5, call: 6.0, step: None };
        assert_eq!(told(&row).matches('|').count(), 10);
    }
}
