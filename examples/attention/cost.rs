//! What a sequence costs: time of a call, and memory for what lies between input and result, as the plan has it.

use kiln::prelude::*;
use kiln_examples::{Result, timing};
use kiln_zoo::fill::input;
use kiln_zoo::{linformer, performer, transformer};

/// Places of the sequences.
pub const LENGTHS: [usize; 5] = [256, 512, 1024, 2048, 4096];

/// What a sequence of so many places costs.
pub struct Cost {
    /// Its length.
    pub places: usize,
    /// Of a call.
    pub seconds: f64,
    /// Bytes.
    pub scratch: usize,
}

/// What sequences up to a length cost: exact, Linformer, Performer.
pub fn costs(longest: usize) -> Result<[Vec<Cost>; 3]> {
    println!("six layers of 512 dims, forward: ms (MB in between)");
    println!("{:>6}  {:>16}  {:>16}  {:>16}", "places", "exact", "linformer", "performer");
    let mut rng = Rng::seed(0);
    let exact = transformer::Transformer::init(&mut rng);
    let lin = linformer::Linformer::init(&mut rng);
    let perf = performer::Performer::init(&mut rng);
    let mut costs = [const { Vec::new() }; 3];
    for places in LENGTHS.into_iter().filter(|places| *places <= longest) {
        let x = input("sequence", [1, places, 512]);
        let seconds = [
            timing::median(|| transformer::transformer(&exact, &x).map(drop))?,
            timing::median(|| linformer::linformer(&lin, &x).map(drop))?,
            timing::median(|| performer::performer(&perf, &x).map(drop))?,
        ];
        let scratch = [
            transformer::transformer::scratch_bytes(1, places),
            linformer::linformer::scratch_bytes(1, places),
            performer::performer::scratch_bytes(1, places),
        ];
        print!("{places:>6}");
        for (all, (seconds, scratch)) in costs.iter_mut().zip(seconds.into_iter().zip(scratch)) {
            print!("  {:>16}", format!("{:.0} ({:.0})", seconds * 1e3, scratch as f64 / 1e6));
            all.push(Cost { places, seconds, scratch });
        }
        println!();
    }
    Ok(costs)
}
