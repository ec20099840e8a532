//! The page as a reader meets it: every experiment in its quick settings, in headless Chromium at two widths; and every
//! claim of the sources finds its checks in those records.

mod browser;

use std::path::{Path, PathBuf};

use assert_cmd::Command;

use browser::{Browser, Seen};

/// Widths in pixels of a laptop and of a telephone.
const WIDTHS: [u32; 2] = [1280, 400];

fn resolvent() -> Command {
    Command::cargo_bin("resolvent").expect("cargo builds the program before its tests")
}

/// The folder of a quick run of everything: the one that `RESOLVENT_RECORDS` names, else a run into `scratch`.
fn records(scratch: &Path) -> PathBuf {
    if let Some(dir) = std::env::var_os("RESOLVENT_RECORDS") {
        return dir.into();
    }
    let mut run = resolvent();
    let run = run.args(["run", "all", "--quick", "--out"]).arg(scratch).output().unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(0), "{said}\n{}", String::from_utf8_lossy(&run.stdout));
    scratch.into()
}

#[test]
fn the_page_of_everything_is_sound_and_every_claim_finds_its_checks() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = records(scratch.path());
    resolvent().arg("report").arg(&dir).assert().code(0);
    match Browser::find() {
        Some(browser) => WIDTHS.into_iter().for_each(|width| the_page_is_sound(&browser, &dir, width)),
        None => eprintln!("skipped in part: there is no Chromium here"),
    }
    claims_find_their_checks(&dir);
}

fn the_page_is_sound(browser: &Browser, dir: &Path, width: u32) {
    let Seen { console, overflow, figures, broken, cut, faint } =
        browser.look(&dir.join("index.html"), width);
    assert_eq!(console, Vec::<String>::new(), "what the console says at {width} pixels");
    assert_eq!(overflow, 0, "pixels beyond the right edge at {width}");
    assert!(figures > 50, "{figures} figures at {width} pixels");
    assert_eq!(broken, Vec::<String>::new(), "figures and images that are not drawn at {width} pixels");
    assert_eq!(cut, Vec::<String>::new(), "labels outside of their figure at {width} pixels");
    assert_eq!(faint, Vec::<String>::new(), "figures with labels below 7 pixels at {width} pixels");
}

fn claims_find_their_checks(dir: &Path) {
    let page = resolvent().arg("claims").arg(dir).output().unwrap();
    let page = String::from_utf8(page.stdout).unwrap();
    let bad: Vec<&str> =
        page.lines().filter(|line| line.contains("(no record)") || line.contains("(no check ")).collect();
    assert_eq!(bad, Vec::<&str>::new());
    assert!(page.matches(" | held").count() > 30, "{page}");
}

#[test]
fn a_browser_sees_what_is_wrong() {
    let Some(browser) = Browser::find() else {
        eprintln!("skipped: there is no Chromium here");
        return;
    };
    let scratch = tempfile::tempdir().unwrap();
    let place = scratch.path().join("index.html");
    let svg = |inside: &str| {
        format!(r#"<figure><svg width="200" height="100" viewBox="0 0 200 100">{inside}</svg></figure>"#)
    };
    let page = |inside: &str| {
        std::fs::write(&place, format!("<!DOCTYPE html><html><body>{inside}</body></html>")).unwrap();
        browser.look(&place, 400)
    };
    let sound = page(&svg(r#"<text x="20" y="50">label</text>"#));
    assert_eq!((sound.overflow, sound.figures), (0, 1));
    assert!(sound.console.is_empty() && sound.broken.is_empty() && sound.cut.is_empty());
    assert!(page(r#"<div style="width: 900px">wide</div>"#).overflow > 400);
    assert_eq!(page(&svg(r#"<text x="190" y="50">a long label</text>"#)).cut.len(), 1);
    assert_eq!(
        page(&svg(r#"<image width="9" height="9" href="data:image/png;base64,AAAA"/>"#)).broken.len(),
        1
    );
    assert_eq!(page(r#"<figure><svg width="0" height="0"></svg></figure>"#).broken.len(), 1);
    assert_eq!(page(&svg(r#"<text x="20" y="50" font-size="5">label</text>"#)).faint.len(), 1);
    assert_eq!(page("<script>console.error('bad luck')</script>").console.len(), 1);
}
