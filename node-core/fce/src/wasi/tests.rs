//! Tests of the functions as modules call them.
