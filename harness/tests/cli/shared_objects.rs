//! Locks of shared objects, compiled here with `cc`.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::lockbench;

/// Compiles a file of C into a shared object.
fn compile(dir: &Path, source: &str, so: &str, options: &[&str]) -> PathBuf {
    compile_by("cc", dir, source, so, options)
}

fn compile_by(compiler: &str, dir: &Path, source: &str, so: &str, options: &[&str]) -> PathBuf {
    let object = dir.join(so);
    let output = Command::new(compiler)
        .args(["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", so, source])
        .args(options)
        .arg("-I")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("include"))
        .current_dir(dir)
        .output()
        .expect("a compiler");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    object
}

/// What is said on stderr by a command that could not do what was asked.
fn refused(arguments: &[&str]) -> String {
    let output = lockbench().args(arguments).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

/// The spec of a window, as `duel` gives it to each of two builds.
fn spec(lock: &str, path: &str, symbol: &str, sha256: &str) -> Value {
    json!({
        "axes": {
            "id": "a", "lock": lock, "env": "native", "placement": "compact", "pinning": "pinned",
            "vcpus": 1, "pcpus": [0], "overcommit": 1.0, "scheduler": {"kind": "host"},
            "workload": {"name": "short", "section_ns": 100.0, "lines": 0, "think": "none", "think_ns": 0.0},
        },
        "round": 0, "purpose": "rate", "start": "free", "warmup_ns": 1e6 as u64, "window_ns": 1e7 as u64, "samples": 1,
        "hang_ns": 2e9 as u64, "spin_threshold": 32768, "work_ns": 1.0, "ticks_per_ns": 2.0, "memory_nodes": [],
        "vcpu_nodes": [0], "count_preemptions": false,
        "object": {"path": path, "symbol": symbol, "sha256": sha256},
    })
}

fn envs() -> &'static str {
    if super::real_vcpus::has_kvm() { "native,emulated,kvm" } else { "native,emulated" }
}

#[test]
fn a_ticket_lock_in_c_goes_from_a_file_to_a_report_in_every_environment() {
    let dir = tempfile::tempdir().unwrap();
    lockbench().current_dir(dir.path()).args(["new-lock", "--c", "c-ticket"]).assert().success();
    let object =
        compile(&dir.path().join("c-ticket"), "c-ticket.c", "c-ticket.so", &["-std=c11", "-pedantic"]);
    let output = lockbench()
        .current_dir(dir.path())
        .args(["suite", "--profile", "smoke", "--lock-so", object.to_str().unwrap(), "--locks", "own,ticket"])
        .args([
            "--envs",
            envs(),
            "--workloads",
            "empty",
            "--overcommit",
            "1",
            "--vcpus",
            "1,2",
            "--rounds",
            "1",
        ])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let run = fs::read_dir(dir.path().join("lockbench-out")).unwrap().next().unwrap().unwrap().path();
    let results: Value = serde_json::from_slice(&fs::read(run.join("results.json")).unwrap()).unwrap();
    let cells = results["cells"].as_array().unwrap();
    for (env, lock) in envs().split(',').flat_map(|env| [(env, "so:c-ticket"), (env, "ticket")]) {
        let cell = cells.iter().find(|cell| cell["env"] == env && cell["lock"] == lock).unwrap();
        assert_eq!((&cell["status"], &cell["exclusion"]), (&json!("ok"), &json!("held")), "{cell}");
    }
    let locks = results["locks"].as_array().unwrap();
    let lock = locks.iter().find(|lock| lock["name"] == "so:c-ticket").unwrap();
    assert_eq!(
        (&lock["baseline"], &lock["own"], &lock["leaf"]),
        (&json!("ticket"), &json!(true), &json!(true))
    );
    assert_eq!(lock["object"]["file"], "c-ticket.so");
    let sha256 = lock["object"]["sha256"].as_str().unwrap();
    assert_eq!(sha256.len(), 64);
    let report = fs::read_to_string(run.join("report.html")).unwrap();
    assert!(
        report.contains("called through pointers, where the other is compiled into the loop"),
        "the price beside ticket is not said"
    );
    // A build that is given the window's spec, as by `duel`, loads the same file.
    let spec = spec("so:c-ticket", object.to_str().unwrap(), "lockbench_lock_c_ticket", sha256);
    let output =
        lockbench().args(["run", "--json", "--spec", "-"]).write_stdin(spec.to_string()).output().unwrap();
    let round: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&round["outcome"], &round["exclusion_checked"]),
        (&json!("measured"), &json!(true)),
        "{round}"
    );
}

