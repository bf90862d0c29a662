//! What the examples share: data, runs with their folders, pictures in the terminal and as files.

pub mod chart;
pub mod checkpoint;
pub mod cli;
pub mod events;
pub mod font;
pub mod labels;
pub mod memory;
pub mod metrics;
pub mod mnist;
pub mod picture;
pub mod progress;
pub mod run;
pub mod stop;
pub mod svg;
pub mod timing;
pub mod weights;

pub use checkpoint::Training;
pub use cli::Result;
