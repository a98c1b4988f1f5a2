mod again;
mod cluster;
mod hostile;
mod lost;
mod one;
mod repair;
mod three;
mod under_way;
