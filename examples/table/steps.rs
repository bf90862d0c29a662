//! A training step of some nets: the gradient of the mean square of what comes out, and plain descent.

use crate::ids;
use kiln::prelude::*;
use kiln_examples::timing;
use kiln_zoo::alexnet::AlexNet;
use kiln_zoo::fill::input;
use kiln_zoo::gpt2::{self, Gpt2};
use kiln_zoo::linformer::Linformer;
use kiln_zoo::performer::Performer;
use kiln_zoo::transformer::Transformer;
use std::any::Any;

/// Nets, their models of one argument, and what it is.
macro_rules! steps {
    ($($own:ident: $Net:ident, $model:path, Tensor<$($dtype:ident)? [$($dim:literal),+]>, $input:expr;)*) => {
        /// Bytes for what lies between in a step of a net with one input, and its milliseconds, if there is a step of such nets.
        pub fn trained(net: &mut dyn Any) -> kiln::Result<Option<(usize, f64)>> {
            $(if let Some(net) = net.downcast_mut::<$Net>() {
                let (x, mut opt) = ($input, Sgd::new(net, 1e-6));
                let took = timing::median(|| $own::step(net, &mut opt, &x).map(drop))? * 1e3;
                return Ok(Some(($own::step::scratch_bytes(1), took)));
            })*
            Ok(None)
        }

        $(mod $own {
            use super::*;
            use $model as model;

            #[model(inline)]
            fn loss<const N: usize>(net: &$Net, x: Tensor<$($dtype,)? N, $($dim),+>) -> Tensor {
                model(net, x).square().mean()
            }

            #[model]
            pub fn step<const N: usize>(net: &mut $Net, opt: &mut Sgd<$Net>, x: Tensor<$($dtype,)? N, $($dim),+>) -> Tensor {
                let (loss, grads) = value_and_grad(loss)(net, x);
                opt.step(net, grads);
                loss
            }
        })*
    };
}

steps! {
    of_alexnet: AlexNet, kiln_zoo::alexnet::alexnet, Tensor<[3, 224, 224]>, input("image", [1, 3, 224, 224]);
    of_gpt2: Gpt2, kiln_zoo::gpt2::gpt2, Tensor<i64 [128]>, ids(gpt2::VOCABULARY)?;
    of_transformer: Transformer, kiln_zoo::transformer::transformer, Tensor<[1024, 512]>, input("sequence", [1, 1024, 512]);
    of_linformer: Linformer, kiln_zoo::linformer::linformer, Tensor<[1024, 512]>, input("sequence", [1, 1024, 512]);
    of_performer: Performer, kiln_zoo::performer::performer, Tensor<[1024, 512]>, input("sequence", [1, 1024, 512]);
}
