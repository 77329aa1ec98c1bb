//! CIFAR-10/100 binary files, and a generated stand-in, to bytes and labels.
