//! Functions of tensors that PyTorch has as functions, outside of models. Inside of models the same names are
//! compiled.

pub use crate::eager::methods::convolutions::{
    adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d, adaptive_max_pool1d, adaptive_max_pool2d,
    adaptive_max_pool3d, avg_pool1d, avg_pool1d_with, avg_pool2d, avg_pool2d_with, avg_pool3d,
    avg_pool3d_with, conv_transpose1d, conv_transpose1d_with, conv_transpose2d, conv_transpose2d_with,
    conv_transpose3d, conv_transpose3d_with, conv1d, conv1d_with, conv2d, conv2d_with, conv3d, conv3d_with,
    max_pool1d, max_pool1d_with, max_pool2d, max_pool2d_with, max_pool3d, max_pool3d_with,
};
pub use crate::eager::methods::functions::{
    arange, batch_norm, batch_norm_train, cat, einsum, full, group_norm, grouped_query_attention,
    instance_norm, layer_norm, linear, linformer_attention, local_response_norm, matmul, normalize, one_hot,
    ones, performer_attention, rms_norm, rotary_embedding, scaled_dot_product_attention,
    scaled_dot_product_attention_with, stack, stop_gradient, where_cond, zeros,
};
pub use crate::eager::methods::losses::{
    accuracy, binary_cross_entropy, binary_cross_entropy_with, binary_cross_entropy_with_logits,
    binary_cross_entropy_with_logits_with, cosine_similarity, cross_entropy, cross_entropy_with,
    gaussian_nll_loss, gaussian_nll_loss_with, huber_loss, huber_loss_with, kl_div, kl_div_with, l1_loss,
    l1_loss_with, mse_loss, mse_loss_with, nll_loss, nll_loss_with, poisson_nll_loss, poisson_nll_loss_with,
    smooth_l1_loss, smooth_l1_loss_with,
};
pub use crate::eager::methods::margins::{
    cosine_embedding_loss, cosine_embedding_loss_with, ctc_loss, ctc_loss_with, hinge_embedding_loss,
    hinge_embedding_loss_with, margin_ranking_loss, margin_ranking_loss_with, multi_margin_loss,
    multi_margin_loss_with, multilabel_margin_loss, multilabel_margin_loss_with, multilabel_soft_margin_loss,
    multilabel_soft_margin_loss_with, pairwise_distance, soft_margin_loss, soft_margin_loss_with,
    triplet_margin_loss, triplet_margin_loss_with,
};
pub use crate::eager::methods::quantization::{
    choose_qparams_per_tensor, dequantize_per_channel, dequantize_per_tensor,
    fake_quantize_per_tensor_affine, linear_dynamic, quantize_per_channel, quantize_per_tensor,
};
pub use crate::eager::methods::random::{
    bernoulli, dropout, dropout1d, dropout2d, dropout3d, rand, randint, randn,
};
pub use crate::eager::methods::recurrent::{gru, lstm, rnn};
