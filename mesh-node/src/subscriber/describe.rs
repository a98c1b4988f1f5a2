//! Views of a link, for listings.
