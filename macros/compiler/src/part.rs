//! A function on its way to tokens: laid out, fused, planned. The body of a loop is one of its own.

use crate::fuse::{self, Fused};
use crate::plan::{self, Plan};
use kiln_ir::{Dim, Func};

/// A function with its kernels and their plan.
#[derive(Clone, Debug)]
pub struct Part {
    /// The function, laid out.
    pub func: Func,
    /// Its kernels.
    pub fused: Fused,
    /// Their order and places.
    pub plan: Plan,
}

impl Part {
    /// Takes a function through the passes.
    pub fn of(func: &Func) -> Part {
        let func = fuse::lay_out(func);
        let fused = fuse::fuse(&func);
        let plan = plan::plan(&func, &fused);
        Part { func, fused, plan }
    }

    /// Bytes of scratch memory, or a bound where only the call knows them.
    pub fn bytes(&self) -> Dim {
        match self.plan.bytes() {
            Some(bytes) => Dim::from(bytes),
            None => self.plan.slots.iter().fold(Dim::from(0), |sum, s| sum + s.clone() + Dim::from(63)),
        }
    }
}
