//! The page of a synthetic run: whole, self-contained and the same each time.

mod fixture;

use lockbench_reports::derive::derive;
use lockbench_reports::html;
use lockbench_reports::plots::{Figure, figures};
use lockbench_reports::record::Results;

fn results() -> Results {
    derive(fixture::lines(7, 1.0).into_iter())
}

#[test]
fn every_plot_is_drawn_with_title_description_and_data() {
    for figure in figures(&results()).unwrap() {
        match figure {
            Figure::Drawn(plot) => {
                assert!(plot.svg.contains("<title") && plot.svg.contains("<desc"), "{}", plot.id);
                assert!(!plot.data.rows.is_empty() && !plot.reading.is_empty(), "{}", plot.id);
                assert!(plot.data.rows.iter().all(|row| row.len() == plot.data.columns.len()), "{}", plot.id);
            }
            Figure::Missing { title, why } => panic!("{title} is left out: {why}"),
        }
    }
}

#[test]
fn a_run_without_data_says_why_plots_are_missing() {
    let empty = derive(fixture::lines(7, 1.0).into_iter().take(1));
    let page = html::render(&[empty]).unwrap();
    assert!(page.contains("Plots left out") && page.contains("No latency windows were taken."));
    assert!(html::render(&[derive(std::iter::empty())]).is_ok());
    assert!(html::render(&[]).is_ok());
}

#[test]
fn the_page_loads_nothing_and_repeats_itself() {
    let results = results();
    let page = html::render(std::slice::from_ref(&results)).unwrap();
    let own = page.replace("http://www.w3.org/2000/svg", "");
    let text = own.split("<script type=\"application/json\"").next().unwrap();
    for loader in ["http://", "https://", "src=", "url(", "@import", "<link", "<iframe", " style=\""] {
        assert!(!text.contains(loader), "{loader}");
    }
    assert_eq!(page, html::render(&[results]).unwrap());
}

#[test]
fn the_data_in_the_page_are_the_results() {
    let results = results();
    let page = html::render(std::slice::from_ref(&results)).unwrap();
    let json = page.split("id=\"r0-json\">").nth(1).and_then(|rest| rest.split("</script>").next()).unwrap();
    assert_eq!(serde_json::from_str::<Results>(json).unwrap(), results);
}

#[test]
fn ids_are_unique() {
    let one = results();
    for runs in [vec![one.clone()], vec![one.clone(), one]] {
        let page = html::render(&runs).unwrap();
        let mut ids: Vec<&str> =
            page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all);
    }
}
