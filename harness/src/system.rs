//! The machine that a run is taken on: what identifies it, what describes its state, and warnings.

pub(crate) mod build;
pub(crate) mod cgroups;
pub(crate) mod cpu_stat;
pub(crate) mod kernel;
pub(crate) mod proc;
pub(crate) mod quota;

use std::fs;

use lockbench_reports::record::Machine;

use crate::topology;

/// Everything that can be read without measuring.
pub(crate) fn describe(topology: &topology::Machine) -> Machine {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = cpuinfo.lines().find(|line| line.split(':').next().is_some_and(|key| key.trim() == name));
        line.and_then(|line| line.split(':').nth(1)).unwrap_or_default().trim().to_owned()
    };
    let model = field("model name");
    let mut machine = Machine {
        cpu_model: if model.is_empty() { topology.cpu_model.clone().unwrap_or_default() } else { model },
        arch: std::env::consts::ARCH.into(),
        packages: topology.packages.len() as u32,
        cores: topology.cores.len() as u32,
        pus: topology.pus.len() as u32,
        numa_nodes: topology.nodes.len() as u32,
        topology: topology_line(topology),
        hypervisor: hypervisor(&cpuinfo),
        kvm: kvm_kind(&cpuinfo),
        memory_bytes: memory_bytes(),
        kernel: read_line("/proc/sys/kernel/osrelease"),
        microcode: field("microcode"),
        os: os_name(),
        toolchain: env!("LOCKBENCH_TOOLCHAIN").into(),
        lockbench: concat!(env!("CARGO_PKG_VERSION"), " ", env!("LOCKBENCH_COMMIT")).trim().into(),
        governor: read_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        smt: smt(topology),
        hostname: read_line("/proc/sys/kernel/hostname"),
        topology_detail: serde_json::to_value(topology).ok(),
        ..Machine::default()
    };
    machine.warnings = warnings(&machine, topology);
    machine
}

/// The first line of a file, empty if it cannot be read.
fn read_line(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().lines().next().unwrap_or_default().trim().to_owned()
}

/// One line that identifies a topology whatever the numbering.
fn topology_line(topology: &topology::Machine) -> String {
    let mut caches: Vec<String> = Vec::new();
    for cache in &topology.caches {
        let size = cache.size_bytes.map_or_else(|| "?".into(), |bytes| format!("{}KiB", bytes / 1024));
        let name = format!("L{}({size})", cache.level);
        if !caches.iter().any(|known| known.starts_with(&format!("{name}:"))) {
            let same =
                topology.caches.iter().filter(|c| (c.level, c.size_bytes) == (cache.level, cache.size_bytes));
            caches.push(format!("{name}:{}", same.count()));
        }
    }
    format!(
        "Package:{} NUMANode:{} {} Core:{} PU:{}",
        topology.packages.len(),
        topology.nodes.len(),
        caches.join(" "),
        topology.cores.len(),
        topology.pus.len()
    )
}

fn hypervisor(cpuinfo: &str) -> String {
    let xen = read_line("/sys/hypervisor/type");
    if !xen.is_empty() {
        return xen;
    }
    let flags = cpuinfo.lines().find(|line| line.starts_with("flags")).unwrap_or_default();
    if !flags.split_whitespace().any(|flag| flag == "hypervisor") {
        return "none".into();
    }
    hypervisor_signature().unwrap_or_else(|| "unknown".into())
}

/// The name that the hypervisor gives itself in CPUID leaf 0x40000000.
#[cfg(target_arch = "x86_64")]
fn hypervisor_signature() -> Option<String> {
    let leaf = std::arch::x86_64::__cpuid(0x4000_0000);
    let bytes: Vec<u8> = [leaf.ebx, leaf.ecx, leaf.edx].iter().flat_map(|part| part.to_le_bytes()).collect();
    let name = String::from_utf8(bytes).ok()?;
    let name = name.trim_matches('\0').to_owned();
    Some(match name.as_str() {
        "KVMKVMKVM" => "kvm".into(),
        "XenVMMXenVMM" => "xen".into(),
        "VMwareVMware" => "vmware".into(),
        "Microsoft Hv" => "hyper-v".into(),
        _ => name,
    })
}

#[cfg(not(target_arch = "x86_64"))]
fn hypervisor_signature() -> Option<String> {
    None
}

/// What /dev/kvm is made of.
fn kvm_kind(cpuinfo: &str) -> String {
    let modules =
        fs::read_dir("/sys/module").map(|dir| dir.flatten().map(|e| e.file_name()).collect::<Vec<_>>());
    let loaded =
        |name: &str| modules.as_ref().is_ok_and(|modules| modules.iter().any(|module| module == name));
    let beneath = hypervisor(cpuinfo) != "none";
    if fs::metadata("/dev/kvm").is_err() {
        "absent".into()
    } else if loaded("kvm_pvm") {
        "software (pvm)".into()
    } else if (loaded("kvm_intel") || loaded("kvm_amd")) && beneath {
        "nested".into()
    } else if loaded("kvm_intel") || loaded("kvm_amd") {
        "hardware".into()
    } else {
        "unknown".into()
    }
}

fn memory_bytes() -> u64 {
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    total.and_then(|kb| kb.trim().trim_end_matches("kB").trim().parse::<u64>().ok()).unwrap_or(0) * 1024
}

fn os_name() -> String {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    name.unwrap_or_default().trim_matches('"').to_owned()
}

fn smt(topology: &topology::Machine) -> String {
    let active = read_line("/sys/devices/system/cpu/smt/active");
    match active.as_str() {
        "1" => "on",
        "0" => "off",
        _ if topology.pus.len() > topology.cores.len() => "on",
        _ => "unknown",
    }
    .into()
}

fn warnings(machine: &Machine, topology: &topology::Machine) -> Vec<String> {
    let mut warnings = Vec::new();
    if machine.hypervisor != "none" {
        warnings.push(format!(
            "This machine is itself a virtual machine ({}): its pCPUs are vCPUs of a host that may take them away or move \
             them apart unseen; hence the ping-pong beside each window.",
            machine.hypervisor
        ));
    }
    if !machine.governor.is_empty() && machine.governor != "performance" {
        warnings.push(format!(
            "The frequency governor is `{}`: clocks may change during the run; set it to `performance`.",
            machine.governor
        ));
    }
    warnings.extend(kernel::settings(topology).iter().filter_map(kernel::Setting::warning));
    if topology.pus.len() < 2 {
        warnings.push("Only one CPU may be used: nothing is contended natively.".into());
    }
    let load: f64 =
        read_line("/proc/loadavg").split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0);
    if load > 0.3 * topology.pus.len() as f64 {
        warnings.push(format!(
            "The load average was {load} when the run began: something else is using the CPUs."
        ));
    }
    if cfg!(target_arch = "aarch64") {
        warnings.push("lockbench on aarch64 is unverified so far.".into());
    }
    if cfg!(debug_assertions) {
        warnings
            .push("This is a debug build; the workers are optimised all the same, the parent is not.".into());
    }
    warnings
}
