//! The nets by name, frozen.

use crate::picture::{self, Scale};
use kiln::prelude::*;
use kiln_examples::weights;
use kiln_zoo::fill::filled;
use kiln_zoo::{alexnet, mobilenet, nasnet, resnet, vgg};
use std::path::Path;

/// What a net tells apart.
pub const CLASSES: usize = 1000;

/// Scores `[1, 1000]` of a picture `[1, 3, 224, 224]`.
pub type Scores = Box<dyn Fn(&Tensor) -> Result<Tensor>>;

/// A net ready to run.
pub struct Net {
    /// How many numbers were trained.
    pub params: usize,
    /// How it wants pictures.
    pub scale: Scale,
    /// What it says of a picture.
    pub scores: Scores,
}

/// The net of a file, or one that knows nothing.
fn read<P: Params>(file: Option<&Path>) -> kiln_examples::Result<P> {
    let Some(file) = file else { return Ok(filled()) };
    let mut net = P::init(&mut Rng::seed(0));
    weights::load(&mut net, file, &[])?;
    Ok(net)
}

macro_rules! nets {
    ($($name:ident: $model:path, $net:path, $scale:ident;)*) => {
        impl Net {
            /// The net of that name, with weights of a file.
            pub fn load(name: &str, file: Option<&Path>) -> kiln_examples::Result<Net> {
                match name {
                    $(stringify!($name) => {
                        use $model as model;
                        let net: $net = read(file)?;
                        let (params, net) = (net.param_count(), model::into_frozen(net)?);
                        Ok(Net { params, scale: picture::$scale, scores: Box::new(move |x| net.run(x)) })
                    })*
                    _ => Err(format!("there is no net `{name}`, but {}", [$(stringify!($name)),*].join(", ")).into()),
                }
            }
        }
    };
}

nets! {
    alexnet: alexnet::alexnet, alexnet::AlexNet, IMAGENET;
    vgg16: vgg::vgg16, vgg::Vgg16, IMAGENET;
    resnet18: resnet::resnet18, resnet::ResNet18, IMAGENET;
    resnet50: resnet::resnet50, resnet::ResNet50, IMAGENET;
    mobilenet_v2: mobilenet::mobilenet_v2, mobilenet::MobileNetV2, IMAGENET;
    nasnet: nasnet::nasnet_mobile, nasnet::NasNetMobile, HALVES;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_net_of_a_file_and_no_other() {
        let file = std::env::temp_dir().join(format!("kiln-classify-{}.safetensors", std::process::id()));
        let net: mobilenet::MobileNetV2 = filled();
        net.save(&file).expect("room in the temporary folder");
        let loaded = Net::load("mobilenet_v2", Some(&file)).expect("its own weights");
        let x = kiln_zoo::fill::input("image", [1, 3, 224, 224]);
        let other = Net::load("mobilenet_v2", None).expect("a fill");
        assert_eq!((loaded.scores)(&x).expect("a picture"), (other.scores)(&x).expect("a picture"));
        let error = Net::load("resnet18", Some(&file)).err().expect("another net's").to_string();
        std::fs::remove_file(&file).expect("it is there");
        let told = "has weights of another net: 102 tensors are missing (bn1.bias, …), 262 tensors are unknown (classifier.1.bias, …)";
        assert!(error.ends_with(told), "{error}");
        let nasnet = Net::load("nasnet", None).expect("a fill");
        let want = nasnet::nasnet_mobile(&filled(), &x).expect("a picture");
        let got = (nasnet.scores)(&x).expect("a picture");
        let largest = want.as_slice().iter().fold(0f32, |most, score| most.max(score.abs()));
        let apart =
            got.as_slice().iter().zip(want.as_slice()).map(|(a, b)| (a - b).abs()).fold(0f32, f32::max);
        assert!(nasnet.params == 5_289_978 && apart <= 1e-4 * largest, "{apart} of {largest}");
        let error = Net::load("resnet", None).err().expect("no such net").to_string();
        assert!(error.starts_with("there is no net `resnet`, but alexnet, "), "{error}");
    }
}
