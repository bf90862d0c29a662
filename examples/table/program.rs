//! What a program with one net tells of it, as a line of JSON; `nets.rs` writes the rest of the program, which nothing else compiles.

use crate::{Net, caller, stepper, timing};
use kiln::prelude::*;
use kiln::{Leaf, LeafKind};

/// Tells the net's figures; with the argument `check` what a first step makes of it.
pub fn run(plan: &str, [multiply_adds, scratch, step_scratch]: [usize; 3]) -> kiln::Result<()> {
    if std::env::args().nth(1).as_deref() == Some("check") {
        return check();
    }
    let mut net: Net = one_net::fill::filled();
    let kernels = plan.split(": ").nth(1).and_then(|text| text.split(' ').next()).unwrap_or("?");
    let parameters = net.param_count();
    let call = timing::median(caller(&net)?)? * 1e3;
    let mut opt = Sgd::new(&net, 1e-6);
    let mut step = stepper(&mut net, &mut opt)?;
    let step = timing::median(|| step().map(drop))? * 1e3;
    println!(
        "{{\"parameters\": {parameters}, \"multiply_adds\": {multiply_adds}, \"kernels\": \"{kernels}\", \
         \"scratch\": {scratch}, \"step_scratch\": {step_scratch}, \"call_ms\": {call}, \"step_ms\": {step}, \"peak_mb\": {}}}",
        peak()
    );
    Ok(())
}

/// The loss of a step and the norms of all gradients. So long a step leads to the gradient that what was there before is lost beside
/// it.
fn check() -> kiln::Result<()> {
    const RATE: f64 = 1e6;
    let (before, mut net): (Net, Net) = (one_net::fill::filled(), one_net::fill::filled());
    let mut opt = Sgd::new(&net, RATE);
    let loss = stepper(&mut net, &mut opt)?()?;
    let norms: Vec<String> = leaves(&before)
        .iter()
        .zip(leaves(&net))
        .filter(|(_, leaf)| leaf.kind == LeafKind::Parameter)
        .map(|(before, after)| {
            let numbers = |leaf: &Leaf| leaf.tensor.as_f32().map_or(Vec::new(), |x| x.as_slice().to_vec());
            let gone = numbers(before).into_iter().zip(numbers(&after));
            let squares = gone.map(|(b, a)| ((f64::from(b) - f64::from(a)) / RATE).powi(2));
            format!("\"{}\": {}", after.name, squares.sum::<f64>().sqrt())
        })
        .collect();
    println!("{{\"loss\": {loss}, {}}}", norms.join(", "));
    Ok(())
}

fn leaves<P: Params>(net: &P) -> Vec<Leaf<'_>> {
    let mut leaves = Vec::new();
    net.leaves("", &mut leaves);
    leaves
}

/// The most memory that the process had so far, in MB; 0 where the system doesn't tell.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: u64 = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0);
    kib * 1024 / 1_000_000
}
