//! Variables: the precedence list, lazy rendering, magic variables.
