//! Class activation maps of any candle model.
