//! The latest checkpoint of each group, one file each.
