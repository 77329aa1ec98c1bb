//! The hot loops of convolutional networks on plain slices.
