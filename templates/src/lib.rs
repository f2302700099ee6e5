//! The report's templates and styles as embedded constants; no logic.

/// The page.
pub const PAGE: &str = include_str!("html/page.html");
