//! The most memory that each workload takes, one a process, and what the plan says of it.

use crate::Outcome;
use crate::process;
use std::fmt::Write;
use std::process::Command;

/// Allowed for the process itself.
const PROCESS: f64 = 3.0;

/// Workloads, the training steps that are held against peers behind.
const WORKLOADS: [&str; 15] = [
    "mlp_b1",
    "mlp_b64",
    "mlp_train",
    "lstm_b1",
    "lstm_b32",
    "lstm_train",
    "resnet18_b1",
    "mobilenet_v2_b1",
    "vgg16_b1",
    "encoder_b1",
    "decode_b1",
    "norm_gelu",
    "softmax",
    "resnet20_train",
    "gpt_train",
];

/// The section of the report.
pub fn section(peers: &[String]) -> Outcome<String> {
    let own =
        std::env::current_exe()?.with_file_name(format!("kiln-benches{}", std::env::consts::EXE_SUFFIX));
    let mut text = format!(
        "In MB; weights include the optimizer's state. An inference's are given away as they are frozen, in the form that its products\n\
         read: in panels, or as factors at Winograd's points, which are up to four times as many; so what is frozen stands in the sum in\n\
         their place. {PROCESS} MB are allowed for the process. None of it depends on how busy the machine is.\n\n\
         | workload | weights | frozen | in and out | scratch | sum, and {PROCESS} | most measured |\n|---|---|---|---|---|---|---|\n"
    );
    for workload in WORKLOADS {
        let mut command = Command::new(&own);
        let (line, _) = process::run(command.args(["--memory", "--threads", "2", "--only", workload]))
            .map_err(|error| format!("{error} (build it first: cargo build --release -p kiln-benches)"))?;
        let number = |key| field(&line, key).ok_or_else(|| format!("no {key} in {line}"));
        let keys = ["kept", "frozen", "passed", "scratch", "peak"];
        let mut megabytes = [0.0; 5];
        for (to, key) in megabytes.iter_mut().zip(keys) {
            *to = number(key)? / 1e6;
        }
        let [kept, frozen, passed, scratch, peak] = megabytes;
        let sum = kept.max(frozen) + passed + scratch + PROCESS;
        let frozen = if frozen > 0.0 { format!("{frozen:.1}") } else { "–".into() };
        writeln!(
            text,
            "| {workload} | {kept:.1} | {frozen} | {passed:.1} | {scratch:.1} | {sum:.1} | {peak:.1} |"
        )?;
    }
    for peer in peers {
        for workload in &WORKLOADS[WORKLOADS.len() - 2..] {
            let mut words = peer.split_whitespace();
            let mut command = Command::new(words.next().ok_or("--peers wants a command")?);
            command.args(words).args(["--threads", "2", "--seconds", "0", "--only", workload]);
            let peak = process::peak(&mut command)? as f64 / 1e6;
            writeln!(
                text,
                "\n`{}` takes {peak:.1} MB at most for {workload}, with all that it loads.",
                short(peer)
            )?;
        }
    }
    Ok(text)
}

/// A command without the folders of its files.
fn short(command: &str) -> String {
    let files = command.split_whitespace().map(|word| word.rsplit('/').next().unwrap_or(word));
    files.collect::<Vec<_>>().join(" ")
}

/// A number in a flat JSON object.
fn field(line: &str, key: &str) -> Option<f64> {
    let (_, rest) = line.split_once(&format!("\"{key}\": "))?;
    rest.split([',', '}']).next()?.trim().parse().ok()
}
