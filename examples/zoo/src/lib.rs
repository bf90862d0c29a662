//! Networks of the field's canon at their published size, a module each.
//!
//! The weights have the names and layouts of the usual PyTorch implementation (torchvision's, if it has the net), so that its files
//! load; `tests` holds each against PyTorch's numbers.

pub mod alexnet;
pub mod attention;
pub mod bert;
pub mod convolutions;
pub mod fill;
pub mod gpt2;
pub mod linformer;
pub mod mobilenet;
pub mod nasnet;
pub mod performer;
pub mod resnet;
pub mod transformer;
pub mod unet3d;
pub mod vgg;
pub mod yolov5;
