//! 3×3 convolutions of stride 2 and padding 1 by minimal filtering: 81 products for 16 outputs instead of 144.

mod gradient;
mod order;
mod scheme;
mod transforms;
mod weights;

pub(super) use gradient::StridedGradient;
pub(super) use order::ALL as PRODUCTS;
pub(super) use scheme::Strided;
pub(super) use transforms::OUT;
pub(super) use weights::StridedFilters;
