//! The hidden macros of the functions, transforms and optimizers that the compiler knows: they tell a model what a path
//! in its body leads to.

kiln_macros::__builtins! {}
