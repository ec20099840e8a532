//! Headless Chromium and what it sees of a page.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A frame as wide as the screen should be: a window of Chromium cannot be made as narrow as a telephone.
const FRAME: &str = include_str!("frame.html");
/// What the page under test is asked, from within a copy of it.
const PROBE: &str = include_str!("probe.js");

/// A browser.
pub(crate) struct Browser {
    program: PathBuf,
}

/// What is seen of a page.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Lines that the browser writes to its console.
    pub(crate) console: Vec<String>,
    /// Pixels of the page beyond its right edge.
    pub(crate) overflow: u64,
    /// How many figures there are.
    pub(crate) figures: u64,
    /// Figures without extent and images within them that cannot be decoded.
    pub(crate) broken: Vec<String>,
    /// Labels that reach out of their figure.
    pub(crate) cut: Vec<String>,
    /// Figures whose labels are too small to be read.
    pub(crate) faint: Vec<String>,
}

impl Browser {
    /// A Chromium of this machine, if there is one.
    pub(crate) fn find() -> Option<Self> {
        let names = ["chromium", "chromium-browser", "google-chrome"];
        let path = std::env::var_os("PATH")?;
        let program = std::env::split_paths(&path)
            .flat_map(|folder| names.map(|name| folder.join(name)))
            .find(|program| program.is_file())?;
        Some(Self { program })
    }

    /// Opens a copy of the page in a frame of this width.
    pub(crate) fn look(&self, page: &Path, width: u32) -> Seen {
        let scratch = tempfile::tempdir().unwrap();
        let text = fs::read_to_string(page).unwrap();
        let probed = text.replace("</body>", &format!("<script>{PROBE}</script></body>"));
        assert_ne!(probed, text, "{} has no body", page.display());
        fs::write(scratch.path().join("page.html"), probed).unwrap();
        let frame = scratch.path().join("frame.html");
        fs::write(&frame, FRAME.replace("WIDTH", &width.to_string())).unwrap();
        let output = Command::new(&self.program)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-extensions",
                "--hide-scrollbars",
            ])
            .args([
                "--enable-logging=stderr",
                "--window-size=1400,1000",
                "--virtual-time-budget=60000",
                "--dump-dom",
            ])
            .arg(format!("--user-data-dir={}", scratch.path().join("profile").display()))
            .arg(format!("file://{}", frame.display()))
            .output()
            .unwrap();
        let console = String::from_utf8_lossy(&output.stderr);
        let console = console.lines().filter(|line| line.contains("CONSOLE")).map(Into::into).collect();
        let dom = String::from_utf8_lossy(&output.stdout).into_owned();
        let found = dom.split_once("<pre id=\"found\">").and_then(|(_, rest)| rest.split_once("</pre>"));
        let (found, _) = found.unwrap_or_else(|| panic!("the page did not answer: {dom:.2000}"));
        let plain = found.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        let found: serde_json::Value =
            serde_json::from_str(&plain).unwrap_or_else(|error| panic!("{error}: {plain}"));
        let words = |key: &str| {
            let values = found[key].as_array().unwrap().iter();
            values.map(|value| value.as_str().unwrap().to_owned()).collect()
        };
        Seen {
            console,
            overflow: found["overflow"].as_u64().unwrap(),
            figures: found["figures"].as_u64().unwrap(),
            broken: words("broken"),
            cut: words("cut"),
            faint: words("faint"),
        }
    }
}
