//! Every network against PyTorch in f64, on weights and images made from a counter: by candle's autograd and compiled.
//!
//! ```python
//! m = fill(ResNet(), seed).double().train()          # for instance kuangliu's, parameter k filled from seed + k
//! logits = m(x); loss = F.cross_entropy(logits, y); loss.backward()
//! m.eval(); m(x)                                     # with the running statistics of that one step
//! ```
#![allow(clippy::unwrap_used)] // in helpers as in tests

#[path = "../../../../fixtures/golden/golden.rs"]
mod golden;
#[path = "../../../../fixtures/golden/network.rs"]
mod network;

mod autograd;
mod case;
mod compiled;
mod kinks;
mod variants;
