//! From the bytes of an image to the bytes of its thumbnail.
//!
//! ```text
//!  bytes -> format by magic -> dimensions from the header -> limits -> decode -> orient -> fit -> encode
//!                                                            |
//!                                                            nothing is unpacked before this point
//! ```

use std::io::Cursor;

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, RgbImage};

use crate::error::Error;
use crate::fit::{Dimensions, fit};
use crate::format::Format;
use crate::options::Options;

/// Largest image that is read by default, in bytes: the default limit of a message body.
pub const INPUT_BYTES_DEFAULT: usize = 8 * 1024 * 1024;
/// Most pixels that are unpacked by default. At 8 bytes a pixel, the most PNG has, 192 MiB a worker.
pub const PIXELS_DEFAULT: u64 = 24 * 1024 * 1024;
/// Largest thumbnail that is sent back by default, in bytes: the default limit of a message body.
pub const OUTPUT_BYTES_DEFAULT: usize = 8 * 1024 * 1024;

/// Most bytes of one pixel once decoded: four channels of 16 bits.
const PIXEL_BYTES: u64 = 8;
/// What a decoder may allocate beyond the pixels, for metadata and its own tables.
const DECODER_BYTES: u64 = 16 * 1024 * 1024;

/// What the service is ready to take in and to send back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest image read, in bytes.
    pub input_bytes: usize,
    /// Most pixels unpacked.
    pub pixels: u64,
    /// Largest thumbnail sent back, in bytes.
    pub output_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { input_bytes: INPUT_BYTES_DEFAULT, pixels: PIXELS_DEFAULT, output_bytes: OUTPUT_BYTES_DEFAULT }
    }
}

/// A finished thumbnail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thumbnail {
    /// The encoded image.
    pub bytes: Bytes,
    /// Its format.
    pub format: Format,
    /// Its size.
    pub size: Dimensions,
    /// The size of the image that it was made of, turned upright.
    pub source: Dimensions,
}

/// Makes a thumbnail of the image in `bytes`. It is upright (a camera's orientation mark is applied), has the
/// shape of the source and is never larger than it. Takes processor time in proportion to the pixels of the source.
///
/// # Errors
/// Any [`Error`] but [`Error::Busy`]. Limits are checked before memory is taken for pixels.
pub fn resize(bytes: &[u8], options: Options, limits: Limits) -> Result<Thumbnail, Error> {
    if bytes.len() > limits.input_bytes {
        return Err(Error::TooLarge { bytes: bytes.len(), limit: limits.input_bytes });
    }
    let source_format = match image::guess_format(bytes) {
        Ok(ImageFormat::Png) => Format::Png,
        Ok(ImageFormat::Jpeg) => Format::Jpeg,
        _ => return Err(Error::UnknownFormat),
    };
    let upright = decode(bytes, source_format, limits.pixels)?;
    let source = Dimensions { width: upright.width(), height: upright.height() };
    let size = fit(source, options.bounds());
    let scaled = if size == source {
        upright
    } else {
        upright.resize_exact(size.width, size.height, FilterType::CatmullRom)
    };
    let format = options.format_for(source_format);
    let bytes = encode(scaled, format, options.jpeg_quality())?;
    if bytes.len() > limits.output_bytes {
        return Err(Error::ResultTooLarge { bytes: bytes.len(), limit: limits.output_bytes });
    }
    Ok(Thumbnail { bytes: bytes.into(), format, size, source })
}

fn decode(bytes: &[u8], format: Format, pixels_max: u64) -> Result<DynamicImage, Error> {
    let format = match format {
        Format::Png => ImageFormat::Png,
        Format::Jpeg => ImageFormat::Jpeg,
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = image::Limits::no_limits();
    limits.max_alloc = Some(pixels_max.saturating_mul(PIXEL_BYTES).saturating_add(DECODER_BYTES));
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(corrupt)?;
    let (width, height) = decoder.dimensions();
    if (Dimensions { width, height }).pixels() > pixels_max {
        return Err(Error::TooManyPixels { width, height, limit: pixels_max });
    }
    // A broken orientation mark is no reason to refuse pixels that are whole.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder).map_err(corrupt)?;
    image.apply_orientation(orientation);
    Ok(image)
}

fn corrupt(error: image::ImageError) -> Error {
    Error::Corrupt { reason: error.to_string() }
}

fn encode(image: DynamicImage, format: Format, quality: u8) -> Result<Vec<u8>, Error> {
    let mut bytes = Cursor::new(Vec::new());
    match format {
        Format::Png => narrowed(image).write_to(&mut bytes, ImageFormat::Png),
        Format::Jpeg => {
            JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(&on_white(narrowed(image)))
        }
    }
    .map_err(|error| Error::Encode { reason: error.to_string() })?;
    Ok(bytes.into_inner())
}

/// Eight bits a channel: a thumbnail has no use for more, and JPEG takes nothing else.
fn narrowed(image: DynamicImage) -> DynamicImage {
    let colour = image.color();
    match (colour.has_color(), colour.has_alpha()) {
        (true, true) => image.into_rgba8().into(),
        (true, false) => image.into_rgb8().into(),
        (false, true) => image.into_luma_alpha8().into(),
        (false, false) => image.into_luma8().into(),
    }
}

/// JPEG has no transparency; what shines through is white paper, not the colour that hid below.
fn on_white(image: DynamicImage) -> DynamicImage {
    if !image.color().has_alpha() {
        return image;
    }
    let image = image.into_rgba8();
    let mut flat = RgbImage::new(image.width(), image.height());
    for (to, from) in flat.pixels_mut().zip(image.pixels()) {
        let [red, green, blue, alpha] = from.0;
        to.0 = [red, green, blue].map(|channel| blended_with_white(channel, alpha));
    }
    flat.into()
}

fn blended_with_white(channel: u8, alpha: u8) -> u8 {
    let (channel, alpha) = (u16::from(channel), u16::from(alpha));
    u8::try_from((channel * alpha + 255 * (255 - alpha) + 127) / 255).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests;
