//! Certificates in words.
