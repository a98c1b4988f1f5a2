mod cluster;
mod hostile;
mod lost;
mod one;
mod repair;
mod three;
