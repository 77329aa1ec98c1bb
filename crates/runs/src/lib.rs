//! The run folder: every file's name, its record type, reading and atomic writing.
