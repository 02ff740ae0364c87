//! Files, and what each is taken for.

mod content;
