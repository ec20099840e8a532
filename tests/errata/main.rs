//! The misprints of the sources, one test to a line of docs/errata.md: the corrected formula against
//! something independent, and how far the printed one is off.

mod lecture;
mod numerics;
mod page;
mod post;
mod slides;
mod tutorial;

#[test]
fn every_line_of_the_errata_has_its_test() {
    let files = [
        ("lecture", include_str!("lecture.rs")),
        ("page", include_str!("page.rs")),
        ("post", include_str!("post.rs")),
        ("slides", include_str!("slides.rs")),
        ("tutorial::appendix", include_str!("tutorial/appendix.rs")),
        ("tutorial::calculus", include_str!("tutorial/calculus.rs")),
        ("tutorial::diffusion", include_str!("tutorial/diffusion.rs")),
        ("tutorial::langevin", include_str!("tutorial/langevin.rs")),
        ("tutorial::reversal", include_str!("tutorial/reversal.rs")),
    ];
    let mut tests: Vec<String> = files
        .iter()
        .flat_map(|(module, text)| {
            let after = text.split("#[test]\nfn ").skip(1);
            after.map(move |rest| format!("{module}::{}", rest.split('(').next().unwrap_or_default()))
        })
        .collect();
    // The last cell of each row that is neither a heading nor a rule.
    let rows = include_str!("../../docs/errata.md").lines().filter(|line| line.starts_with("| "));
    let mut listed: Vec<String> = rows
        .filter(|row| !row.starts_with("| place"))
        .filter_map(|row| row.trim_end_matches(" |").rsplit("| ").next())
        .map(|cell| cell.trim_matches('`').to_owned())
        .collect();
    tests.sort();
    listed.sort();
    assert_eq!(listed, tests);
}
