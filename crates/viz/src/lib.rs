//! Pictures from plain slices: curves, galleries, overlays, matrices.
