//! Seeded image transforms, composed as data.
