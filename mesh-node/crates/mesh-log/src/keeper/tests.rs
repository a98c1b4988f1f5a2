mod crash;
mod damage;
mod fixture;
mod jobs;
mod shells;
