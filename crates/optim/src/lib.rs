//! Optimisers, learning-rate schedules and the LR range test for candle.
