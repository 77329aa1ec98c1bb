//! Accuracy, confusion, calibration and paired comparison from plain slices.