/// Locks that do what they should not, in one object.
const ODD: &str = r#"
#include <pthread.h>
#include <sched.h>
#include "lockbench.h"

static __thread volatile int mine;
static volatile int *volatile nowhere = (int *)8;
static void free_it(void *lock, struct lockbench_vcpu *me) { (void)me; __atomic_store_n((int *)lock, 0, __ATOMIC_RELEASE); }
static int take(void *lock) { return __atomic_exchange_n((int *)lock, 1, __ATOMIC_ACQUIRE); }

static void calls(void *lock, struct lockbench_vcpu *me) { (void)me; sched_yield(); while (take(lock)) sched_yield(); }
static void remembers(void *lock, struct lockbench_vcpu *me) { mine++; while (take(lock)) lockbench_relax(me); }
static void crashes(void *lock, struct lockbench_vcpu *me) { (void)me; (void)lock; *nowhere = 1; }

static void traps(void *lock, struct lockbench_vcpu *me) { (void)me; (void)lock; __builtin_trap(); }

/* What CLH needs: nodes that change hands, and stay valid. Node and lock are checked as init left them. */
struct node { struct node *of_mine; uint32_t number; uint32_t made; };
struct nodes { uint32_t word, vcpus; uint32_t slots[]; };
static uint32_t seen[4096];
static void init(void *lock, uint32_t vcpus) { ((struct nodes *)lock)->vcpus = vcpus; ((struct nodes *)lock)->slots[vcpus - 1] = 7; }
static void init_node(void *lock, void *node, uint32_t vcpu)
{
    struct node *made = node;
    made->of_mine = made, made->number = vcpu, made->made = ((struct nodes *)lock)->vcpus;
}
static void looks(void *lock, struct lockbench_vcpu *me)
{
    struct nodes *nodes = lock;
    while (take(lock)) lockbench_relax(me);
    seen[sizeof(seen) / 4 - 1]++;
    for (uint32_t i = 0; i < me->vcpus; i++) {
        struct node *node = lockbench_node(me, i);
        if (node->of_mine != node || node->number != i || node->made != me->vcpus || nodes->slots[me->vcpus - 1] != 7)
            __builtin_trap();
    }
    if (me->node != lockbench_node(me, me->number)) __builtin_trap();
}

static void make_mutex(void *lock, uint32_t vcpus) { (void)vcpus; pthread_mutex_init(lock, NULL); }
static void sleeps(void *lock, struct lockbench_vcpu *me) { (void)me; pthread_mutex_lock(lock); }
static void wakes(void *lock, struct lockbench_vcpu *me) { (void)me; pthread_mutex_unlock(lock); }

#define LOCK(NAME, ...) LOCKBENCH_LOCK(NAME) = { .abi = LOCKBENCH_ABI, .size = 4, .acquire = NAME, .release = free_it, .leaf = true, __VA_ARGS__ }
LOCK(calls);
LOCK(remembers);
LOCK(crashes);
LOCK(traps);
LOCK(sleeps, .leaf = false, .blocks = true, .size = sizeof(pthread_mutex_t), .init = make_mutex, .release = wakes);
LOCK(looks, .size_per_vcpu = 8, .node_size = sizeof(struct node), .node_align = 8, .init = init, .init_node = init_node);
"#;

/// A lock in C++: a class, whose constructor `init` runs in the lock's memory.
const CLASS: &str = r#"
#include <new>
#include "lockbench.h"

namespace {
class lock {
    uint32_t word, made;
public:
    explicit lock(uint32_t vcpus) : word(0), made(vcpus) {}
    void acquire(lockbench_vcpu *me)
    {
        if (made != me->vcpus) __builtin_trap();
        while (__atomic_exchange_n(&word, 1, __ATOMIC_ACQUIRE)) lockbench_relax(me);
    }
    void release() { __atomic_store_n(&word, 0, __ATOMIC_RELEASE); }
};
void init(void *memory, uint32_t vcpus) { new (memory) lock(vcpus); }
void acquire(void *memory, lockbench_vcpu *me) { static_cast<lock *>(memory)->acquire(me); }
void release(void *memory, lockbench_vcpu *) { static_cast<lock *>(memory)->release(); }
}

