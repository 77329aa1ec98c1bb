//! CIFAR ResNets as candle modules, their summary, their weights in and out.
