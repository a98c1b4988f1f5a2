mod cluster;
mod hostile;
mod lost;
mod one;
mod three;
