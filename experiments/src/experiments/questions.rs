//! The questions that the experiments answer, in the order in which the page asks them.

/// Every question with the names of its experiments, in the order in which they are to be read.
const QUESTIONS: &[(&str, &[&str])] = &[
    (
        "Is the mathematics of the random horizon right?",
        &["green-law", "reversal", "lifetime-law", "h-transform", "state-killing", "three-starts", "flux"],
    ),
    (
        "When should the backward process die?",
        &["killing-benchmark", "killing", "polarity", "hazard", "local-time"],
    ),
    (
        "What does it do to noisy and masked inputs?",
        &[
            "projection-dimension",
            "projection-noise",
            "projection-mask",
            "digits",
            "classify",
            "anomaly",
            "dimension",
        ],
    ),
    (
        "How does it compare with a fixed horizon?",
        &["horizons", "initialisation", "one-network", "ergodic", "samplers"],
    ),
    (
        "Can the score be learned?",
        &["learned-glyphs", "learned-mnist", "noise-level", "learned-toy", "training-choices"],
    ),
    (
        "Is the time reversal of diffusions right?",
        &["schedules", "ou-reversal", "naive-reversal", "space-dependent", "joint-law", "singular-score"],
    ),
    (
        "Do the textbook examples come out?",
        &["langevin-mixture", "ve-mixture", "vp-mixture", "predictor-corrector"],
    ),
];

/// What is asked where no question is known.
const OTHERS: &str = "Further experiments";

/// The question that an experiment answers.
pub(crate) fn question(name: &str) -> &'static str {
    QUESTIONS.iter().find(|(_, names)| names.contains(&name)).map_or(OTHERS, |(question, _)| question)
}

/// The place of an experiment among all; those without a question come last.
pub(crate) fn place(name: &str) -> usize {
    let mut names = QUESTIONS.iter().flat_map(|(_, names)| *names);
    names.position(|known| *known == name).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_experiment_answers_one_question() {
        let names: Vec<&str> = QUESTIONS.iter().flat_map(|(_, names)| *names).copied().collect();
        for experiment in super::super::ALL {
            let count = names.iter().filter(|name| **name == experiment.name()).count();
            assert_eq!(count, 1, "{}", experiment.name());
            assert_ne!(question(experiment.name()), OTHERS);
        }
        assert_eq!((question("nothing"), place("nothing")), (OTHERS, usize::MAX));
        assert!(place("killing") < place("digits"));
    }

    #[test]
    fn every_setting_is_documented() {
        for experiment in super::super::ALL {
            let prepared = experiment.prepare(false, &[]).unwrap();
            let docs = experiment.setting_docs();
            for key in prepared.settings.keys() {
                let doc = docs.iter().find(|(name, _)| name == key).map_or("", |(_, doc)| doc);
                assert!(doc.len() > 3, "{}: `{key}`", experiment.name());
            }
        }
    }
}