LOCKBENCH_LOCK(of_a_class) = { .abi = LOCKBENCH_ABI, .size = sizeof(lock), .align = alignof(lock), .init = init, .acquire = acquire, .release = release, .leaf = true };
"#;

#[test]
fn what_a_lock_does_outside_of_its_object_is_named_and_costs_its_cell_alone() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("odd.c"), ODD).unwrap();
    let object = compile(dir.path(), "odd.c", "odd.so", &["-Wno-override-init", "-ftls-model=initial-exec"]);
    let mut objects = vec![object.clone()];
    // A machine may have a compiler for C alone.
    let has_cpp = Command::new("c++").arg("--version").output().is_ok_and(|output| output.status.success());
    if has_cpp {
        fs::write(dir.path().join("class.cpp"), CLASS).unwrap();
        let options = ["-std=c++20", "-Wno-missing-field-initializers"];
        objects.push(compile_by("c++", dir.path(), "class.cpp", "class.so", &options));
    }
    let output = lockbench()
        .args(["run", "--json", "--locks", "own", "--envs", envs()])
        .args(objects.iter().flat_map(|object| ["--lock-so", object.to_str().unwrap()]))
        .args(["--vcpus", "2", "--rounds", "1"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let results: Value = serde_json::from_slice(&output.stdout).unwrap();
    let reason = |lock: &str, env: &str| {
        let cells = results["cells"].as_array().unwrap();
        let cell = cells.iter().find(|cell| cell["lock"] == lock && cell["env"] == env).unwrap();
        let crashed = cell["status"] == "crashed";
        assert!(crashed || cell["exclusion"] == "held", "{cell}");
        crashed.then(|| cell["reason"].as_str().unwrap().to_owned())
    };
    for env in ["native", "emulated"] {
        for lock in ["so:calls", "so:remembers", "so:looks", "so:sleeps"] {
            assert_eq!(reason(lock, env), None, "{lock}");
        }
        assert!(reason("so:crashes", env).unwrap().contains("SIGSEGV"));
    }
    if has_cpp {
        for env in envs().split(',') {
            assert_eq!(reason("so:of_a_class", env), None);
        }
    }
    if envs().contains("kvm") {
        assert_eq!(reason("so:looks", "kvm"), None);
        let fault = |lock: &str, words: &[&str]| {
            let said = reason(lock, "kvm").unwrap();
            for word in words {
                assert!(said.contains(word), "{lock}: {word} is missing: {said}");
            }
        };
        fault(
            "so:calls",
            &["touched `sched_yield`, which lies outside of odd.so: page fault", "called by calls+0x"],
        );
        fault("so:remembers", &["touched thread-local storage: page fault", "remembers+0x"]);
        let said = reason("so:traps", "kvm").unwrap();
        assert!(said.contains("invalid opcode") && said.contains("traps+0x"), "{said}");
        assert!(!said.contains("leaf code"), "a trap leaves nothing: {said}");
        fault("so:crashes", &["wrote to 0x8", "crashes+0x"]);
    }
    // Several locks: each has its own memory, and nodes of its own that its `init_node` made.
    let locks = results["locks"].as_array().unwrap();
    let looks = locks.iter().find(|lock| lock["name"] == "so:looks").unwrap();
    let sha256 = looks["object"]["sha256"].as_str().unwrap();
    let mut spec = spec("so:looks", object.to_str().unwrap(), "lockbench_lock_looks", sha256);
    spec["needs"] = json!(["workloads"]);
    for (section, locks) in [("many", 3), ("nested", 2)] {
        let workload = &mut spec["axes"]["workload"];
        (workload["section"], workload["locks"]) = (section.into(), locks.into());
        let output = lockbench()
            .args(["run", "--json", "--spec", "-"])
            .write_stdin(spec.to_string())
            .output()
            .unwrap();
        let round: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(round["outcome"], "measured", "{section}: {round}");
    }
}

#[test]
fn an_object_that_is_none_is_refused_in_one_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let lock = "#include \"lockbench.h\"\nextern void none(void *, struct lockbench_vcpu *);\n\
                __attribute__((unused)) static void f(void *lock, struct lockbench_vcpu *me) { (void)lock; (void)me; }\n";
    let write = |name: &str, rest: &str| {
        fs::write(dir.path().join("x.c"), format!("{lock}{rest}")).unwrap();
        compile(dir.path(), "x.c", name, &[]).to_str().unwrap().to_owned()
    };
    let said_of = |object: &str| refused(&["list", "--lock-so", object]);
    let older = write("older.so", "LOCKBENCH_LOCK(x) = { .abi = 99, .acquire = f, .release = f };");
    assert!(said_of(&older).contains("was compiled with version 99 of lockbench.h"));
    let unbound =
        write("unbound.so", "LOCKBENCH_LOCK(x) = { .abi = LOCKBENCH_ABI, .acquire = none, .release = f };");
    assert!(said_of(&unbound).contains("undefined symbol: none"), "{}", said_of(&unbound));
    // A suite goes on without such an object, and does not end as if it had measured it.
    let suite = lockbench()
        .args(["suite", "--plan-only", "--profile", "smoke", "--lock-so", &unbound, "--lock-so", &older])
        .output()
        .unwrap();
    let said = String::from_utf8(suite.stderr).unwrap();
    assert_eq!(suite.status.code(), Some(2), "{said}");
    assert!(String::from_utf8(suite.stdout).unwrap().contains("ticket"), "{said}");
    let lines: Vec<_> = said.lines().collect();
    let [one, other, last] = lines[..] else { panic!("{said}") };
    assert!(one.contains("none") && one.ends_with("the suite goes on without it"), "{said}");
    assert!(other.contains("version 99") && other.ends_with("the suite goes on without it"), "{said}");
    assert!(last.contains("not measured: ") && last.contains("none"), "{said}");
    let crash = write(
        "crash.so",
        "LOCKBENCH_LOCK(x) = { .abi = LOCKBENCH_ABI, .acquire = f, .release = f };\n\
         __attribute__((constructor)) static void c(void) { __builtin_trap(); }",
    );
    assert!(said_of(&crash).contains("SIGILL"), "{}", said_of(&crash));
    let beside = write(
        "beside.so",
        "LOCKBENCH_LOCK(x) = { .abi = LOCKBENCH_ABI, .acquire = f, .release = f, .compare_with = \"tickt\" };",
    );
    assert!(said_of(&beside).contains("did you mean `ticket`?"));
    assert!(said_of(&format!("{beside}:y")).contains("unknown lock `y`"));
    let none = write(
        "none.so",
        "struct lockbench_descriptor lockbench_lock_hidden __attribute__((visibility(\"hidden\")));",
    );
    assert!(said_of(&none).contains("exports no lock"));
    assert!(said_of(&path("x.c")).contains("is no shared object"));
    assert!(said_of(&path("missing.so")).contains("there is no such file"));
    for nothing in ["", ":x"] {
        assert!(
            said_of(nothing).contains(&format!("--lock-so `{nothing}` names no file")),
            "{}",
            said_of(nothing)
        );
    }
    let odd = dir.path().join(OsStr::from_bytes(b"odd\xff"));
    fs::create_dir(&odd).unwrap();
    fs::write(odd.join("x.so"), "").unwrap();
    symlink(odd.join("x.so"), path("link.so")).unwrap();
    assert!(said_of(&path("link.so")).contains("link.so lies below a directory whose name is no text"));
    // A file that changes while a run goes on is another lock's.
    let good =
        write("good.so", "LOCKBENCH_LOCK(good) = { .abi = LOCKBENCH_ABI, .acquire = f, .release = f };");
    // Scenarios have their own locks.
    let scenario = |more: &[&str]| {
        let arguments = ["suite", "--scenario", "friebel-hog", "--plan-only", "--lock-so", &good];
        let output = lockbench().args(arguments).args(more).output().unwrap();
        let planned = String::from_utf8(output.stdout).unwrap().contains("so:good/emulated");
        (planned, String::from_utf8(output.stderr).unwrap())
    };
    let (planned, said) = scenario(&[]);
    assert!(!planned && said.contains("leave out so:good; --locks own,ticket measures yours"), "{said}");
    assert_eq!(scenario(&["--locks", "own,ticket"]), (true, String::new()));
    let twice = refused(&["list", "--lock-so", &good, "--lock-so", &good]);
    assert!(twice.contains("two locks are named `so:good`"), "{twice}");
    let spec = spec("so:good", &good, "lockbench_lock_good", &"0".repeat(64));
    fs::write(dir.path().join("spec.json"), spec.to_string()).unwrap();
    let changed = refused(&["run", "--json", "--spec", &path("spec.json")]);
    assert!(changed.contains("is not the file any more that this run began with"), "{changed}");
}
