//! What the examples share: data, a bar for progress, pictures in the terminal.

pub mod chart;
pub mod cli;
pub mod mnist;
pub mod progress;
pub mod svg;
