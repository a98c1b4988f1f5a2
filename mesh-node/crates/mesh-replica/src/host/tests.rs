mod cluster;
mod one;
mod three;
