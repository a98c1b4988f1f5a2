use image::{GrayImage, ImageBuffer, Luma, Rgb, Rgba, RgbaImage};

use super::*;

fn gradient(width: u32, height: u32) -> DynamicImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([(x % 256) as u8, (y % 256) as u8, ((x + y) % 256) as u8]))
        .into()
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn within(width: u32, height: u32) -> Options {
    Options::default().within(width, height).unwrap()
}

fn size(width: u32, height: u32) -> Dimensions {
    Dimensions { width, height }
}

#[test]
fn keeps_shape_and_format_unless_told() {
    for (source, wanted, expected) in [
        (ImageFormat::Png, None, Format::Png),
        (ImageFormat::Jpeg, None, Format::Jpeg),
        (ImageFormat::Png, Some(Format::Jpeg), Format::Jpeg),
        (ImageFormat::Jpeg, Some(Format::Png), Format::Png),
    ] {
        let mut options = within(100, 100);
        if let Some(format) = wanted {
            options = options.format(format);
        }
        let made = resize(&encoded(&gradient(400, 200), source), options, Limits::default()).unwrap();
        assert_eq!((made.size, made.source, made.format), (size(100, 50), size(400, 200), expected));
        let read = image::load_from_memory(&made.bytes).unwrap();
        assert_eq!((read.width(), read.height()), (100, 50));
    }
}

#[test]
fn every_colour_type_goes_through_both_formats() {
    let images: [DynamicImage; 4] = [
        GrayImage::from_pixel(20, 10, Luma([7])).into(),
        ImageBuffer::<Luma<u16>, _>::from_pixel(20, 10, Luma([700])).into(),
        RgbaImage::from_pixel(20, 10, Rgba([1, 2, 3, 4])).into(),
        ImageBuffer::<Rgba<u16>, _>::from_pixel(20, 10, Rgba([1000, 2000, 3000, 4000])).into(),
    ];
    for image in &images {
        for format in [Format::Png, Format::Jpeg] {
            let bytes = encoded(image, ImageFormat::Png);
            let made = resize(&bytes, within(10, 10).format(format), Limits::default()).unwrap();
            assert_eq!(made.size, size(10, 5), "{:?} as {format}", image.color());
        }
    }
}

#[test]
fn transparent_pixels_become_white_in_jpeg() {
    let hidden_black: DynamicImage = RgbaImage::from_pixel(16, 16, Rgba([0, 0, 0, 0])).into();
    let bytes = encoded(&hidden_black, ImageFormat::Png);
    let made = resize(&bytes, within(8, 8).format(Format::Jpeg), Limits::default()).unwrap();
    let read = image::load_from_memory(&made.bytes).unwrap().into_rgb8();
    assert!(read.pixels().all(|pixel| pixel.0.iter().all(|channel| *channel > 250)));
}

#[test]
fn input_limit_holds_to_the_byte() {
    let bytes = encoded(&gradient(32, 32), ImageFormat::Png);
    let limits = |input_bytes| Limits { input_bytes, ..Limits::default() };
    assert!(resize(&bytes, within(8, 8), limits(bytes.len())).is_ok());
    assert_eq!(
        resize(&bytes, within(8, 8), limits(bytes.len() - 1)),
        Err(Error::TooLarge { bytes: bytes.len(), limit: bytes.len() - 1 })
    );
}

#[test]
fn pixel_limit_holds_to_the_pixel() {
    let bytes = encoded(&gradient(40, 25), ImageFormat::Png);
    let limits = |pixels| Limits { pixels, ..Limits::default() };
    assert!(resize(&bytes, within(8, 8), limits(1000)).is_ok());
    assert_eq!(
        resize(&bytes, within(8, 8), limits(999)),
        Err(Error::TooManyPixels { width: 40, height: 25, limit: 999 })
    );
}

/// A few hundred bytes that claim 50,000 x 50,000 pixels: 10 GB if anybody believed them.
#[test]
fn a_decompression_bomb_is_refused_by_its_header() {
    let mut bomb = encoded(&gradient(1, 1), ImageFormat::Png);
    bomb[16..20].copy_from_slice(&50_000u32.to_be_bytes());
    bomb[20..24].copy_from_slice(&50_000u32.to_be_bytes());
    let checksum = png_crc(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&checksum.to_be_bytes());
    assert_eq!(
        resize(&bomb, within(8, 8), Limits::default()),
        Err(Error::TooManyPixels { width: 50_000, height: 50_000, limit: PIXELS_DEFAULT })
    );
}

fn png_crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 },
        )
    })
}

#[test]
fn what_is_no_image_is_told_apart_from_a_broken_one() {
    for bytes in [&b""[..], b"hello", b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"] {
        assert_eq!(resize(bytes, within(8, 8), Limits::default()), Err(Error::UnknownFormat));
    }
    for format in [ImageFormat::Png, ImageFormat::Jpeg] {
        let whole = encoded(&gradient(64, 64), format);
        let cut = resize(&whole[..whole.len() / 8], within(8, 8), Limits::default());
        assert!(matches!(cut, Err(Error::Corrupt { .. })), "{format:?}: {cut:?}");
    }
}

#[test]
fn a_turned_photograph_comes_out_upright() {
    let plain = encoded(&gradient(60, 30), ImageFormat::Jpeg);
    // An EXIF segment with the one entry "orientation: turn right by 90 degrees", put behind the start marker.
    let exif = b"\xff\xe1\x00\x22Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let turned = [&plain[..2], exif, &plain[2..]].concat();
    let made = resize(&turned, within(30, 30), Limits::default()).unwrap();
    assert_eq!((made.source, made.size), (size(30, 60), size(15, 30)));
}

#[test]
fn output_limit_holds_to_the_byte() {
    let bytes = encoded(&gradient(64, 64), ImageFormat::Png);
    let limits = |output_bytes| Limits { output_bytes, ..Limits::default() };
    let made = resize(&bytes, within(32, 32), Limits::default()).unwrap().bytes.len();
    assert!(resize(&bytes, within(32, 32), limits(made)).is_ok());
    assert_eq!(
        resize(&bytes, within(32, 32), limits(made - 1)),
        Err(Error::ResultTooLarge { bytes: made, limit: made - 1 })
    );
}
