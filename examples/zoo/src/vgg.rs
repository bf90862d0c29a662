//! VGG16: Simonyan and Zisserman, *Very deep convolutional networks for large-scale image recognition* (2014). Convolutions of 3 × 3
//! alone, in five stages that halve the sides.

use kiln::prelude::*;

/// 138,357,544 parameters, nine tenths of them in the dense layers.
#[params]
pub struct Vgg16 {
    #[name("features.0")]
    conv1_1: Conv2d<3, 64, 3, 1, 1>,
    #[name("features.2")]
    conv1_2: Conv2d<64, 64, 3, 1, 1>,
    #[name("features.5")]
    conv2_1: Conv2d<64, 128, 3, 1, 1>,
    #[name("features.7")]
    conv2_2: Conv2d<128, 128, 3, 1, 1>,
    #[name("features.10")]
    conv3_1: Conv2d<128, 256, 3, 1, 1>,
    #[name("features.12", "features.14")]
    conv3: [Conv2d<256, 256, 3, 1, 1>; 2],
    #[name("features.17")]
    conv4_1: Conv2d<256, 512, 3, 1, 1>,
    #[name("features.19", "features.21")]
    conv4: [Conv2d<512, 512, 3, 1, 1>; 2],
    #[name("features.24", "features.26", "features.28")]
    conv5: [Conv2d<512, 512, 3, 1, 1>; 3],
    #[name("classifier.0")]
    fc6: Linear<25088, 4096>,
    #[name("classifier.3")]
    fc7: Linear<4096, 4096>,
    #[name("classifier.6")]
    fc8: Linear<4096, 1000>,
}

/// Scores of 1,000 classes.
#[model]
pub fn vgg16<const N: usize>(net: &Vgg16, x: Tensor<N, 3, 224, 224>) -> Tensor<N, 1000> {
    let x = net.conv1_2.forward(net.conv1_1.forward(x).relu()).relu();
    let x = net.conv2_1.forward(max_pool2d(x, 2)).relu();
    let x = max_pool2d(net.conv2_2.forward(x).relu(), 2);
    let mut x = net.conv3_1.forward(x).relu();
    for conv in &net.conv3 {
        x = conv.forward(x).relu();
    }
    x = net.conv4_1.forward(max_pool2d(x, 2)).relu();
    for conv in &net.conv4 {
        x = conv.forward(x).relu();
    }
    x = max_pool2d(x, 2);
    for conv in &net.conv5 {
        x = conv.forward(x).relu();
    }
    let x = net.fc6.forward(max_pool2d(x, 2).flatten(1, -1)).relu();
    net.fc8.forward(net.fc7.forward(x).relu())
}
