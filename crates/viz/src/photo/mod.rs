//! Photos: a view of their bytes, bringing them to a size, enlarging them.

mod enlarge;
mod fit;
mod view;

pub use enlarge::enlarge;
pub use fit::{Fit, fit};
pub(crate) use view::area;
pub use view::{Photo, Size, denormalize};
