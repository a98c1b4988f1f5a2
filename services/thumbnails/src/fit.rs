//! How large a thumbnail gets.

/// Width and height of an image in pixels, both at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dimensions {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
}

impl Dimensions {
    /// How many pixels the image has.
    pub fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

/// The largest size of the shape of `source` that fits into `bounds`. It never enlarges, and no side falls below
/// one pixel however thin the source is. Rounds to the nearest pixel.
pub fn fit(source: Dimensions, bounds: Dimensions) -> Dimensions {
    if source.width <= bounds.width && source.height <= bounds.height {
        return source;
    }
    let wide = u64::from(source.width) * u64::from(bounds.height);
    let tall = u64::from(source.height) * u64::from(bounds.width);
    if wide >= tall {
        Dimensions { width: bounds.width, height: scaled(source.height, bounds.width, source.width) }
    } else {
        Dimensions { width: scaled(source.width, bounds.height, source.height), height: bounds.height }
    }
}

/// `side * to / from`, rounded, at least 1. The result is at most the bound of its side, so it fits.
fn scaled(side: u32, to: u32, from: u32) -> u32 {
    let from = u64::from(from.max(1));
    let scaled = (u64::from(side) * u64::from(to) + from / 2) / from;
    u32::try_from(scaled).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn size(width: u32, height: u32) -> Dimensions {
        Dimensions { width, height }
    }

    #[test]
    fn keeps_the_shape_inside_the_bounds() {
        for (source, bounds, expected) in [
            (size(4000, 3000), size(200, 200), size(200, 150)),
            (size(3000, 4000), size(200, 200), size(150, 200)),
            (size(1000, 1000), size(300, 100), size(100, 100)),
            (size(1920, 1080), size(320, 320), size(320, 180)),
            (size(201, 100), size(200, 200), size(200, 100)),
            (size(200, 200), size(200, 200), size(200, 200)),
            (size(10, 20), size(200, 200), size(10, 20)),
            (size(10_000, 1), size(100, 100), size(100, 1)),
            (size(1, 10_000), size(100, 100), size(1, 100)),
        ] {
            assert_eq!(fit(source, bounds), expected, "{source:?} into {bounds:?}");
        }
    }

    proptest! {
        #[test]
        fn never_leaves_the_bounds_nor_enlarges(
            source_width in 1..=u32::MAX, source_height in 1..=u32::MAX, width in 1..=8192u32, height in 1..=8192u32,
        ) {
            let (source, bounds) = (size(source_width, source_height), size(width, height));
            let fitted = fit(source, bounds);
            prop_assert!(fitted.width >= 1 && fitted.height >= 1);
            prop_assert!(fitted.width <= width && fitted.height <= height);
            prop_assert!(fitted.width <= source_width && fitted.height <= source_height);
            prop_assert!(fitted == source || fitted.width == width || fitted.height == height, "not the largest");
        }
    }
}
