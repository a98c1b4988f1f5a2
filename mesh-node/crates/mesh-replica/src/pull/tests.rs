mod follower;
mod leader;
mod repair;
mod run;
mod world;
