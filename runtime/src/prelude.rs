//! What a file that defines or runs models wants in scope: `use kiln::prelude::*;`.

#[doc(hidden)]
pub use crate::builtins::*;
#[cfg(feature = "eager")]
pub use crate::eager::args::{bf16, bool, f16, f32, f64, i32, i64, u8};
#[cfg(feature = "eager")]
pub use crate::functional::*;
pub use crate::half::{bf16, f16};
pub use crate::nn::{
    BatchNorm1d, BatchNorm2d, BatchNorm3d, BiGru, BiLstm, Conv1d, Conv1dNoBias, Conv2d, Conv2dNoBias, Conv3d,
    Conv3dNoBias, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d, Embedding, GroupNorm, GroupedConv1d,
    GroupedConv1dNoBias, GroupedConv2d, GroupedConv2dNoBias, GroupedConv3d, GroupedConv3dNoBias, Gru,
    GruCell, InstanceNorm, LayerNorm, Linear, LinearNoBias, Lstm, LstmCell, MultiheadAttention, RmsNorm, Rnn,
    StackedGru, StackedLstm, TransformerDecoderLayer, TransformerEncoderLayer, batch_norm1d_train,
    batch_norm2d_train, batch_norm3d_train,
};
pub use crate::optim::{Adam, AdamW, AmsGrad, Lamb, Lion, Optimizer, RmsProp, Sgd};
pub use crate::{AsTensor, Error, Params, Result, Rng, Tensor, init};
pub use kiln_macros::{model, params};
