//! Functions of tensors that PyTorch has as functions, outside of models. Inside of models the same names are
//! compiled.

pub use crate::eager::methods::functions::{
    arange, cat, full, layer_norm, linear, matmul, one_hot, ones, rms_norm, stack, where_cond, zeros,
};
pub use crate::eager::methods::losses::{
    accuracy, binary_cross_entropy_with_logits, binary_cross_entropy_with_logits_with, cross_entropy,
    cross_entropy_with, huber_loss, huber_loss_with, kl_div, kl_div_with, l1_loss, l1_loss_with, mse_loss,
    mse_loss_with, nll_loss, nll_loss_with, smooth_l1_loss, smooth_l1_loss_with,
};
