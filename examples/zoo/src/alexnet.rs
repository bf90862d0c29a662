//! AlexNet: Krizhevsky, *One weird trick for parallelizing convolutional neural networks* (2014), as torchvision has it. It won
//! ImageNet in 2012 in a wider form.

use kiln::prelude::*;

/// 61,100,840 parameters.
#[params]
pub struct AlexNet {
    #[name("features.0")]
    conv1: Conv2d<3, 64, 11, 4, 2>,
    #[name("features.3")]
    conv2: Conv2d<64, 192, 5, 1, 2>,
    #[name("features.6")]
    conv3: Conv2d<192, 384, 3, 1, 1>,
    #[name("features.8")]
    conv4: Conv2d<384, 256, 3, 1, 1>,
    #[name("features.10")]
    conv5: Conv2d<256, 256, 3, 1, 1>,
    #[name("classifier.1")]
    fc6: Linear<9216, 4096>,
    #[name("classifier.4")]
    fc7: Linear<4096, 4096>,
    #[name("classifier.6")]
    fc8: Linear<4096, 1000>,
}

/// Scores of 1,000 classes.
#[model]
pub fn alexnet<const N: usize>(net: &AlexNet, x: Tensor<N, 3, 224, 224>) -> Tensor<N, 1000> {
    let x = max_pool2d_with(net.conv1.forward(x).relu(), 3, 2, 0, 1, false);
    let x = max_pool2d_with(net.conv2.forward(x).relu(), 3, 2, 0, 1, false);
    let x = net.conv4.forward(net.conv3.forward(x).relu()).relu();
    let x = max_pool2d_with(net.conv5.forward(x).relu(), 3, 2, 0, 1, false);
    let x = net.fc6.forward(x.flatten(1, -1)).relu();
    net.fc8.forward(net.fc7.forward(x).relu())
}
