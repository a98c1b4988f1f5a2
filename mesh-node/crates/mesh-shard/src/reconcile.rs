//! What is to be done next, so that what is wanted comes to be.
