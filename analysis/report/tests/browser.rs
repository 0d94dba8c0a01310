//! The page in a real browser: Chromium, driven over its debugging pipe.
//!
//! Where there is no Chromium the test says so and ends; `CHROMIUM` names one that is not on the path. The page is
//! the one that people open: nothing is injected into it.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test may, and it says what it skips")]

mod chromium;
mod fixture;

use chromium::{Browser, Tab};
use fixture::Fixture;

const WIDE: (u32, u32) = (1_100, 900);
const PHONE: (u32, u32) = (390, 844);

/// A page on a disk, and a browser to open it; none where there is no browser.
fn opened() -> Option<(tempfile::TempDir, String, Browser)> {
    let Some(browser) = Browser::start() else {
        eprintln!(
            "skipped: no chromium, chromium-browser or google-chrome is on the path, and CHROMIUM names none"
        );
        return None;
    };
    let root = tempfile::tempdir().unwrap();
    let run = root.path().join("run");
    Fixture { minutes: 3, peers: 50, ..Fixture::default() }.write(&run);
    let page = wavetank_report::write(&run).unwrap().page;
    Some((root, format!("file://{}", page.display()), browser))
}

fn number(tab: &mut Tab<'_>, script: &str) -> f64 {
    tab.evaluate(script).as_f64().unwrap()
}

fn text(tab: &mut Tab<'_>, script: &str) -> String {
    tab.evaluate(script).as_str().unwrap().to_owned()
}

#[test]
fn people_can_open_it() {
    let Some((_root, url, mut browser)) = opened() else { return };
    let mut tab = browser.open(&url, WIDE, "light");
    every_plot_has_a_size(&mut tab, ".wide");
    the_pointer_reads_values(&mut tab);
    the_keyboard_reads_values(&mut tab);
    the_command_can_be_copied(&mut tab);
    colours_follow_the_switch(&mut tab);
    assert_eq!(tab.complaints, [""; 0], "nothing is complained of, and nothing leaves the file");

    let mut tab = browser.open(&url, WIDE, "dark");
    assert!(paper(&mut tab) < 60.0, "a dark screen has a dark page");
    assert!(card(&mut tab) < 60.0, "and dark plots");

    let mut tab = browser.open(&url, PHONE, "light");
    every_plot_has_a_size(&mut tab, ".narrow");
    let wide = "document.documentElement.scrollWidth";
    assert_eq!(number(&mut tab, wide), f64::from(PHONE.0), "the page does not scroll to the side");
    assert!(paper(&mut tab) > 200.0 && card(&mut tab) > 200.0);
    assert_eq!(tab.complaints, [""; 0]);
}

fn every_plot_has_a_size(tab: &mut Tab<'_>, layout: &str) {
    let figures = number(tab, "document.querySelectorAll('figure').length");
    assert!(figures >= 10.0, "{figures} plots");
    let sized = format!(
        "[...document.querySelectorAll('figure {layout} svg')].filter(svg => {{ \
         const at = svg.getBoundingClientRect(); return at.width > 300 && at.height > 150; }}).length"
    );
    assert_eq!(number(tab, &sized), figures);
    let sparks = "[...document.querySelectorAll('svg.spark')].filter(svg => svg.getBBox().width > 50).length";
    assert!(number(tab, sparks) >= 1.0);
}

fn the_pointer_reads_values(tab: &mut Tab<'_>) {
    let plots = number(tab, "document.querySelectorAll('figure').length") as u32;
    for plot in 0..plots {
        let box_of = format!("document.querySelectorAll('figure .wide')[{plot}]");
        tab.evaluate(&format!("{box_of}.scrollIntoView({{block: 'center'}})"));
        let side =
            |tab: &mut Tab<'_>, side: &str| number(tab, &format!("{box_of}.getBoundingClientRect().{side}"));
        let (left, top) = (side(tab, "left"), side(tab, "top"));
        let (width, height) = (side(tab, "width"), side(tab, "height"));
        tab.point(left + width * 0.5, top + height * 0.6);
        let told = text(tab, &format!("{box_of}.querySelector('.tip:not([hidden])')?.textContent ?? ''"));
        assert!(told.chars().any(|character| character.is_ascii_digit()), "plot {plot} tells {told:?}");
    }
}

fn the_keyboard_reads_values(tab: &mut Tab<'_>) {
    let tip = "document.querySelector('#lookup_latency .wide .tip')";
    tab.evaluate("document.querySelector('#lookup_latency .wide').focus()");
    tab.press("Home");
    let first = text(tab, &format!("{tip}.textContent"));
    tab.press("ArrowRight");
    let second = text(tab, &format!("{tip}.textContent"));
    assert!(first.contains("p95") && second.contains("p95") && first != second, "{first:?} {second:?}");
    tab.press("Escape");
    assert_eq!(tab.evaluate(&format!("{tip}.hidden")), true);
}

fn the_command_can_be_copied(tab: &mut Tab<'_>) {
    assert_eq!(tab.evaluate("document.querySelector('button.copy').hidden"), false);
    tab.evaluate("document.querySelector('button.copy').click()");
    tab.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))");
    assert_eq!(text(tab, "document.querySelector('button.copy').textContent"), "Copied");
}

fn colours_follow_the_switch(tab: &mut Tab<'_>) {
    assert!(paper(tab) > 200.0 && card(tab) > 200.0, "a light screen has a light page");
    tab.evaluate("document.querySelector('button.theme').click()");
    assert_eq!(text(tab, "document.documentElement.dataset.theme"), "dark");
    assert!(paper(tab) < 60.0 && card(tab) < 60.0, "until somebody wants it dark");
    tab.evaluate("document.querySelector('button.theme').click()");
    assert!(paper(tab) > 200.0);
    tab.evaluate("document.querySelector('button.theme').click()");
}

/// How bright the page is, from 0 to 255.
fn paper(tab: &mut Tab<'_>) -> f64 {
    brightness(tab, "getComputedStyle(document.body).backgroundColor")
}

/// How bright the paper of the first plot is.
fn card(tab: &mut Tab<'_>) -> f64 {
    brightness(tab, "getComputedStyle(document.querySelector('figure svg rect')).fill")
}

fn brightness(tab: &mut Tab<'_>, colour: &str) -> f64 {
    let colour = text(tab, colour);
    let channels: Vec<f64> = colour
        .split(|character: char| !character.is_ascii_digit())
        .filter_map(|channel| channel.parse().ok())
        .collect();
    assert!(channels.len() >= 3, "{colour}");
    channels.iter().take(3).sum::<f64>() / 3.0
}
