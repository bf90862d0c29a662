//! Blocks that another crate uses.
