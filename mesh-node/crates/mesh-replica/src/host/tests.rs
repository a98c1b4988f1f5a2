mod cluster;
mod hostile;
mod one;
mod three;
