//! The system: settings and setting up, backups, jobs, and what is wrong.

pub mod backups;
pub mod bundle;
pub mod certificate;
pub mod diagnostics;
pub mod jobs;
pub mod miniprogram;
pub mod notices;
pub mod programs;
pub mod settings;
pub mod setup;
pub mod trials;

use rocket::Route;

pub fn routes() -> Vec<Route> {
    [
        settings::routes(),
        setup::routes(),
        trials::routes(),
        certificate::routes(),
        jobs::routes(),
        backups::routes(),
        diagnostics::routes(),
        bundle::routes(),
        miniprogram::routes(),
        notices::routes(),
        programs::routes(),
    ]
    .concat()
}

/// A card of the settings, which says itself what became of it: whoever is led there does not see the top of the page.
pub fn card_of(word: &str) -> String {
    format!("/admin/settings?at={word}#{word}")
}

/// The page of a step of the set-up.
pub fn here(step: u8) -> String {
    format!("/admin/welcome/{step}")
}
