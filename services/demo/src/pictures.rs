//! Image files to feed the thumbnails service with, and what is to come of each.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use anyhow::Context;
use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use mesh_thumbnails::{Dimensions, Format};

/// What is to come of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// A thumbnail of this size and format.
    Thumbnail {
        /// Size in pixels.
        size: Dimensions,
        /// Its format.
        format: Format,
    },
    /// A refusal with this number.
    Refusal(u32),
}

/// A file and what to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    /// The file.
    pub(crate) path: PathBuf,
    /// Width and height of the box that the thumbnail is to fit into.
    pub(crate) within: Dimensions,
    /// The format to ask for, if another than that of the file.
    pub(crate) convert: Option<Format>,
    /// What is to come of it.
    pub(crate) expected: Expected,
}

/// Numbers of [`mesh_thumbnails::Error`] that the files provoke.
const UNKNOWN_FORMAT: u32 = 102;
const TOO_MANY_PIXELS: u32 = 104;
const CORRUPT: u32 = 105;

/// Name, bytes, side of the box to fit into, format to ask for, and what is to come.
type File = (&'static str, Vec<u8>, u32, Option<Format>, Expected);

/// Paints the pictures and writes them into `folder`. Takes about a second of processor time.
///
/// # Errors
/// When the folder can't be written.
pub(crate) fn paint(folder: &Path) -> anyhow::Result<Vec<Picture>> {
    let photograph = |width, height| encoded(&landscape(width, height), ImageFormat::Jpeg);
    let panorama = encoded(&landscape(1800, 300), ImageFormat::Png)?;
    let sound = |width, height, format| Expected::Thumbnail { size: Dimensions { width, height }, format };
    let files: [File; 10] = [
        ("landscape.jpg", photograph(1600, 1200)?, 320, None, sound(320, 240, Format::Jpeg)),
        ("portrait.jpg", photograph(900, 1600)?, 320, None, sound(180, 320, Format::Jpeg)),
        ("large.jpg", photograph(2400, 1800)?, 640, None, sound(640, 480, Format::Jpeg)),
        ("panorama.png", panorama.clone(), 300, None, sound(300, 50, Format::Png)),
        ("scan.png", encoded(&page(620, 877), ImageFormat::Png)?, 200, None, sound(141, 200, Format::Png)),
        (
            "logo.png",
            encoded(&disc(512), ImageFormat::Png)?,
            128,
            Some(Format::Jpeg),
            sound(128, 128, Format::Jpeg),
        ),
        ("icon.png", encoded(&disc(48), ImageFormat::Png)?, 256, None, sound(48, 48, Format::Png)),
        ("corrupt.png", scratched(panorama.clone()), 300, None, Expected::Refusal(CORRUPT)),
        ("bomb.png", inflated(panorama), 300, None, Expected::Refusal(TOO_MANY_PIXELS)),
        ("notes.txt", b"This is no picture.\n".to_vec(), 300, None, Expected::Refusal(UNKNOWN_FORMAT)),
    ];
    files
        .into_iter()
        .map(|(name, bytes, side, convert, expected)| {
            let path = folder.join(name);
            std::fs::write(&path, bytes).with_context(|| format!("{} can't be written", path.display()))?;
            Ok(Picture { path, within: Dimensions { width: side, height: side }, convert, expected })
        })
        .collect()
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format)?;
    Ok(bytes.into_inner())
}

/// Hills below a sky.
fn landscape(width: u32, height: u32) -> DynamicImage {
    RgbImage::from_fn(width, height, |x, y| {
        let horizon = height / 2 + (x * 7 / 3 % 97) / 4 + (x / 5 % 61) / 3;
        let shade = shade(y, height);
        if y < horizon {
            Rgb([90, 140 + shade / 3, 200 + shade / 5])
        } else {
            Rgb([40 + shade / 4, 160 - shade / 2, 50])
        }
    })
    .into()
}

/// Lines of grey words on paper.
fn page(width: u32, height: u32) -> DynamicImage {
    GrayImage::from_fn(width, height, |x, y| {
        let word = y % 28 < 12 && (x / 9 + y / 28 * 5) % 8 != 0 && x > 90 && x + 90 < width;
        Luma([if word { 60 } else { 245 }])
    })
    .into()
}

/// A disc on nothing.
fn disc(side: u32) -> DynamicImage {
    let middle = i64::from(side / 2);
    RgbaImage::from_fn(side, side, |x, y| {
        let (dx, dy) = (i64::from(x) - middle, i64::from(y) - middle);
        if dx * dx + dy * dy < middle * middle { Rgba([200, 60, 40, 255]) } else { Rgba([0, 0, 0, 0]) }
    })
    .into()
}

fn shade(part: u32, whole: u32) -> u8 {
    u8::try_from(u64::from(part) * 255 / u64::from(whole.max(1))).unwrap_or(u8::MAX)
}

/// The file with some bytes of its pixels overwritten.
fn scratched(mut png: Vec<u8>) -> Vec<u8> {
    let middle = png.len() / 2;
    png.iter_mut().skip(middle).take(64).for_each(|byte| *byte ^= 0xa5);
    png
}

/// The file with a header that claims 60,000 x 60,000 pixels.
fn inflated(mut png: Vec<u8>) -> Vec<u8> {
    // A PNG starts with 8 bytes of signature, then length, "IHDR", width, height, 5 more bytes, checksum.
    const TYPE: usize = 12;
    const WIDTH: usize = 16;
    const CHECKSUM: usize = 29;
    let side = 60_000_u32.to_be_bytes();
    png[WIDTH..WIDTH + 8].copy_from_slice(&[side, side].concat());
    let checksum = crc32(&png[TYPE..CHECKSUM]).to_be_bytes();
    png[CHECKSUM..CHECKSUM + 4].copy_from_slice(&checksum);
    png
}

/// The checksum of PNG's chunks.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 },
        )
    })
}

#[cfg(test)]
mod tests {
    use mesh_thumbnails::{Limits, Options, resize};

    use super::*;

    /// What the table says of each file is what the service makes of it.
    #[test]
    fn every_picture_comes_to_what_is_expected() {
        let folder = tempfile::tempdir().unwrap();
        for picture in paint(folder.path()).unwrap() {
            let bytes = std::fs::read(&picture.path).unwrap();
            let mut options = Options::default().within(picture.within.width, picture.within.height).unwrap();
            if let Some(format) = picture.convert {
                options = options.format(format);
            }
            let came = match resize(&bytes, options, Limits::default()) {
                Ok(made) => Expected::Thumbnail { size: made.size, format: made.format },
                Err(error) => Expected::Refusal(error.code()),
            };
            assert_eq!(came, picture.expected, "{}", picture.path.display());
        }
    }
}
