//! AlexNet's plan (Krizhevsky et al., 2012): five convolutions, three pools, two dense layers with dropout before them.

use super::trains;
use kiln::prelude::*;

/// The net.
#[params]
pub struct AlexNet {
    conv1: Conv2d<1, 32, 5, 1, 2>,
    conv2: Conv2d<32, 64, 3, 1, 1>,
    conv3: Conv2d<64, 96, 3, 1, 1>,
    conv4: Conv2d<96, 64, 3, 1, 1>,
    conv5: Conv2d<64, 64, 3, 1, 1>,
    fc1: Linear<576, 256>,
    fc2: Linear<256, 10>,
}

#[model(inline)]
fn scores<const N: usize>(
    net: &mut AlexNet,
    x: Tensor<N, 1, 28, 28>,
    rng: &mut Rng,
    train: bool,
) -> Tensor<N, 10> {
    let h = max_pool2d(net.conv1.forward(x).relu(), 2);
    let h = max_pool2d(net.conv2.forward(h).relu(), 2);
    let h = net.conv4.forward(net.conv3.forward(h).relu()).relu();
    let mut h = max_pool2d(net.conv5.forward(h).relu(), 2).flatten(1, -1);
    if train {
        h = dropout(h, 0.4, rng);
    }
    h = net.fc1.forward(h).relu();
    if train {
        h = dropout(h, 0.4, rng);
    }
    net.fc2.forward(h)
}

trains!(AlexNet);
