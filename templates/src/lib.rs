//! The report's templates, styles and script as embedded constants; no logic.

/// The report's tera templates by name. They include one another, so they must be registered together.
pub const TEMPLATES: [(&str, &str); 21] = [
    ("page.html", include_str!("html/page.html")),
    ("run.html", include_str!("html/run.html")),
    ("verdict.html", include_str!("html/verdict.html")),
    ("verdict_row.html", include_str!("html/verdict_row.html")),
    ("scenarios.html", include_str!("html/scenarios.html")),
    ("answers.html", include_str!("html/answers.html")),
    ("peers.html", include_str!("html/peers.html")),
    ("environments.html", include_str!("html/environments.html")),
    ("published.html", include_str!("html/published.html")),
    ("noise.html", include_str!("html/noise.html")),
    ("machine.html", include_str!("html/machine.html")),
    ("figure.html", include_str!("html/figure.html")),
    ("figures.html", include_str!("html/figures.html")),
    ("schedules.html", include_str!("html/schedules.html")),
    ("table.html", include_str!("html/table.html")),
    ("cells.html", include_str!("html/cells.html")),
    ("counters.html", include_str!("html/counters.html")),
    ("missing.html", include_str!("html/missing.html")),
    ("method.html", include_str!("html/method.html")),
    ("side_by_side.html", include_str!("html/side_by_side.html")),
    ("data.html", include_str!("html/data.html")),
];

/// The template that a page is rendered from.
pub const PAGE: &str = "page.html";

/// The page's style sheets, in order.
pub const STYLES: [&str; 5] = [
    include_str!("css/base.css"),
    include_str!("css/tables.css"),
    include_str!("css/figures.css"),
    include_str!("css/verdict.css"),
    include_str!("css/print.css"),
];

/// The page's only script: it sorts tables and unpacks the data that is saved from the page. Everything can be read without it.
pub const SCRIPT: &str = include_str!("js/report.js");

/// Name of the trend page's template.
pub const TREND: &str = "trend.html";

/// The trend page's templates by name, which must be registered together.
pub const TREND_TEMPLATES: [(&str, &str); 3] = [
    (TREND, include_str!("html/trend.html")),
    ("trend_standing.html", include_str!("html/trend_standing.html")),
    ("trend_series.html", include_str!("html/trend_series.html")),
];

/// The style sheet that the trend page adds to [`STYLES`].
pub const TREND_STYLE: &str = include_str!("css/trend.css");

/// The trend page's only script: it shows the night under the pointer and saves the data.
pub const TREND_SCRIPT: &str = include_str!("js/trend.js");
