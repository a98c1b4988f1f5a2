//! What a caller may ask for, parsed and bounded.

use std::borrow::Cow;

use crate::error::Error;
use crate::fit::Dimensions;
use crate::format::Format;

/// Largest side of a thumbnail, in pixels.
pub const SIDE_MAX: u32 = 4096;
/// Side of the box a thumbnail is fitted into when the caller names none, in pixels.
pub const SIDE_DEFAULT: u32 = 256;
/// Best JPEG quality.
pub const QUALITY_MAX: u8 = 100;
/// JPEG quality when the caller names none.
pub const QUALITY_DEFAULT: u8 = 80;

/// Header of a request: widest thumbnail wanted.
pub const MAX_WIDTH: &str = "max-width";
/// Header of a request: highest thumbnail wanted.
pub const MAX_HEIGHT: &str = "max-height";
/// Header of a request and of a reply: the format of the thumbnail.
pub const FORMAT: &str = "format";
/// Header of a request: JPEG quality.
pub const QUALITY: &str = "quality";

/// The box to fit into, and how to encode what comes out. Every value is within its bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    bounds: Dimensions,
    format: Option<Format>,
    quality: u8,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            bounds: Dimensions { width: SIDE_DEFAULT, height: SIDE_DEFAULT },
            format: None,
            quality: QUALITY_DEFAULT,
        }
    }
}

impl Options {
    /// Fits into a box of `width` times `height` pixels, each 1 to [`SIDE_MAX`].
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for a side out of its bounds.
    pub fn within(mut self, width: u32, height: u32) -> Result<Self, Error> {
        self.bounds = Dimensions { width: side(MAX_WIDTH, width)?, height: side(MAX_HEIGHT, height)? };
        Ok(self)
    }

    /// Encodes as `format` instead of the format that came in.
    #[must_use]
    pub fn format(mut self, format: Format) -> Self {
        self.format = Some(format);
        self
    }

    /// Encodes JPEG at `quality`, 1 to [`QUALITY_MAX`]. PNG has no use for it.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] for a quality out of its bounds.
    pub fn quality(mut self, quality: u8) -> Result<Self, Error> {
        if quality == 0 || quality > QUALITY_MAX {
            return Err(invalid(QUALITY, format!("{quality} is not in 1..={QUALITY_MAX}")));
        }
        self.quality = quality;
        Ok(self)
    }

    /// Reads the options out of a request's headers, `header` giving the text of one by its name. What is absent
    /// keeps its default.
    ///
    /// # Errors
    /// [`Error::InvalidOption`] naming the first header that can't be used.
    pub fn from_headers<'a>(header: impl Fn(&str) -> Option<Cow<'a, str>>) -> Result<Self, Error> {
        let mut options = Self::default();
        let width = number(MAX_WIDTH, &header)?.unwrap_or(options.bounds.width);
        let height = number(MAX_HEIGHT, &header)?.unwrap_or(options.bounds.height);
        options = options.within(width, height)?;
        if let Some(quality) = number(QUALITY, &header)? {
            options = options.quality(quality)?;
        }
        if let Some(text) = header(FORMAT) {
            let format = text.parse().map_err(|error| invalid(FORMAT, format!("{text:?}: {error}")))?;
            options = options.format(format);
        }
        Ok(options)
    }

    /// The options as headers of a request; what [`Options::from_headers`] reads.
    pub fn to_headers(self) -> impl Iterator<Item = (&'static str, String)> {
        [
            Some((MAX_WIDTH, self.bounds.width.to_string())),
            Some((MAX_HEIGHT, self.bounds.height.to_string())),
            Some((QUALITY, self.quality.to_string())),
            self.format.map(|format| (FORMAT, format.name().to_owned())),
        ]
        .into_iter()
        .flatten()
    }

    /// The box that the thumbnail fits into.
    pub fn bounds(self) -> Dimensions {
        self.bounds
    }

    /// The format to encode an image of format `source` as.
    pub fn format_for(self, source: Format) -> Format {
        self.format.unwrap_or(source)
    }

    /// JPEG quality, 1 to 100.
    pub fn jpeg_quality(self) -> u8 {
        self.quality
    }
}

fn side(option: &'static str, pixels: u32) -> Result<u32, Error> {
    if pixels == 0 || pixels > SIDE_MAX {
        return Err(invalid(option, format!("{pixels} is not in 1..={SIDE_MAX}")));
    }
    Ok(pixels)
}

fn number<'a, N: std::str::FromStr>(
    option: &'static str,
    header: &impl Fn(&str) -> Option<Cow<'a, str>>,
) -> Result<Option<N>, Error> {
    let Some(text) = header(option) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| invalid(option, format!("{text:?} is not a whole number in range")))
}

fn invalid(option: &'static str, reason: String) -> Error {
    Error::InvalidOption { option, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(headers: &[(&str, &'static str)]) -> Result<Options, Error> {
        Options::from_headers(|name| {
            headers.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into())
        })
    }

    #[test]
    fn absent_headers_mean_defaults() {
        assert_eq!(parse(&[]), Ok(Options::default()));
    }

    #[test]
    fn headers_come_back_as_they_went() {
        let options = Options::default().within(320, 200).unwrap().format(Format::Jpeg).quality(55).unwrap();
        let headers: Vec<(&str, String)> = options.to_headers().collect();
        let read = Options::from_headers(|name| {
            headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str().into())
        });
        assert_eq!(read, Ok(options));
    }

    #[test]
    fn bounds_hold_to_the_last_value() {
        for (header, value, fits) in [
            (MAX_WIDTH, "0", false),
            (MAX_WIDTH, "1", true),
            (MAX_WIDTH, "4096", true),
            (MAX_WIDTH, "4097", false),
            (MAX_WIDTH, "-1", false),
            (MAX_WIDTH, "99999999999", false),
            (MAX_HEIGHT, "4096", true),
            (MAX_HEIGHT, "4097", false),
            (QUALITY, "0", false),
            (QUALITY, "1", true),
            (QUALITY, "100", true),
            (QUALITY, "101", false),
            (QUALITY, "256", false),
            (FORMAT, "png", true),
            (FORMAT, "jpg", true),
            (FORMAT, "gif", false),
        ] {
            let parsed = parse(&[(header, value)]);
            assert_eq!(parsed.is_ok(), fits, "{header}: {value} gave {parsed:?}");
            if let Err(Error::InvalidOption { option, .. }) = parsed {
                assert_eq!(option, header);
            }
        }
    }
}
